"""Expect money, note that it was sent, confirm that it arrived, send it back by two persons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.numbering import next_number
from marketplace.payments import rules
from marketplace.payments.events import (
    PaymentCancelled,
    PaymentConfirmed,
    PaymentExpected,
    PaymentRefunded,
    PaymentRefundRequested,
)
from marketplace.payments.gateways import Gateway, PaymentOrder
from marketplace.payments.models import Payment
from marketplace.payments.rules import PaymentPurpose, PaymentState


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
    _audit(session, actor, "expect", payment, now, after={"amount_fen": amount_fen})
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
    _audit(
        session,
        actor,
        "report",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state, "reference": payment.reported_reference},
    )
    receipt = gateway.find_receipt(_order(session, payment))
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


def confirm(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    payment_id: int,
    reference: str,
    received_fen: Fen,
    account_name: str,
) -> None:
    """Confirm from the bank statement that just this amount came from the payer's own account."""
    require(actor, rules.RECONCILE)
    payment = lock(session, Payment, payment_id)
    _confirm(
        session,
        payment,
        actor=actor,
        confirmed_by=actor.user_id,
        now=now,
        reference=reference,
        received_fen=received_fen,
        account_name=account_name,
    )


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
    _audit(
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
    _audit(
        session,
        actor,
        "cancel",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state},
    )


def request_refund(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    payment_id: int,
    reason: str,
    due_on: date | None = None,
) -> None:
    """Ask that a received amount goes back, without interest; a second person carries it out.

    What the system asked for by rule, a person may endorse by asking again.
    """
    require(actor, rules.RECONCILE)
    payment = lock(session, Payment, payment_id)
    before = payment.state
    endorsing = before is PaymentState.REFUND_DUE and payment.refund_requested_by_id is None
    if not endorsing:
        if len(reason.strip()) < 4:
            raise RuleBroken("payments.no_reason", "请写明退款原因", "reason")
        payment.state = rules.move(before, PaymentState.REFUND_DUE)
        payment.refund_reason = reason.strip()
        payment.refund_due_on = due_on
        payment.refund_requested_at = now
        outbox.publish(
            session,
            PaymentRefundRequested(
                payment_id=payment.id,
                number=payment.number,
                purpose=payment.purpose.value,
                subject=payment.subject,
                payer_organisation_id=payment.payer_organisation_id,
                amount_fen=payment.amount_fen,
                reason=payment.refund_reason,
            ),
            now=now,
        )
    payment.refund_requested_by_id = actor.user_id
    _audit(
        session,
        actor,
        "request_refund",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state, "reason": payment.refund_reason},
    )


def refund(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    payment_id: int,
    reference: str,
    gateway: Gateway,
) -> None:
    """Send a received amount back to its account, as a second person.

    An online gateway gives the reference itself; for a bank transfer the person types it.
    """
    require(actor, rules.RECONCILE)
    payment = lock(session, Payment, payment_id)
    before = payment.state
    to = rules.move(before, PaymentState.REFUNDED)
    rules.check_second_person(
        actor.user_id,
        confirmed_by=payment.confirmed_by_id,
        requested_by=payment.refund_requested_by_id,
    )
    sent = gateway.refund(_order(session, payment), payment.receipt_reference or "")
    done = sent or reference.strip()
    if len(done) < 4:
        raise RuleBroken("payments.refund_reference", "请填写银行退款流水号", "reference")
    payment.state = to
    payment.refund_reference = done
    payment.refunded_at = now
    payment.refunded_by_id = actor.user_id
    outbox.publish(
        session,
        PaymentRefunded(
            payment_id=payment.id,
            number=payment.number,
            purpose=payment.purpose.value,
            subject=payment.subject,
            payer_organisation_id=payment.payer_organisation_id,
            amount_fen=payment.amount_fen,
        ),
        now=now,
    )
    _audit(
        session,
        actor,
        "refund",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state, "reference": done},
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
    _audit(
        session,
        actor,
        "confirm",
        payment,
        now,
        before={"state": before},
        after={"state": to, "reference": payment.receipt_reference},
    )


def _order(session: Session, payment: Payment) -> PaymentOrder:
    payer = accounts.get_organisation(session, payment.payer_organisation_id)
    return PaymentOrder(payment.number, payment.amount_fen, payer.name, payment.purpose.label)


def _audit(
    session: Session,
    actor: Actor,
    action: str,
    payment: Payment,
    now: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"payments.{action}",
        subject=f"payment:{payment.id}",
        now=now,
        before=before,
        after=after,
    )
