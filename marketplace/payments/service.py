"""Expect money, note that it was sent, confirm that it arrived; it goes out in payout_service."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.numbering import next_number
from marketplace.payments import rules
from marketplace.payments.events import (
    PaymentCancelled,
    PaymentConfirmed,
    PaymentExpected,
)
from marketplace.payments.gateways import Gateway
from marketplace.payments.ledger_models import StatementLine
from marketplace.payments.ledger_rules import PostingKind
from marketplace.payments.ledger_service import post
from marketplace.payments.models import Payment
from marketplace.payments.payment_trail import leave_trail, order_of
from marketplace.payments.payout_service import (
    forfeit,
    refund,
    request_forfeit,
    request_refund,
)
from marketplace.payments.rules import PaymentPurpose, PaymentState
from marketplace.payments.statement_rules import LineState
from marketplace.payments.statement_service import check_second, line_for, settle

__all__ = [
    "cancel",
    "confirm",
    "confirm_line",
    "expect",
    "forfeit",
    "refund",
    "reject_report",
    "report_transfer",
    "request_forfeit",
    "request_refund",
]


def expect(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    purpose: PaymentPurpose,
    subject: str,
    payer_organisation_id: int,
    payee_organisation_id: int,
    amount_fen: Fen,
    description: str = "",
    due_on: date | None = None,
) -> int:
    """Expect an amount for a subject and return the payment's id.

    The slice whose matter it is has asked for permission; it learns of the arrival by
    ``PaymentConfirmed`` with the same subject.
    """
    rules.check_expected(amount_fen)
    payment = Payment(
        number=next_number(session, "PM", local_date(now).year),
        purpose=purpose,
        subject=subject,
        description=description,
        payer_organisation_id=payer_organisation_id,
        payee_organisation_id=payee_organisation_id,
        amount_fen=amount_fen,
        state=PaymentState.EXPECTED,
        due_on=due_on,
        expected_at=now,
        reported_on=None,
        receipt_reference=None,
        confirmed_at=None,
        confirmed_by_id=None,
        refund_due_on=None,
        refund_requested_at=None,
        refund_requested_by_id=None,
        refunded_at=None,
        refunded_by_id=None,
    )
    session.add(payment)
    session.flush()
    outbox.publish(
        session,
        PaymentExpected(
            payment_id=payment.id,
            number=payment.number,
            purpose=purpose.value,
            subject=subject,
            payer_organisation_id=payer_organisation_id,
            payee_organisation_id=payee_organisation_id,
            amount_fen=amount_fen,
            due_on=due_on,
        ),
        now=now,
    )
    leave_trail(session, actor, "expect", payment, now, after={"amount_fen": amount_fen})
    return payment.id


def report_transfer(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    payment_id: int,
    reference: str,
    transferred_on: date,
    gateway: Gateway,
) -> None:
    """Note the payer's word that the money was sent; confirm at once what the gateway knows of."""
    require(actor, rules.PAY)
    payment = lock(session, Payment, payment_id)
    require_own(actor, payment.payer_organisation_id)
    rules.check_report(reference=reference, transferred_on=transferred_on, today=local_date(now))
    before = payment.state
    payment.state = rules.move(before, PaymentState.REPORTED)
    payment.reported_reference = reference.strip()
    payment.reported_on = transferred_on
    payment.note = ""
    leave_trail(
        session,
        actor,
        "report",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state, "reference": payment.reported_reference},
    )
    receipt = gateway.find_receipt(order_of(session, payment))
    if receipt is not None:
        _confirm(
            session,
            payment,
            actor=actor,
            confirmed_by=None,
            now=now,
            reference=receipt.reference,
            received_fen=receipt.amount_fen,
            account_name=receipt.account_name,
        )
        post(
            session,
            PostingKind.RECEIVED_ONLINE,
            payment.amount_fen,
            now=now,
            payment_id=payment.id,
        )


