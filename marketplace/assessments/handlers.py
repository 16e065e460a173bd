"""What assessments learn from payments: the fee has arrived."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.assessments import service
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.outbox import Subscription
from marketplace.payments.events import PaymentConfirmed
from marketplace.payments.rules import PaymentPurpose


def fee_arrived(session: Session, event: PaymentConfirmed, *, now: datetime) -> None:
    """Note a paid assessment fee."""
    if event.purpose != PaymentPurpose.ASSESSMENT_FEE.value:
        return
    service.note_fee_paid(
        session,
        actor=SYSTEM,
        now=now,
        assessment_id=int(event.subject.removeprefix("assessment:")),
        payment_id=event.payment_id,
    )


SUBSCRIPTIONS = [Subscription("assessments.fee_arrived", PaymentConfirmed, fee_arrived)]
