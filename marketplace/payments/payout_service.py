"""Money goes out: refunds without interest and forfeits, asked for by one and paid by another."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken
from marketplace.payments import rules
from marketplace.payments.events import (
    PaymentForfeited,
    PaymentForfeitRequested,
    PaymentRefunded,
    PaymentRefundRequested,
)
from marketplace.payments.gateways import Gateway
from marketplace.payments.ledger_rules import PostingKind
from marketplace.payments.ledger_service import post
from marketplace.payments.models import Payment
from marketplace.payments.payment_trail import leave_trail, order_of
from marketplace.payments.rules import PaymentState


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
        post(
            session,
            PostingKind.REFUND_REQUESTED,
            payment.amount_fen,
            now=now,
            payment_id=payment.id,
        )
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
    leave_trail(
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
    sent = gateway.refund(order_of(session, payment), payment.receipt_reference or "")
    done = sent or reference.strip()
    if len(done) < 4:
        raise RuleBroken("payments.refund_reference", "请填写银行退款流水号", "reference")
    payment.state = to
    payment.refund_reference = done
    payment.refunded_at = now
    payment.refunded_by_id = actor.user_id
    post(session, PostingKind.REFUNDED, payment.amount_fen, now=now, payment_id=payment.id)
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
    leave_trail(
        session,
        actor,
        "refund",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state, "reference": done},
    )


def request_forfeit(
    session: Session, *, actor: Actor, now: datetime, payment_id: int, reason: str
) -> None:
    """Ask that a received amount does not go back; a second person carries it out."""
    require(actor, rules.RECONCILE)
    payment = lock(session, Payment, payment_id)
    before = payment.state
    payment.state = rules.move(before, PaymentState.FORFEIT_DUE)
    payment.refund_reason = reason
    payment.refund_requested_at = now
    payment.refund_requested_by_id = actor.user_id
    post(session, PostingKind.FORFEIT_REQUESTED, payment.amount_fen, now=now, payment_id=payment.id)
    outbox.publish(
        session,
        PaymentForfeitRequested(
            payment_id=payment.id,
            number=payment.number,
            purpose=payment.purpose.value,
            subject=payment.subject,
            payer_organisation_id=payment.payer_organisation_id,
            amount_fen=payment.amount_fen,
            reason=reason,
        ),
        now=now,
    )
    leave_trail(
        session,
        actor,
        "request_forfeit",
        payment,
        now,
        before={"state": before},
        after={"state": payment.state, "reason": reason},
    )


def forfeit(
    session: Session, *, actor: Actor, now: datetime, payment_id: int, reference: str
) -> None:
    """Pay a forfeited amount out as the rules of trading say, as a second person."""
    require(actor, rules.RECONCILE)
    payment = lock(session, Payment, payment_id)
    before = payment.state
    to = rules.move(before, PaymentState.FORFEITED)
    rules.check_second_person(
        actor.user_id,
        confirmed_by=payment.confirmed_by_id,
        requested_by=payment.refund_requested_by_id,
    )
    if len(reference.strip()) < 4:
        raise RuleBroken("payments.refund_reference", "请填写付出的银行流水号", "reference")
    payment.state = to
    payment.refund_reference = reference.strip()
    payment.refunded_at = now
    payment.refunded_by_id = actor.user_id
    post(session, PostingKind.FORFEITED, payment.amount_fen, now=now, payment_id=payment.id)
    outbox.publish(
        session,
        PaymentForfeited(
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
        "forfeit",
        payment,
        now,
        before={"state": before},
        after={"state": to, "reference": payment.refund_reference},
    )
