"""The use cases of a service order: ask, answer, report, deliver, confirm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.achievements import queries as achievements
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import ensure_row, lock
from marketplace.foundation.errors import Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen
from marketplace.foundation.numbering import next_number
from marketplace.foundation.workdays import add_workdays
from marketplace.techservices import line_rules, rules, voucher_rules
from marketplace.techservices.events import (
    OrderAccepted,
    OrderConfirmed,
    OrderDeclined,
    OrderDelivered,
    OrderProgressed,
    OrderRequested,
    OrderWithdrawn,
)
from marketplace.techservices.line_rules import Details, line_of
from marketplace.techservices.models import Order, Progress, VoucherYear
from marketplace.techservices.parameters import voucher_terms_on
from marketplace.techservices.rules import OrderState, ServiceKind, VoucherKind

ANSWER_WORKDAYS = 3


@dataclass(frozen=True, kw_only=True)
class OrderContent:
    """What a customer fills in."""

    kind: ServiceKind
    provider_organisation_id: int
    title: str
    details: Details
    wishes: str = ""
    achievement_id: int | None = None
    voucher_wanted: bool = False


def subject(order_id: int) -> str:
    """Return the subject under which an order's audit rows stand."""
    return f"order:{order_id}"


def request(session: Session, *, actor: Actor, now: datetime, content: OrderContent) -> int:
    """Ask a provider for a service and return the order's id."""
    require(actor, rules.ORDER)
    today = local_date(now)
    assert actor.organisation_id is not None
    provider = accounts.get_organisation(session, content.provider_organisation_id)
    problems = line_rules.check_details(content.kind, content.details, today=today)
    if len(content.title.strip()) < rules.TITLE_MIN:
        problems.append(
            Problem("techservices.title", f"委托名称至少 {rules.TITLE_MIN} 个字", "title")
        )
    problems += _provider_problems(content.kind, provider, actor.organisation_id)
    raise_if_any(problems)
    if content.achievement_id is not None:
        achievements.get_own(session, actor, content.achievement_id)
    if content.voucher_wanted:
        _voucher_cap(session, content.kind, actor.organisation_id, today)
    order = Order(
        number=next_number(session, "FW", today.year),
        kind=content.kind,
        state=OrderState.REQUESTED,
        title=content.title.strip(),
        wishes=content.wishes.strip(),
        details=TypeAdapter(line_of(content.kind).details).dump_python(
            content.details,
            mode="json",
        ),
        customer_organisation_id=actor.organisation_id,
        customer_user_id=actor.user_id,
        provider_organisation_id=provider.id,
        achievement_id=content.achievement_id,
        requested_at=now,
        answer_by=add_workdays(today, ANSWER_WORKDAYS),
        voucher_wanted=content.voucher_wanted,
    )
    session.add(order)
    session.flush()
    outbox.publish(
        session,
        OrderRequested(
            order_id=order.id,
            number=order.number,
            kind=order.kind.value,
            title=order.title,
            customer_organisation_id=order.customer_organisation_id,
            provider_organisation_id=order.provider_organisation_id,
        ),
        now=now,
    )
    _audit(session, actor, "request", order, now, provider=provider.id)
    return order.id


def withdraw(session: Session, *, actor: Actor, now: datetime, order_id: int) -> None:
    """Take a request back before it is answered."""
    require(actor, rules.ORDER)
    order = lock(session, Order, order_id)
    require_own(actor, order.customer_organisation_id)
    before = order.state
    order.state = rules.move(before, OrderState.WITHDRAWN)
    order.version += 1
    outbox.publish(
        session,
        OrderWithdrawn(
            order_id=order.id,
            number=order.number,
            kind=order.kind.value,
            title=order.title,
            customer_organisation_id=order.customer_organisation_id,
            provider_organisation_id=order.provider_organisation_id,
        ),
        now=now,
    )
    _audit(session, actor, "withdraw", order, now, before=before)


