"""Service orders and meetings on both databases: effects, refusals, vouchers under lock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements.rules import IPKind
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.techservices import meeting_queries, queries, service
from marketplace.techservices.instrument_rules import InstrumentDetails
from marketplace.techservices.ip_rules import IPDetails
from marketplace.techservices.models import Order
from marketplace.techservices.rules import (
    MeetingKind,
    MeetingState,
    OrderState,
    ServiceKind,
    VoucherKind,
)
from marketplace.techservices.service import MeetingContent, OrderContent
from tests.world import World


class Counter:
    """A customer, an IP firm, a university with instruments, an operator."""

    def __init__(self, database: Database, world: World, now: datetime) -> None:
        self.database, self.world, self.now = database, world, now
        self.firm = world.organisation(
            OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.IP_FIRM,)
        )
        self.provider = world.actor(Role.PROVIDER, self.firm)
        self.company = world.organisation(OrganisationKind.ENTERPRISE)
        self.customer = world.actor(Role.ENTERPRISE, self.company)
        self.university = world.organisation(OrganisationKind.UNIVERSITY)
        self.officer = world.actor(Role.OFFICER, self.university)
        self.operator = world.actor(Role.OPERATOR)

    def do(self, use_case: Callable[..., Any], actor: Actor, **arguments: Any) -> Any:
        """Run one use case in one transaction."""
        with self.database.transaction() as session:
            return use_case(session, actor=actor, now=self.now, **arguments)

    def filing(self, **changes: Any) -> int:
        """Order a patent filing."""
        values: dict[str, Any] = {
            "kind": ServiceKind.FILING,
            "provider_organisation_id": self.firm.id,
            "title": "低温脱硝催化剂再生方法的发明专利申请",
            "details": IPDetails(IPKind.INVENTION, "一种脱硝催化剂在线再生方法"),
        }
        made: int = self.do(
            service.request, self.customer, content=OrderContent(**{**values, **changes})
        )
        return made

    def testing(self, fee: int | None = None) -> int:
        """Order tests on the university's instruments with a voucher; accept for a fee."""
        made: int = self.do(
            service.request,
            self.customer,
            content=OrderContent(
                kind=ServiceKind.INSTRUMENT_USE,
                provider_organisation_id=self.university.id,
                title="催化剂比表面积与孔径测试",
                details=InstrumentDetails("物理吸附仪", "蜂窝催化剂，比表面积和孔径", 12),
                voucher_wanted=True,
            ),
        )
        if fee is not None:
            self.accept(made, self.officer, fee)
        return made

    def accept(self, order_id: int, actor: Actor, fee: int) -> None:
        """Accept an order for a fee."""
        self.do(
            service.accept, actor, order_id=order_id, fee_fen=Fen(fee), due_on=date(2024, 4, 30)
        )

    def meeting(self, **changes: Any) -> int:
        """Announce a meeting in ten days."""
        values: dict[str, Any] = {
            "kind": MeetingKind.MATCHMAKING,
            "title": "装备制造专场对接会",
            "body": "五家高校带来十二项成果，企业带着问题来。",
            "place": "历城区科创中心二楼",
            "starts_at": self.now + timedelta(days=10),
            "ends_at": self.now + timedelta(days=10, hours=3),
            "capacity": 2,
            "vouchers": True,
        }
        made: int = self.do(
            service.announce, self.operator, content=MeetingContent(**{**values, **changes})
        )
        return made

    def used(self, kind: VoucherKind, organisation_id: int) -> int:
        """Return what is used of a voucher in 2024."""
        with self.database.reading() as session:
            return queries.voucher_used(session, kind, organisation_id, 2024)


@pytest.fixture
def counter(database: Database, world: World, now: datetime) -> Counter:
    return Counter(database, world, now)


def test_an_order_goes_its_way_and_leaves_its_trace(counter: Counter) -> None:
    made = counter.filing()
    counter.accept(made, counter.provider, 6_800_00)
    counter.do(service.report, counter.provider, order_id=made, note="申请文件已定稿，等盖章")
    counter.do(service.report, counter.provider, order_id=made, note="3 月 20 日已提交国知局")
    counter.do(service.deliver, counter.provider, order_id=made, result="受理号 202410300001.X")
    counter.do(service.confirm, counter.customer, order_id=made, paid_fen=Fen(6_800_00))
    with counter.database.reading() as session:
        view = queries.get_for(session, counter.customer, made)
        assert view.row.state is OrderState.CONFIRMED
        assert view.row.number == "FW-2024-0001"
        assert view.paid_fen == 6_800_00
        assert view.steps[0].note.startswith("申请文件")
        actions = [line.action for line in audit.history(session, f"order:{made}")]
        names = session.scalars(
            select(OutboxEvent.name)
            .where(OutboxEvent.name.startswith("techservices."))
            .order_by(OutboxEvent.id)
        ).all()
    assert actions == [
        "techservices.request",
        "techservices.accept",
        "techservices.report",
        "techservices.report",
        "techservices.deliver",
        "techservices.confirm",
    ]
    assert [name.split(".")[1] for name in names] == [
        "OrderRequested",
        "OrderAccepted",
        "OrderProgressed",
        "OrderProgressed",
        "OrderDelivered",
        "OrderConfirmed",
    ]


