"""What an organisation's suspension does in the trading hall, as seller and as buyer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements import service as achievements
from marketplace.foundation.access import SYSTEM
from marketplace.listings import rules
from marketplace.listings.automatic_service import drop_order
from marketplace.listings.award_service import withdraw
from marketplace.listings.bidding_models import BiddingSession
from marketplace.listings.intent_service import withdraw_intent
from marketplace.listings.models import Intent, Listing
from marketplace.listings.qualification_service import bar_intent
from marketplace.listings.rules import IntentState, ListingState

_UNDECIDED = (ListingState.ANNOUNCED, ListingState.QUALIFYING, ListingState.NEGOTIATING)


def end_for_suspended(
    session: Session, *, now: datetime, organisation_id: int, reason: str
) -> None:
    """Withdraw what binds nobody yet, end intents that are undecided, and stop private limits.

    Listings first, then the achievements that are free again. Bids that stand in a record stay
    there; a session that runs is neither stopped nor changed for the others. Repeating does
    nothing.
    """
    _end_listings(session, organisation_id, reason, now=now)
    _end_intents(session, organisation_id, reason, now=now)
    achievements.withdraw_all(session, now=now, organisation_id=organisation_id, reason=reason)


def _end_listings(session: Session, organisation_id: int, reason: str, *, now: datetime) -> None:
    free = [state for state in ListingState if ListingState.WITHDRAWN in rules.reachable(state)]
    ids = session.scalars(
        select(Listing.id)
        .where(Listing.organisation_id == organisation_id, Listing.state.in_(free))
        .order_by(Listing.id)
    ).all()
    for listing_id in ids:
        withdraw(session, actor=SYSTEM, now=now, listing_id=listing_id, reason=reason)


def _end_intents(session: Session, organisation_id: int, reason: str, *, now: datetime) -> None:
    found = session.execute(
        select(Intent.id, Intent.state, Listing.id, Listing.state)
        .join(Listing, Listing.id == Intent.listing_id)
        .where(Intent.organisation_id == organisation_id, Intent.state.in_(rules.LIVE_INTENTS))
        .order_by(Intent.listing_id)
    ).all()
    for intent_id, intent, listing_id, listing in found:
        if listing in _UNDECIDED:
            withdraw_intent(session, actor=SYSTEM, now=now, intent_id=intent_id)
        elif listing is ListingState.BIDDING and intent is IntentState.QUALIFIED:
            _stop_bidding(session, listing_id, intent_id, reason, now=now)


def _stop_bidding(
    session: Session, listing_id: int, intent_id: int, reason: str, *, now: datetime
) -> None:
    row = session.scalar(
        select(BiddingSession)
        .where(BiddingSession.listing_id == listing_id, BiddingSession.voided_at.is_(None))
        .with_for_update()
    )
    if row is None or (row.opened_at is None and now < row.starts_at):
        bar_intent(session, actor=SYSTEM, now=now, intent_id=intent_id, reason=reason)
        return
    drop_order(session, row, session.get_one(Intent, intent_id), actor=SYSTEM, now=now)
