"""The audit rows of listings, written the same way by every use case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.listings.models import Intent, Listing
from marketplace.listings.rules import IntentState, ListingState


def note(
    session: Session,
    listing: Listing,
    actor: Actor,
    action: str,
    now: datetime,
    *,
    before: ListingState | None = None,
    **after: Any,
) -> None:
    """Record what happened to a listing, with its state before and after."""
    audit.record(
        session,
        actor=actor,
        action=f"listings.{action}",
        subject=f"listing:{listing.id}",
        now=now,
        before=None if before is None else {"state": before},
        after={"state": listing.state, **after},
    )


def note_intent(
    session: Session,
    intent: Intent,
    actor: Actor,
    action: str,
    now: datetime,
    *,
    before: IntentState | None = None,
    **after: Any,
) -> None:
    """Record what happened to an intent, with its state before and after."""
    audit.record(
        session,
        actor=actor,
        action=f"listings.intent.{action}",
        subject=f"intent:{intent.id}",
        now=now,
        before=None if before is None else {"state": before},
        after={"state": intent.state, "listing": intent.listing_id, **after},
    )
