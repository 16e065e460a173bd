"""Service orders and meetings: asked for, answered, delivered; announced, attended, cancelled."""

from __future__ import annotations

from datetime import date, timedelta

from marketplace.achievements.rules import IPKind
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.money import Fen
from marketplace.foundation.workdays import add_workdays
from marketplace.techservices import meeting_queries, service
from marketplace.techservices.finance_rules import FinanceDetails
from marketplace.techservices.instrument_rules import InstrumentDetails
from marketplace.techservices.ip_rules import IPDetails
from marketplace.techservices.line_rules import Details
from marketplace.techservices.park_rules import Carrier, ParkDetails, ProjectStage
from marketplace.techservices.rules import MeetingKind, ServiceKind
from marketplace.techservices.service import MeetingContent, OrderContent
from seed.demo.content import Meeting, Order
from seed.demo.stage import Stage, Story, yuan

_ORGANISERS = (Role.OPERATOR, Role.OFFICER, Role.PROVIDER, Role.AGENCY_HEAD)


def order(stage: Stage, record: Order) -> Story:
    """Bring one order as far as the content says."""
    yield stage.at(record.asked_on, record.key)
    customer = stage.member(record.customer, Role.ENTERPRISE, Role.OFFICER, Role.ORG_ADMIN)
    order_id = service.request(
        stage.session,
        actor=customer,
        now=stage.now,
        content=OrderContent(
            kind=ServiceKind(record.kind),
            provider_organisation_id=stage.organisations[record.provider],
            title=record.title,
            details=_details(stage, record),
            wishes=record.brief,
            achievement_id=stage.achievements[record.achievement] if record.achievement else None,
            voucher_wanted=record.voucher,
        ),
    )
    if record.outcome == "requested":
        return
    yield stage.after(1, record.key)
    if record.outcome == "withdrawn":
        service.withdraw(stage.session, actor=customer, now=stage.now, order_id=order_id)
        return
    provider = stage.member(record.provider, Role.PROVIDER, Role.OFFICER)
    if record.outcome == "declined":
        service.decline(
            stage.session, actor=provider, now=stage.now, order_id=order_id, reason=record.note
        )
        return
    service.accept(
        stage.session,
        actor=provider,
        now=stage.now,
        order_id=order_id,
        fee_fen=yuan(record.fee),
        due_on=add_workdays(stage.today, 20),
    )
    if record.outcome == "accepted":
        return
    yield from _work(stage, record, order_id, provider, customer)


def _work(stage: Stage, record: Order, order_id: int, provider: Actor, customer: Actor) -> Story:
    yield stage.after(4, record.key)
    if record.outcome == "working":
        service.report(
            stage.session, actor=provider, now=stage.now, order_id=order_id, note=record.note
        )
        return
    service.deliver(
        stage.session, actor=provider, now=stage.now, order_id=order_id, result=record.note
    )
    if record.outcome == "delivered":
        return
    yield stage.after(3, record.key)
    paid = record.fee * 6 // 10 if record.voucher else record.fee
    service.confirm(
        stage.session, actor=customer, now=stage.now, order_id=order_id, paid_fen=yuan(paid)
    )


def meeting(stage: Stage, record: Meeting) -> Story:
    """Announce a meeting, let people sign up, and check them in."""
    announced = record.starts.date() - timedelta(days=21)
    yield stage.at(min(announced, date(2024, 3, 12)), record.key)
    organiser = stage.member(record.organiser, *_ORGANISERS)
    meeting_id = service.announce(
        stage.session,
        actor=organiser,
        now=stage.now,
        content=MeetingContent(
            kind=MeetingKind(record.kind),
            title=record.title,
            body=record.description,
            place=record.place,
            starts_at=record.starts,
            ends_at=record.ends,
            capacity=record.capacity,
            vouchers=record.vouchers,
        ),
    )
    yield stage.after(1, record.key)
    signed = [
        service.sign_up(
            stage.session, actor=stage.actor(person), now=stage.now, meeting_id=meeting_id
        )
        for person in record.attend
    ]
    if record.cancelled:
        yield stage.after(2, record.key)
        service.cancel(
            stage.session,
            actor=organiser,
            now=stage.now,
            meeting_id=meeting_id,
            reason=record.cancelled,
        )
    elif record.present:
        yield record.starts + timedelta(minutes=10)
        view = meeting_queries.get_meeting(stage.session, meeting_id, now=stage.now)
        for sign_up_id in signed[: record.present]:
            service.check_in(
                stage.session,
                actor=organiser,
                now=stage.now,
                meeting_id=view.id,
                sign_up_id=sign_up_id,
            )


def _details(stage: Stage, record: Order) -> Details:
    given = record.details
    if record.kind.startswith("ip_"):
        return _ip_details(stage, record)
    if record.kind.startswith("finance_"):
        return FinanceDetails(
            purpose=str(given["purpose"]),
            amount_fen=_yuan(given.get("amount_yuan")),
            term_months=_number(given.get("term_months")),
            pledge=str(given.get("pledge", "")),
        )
    if record.kind.startswith("park_"):
        return ParkDetails(
            stage=ProjectStage(str(given["stage"])),
            carrier=Carrier(str(given["carrier"])),
            area_m2=_number(given["area_m2"]) or 0,
            team_size=_number(given["team_size"]) or 0,
            visit_on=add_workdays(record.asked_on, 6),
            requirements=str(given["requirements"]),
        )
    return InstrumentDetails(
        instrument=str(given["instrument"]),
        samples=str(given["samples"]),
        sample_count=_number(given["sample_count"]) or 1,
    )


def _ip_details(stage: Stage, record: Order) -> IPDetails:
    given = record.details
    deadline = given.get("deadline_on")
    assert deadline is None or isinstance(deadline, date)
    if record.achievement is None:
        return IPDetails(
            right_kind=IPKind(str(given.get("right_kind", "invention"))),
            right_title=str(given["right_title"]),
            right_number=str(given.get("right_number", "")),
            deadline_on=deadline,
        )
    achievement = next(a for a in stage.content.achievements if a.key == record.achievement)
    right = achievement.ip_rights[0]
    return IPDetails(
        right_kind=next(kind for kind in IPKind if kind.label == right.kind),
        right_title=right.title,
        right_number=right.number or "",
        deadline_on=deadline,
    )


def _number(value: str | int | date | None) -> int | None:
    return None if value is None else int(str(value))


def _yuan(value: str | int | date | None) -> Fen | None:
    amount = _number(value)
    return None if amount is None else yuan(amount)