def test_a_declined_order_keeps_its_reason_and_ends(counter: Counter) -> None:
    made = counter.filing()
    counter.do(service.decline, counter.provider, order_id=made, reason="本所没有化学领域的代理师")
    with counter.database.reading() as session:
        view = queries.get_for(session, counter.customer, made)
        assert (view.row.state, view.reason) == (OrderState.DECLINED, "本所没有化学领域的代理师")
    with pytest.raises(Conflict):
        counter.accept(made, counter.provider, 1_00)


def test_a_withdrawn_order_cannot_be_accepted(counter: Counter) -> None:
    made = counter.filing()
    counter.do(service.withdraw, counter.customer, order_id=made)
    with pytest.raises(Conflict, match="已撤回"):
        counter.accept(made, counter.provider, 1_00)


def test_each_side_acts_only_on_its_side(counter: Counter) -> None:
    made = counter.filing()
    stranger = counter.world.actor(Role.ENTERPRISE)
    with counter.database.reading() as session, pytest.raises(NotFound):
        queries.get_for(session, stranger, made)
    with pytest.raises(NotFound):
        counter.do(service.withdraw, stranger, order_id=made)
    with pytest.raises(NotFound):
        counter.accept(made, counter.officer, 1_00)
    with pytest.raises(NotAllowed):
        counter.accept(made, counter.customer, 1_00)


def test_only_a_provider_of_the_line_takes_its_orders(counter: Counter) -> None:
    with pytest.raises(RuleBroken, match="不提供知识产权服务"):
        counter.filing(provider_organisation_id=counter.university.id)
    with counter.database.reading() as session:
        assert session.scalars(select(Order.id)).all() == []


def test_a_voucher_is_reserved_settled_and_given_back(counter: Counter) -> None:
    made = counter.testing(fee=10_000_00)
    assert counter.used(VoucherKind.INSTRUMENT, counter.company.id) == 4_000_00
    counter.do(service.deliver, counter.officer, order_id=made, result="报告 QC-2024-118")
    counter.do(service.confirm, counter.customer, order_id=made, paid_fen=Fen(3_000_00))
    with counter.database.reading() as session:
        assert queries.get_for(session, counter.customer, made).row.voucher_fen == 2_000_00
    assert counter.used(VoucherKind.INSTRUMENT, counter.company.id) == 2_000_00


def test_nobody_confirms_more_than_was_agreed(counter: Counter) -> None:
    made = counter.testing(fee=10_000_00)
    counter.do(service.deliver, counter.officer, order_id=made, result="报告 QC-2024-118")
    with pytest.raises(RuleBroken, match="大于约定"):
        counter.do(service.confirm, counter.customer, order_id=made, paid_fen=Fen(10_000_01))
    assert counter.used(VoucherKind.INSTRUMENT, counter.company.id) == 4_000_00


def test_vouchers_are_for_instruments_and_enterprises(counter: Counter) -> None:
    with pytest.raises(RuleBroken, match="不能使用创新券"):
        counter.filing(voucher_wanted=True)
    other = counter.world.organisation(OrganisationKind.RESEARCH_INSTITUTE)
    with pytest.raises(RuleBroken, match="企业和创客团队"):
        counter.do(
            service.request,
            counter.officer,
            content=OrderContent(
                kind=ServiceKind.INSTRUMENT_USE,
                provider_organisation_id=other.id,
                title="断口形貌分析",
                details=InstrumentDetails("扫描电镜", "断口形貌，三件样品", 3),
                voucher_wanted=True,
            ),
        )


def test_the_year_holds_also_when_two_orders_are_accepted_at_once(counter: Counter) -> None:
    big = [counter.testing() for _ in range(4)]
    failures: list[BaseException] = []

    def accept(order_id: int) -> None:
        try:
            counter.accept(order_id, counter.officer, 500_000_00)
        except BaseException as failure:  # shown by the assertion below
            failures.append(failure)

    threads = [threading.Thread(target=accept, args=(order_id,)) for order_id in big]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with counter.database.reading() as session:
        vouchers = sorted(session.scalars(select(Order.voucher_fen)))
    assert vouchers == [0, 100_000_00, 200_000_00, 200_000_00]
    assert counter.used(VoucherKind.INSTRUMENT, counter.company.id) == 500_000_00


