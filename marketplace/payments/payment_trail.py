"""What the use cases of payments share: the order for a gateway, and the audit row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.payments.gateways import PaymentOrder
from marketplace.payments.models import Payment


def order_of(session: Session, payment: Payment) -> PaymentOrder:
    """Return what a gateway needs to know of a payment."""
    payer = accounts.get_organisation(session, payment.payer_organisation_id)
    return PaymentOrder(payment.number, payment.amount_fen, payer.name, payment.purpose.label)


def leave_trail(
    session: Session,
    actor: Actor,
    action: str,
    payment: Payment,
    now: datetime,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Leave the audit row of what was done to a payment."""
    audit.record(
        session,
        actor=actor,
        action=f"payments.{action}",
        subject=f"payment:{payment.id}",
        now=now,
        before=before,
        after=after,
    )
