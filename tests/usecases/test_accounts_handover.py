"""Who leaves hands over: deals, tasks and requests go to a named colleague, with history."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from marketplace.accounts import queries, service
from marketplace.brokerage import handover_service
from marketplace.brokerage import queries as brokerage_queries
from marketplace.brokerage import service as brokerage
from marketplace.brokerage.rules import LostReason
from marketplace.foundation import audit
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed, NotFound, RuleBroken
from marketplace.foundation.handover import Handovers
from tests.dealing import Market
from tests.world import World

WORKS = Handovers((handover_service,))


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    """A broker with an open deal, and the agency's administrator."""
    return Market(database, world, now, tmp_path)


def _open_work(market: Market, user_id: int | None) -> dict[str, int]:
    with market.database.reading() as session:
        return WORKS.open_work(session, organisation_id=market.agency.id, user_id=user_id or 0)


def test_a_broker_leaves_and_a_colleague_goes_on(market: Market) -> None:
    admin = market.world.actor(Role.ORG_ADMIN, market.agency)
    colleague = market.world.actor(Role.BROKER, market.agency, name="接手人")
    deal_id = market.deal()
    market.do(
        brokerage.add_task,
        market.broker,
        deal_id=deal_id,
        what="约企业看检测报告",
        due_on=date(2024, 3, 20),
    )
    assert _open_work(market, market.broker.user_id) == {"撮合项目": 1, "待办": 1}
    leaver = market.broker.user_id or 0
    with pytest.raises(RuleBroken, match="先移交给同事"):
        market.do(
            service.set_roles,
            admin,
            user_id=leaver,
            roles=(),
            open_work=_open_work(market, leaver),
        )
    handing = {"giver_id": leaver, "taker_id": colleague.user_id, "works": WORKS}
    counts = market.do(service.hand_over, admin, leaving=True, **handing)
    assert counts == {"撮合项目": 1, "待办": 1}
    assert _open_work(market, leaver) == {}
    assert _open_work(market, colleague.user_id) == {"撮合项目": 1, "待办": 1}
    with market.database.reading() as session:
        assert queries.actor_for(session, leaver, market.agency.id) is None
        assert brokerage_queries.get_deal(session, colleague, deal_id).id == deal_id
        history = audit.history(session, f"deal:{deal_id}")
        assert [e.before for e in history if e.action == "brokerage.hand_over"] == [
            {"person": leaver},
            {"person": leaver},
        ]
        kept = queries.handovers(session, market.agency.id)
        assert [(h.giver_name, h.taker_name, h.counts) for h in kept] == [
            ("李静舒", "接手人", counts)
        ]


def test_who_cannot_go_on_does_not_take_over(market: Market) -> None:
    admin = market.world.actor(Role.ORG_ADMIN, market.agency)
    market.deal()
    giver = market.broker.user_id or 0
    for taker, refusal in (
        (market.head.user_id, RuleBroken),  # no broker
        (market.officer.user_id, RuleBroken),  # of another organisation
        (giver, RuleBroken),
    ):
        with pytest.raises(refusal):
            market.do(
                service.hand_over,
                admin,
                giver_id=giver,
                taker_id=taker,
                leaving=True,
                works=WORKS,
            )
    assert _open_work(market, giver) == {"撮合项目": 1}


def test_only_the_organisations_own_administrator_hands_over(market: Market) -> None:
    stranger = market.world.actor(Role.ORG_ADMIN, market.firm)
    colleague = market.world.actor(Role.BROKER, market.agency)
    handing = {
        "giver_id": market.broker.user_id,
        "taker_id": colleague.user_id,
        "leaving": False,
        "works": WORKS,
    }
    with pytest.raises(NotFound):
        market.do(service.hand_over, stranger, **handing)
    with pytest.raises(NotAllowed):
        market.do(service.hand_over, market.broker, **handing)


def test_a_closed_deal_stays_with_who_led_it(market: Market) -> None:
    admin = market.world.actor(Role.ORG_ADMIN, market.agency)
    colleague = market.world.actor(Role.BROKER, market.agency)
    deal_id = market.deal()
    market.do(
        brokerage.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=LostReason.PRICE,
        reason="双方价格相差过大，企业暂停了预算",
    )
    counts = market.do(
        service.hand_over,
        admin,
        giver_id=market.broker.user_id,
        taker_id=colleague.user_id,
        leaving=False,
        works=WORKS,
    )
    assert counts == {}
