"""What the parties of registered contracts say of the broker who carried them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from marketplace.brokerage import service
from marketplace.brokerage.rating_rules import Criterion
from marketplace.brokerage.rules import DealStage
from seed.demo.content import Deal
from seed.demo.deals_story import PlayedDeal
from seed.demo.stage import Stage, Story


class _Rating(BaseModel):
    model_config = ConfigDict(extra="forbid")

    deal: str
    side: str
    points: tuple[int, int, int]
    words: str = ""
    shown: bool | None = True
    reason: str = ""
    answer: str = ""


class _Ratings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ratings: tuple[_Rating, ...]


def ratings(stage: Stage) -> Iterator[Story]:
    """Return a story for each rating."""
    text = (files("seed.demo") / "ratings.yaml").read_text(encoding="utf-8")
    deals = {deal.key: deal for deal in stage.content.deals}
    for record in _Ratings.model_validate(yaml.safe_load(text)).ratings:
        yield _rating(stage, deals[record.deal], record)


def _rating(stage: Stage, deal: Deal, record: _Rating) -> Story:
    assert deal.broker is not None
    play = PlayedDeal(stage, deal)
    yield stage.at(deal.opened_on + timedelta(days=22), deal.key)
    while play.stage_now() not in (DealStage.REGISTERED, DealStage.PAID):
        yield stage.evening(5)
    yield stage.after(4 if record.side == "buyer" else 6, deal.key)
    actor = stage.buyer(deal.buyer) if record.side == "buyer" else stage.seller(play.owner)
    rating_id = service.rate_broker(
        stage.session,
        actor=actor,
        now=stage.now,
        deal_id=play.id,
        scores=dict(zip(Criterion, record.points, strict=True)),
        words=record.words,
        consented=bool(record.words),
    )
    if not record.words or record.shown is None:
        return
    yield stage.after(2, deal.key)
    service.decide_words(
        stage.session,
        actor=stage.actor("fanghuaying"),
        now=stage.now,
        rating_id=rating_id,
        shown=record.shown,
        reason=record.reason,
    )
    if record.answer:
        yield stage.after(1, deal.key)
        service.answer_rating(
            stage.session,
            actor=stage.actor(deal.broker),
            now=stage.now,
            rating_id=rating_id,
            answer=record.answer,
        )
