"""What listings do when a notice closes and when a deposit arrives."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts.events import OrganisationSuspended
from marketplace.foundation.outbox import Subscription
from marketplace.listings import service, suspension_service
from marketplace.payments.events import PaymentConfirmed
from marketplace.publicity.events import PublicityClosed


def _id_of(subject: str, kind: str) -> int | None:
    prefix, _, number = subject.partition(":")
    return int(number) if prefix == kind else None


def publicity_closed(session: Session, event: PublicityClosed, *, now: datetime) -> None:
    """Award the listing, or end it when an objection was upheld."""
    listing_id = _id_of(event.subject, "listing")
    if listing_id is not None:
        service.publicity_closed(
            session,
            now=now,
            listing_id=listing_id,
            publicity_id=event.publicity_id,
            upheld=event.upheld,
        )


def payment_confirmed(session: Session, event: PaymentConfirmed, *, now: datetime) -> None:
    """Qualify the buyer whose deposit arrived."""
    intent_id = _id_of(event.subject, "intent")
    if intent_id is not None:
        service.deposit_arrived(session, now=now, intent_id=intent_id, payment_id=event.payment_id)


def organisation_suspended(
    session: Session, event: OrganisationSuspended, *, now: datetime
) -> None:
    """End what a suspended organisation has open in the trading hall."""
    suspension_service.end_for_suspended(
        session,
        now=now,
        organisation_id=event.organisation_id,
        reason=f"机构被交易中心暂停：{event.reason}",
    )


SUBSCRIPTIONS = [
    Subscription("listings.publicity_closed", PublicityClosed, publicity_closed),
    Subscription("listings.payment_confirmed", PaymentConfirmed, payment_confirmed),
    Subscription("listings.organisation_suspended", OrganisationSuspended, organisation_suspended),
]
