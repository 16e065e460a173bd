"""A leader's own chance beside the measured one: who says it, who reads it, what it moves."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from marketplace.brokerage import chance_queries, queries, service
from marketplace.brokerage.rules import DealStage, LostReason
from marketplace.brokerage.today_rules import Pressing
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from tests.dealing import PRICE, Market
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def say(market: Market, deal_id: int, percent: int = 60, actor: Actor | None = None) -> None:
    market.do(
        service.override_chance,
        actor or market.broker,
        deal_id=deal_id,
        percent=percent,
        reason="对方董事会已批预算",
    )


def lose(market: Market, deal_id: int) -> None:
    market.do(
        service.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=LostReason.PRICE,
        reason="价格差三成，双方都不再让步",
    )


def test_both_values_stand_beside_each_other(market: Market) -> None:
    deal_id = market.deal()
    market.terms(deal_id, signed_on=None)
    say(market, deal_id)
    with market.database.reading() as session:
        own = chance_queries.own_chances(session, market.broker, [deal_id])[deal_id]
        [item] = queries.today_list(session, market.broker, now=market.now).now
        figures = queries.deal_figures(session, market.broker, now=market.now)
    assert (own.percent, own.measured_percent, own.stage) == (60, 5, DealStage.LEAD)
    assert (item.own_percent, item.pressing) == (60, Pressing.NO_NEXT)
    assert item.chance is not None
    assert item.chance.percent == 5
    assert item.expected_fen == PRICE * 60 // 100
    assert figures.total.expected_fen == PRICE * 5 // 100
    assert figures.with_own.expected_fen == PRICE * 60 // 100
    assert figures.own_count == 1
    market.do(service.drop_override, market.broker, deal_id=deal_id)
    with market.database.reading() as session:
        figures = queries.deal_figures(session, market.broker, now=market.now)
    assert figures.with_own == figures.total


def test_an_own_chance_moves_the_order_of_the_day(market: Market) -> None:
    first, second = market.deal(), market.deal(market.achievement(title="另一项成果：耐磨涂层"))
    for deal_id in (first, second):
        market.terms(deal_id, signed_on=None)
    say(market, second)
    with market.database.reading() as session:
        found = queries.today_list(session, market.broker, now=market.now).now
    assert [item.deal_id for item in found] == [second, first]


def test_no_party_learns_what_its_broker_thinks(market: Market) -> None:
    deal_id = market.deal()
    say(market, deal_id)
    with market.database.reading() as session:
        for party in (market.buyer, market.officer):
            assert chance_queries.own_chances(session, party, [deal_id]) == {}
        for leader in (market.broker, market.head):
            assert list(chance_queries.own_chances(session, leader, [deal_id])) == [deal_id]
        told = [str(line) for line in queries.history(session, deal_id)]
    assert not any("机会" in line or "董事会" in line for line in told)


def test_only_the_leader_says_it_while_the_deal_is_open(market: Market) -> None:
    deal_id = market.deal()
    with pytest.raises(NotAllowed):
        say(market, deal_id, actor=market.officer)
    with pytest.raises(NotFound):
        say(market, deal_id, actor=market.world.actor(Role.BROKER, market.agency))
    with pytest.raises(RuleBroken):
        say(market, deal_id, percent=100)
    say(market, deal_id)
    lose(market, deal_id)
    with pytest.raises(Conflict):
        say(market, deal_id)
    with pytest.raises(Conflict, match="留作对照"):
        market.do(service.drop_override, market.broker, deal_id=deal_id)


def test_own_chances_are_judged_by_what_happened(market: Market) -> None:
    deal_id = market.deal()
    say(market, deal_id)
    lose(market, deal_id)
    with market.database.reading() as session:
        found = chance_queries.calibration(session, market.broker)
        foreign = chance_queries.calibration(
            session, market.world.actor(Role.BROKER, market.agency)
        )
    [own] = found.own
    assert (own.label, own.count, own.true_count) == ("60–80%", 1, 0)
    [measured] = found.measured
    assert (measured.label, measured.count, measured.happened) == ("0–10%", 1, 0.0)
    assert (foreign.closed_count, foreign.measured) == (0, ())
