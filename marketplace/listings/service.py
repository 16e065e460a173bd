"""The use cases of the trading hall in one place, for views, handlers and other slices."""

from __future__ import annotations

from marketplace.listings.application_service import (
    ListingContent,
    accept,
    announce,
    apply,
    correct,
    return_,
)
from marketplace.listings.award_service import (
    agree_price,
    mark_signed,
    publicity_closed,
    terminate,
    withdraw,
)
from marketplace.listings.bidding_service import close_sessions, open_sessions, place_bid
from marketplace.listings.intent_service import (
    IntentContent,
    admit_intent,
    deposit_arrived,
    register_intent,
    reject_intent,
    withdraw_intent,
)
from marketplace.listings.outcome_service import (
    close_qualification,
    end_announcements,
    end_qualifications,
)

__all__ = [
    "IntentContent",
    "ListingContent",
    "accept",
    "admit_intent",
    "agree_price",
    "announce",
    "apply",
    "close_qualification",
    "close_sessions",
    "correct",
    "deposit_arrived",
    "end_announcements",
    "end_qualifications",
    "mark_signed",
    "open_sessions",
    "place_bid",
    "publicity_closed",
    "register_intent",
    "reject_intent",
    "return_",
    "terminate",
    "withdraw",
    "withdraw_intent",
]
