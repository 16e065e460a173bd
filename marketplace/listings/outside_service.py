"""Auction and tender: the result of a licensed holder is recorded, and goes before the public."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import rules
from marketplace.listings.award_service import conclude, fail
from marketplace.listings.intent_service import lock_pair
from marketplace.listings.models import Listing
from marketplace.listings.rules import IntentState, ListingState


def record_outside(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    intent_id: int,
    price_fen: Fen,
    document: str,
) -> int:
    """Record who won an auction or tender, at what price and by which paper; return the notice."""
    require(actor, rules.OPERATE)
    listing, intent = lock_pair(session, intent_id)
    _check_held(listing)
    if intent.state is not IntentState.QUALIFIED:
        raise RuleBroken(
            "listings.not_qualified", f"意向方现在是“{intent.state.label}”，只有合格意向方能成交"
        )
    rules.check_outside(price_fen, listing.base_price_fen, document)
    listing.outside_document = document.strip()
    return conclude(session, listing, intent, price_fen, actor=actor, now=now)


def fail_outside(
    session: Session, *, actor: Actor, now: datetime, listing_id: int, reason: str
) -> None:
    """Record that an auction or tender found no buyer, with the reason."""
    require(actor, rules.OPERATE)
    rules.check_reason(reason, "流拍或流标")
    listing = lock(session, Listing, listing_id)
    _check_held(listing)
    fail(session, listing, actor=actor, now=now, reason=reason.strip())


def _check_held(listing: Listing) -> None:
    if listing.state is not ListingState.OUTSIDE:
        raise RuleBroken(
            "listings.not_outside",
            f"项目现在是“{listing.state.label}”，没有在拍卖或招标，不能登记结果",
        )