def confirm(
    session: Session, *, actor: Actor, now: datetime, payment_id: int, reference: str
) -> None:
    """Confirm, as a second person, that a line of the bank's statement pays just this payment.

    The line was recorded by somebody else; amount and account name are taken from it.
    """
    require(actor, rules.RECONCILE)
    payment = lock(session, Payment, payment_id)
    line = line_for(session, reference)
    check_second(line, actor)
    if line.payment_id is not None and line.payment_id != payment.id:
        raise Conflict(
            "payments.reference_used",
            f"流水号 {line.reference} 已匹配到另一笔款项；请核对流水号",
            "reference",
        )
    _confirm(
        session,
        payment,
        actor=actor,
        confirmed_by=actor.user_id,
        now=now,
        reference=line.reference,
        received_fen=line.amount_fen,
        account_name=line.account_name,
    )
    line.payment_id = payment.id
    settle(line, LineState.CONFIRMED, actor=actor, now=now)
    post(
        session,
        PostingKind.CONFIRMED,
        payment.amount_fen,
        now=now,
        payment_id=payment.id,
        line_id=line.id,
    )


def confirm_line(session: Session, *, actor: Actor, now: datetime, line_id: int) -> None:
    """Confirm the payment to which a line of the statement was matched, as a second person."""
    require(actor, rules.RECONCILE)
    line = session.get(StatementLine, line_id)
    if line is None:
        raise NotFound()
    if line.payment_id is None:
        raise RuleBroken("payments.unmatched", "这笔来款还没有匹配到款项，请到款项页按流水号确认")
    confirm(session, actor=actor, now=now, payment_id=line.payment_id, reference=line.reference)


def reject_report(
    session: Session, *, actor: Actor, now: datetime, payment_id: int, note: str
) -> None:
    """Tell the payer that what was reported did not arrive as it should, and what to do."""
    require(actor, rules.RECONCILE)
    if len(note.strip()) < 5:
        raise RuleBroken("payments.no_note", "请写明为什么对不上、付款方要做什么", "note")
    payment = lock(session, Payment, payment_id)
    before = payment.state
    payment.state = rules.move(before, PaymentState.EXPECTED)
    payment.note = note.strip()
    leave_trail(
        session,
        actor,
        "reject_report",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state, "note": payment.note},
    )


def cancel(session: Session, *, actor: Actor, now: datetime, payment_id: int) -> None:
    """No longer expect a payment of which nothing arrived; the calling slice has the permission."""
    payment = lock(session, Payment, payment_id)
    before = payment.state
    payment.state = rules.move(before, PaymentState.CANCELLED)
    outbox.publish(
        session,
        PaymentCancelled(
            payment_id=payment.id,
            number=payment.number,
            purpose=payment.purpose.value,
            subject=payment.subject,
            payer_organisation_id=payment.payer_organisation_id,
            amount_fen=payment.amount_fen,
        ),
        now=now,
    )
    leave_trail(
        session,
        actor,
        "cancel",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state},
    )


def _confirm(
    session: Session,
    payment: Payment,
    *,
    actor: Actor,
    confirmed_by: int | None,
    now: datetime,
    reference: str,
    received_fen: Fen,
    account_name: str,
) -> None:
    before = payment.state
    to = rules.move(before, PaymentState.CONFIRMED)
    rules.check_receipt(
        expected_fen=payment.amount_fen,
        received_fen=received_fen,
        payer_name=accounts.get_organisation(session, payment.payer_organisation_id).name,
        account_name=account_name,
        reference=reference,
    )
    used = session.scalar(
        select(Payment.number).where(
            Payment.receipt_reference == reference.strip(), Payment.id != payment.id
        )
    )
    if used is not None:
        raise Conflict(
            "payments.reference_used",
            f"流水号 {reference.strip()} 已用于确认 {used}，一笔到账不能确认两次；请核对流水号",
            "reference",
        )
    payment.state = to
    payment.receipt_reference = reference.strip()
    payment.confirmed_at = now
    payment.confirmed_by_id = confirmed_by
    payment.note = ""
    outbox.publish(
        session,
        PaymentConfirmed(
            payment_id=payment.id,
            number=payment.number,
            purpose=payment.purpose.value,
            subject=payment.subject,
            payer_organisation_id=payment.payer_organisation_id,
            payee_organisation_id=payment.payee_organisation_id,
            amount_fen=payment.amount_fen,
        ),
        now=now,
    )
    leave_trail(
        session,
        actor,
        "confirm",
        payment,
        now,
        before={"state": before},
        after={"state": to, "reference": payment.receipt_reference},
    )