def decline(session: Session, *, actor: Actor, now: datetime, order_id: int, reason: str) -> None:
    """Decline an order with a reason that helps the customer to choose anew."""
    order = _serve(session, actor, order_id)
    text = rules.check_text(reason, "不接受的理由", field="reason")
    before = order.state
    order.state = rules.move(before, OrderState.DECLINED)
    order.reason = text
    order.version += 1
    outbox.publish(
        session,
        OrderDeclined(
            order_id=order.id,
            number=order.number,
            kind=order.kind.value,
            title=order.title,
            customer_organisation_id=order.customer_organisation_id,
            provider_organisation_id=order.provider_organisation_id,
            reason=text,
        ),
        now=now,
    )
    _audit(session, actor, "decline", order, now, before=before, reason=text)


def accept(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    order_id: int,
    fee_fen: Fen,
    due_on: date,
) -> None:
    """Take an order for a fee and a day; a wanted voucher is reserved within its caps."""
    order = _serve(session, actor, order_id)
    today = local_date(now)
    if due_on < today:
        raise RuleBroken("techservices.due_past", "完成日期不能早于今天", "due_on")
    before = order.state
    order.state = rules.move(before, OrderState.ACCEPTED)
    order.fee_fen, order.due_on, order.accepted_at = fee_fen, due_on, now
    if order.voucher_wanted:
        order.voucher_fen = _reserve_voucher(session, order, fee_fen, today)
    order.version += 1
    outbox.publish(
        session,
        OrderAccepted(
            order_id=order.id,
            number=order.number,
            kind=order.kind.value,
            title=order.title,
            customer_organisation_id=order.customer_organisation_id,
            provider_organisation_id=order.provider_organisation_id,
            fee_fen=fee_fen,
            voucher_fen=order.voucher_fen,
            due_on=due_on,
        ),
        now=now,
    )
    _audit(
        session,
        actor,
        "accept",
        order,
        now,
        before=before,
        fee_fen=fee_fen,
        voucher_fen=order.voucher_fen,
        due_on=due_on,
    )


def report(session: Session, *, actor: Actor, now: datetime, order_id: int, note: str) -> None:
    """Tell the customer of a step: materials filed, a visit made, terms sent."""
    order = _serve(session, actor, order_id)
    text = rules.check_text(note, "办理到哪一步", field="note")
    before = order.state
    order.state = rules.move(before, OrderState.IN_PROGRESS)
    order.version += 1
    session.add(Progress(order_id=order.id, note=text, noted_at=now, noted_by_id=actor.user_id))
    outbox.publish(
        session,
        OrderProgressed(
            order_id=order.id,
            number=order.number,
            kind=order.kind.value,
            title=order.title,
            customer_organisation_id=order.customer_organisation_id,
            provider_organisation_id=order.provider_organisation_id,
            note=text,
        ),
        now=now,
    )
    _audit(session, actor, "report", order, now, before=before, note=text)


def deliver(session: Session, *, actor: Actor, now: datetime, order_id: int, result: str) -> None:
    """Deliver: say what came of it, and let the customer confirm."""
    order = _serve(session, actor, order_id)
    text = rules.check_text(result, "办理结果（如受理号、放款金额、入驻地点）", field="result")
    before = order.state
    order.state = rules.move(before, OrderState.DELIVERED)
    order.result, order.delivered_at = text, now
    order.version += 1
    outbox.publish(
        session,
        OrderDelivered(
            order_id=order.id,
            number=order.number,
            kind=order.kind.value,
            title=order.title,
            customer_organisation_id=order.customer_organisation_id,
            provider_organisation_id=order.provider_organisation_id,
        ),
        now=now,
    )
    _audit(session, actor, "deliver", order, now, before=before, result=text)


