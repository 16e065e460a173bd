"""The figures of deals on both databases: what they count, for whom, in how many statements."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from marketplace.accounts.rules import OrganisationKind
from marketplace.brokerage import queries, service
from marketplace.brokerage.queries import DealFigures
from marketplace.brokerage.rules import DealStage, LostReason
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed
from marketplace.foundation.money import Fen
from tests.dealing import PRICE, Market
from tests.statements import statements
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def read(market: Market, actor: Actor | None = None) -> DealFigures:
    with market.database.reading() as session:
        return queries.deal_figures(session, actor or market.broker, now=market.now)


def lose(market: Market, deal_id: int, reason: LostReason) -> None:
    market.do(
        service.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=reason,
        reason="企业明年才有预算，今年不谈",
    )


def test_the_figures_count_what_happened(market: Market) -> None:
    signed = market.drafted_deal()
    market.move(signed, DealStage.SIGNED)
    lose(market, market.deal(), LostReason.PRICE)
    lose(market, market.deal(), LostReason.PRICE)
    lose(market, market.deal(), LostReason.TIMING)
    still = market.deal()
    market.terms(still, amount_fen=PRICE, signed_on=None)
    market.deal()
    market.now += timedelta(days=4)
    found = read(market)
    assert [step.reached_count for step in found.funnel] == [6, 1, 1, 1, 1, 1, 1, 0, 0]
    assert found.funnel[0].lost_here_count == 3
    assert found.reasons == ((LostReason.PRICE, 2), (LostReason.TIMING, 1))
    lead = found.stages[0]
    assert (lead.worth.count, lead.worth.unpriced_count, lead.worth.amount_fen) == (2, 1, PRICE)
    assert (lead.chance.closed_count, lead.chance.signed_count) == (4, 1)
    assert (lead.median_days, lead.longest_days) == (4, 4)
    assert found.total.expected_fen == Fen(round(PRICE * (1 + 0.5) / 14))
    assert found.total.low_fen < found.total.expected_fen < found.total.high_fen
    (line,) = found.fields
    assert line.field is not None
    assert (line.count, line.signed_count, line.lost_count) == (6, 1, 3)


def test_everybody_measures_what_he_may_see(market: Market, world: World) -> None:
    market.deal()
    colleague = world.actor(Role.BROKER, market.agency, name="赵一")
    market.deal(broker=colleague)
    centre = world.organisation(OrganisationKind.OPERATOR, name="交易中心")
    operator = world.actor(Role.OPERATOR, centre, name="湛子轩")
    for actor, count in ((market.broker, 1), (colleague, 1), (market.head, 2), (operator, 2)):
        assert read(market, actor).funnel[0].reached_count == count, actor.name
    for actor in (market.officer, market.buyer):
        with pytest.raises(NotAllowed):
            read(market, actor)


def test_nothing_yet_is_no_error(market: Market) -> None:
    found = read(market)
    assert found.total == type(found.total)(Fen(0), Fen(0), Fen(0))
    assert (found.reasons, found.fields) == ((), ())
    assert all(stage.median_days is None for stage in found.stages)


def test_the_number_of_statements_does_not_grow(market: Market) -> None:
    def sent() -> int:
        with statements(market.database) as seen:
            read(market)
        return len(seen)

    market.deal()
    few = sent()
    for _ in range(5):
        lose(market, market.deal(), LostReason.OTHER)
        market.deal()
    assert sent() == few
