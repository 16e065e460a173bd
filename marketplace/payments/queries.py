"""Reads of payments: for the payer, for the payee, for the operator's reconciliation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.waiting import WaitingItem
from marketplace.payments import rules
from marketplace.payments.gateways import PaymentOrder
from marketplace.payments.models import Payment
from marketplace.payments.rules import PaymentPurpose, PaymentState


@dataclass(frozen=True)
class PaymentView:
    """A payment with the names of both sides and of who handled it."""

    id: int
    number: str
    purpose: PaymentPurpose
    subject: str
    description: str
    payer_organisation_id: int
    payer_name: str
    payee_organisation_id: int
    payee_name: str
    amount_fen: Fen
    state: PaymentState
    due_on: date | None
    expected_at: datetime
    reported_reference: str
    reported_on: date | None
    note: str
    receipt_reference: str | None
    confirmed_at: datetime | None
    confirmed_by: str
    refund_reason: str
    refund_due_on: date | None
    refund_requested_by: str
    refund_reference: str
    refunded_at: datetime | None
    refunded_by: str

    @property
    def order(self) -> PaymentOrder:
        """Return what a gateway needs to know of it."""
        return PaymentOrder(self.number, self.amount_fen, self.payer_name, self.purpose.label)


def get_for(session: Session, actor: Actor, payment_id: int) -> PaymentView:
    """Return a payment for its payer, its payee or the operator; else raise ``NotFound``."""
    row = session.get(Payment, payment_id)
    if row is None:
        raise NotFound()
    sides = (row.payer_organisation_id, row.payee_organisation_id)
    if actor.organisation_id not in sides and not permits(actor, rules.RECONCILE):
        raise NotFound()
    return _views(session, [row])[0]


def own(
    session: Session, actor: Actor, *, after: str | None = None, size: int = 20
) -> Page[PaymentView]:
    """Read one page of what the actor's organisation pays or is paid, the newest first."""
    mine = actor.organisation_id
    statement = select(Payment).where(
        or_(Payment.payer_organisation_id == mine, Payment.payee_organisation_id == mine)
    )
    return _page(session, statement, after, size)


def reconciliation(
    session: Session,
    *,
    states: Sequence[PaymentState] = (),
    after: str | None = None,
    size: int = 30,
) -> Page[PaymentView]:
    """Read one page of all payments by state, the newest first."""
    statement = select(Payment)
    if states:
        statement = statement.where(Payment.state.in_(states))
    return _page(session, statement, after, size)


def sums(session: Session) -> dict[PaymentState, tuple[int, Fen]]:
    """Return number and sum in fen of the payments in each state."""
    rows = session.execute(
        select(Payment.state, func.count(), func.sum(Payment.amount_fen)).group_by(Payment.state)
    )
    return {state: (count, Fen(int(total))) for state, count, total in rows}


def state_of(session: Session, payment_id: int) -> PaymentState:
    """Return where one payment stands, or raise ``NotFound``."""
    state = session.scalar(select(Payment.state).where(Payment.id == payment_id))
    if state is None:
        raise NotFound()
    return state


def states_of(session: Session, payment_ids: Iterable[int]) -> dict[int, PaymentState]:
    """Return where several payments stand, in one query."""
    wanted = set(payment_ids)
    if not wanted:
        return {}
    rows = session.execute(select(Payment.id, Payment.state).where(Payment.id.in_(wanted)))
    return {row.id: row.state for row in rows}


def of_subject(session: Session, subject: str) -> list[PaymentView]:
    """List the payments about one subject, oldest first."""
    rows = session.scalars(select(Payment).where(Payment.subject == subject).order_by(Payment.id))
    return _views(session, list(rows))


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what the actor's organisation is to pay, or what the operator is to reconcile."""
    items: list[WaitingItem] = []
    if permits(actor, rules.PAY):
        rows = session.scalars(
            select(Payment).where(
                Payment.payer_organisation_id == actor.organisation_id,
                Payment.state == PaymentState.EXPECTED,
            )
        )
        items += [
            _item(
                row, f"支付{row.purpose.label} {format_yuan(row.amount_fen)} 元", "付款", row.due_on
            )
            for row in rows
        ]
    if permits(actor, rules.RECONCILE):
        rows = session.scalars(
            select(Payment).where(
                Payment.state.in_(
                    [PaymentState.REPORTED, PaymentState.REFUND_DUE, PaymentState.FORFEIT_DUE]
                )
            )
        )
        for row in rows:
            if row.state is PaymentState.REPORTED:
                items.append(_item(row, f"核对到账：{row.purpose.label}", "核对", row.due_on))
            elif row.state is PaymentState.FORFEIT_DUE:
                items.append(_item(row, f"扣罚付出：{row.purpose.label}", "办理", None))
            else:
                items.append(_item(row, f"退还{row.purpose.label}", "退款", row.refund_due_on))
    return items


def overdue_refund_count(session: Session, *, now: datetime) -> int:
    """Count refunds that are later than their term."""
    count = session.scalar(
        select(func.count())
        .select_from(Payment)
        .where(Payment.state == PaymentState.REFUND_DUE, Payment.refund_due_on < local_date(now))
    )
    return count or 0


def _item(row: Payment, what: str, act: str, due_on: date | None) -> WaitingItem:
    return WaitingItem(
        what=what,
        why=f"{row.number}，{row.description}",
        endpoint="payments.show",
        params={"payment_id": row.id},
        act=act,
        due_on=due_on,
        workdays=True,
    )


def _page(
    session: Session, statement: Select[Payment], after: str | None, size: int
) -> Page[PaymentView]:
    page = paginate(session, statement, keys=[Payment.id.desc()], after=after, size=size)
    views = {view.id: view for view in _views(session, page.items)}
    return page.map(lambda row: views[row.id])


def _views(session: Session, rows: Sequence[Payment]) -> list[PaymentView]:
    sides = {row.payer_organisation_id for row in rows} | {
        row.payee_organisation_id for row in rows
    }
    names = accounts.get_organisations(session, sides)
    handled = {
        person
        for row in rows
        for person in (row.confirmed_by_id, row.refund_requested_by_id, row.refunded_by_id)
        if person is not None
    }
    people = accounts.get_users(session, handled)

    def name(person: int | None) -> str:
        return people[person].name if person is not None else ""

    return [
        PaymentView(
            id=row.id,
            number=row.number,
            purpose=row.purpose,
            subject=row.subject,
            description=row.description,
            payer_organisation_id=row.payer_organisation_id,
            payer_name=names[row.payer_organisation_id].name,
            payee_organisation_id=row.payee_organisation_id,
            payee_name=names[row.payee_organisation_id].name,
            amount_fen=row.amount_fen,
            state=row.state,
            due_on=row.due_on,
            expected_at=row.expected_at,
            reported_reference=row.reported_reference,
            reported_on=row.reported_on,
            note=row.note,
            receipt_reference=row.receipt_reference,
            confirmed_at=row.confirmed_at,
            confirmed_by=name(row.confirmed_by_id),
            refund_reason=row.refund_reason,
            refund_due_on=row.refund_due_on,
            refund_requested_by=name(row.refund_requested_by_id),
            refund_reference=row.refund_reference,
            refunded_at=row.refunded_at,
            refunded_by=name(row.refunded_by_id),
        )
        for row in rows
    ]