def confirm(session: Session, *, actor: Actor, now: datetime, order_id: int, paid_fen: Fen) -> None:
    """Confirm the delivery and record what the customer itself paid; settle the voucher.

    Who paid less than agreed uses less of the voucher; what was reserved too much is free again.
    """
    require(actor, rules.ORDER)
    order = lock(session, Order, order_id)
    require_own(actor, order.customer_organisation_id)
    before = order.state
    to = rules.move(before, OrderState.CONFIRMED)
    fee = order.fee_fen or Fen(0)
    if paid_fen > fee:
        raise RuleBroken(
            "techservices.paid_too_much",
            "实付金额大于约定的费用；多付的请与服务机构核对，这里记约定之内的部分",
            "paid",
        )
    if order.voucher_fen:
        _settle_voucher(session, order, paid_fen)
    order.state, order.paid_fen, order.confirmed_at = to, paid_fen, now
    order.version += 1
    outbox.publish(
        session,
        OrderConfirmed(
            order_id=order.id,
            number=order.number,
            kind=order.kind.value,
            title=order.title,
            customer_organisation_id=order.customer_organisation_id,
            provider_organisation_id=order.provider_organisation_id,
            paid_fen=paid_fen,
            voucher_fen=order.voucher_fen,
            confirmed_on=local_date(now),
        ),
        now=now,
    )
    _audit(
        session,
        actor,
        "confirm",
        order,
        now,
        before=before,
        paid_fen=paid_fen,
        voucher_fen=order.voucher_fen,
    )


def _serve(session: Session, actor: Actor, order_id: int) -> Order:
    require(actor, rules.SERVE)
    order = lock(session, Order, order_id)
    require_own(actor, order.provider_organisation_id)
    return order


def _provider_problems(
    kind: ServiceKind, provider: OrganisationView, customer_organisation_id: int
) -> list[Problem]:
    line = line_of(kind)
    fits = provider.verified and provider.kind in line.provider_kinds
    if line.provider_subkind is not None:
        fits = fits and provider.offers(line.provider_subkind)
    if not fits:
        return [
            Problem(
                "techservices.provider",
                f"“{provider.name}”不提供{line.line.label}服务，请从列表中选择",
                "provider",
            )
        ]
    if provider.id == customer_organisation_id:
        return [Problem("techservices.self", "不能委托本单位，请选择其他机构", "provider")]
    return []


def _voucher_cap(session: Session, kind: ServiceKind, organisation_id: int, today: date) -> Fen:
    line = line_of(kind)
    if line.voucher is None:
        raise RuleBroken(
            "vouchers.not_for_this", f"{line.line.label}不能使用创新券，请不勾选", "voucher"
        )
    terms = voucher_terms_on(line.voucher.value, today)
    customer = accounts.get_organisation(session, organisation_id)
    return voucher_rules.instrument_cap(terms, customer.kind)


def voucher_year(
    session: Session, kind: VoucherKind, organisation_id: int, year: int
) -> VoucherYear:
    """Hold an organisation's account of one voucher and year until the transaction ends."""
    ensure_row(
        session, VoucherYear, kind=kind, organisation_id=organisation_id, year=year, used_fen=0
    )
    key = (kind, organisation_id, year)
    return session.get_one(VoucherYear, key, with_for_update=True, populate_existing=True)


def _reserve_voucher(session: Session, order: Order, fee_fen: Fen, today: date) -> Fen:
    cap = _voucher_cap(session, order.kind, order.customer_organisation_id, today)
    terms = voucher_terms_on(VoucherKind.INSTRUMENT.value, today)
    account = voucher_year(
        session, VoucherKind.INSTRUMENT, order.customer_organisation_id, today.year
    )
    amount = voucher_rules.instrument_amount(
        terms, fee_fen=fee_fen, cap_fen=cap, used_fen=account.used_fen
    )
    account.used_fen = Fen(account.used_fen + amount)
    return amount


def _settle_voucher(session: Session, order: Order, paid_fen: Fen) -> None:
    assert order.accepted_at is not None
    accepted_on = local_date(order.accepted_at)
    terms = voucher_terms_on(VoucherKind.INSTRUMENT.value, accepted_on)
    settled = voucher_rules.settled_amount(terms, reserved_fen=order.voucher_fen, paid_fen=paid_fen)
    account = voucher_year(
        session, VoucherKind.INSTRUMENT, order.customer_organisation_id, accepted_on.year
    )
    account.used_fen = Fen(account.used_fen - (order.voucher_fen - settled))
    order.voucher_fen = settled


def _audit(
    session: Session,
    actor: Actor,
    action: str,
    order: Order,
    now: datetime,
    *,
    before: OrderState | None = None,
    **after: object,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"techservices.{action}",
        subject=subject(order.id),
        now=now,
        before=None if before is None else {"state": before},
        after={"state": order.state, **after},
    )