def test_waiting_follows_the_order(counter: Counter) -> None:
    def waits(actor: Actor) -> list[str]:
        with counter.database.reading() as session:
            return [i.what.split("：")[0] for i in queries.waiting(session, actor, now=counter.now)]

    made = counter.filing()
    assert waits(counter.provider) == ["答复委托"]
    assert waits(counter.customer) == []
    counter.accept(made, counter.provider, 100)
    assert waits(counter.provider) == ["办理委托"]
    counter.do(service.deliver, counter.provider, order_id=made, result="受理号 2024…")
    assert waits(counter.provider) == []
    assert waits(counter.customer) == ["确认结果"]


def test_seats_run_out_and_come_back(counter: Counter) -> None:
    meeting_id = counter.meeting()
    people = [counter.world.actor(Role.ENTERPRISE) for _ in range(3)]
    first = counter.do(service.sign_up, people[0], meeting_id=meeting_id, note="找铸造工艺")
    assert counter.do(service.sign_up, people[0], meeting_id=meeting_id) == first
    counter.do(service.sign_up, people[1], meeting_id=meeting_id)
    with counter.database.reading() as session:
        meeting = meeting_queries.get_meeting(session, meeting_id, now=counter.now)
        assert (meeting.state, meeting.taken_count) == (MeetingState.FULL, 2)
    with pytest.raises(RuleBroken, match="名额已满"):
        counter.do(service.sign_up, people[2], meeting_id=meeting_id)
    counter.do(service.give_up, people[0], meeting_id=meeting_id)
    counter.do(service.sign_up, people[2], meeting_id=meeting_id)
    with counter.database.reading() as session:
        assert meeting_queries.attendees(session, meeting_id) == {
            people[1].user_id,
            people[2].user_id,
        }


def test_who_stayed_away_gives_no_place_back_afterwards(counter: Counter) -> None:
    meeting_id = counter.meeting()
    guest = counter.world.actor(Role.ENTERPRISE)
    counter.do(service.sign_up, guest, meeting_id=meeting_id)
    counter.now += timedelta(days=10, hours=3)
    with pytest.raises(Conflict, match="已结束"):
        counter.do(service.give_up, guest, meeting_id=meeting_id)
    with counter.database.reading() as session:
        assert meeting_queries.attendees(session, meeting_id) == {guest.user_id}


def test_the_door_opens_on_the_day_and_uses_vouchers(counter: Counter) -> None:
    meeting_id = counter.meeting()
    guest = counter.world.actor(Role.ENTERPRISE)
    place = counter.do(service.sign_up, guest, meeting_id=meeting_id)
    with pytest.raises(RuleBroken, match="当天"):
        counter.do(service.check_in, counter.operator, meeting_id=meeting_id, sign_up_id=place)
    counter.now += timedelta(days=10)
    counter.do(service.check_in, counter.operator, meeting_id=meeting_id, sign_up_id=place)
    counter.do(service.check_in, counter.operator, meeting_id=meeting_id, sign_up_id=place)
    assert counter.used(VoucherKind.EVENT, counter.operator.organisation_id or 0) == 50_00
    with counter.database.reading() as session:
        meeting = meeting_queries.get_meeting(session, meeting_id, now=counter.now)
        door = meeting_queries.sign_ups(session, counter.operator, meeting)
        assert [(entry.code, entry.voucher_fen) for entry in door] == [("001", 50_00)]
        with pytest.raises(NotFound):
            meeting_queries.sign_ups(session, counter.officer, meeting)


def test_another_organiser_has_no_say(counter: Counter) -> None:
    made: int = counter.do(
        service.announce,
        counter.provider,
        content=MeetingContent(
            kind=MeetingKind.TRAINING,
            title="专利撰写公开课",
            body="讲清权利要求怎么写。",
            place="线上",
            starts_at=counter.now + timedelta(days=3),
            ends_at=counter.now + timedelta(days=3, hours=2),
            capacity=100,
        ),
    )
    with pytest.raises(NotFound):
        counter.do(service.cancel, counter.officer, meeting_id=made, reason="时间冲突")
    counter.do(service.cancel, counter.provider, meeting_id=made, reason="讲师生病，改期再办")
    guest = counter.world.actor(Role.ENTERPRISE)
    with pytest.raises(RuleBroken, match="已经取消"):
        counter.do(service.sign_up, guest, meeting_id=made)
