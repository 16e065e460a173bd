"""What brokers do at their desks: pairs proposed, views kept, chances seen otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from marketplace.brokerage import service
from marketplace.brokerage.proposal_rules import ProposalTo
from seed.demo.stage import Stage, Story


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    day: date


class _Answer(_Record):
    accepted: bool
    words: str


class _Proposal(_Record):
    broker: str
    need: str
    achievement: str
    to: ProposalTo
    words: str
    buyer_says: _Answer | None = None
    seller_says: _Answer | None = None


class _View(_Record):
    by: str
    name: str
    conditions: dict[str, str]


class _Chance(_Record):
    deal: str
    percent: int
    reason: str


class _Desk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    proposals: tuple[_Proposal, ...]
    views: tuple[_View, ...]
    chances: tuple[_Chance, ...]


def desks(stage: Stage) -> Iterator[Story]:
    """Tell one story for every record of the file."""
    text = files("seed.demo").joinpath("desk.yaml").read_text(encoding="utf-8")
    whole = _Desk.model_validate(yaml.safe_load(text))
    yield from (_proposal(stage, record) for record in whole.proposals)
    yield from (_view(stage, record) for record in whole.views)
    yield from (_chance(stage, record) for record in whole.chances)


def _proposal(stage: Stage, record: _Proposal) -> Story:
    needs = {need.key: need for need in stage.content.needs}
    achievements = {found.key: found for found in stage.content.achievements}
    yield stage.at(record.day, record.need)
    proposal_id = service.propose_pair(
        stage.session,
        actor=stage.actor(record.broker),
        now=stage.now,
        need_id=stage.needs[record.need],
        achievement_id=stage.achievements[record.achievement],
        to=record.to,
        words=record.words,
    )
    asked = (
        (record.buyer_says, stage.buyer(needs[record.need].organisation)),
        (record.seller_says, stage.seller(achievements[record.achievement].owners[0].org)),
    )
    for said, actor in asked:
        if said is None:
            continue
        yield stage.at(said.day, record.need)
        service.answer_proposal(
            stage.session,
            actor=actor,
            now=stage.now,
            proposal_id=proposal_id,
            accepted=said.accepted,
            words=said.words,
        )


def _view(stage: Stage, record: _View) -> Story:
    yield stage.at(record.day, record.by)
    service.save_view(
        stage.session,
        actor=stage.actor(record.by),
        now=stage.now,
        name=record.name,
        arguments=record.conditions,
    )


def _chance(stage: Stage, record: _Chance) -> Story:
    broker = next(deal.broker for deal in stage.content.deals if deal.key == record.deal)
    assert broker is not None
    yield stage.at(record.day, record.deal)
    service.override_chance(
        stage.session,
        actor=stage.actor(broker),
        now=stage.now,
        deal_id=stage.deals[record.deal],
        percent=record.percent,
        reason=record.reason,
    )
