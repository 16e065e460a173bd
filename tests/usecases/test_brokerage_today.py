"""What to do today: who sees what, in which order, and what one tap does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.accounts.rules import OrganisationKind
from marketplace.brokerage import queries, service
from marketplace.brokerage.models import Deal, Note, Task
from marketplace.brokerage.queries import TodayList
from marketplace.brokerage.rules import DealStage, LostReason, NoteKind
from marketplace.brokerage.today_rules import CallOutcome, Pressing
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.workdays import add_workdays
from tests.dealing import Market
from tests.statements import statements
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def read(market: Market, actor: Actor | None = None) -> TodayList:
    with market.database.reading() as session:
        return queries.today_list(session, actor or market.broker, now=market.now)


def tasks(market: Market, deal_id: int) -> list[tuple[str, date, bool]]:
    with market.database.reading() as session:
        rows = session.scalars(select(Task).where(Task.deal_id == deal_id).order_by(Task.id))
        return [(row.what, row.due_on, row.done_at is not None) for row in rows]


def notes(market: Market, deal_id: int, actor: Actor) -> list[tuple[NoteKind, str]]:
    with market.database.reading() as session:
        return [(note.kind, note.body) for note in queries.notes(session, actor, deal_id)]


def plan(market: Market, deal_id: int, days: int, actor: Actor | None = None) -> None:
    market.do(
        service.add_task,
        actor or market.broker,
        deal_id=deal_id,
        what="问进料粒度",
        due_on=market.today + timedelta(days=days),
    )


def call(market: Market, deal_id: int, outcome: CallOutcome, **more: Any) -> None:
    market.do(service.log_call, market.broker, deal_id=deal_id, outcome=outcome, **more)


def test_each_deal_stands_under_what_presses(market: Market) -> None:
    kinds = {
        Pressing.OVERDUE: market.deal(),
        Pressing.DUE_TODAY: market.deal(),
        Pressing.ASKED: market.deal(),
        Pressing.NO_NEXT: market.deal(),
        Pressing.COMING: market.deal(),
        Pressing.WAITING: market.deal(),
    }
    plan(market, kinds[Pressing.OVERDUE], 2)
    plan(market, kinds[Pressing.DUE_TODAY], 3)
    plan(market, kinds[Pressing.COMING], 9)
    plan(market, kinds[Pressing.ASKED], 9)
    market.contact(kinds[Pressing.ASKED], market.buyer)
    market.contact(kinds[Pressing.WAITING])
    market.move(kinds[Pressing.WAITING], DealStage.CONTACTED, DealStage.CONFIDENTIALITY)
    market.do(service.offer_agreement, market.officer, deal_id=kinds[Pressing.WAITING])
    market.now += timedelta(days=3)
    found = read(market)
    shown = {item.pressing: item.deal_id for item in found.now + found.waiting + found.coming}
    assert shown == kinds
    assert found.counts == dict.fromkeys(Pressing, 1) | {Pressing.STALE: 0}
    assert found.now_count == 4
    assert found.waiting[0].waits_for == "等买方接受保密协议"

    market.now += timedelta(days=15)
    found = read(market)
    assert found.counts[Pressing.STALE] == 2  # the one waiting and the one without a next step
    assert found.counts[Pressing.OVERDUE] == 4


def test_a_contract_waits_for_the_registrar(market: Market) -> None:
    deal_id = market.drafted_deal()
    market.move(deal_id, DealStage.SIGNED)
    (item,) = read(market).waiting
    assert item.waits_for == "等登记机构登记技术合同"
    assert item.following is None
    assert item.expected_fen == item.amount_fen


def test_the_list_is_ordered_by_worth_times_urgency(market: Market) -> None:
    small_late, large_late, large_open = market.deal(), market.deal(), market.deal()
    for deal_id, amount in ((small_late, 100), (large_late, 1_000), (large_open, 1_200)):
        market.terms(deal_id, amount_fen=Fen(amount), trading_mode=None, signed_on=None)
    plan(market, small_late, 0)
    plan(market, large_late, 0)
    market.now += timedelta(days=1)
    # 1000 × 4, 1200 × 1.5, 100 × 4: being late outweighs some worth, and much worth being late.
    assert [i.deal_id for i in read(market).now] == [large_late, large_open, small_late]


def test_a_further_stage_makes_the_same_price_worth_more(market: Market) -> None:
    lead, contacted = market.deal(), market.deal()
    market.contact(contacted)
    market.move(contacted, DealStage.CONTACTED)
    for deal_id in (lead, contacted):
        market.terms(deal_id, amount_fen=Fen(10_000), trading_mode=None, signed_on=None)
    first, second = read(market).now
    assert (first.deal_id, second.deal_id) == (contacted, lead)
    assert (first.expected_fen, second.expected_fen) == (1_000, 500)


def test_chances_are_learned_from_what_was_lost(market: Market) -> None:
    before = market.deal()
    (item,) = read(market).now
    assert item.chance is not None
    assert item.chance.percent == 5
    for _ in range(3):
        market.do(
            service.lose,
            market.broker,
            deal_id=market.deal(),
            reason_code=LostReason.PRICE,
            reason="企业只肯出一半的价格，谈不拢",
        )
    (item,) = read(market).now
    assert item.deal_id == before
    assert item.chance is not None
    assert item.chance.closed_count == 3
    assert item.chance.share == pytest.approx(0.5 / 13)


def test_nobody_sees_the_deals_of_another(market: Market, world: World) -> None:
    deal_id = market.deal()
    plan(market, deal_id, 0)
    colleague = world.actor(Role.BROKER, market.agency, name="赵一")
    elsewhere = world.organisation(OrganisationKind.ENTERPRISE, name="别家")
    stranger = world.actor(Role.ENTERPRISE, elsewhere)
    for actor in (colleague, stranger, market.officer, market.buyer, market.head):
        found = read(market, actor)
        assert (found.now, found.waiting, found.coming) == ([], [], []), actor.name
        assert found.now_count == 0
    # A party that set itself a next step sees the deal, without the broker's.
    plan(market, deal_id, 5, market.officer)
    (item,) = read(market, market.officer).coming
    assert item.due_on == market.today + timedelta(days=5)
    assert item.following is None


def test_the_right_ends_with_the_employer(market: Market, world: World) -> None:
    market.deal()
    moved = Actor(
        user_id=market.broker.user_id,
        name=market.broker.name,
        organisation_id=market.firm.id,
        organisation_name=market.firm.name,
        roles=market.broker.roles,
        verified=True,
    )
    assert read(market, moved).now == []


def test_what_is_cut_off_is_counted(market: Market) -> None:
    for _ in range(41):
        plan(market, market.deal(), 0)
    for _ in range(16):
        plan(market, market.deal(), 9)
    idle = market.deal()  # without a next step, and worth less than what is due
    found = read(market)
    assert len(found.now) == 40
    assert {item.pressing for item in found.now} == {Pressing.DUE_TODAY}
    assert len(found.coming) == 15
    assert idle not in [item.deal_id for item in found.now]
    assert found.counts[Pressing.DUE_TODAY] == 41
    assert found.counts[Pressing.COMING] == 16
    assert found.counts[Pressing.NO_NEXT] == 1
    assert found.now_count == 42


def test_the_number_of_statements_does_not_grow(market: Market) -> None:
    def sent() -> int:
        with statements(market.database) as seen:
            read(market)
        return len(seen)

    plan(market, market.deal(), 0)
    few = sent()
    for _ in range(12):
        deal_id = market.deal()
        plan(market, deal_id, 0)
        market.contact(deal_id)
    assert sent() == few


def test_one_tap_logs_a_call_and_keeps_a_next_step(market: Market) -> None:
    deal_id = market.deal()
    plan(market, deal_id, 0)
    call(market, deal_id, CallOutcome.REACHED)
    assert tasks(market, deal_id) == [
        ("问进料粒度", market.today, True),
        ("回访", market.today + timedelta(days=7), False),
    ]
    assert notes(market, deal_id, market.broker) == [(NoteKind.CALL, "电话已接通")]
    assert notes(market, deal_id, market.buyer) == []
    market.move(deal_id, DealStage.CONTACTED)  # the call is a contact
    with market.database.reading() as session:
        assert session.get_one(Deal, deal_id).next_task_on == market.today + timedelta(days=7)
        assert audit.verify(session)[1] is None


def test_a_later_step_of_ones_own_stays_after_a_call(market: Market) -> None:
    deal_id = market.deal()
    plan(market, deal_id, 20)
    call(market, deal_id, CallOutcome.REACHED, words="约了看设备")
    assert tasks(market, deal_id) == [("问进料粒度", market.today + timedelta(days=20), False)]
    call(
        market,
        deal_id,
        CallOutcome.REACHED,
        next_what="看设备",
        next_due_on=market.today + timedelta(days=2),
    )
    assert tasks(market, deal_id) == [("看设备", market.today + timedelta(days=2), False)]


def test_an_unanswered_call_is_no_contact(market: Market) -> None:
    deal_id = market.deal()
    plan(market, deal_id, 0)
    call(market, deal_id, CallOutcome.MISSED)
    assert tasks(market, deal_id) == [("问进料粒度", add_workdays(market.today, 1), False)]
    assert notes(market, deal_id, market.broker) == [(NoteKind.REMARK, "电话没有接通")]
    with market.database.reading() as session:
        assert session.get_one(Deal, deal_id).last_contact_at is None
    with pytest.raises(RuleBroken):
        market.move(deal_id, DealStage.CONTACTED)


def test_the_next_step_is_moved_or_set(market: Market) -> None:
    deal_id = market.deal()
    due_on = market.today + timedelta(days=3)
    market.do(service.plan_next, market.broker, deal_id=deal_id, due_on=due_on)
    assert tasks(market, deal_id) == [("继续跟进", due_on, False)]
    market.do(service.plan_next, market.broker, deal_id=deal_id, due_on=market.today)
    assert tasks(market, deal_id) == [("继续跟进", market.today, False)]
    with pytest.raises(RuleBroken, match="日期已经过去"):
        market.do(
            service.plan_next,
            market.broker,
            deal_id=deal_id,
            due_on=market.today - timedelta(days=1),
        )
    # Another person's step is not touched.
    plan(market, deal_id, 1, market.officer)
    market.do(service.plan_next, market.broker, deal_id=deal_id, due_on=due_on)
    assert [day for _, day, _ in tasks(market, deal_id)] == [
        due_on,
        market.today + timedelta(days=1),
    ]


def test_strangers_and_closed_deals_are_refused(market: Market, world: World) -> None:
    deal_id = market.deal()
    stranger = world.actor(Role.BROKER, market.agency, name="赵一")
    for use_case, more in (
        (service.log_call, {"outcome": CallOutcome.REACHED}),
        (service.plan_next, {"due_on": market.today}),
    ):
        with pytest.raises(NotFound):
            market.do(use_case, stranger, deal_id=deal_id, **more)
    with pytest.raises(RuleBroken, match="定一个日期"):
        call(market, deal_id, CallOutcome.REACHED, next_what="看设备")
    market.do(
        service.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=LostReason.TIMING,
        reason="企业明年才有预算，今年不谈",
    )
    with pytest.raises(Conflict):
        call(market, deal_id, CallOutcome.REACHED)
    with pytest.raises(Conflict):
        market.do(service.plan_next, market.broker, deal_id=deal_id, due_on=market.today)
    with market.database.reading() as session:
        assert session.scalars(select(Note)).all() == []
