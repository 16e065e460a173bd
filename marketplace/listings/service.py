"""The use cases of the trading hall in one place, for views, handlers and other slices."""

from __future__ import annotations

from marketplace.listings.application_service import (
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
from marketplace.listings.certificate_service import reissue, withdraw_certificate
from marketplace.listings.content_service import ListingContent
from marketplace.listings.intent_service import (
    IntentContent,
    admit_intent,
    deposit_arrived,
    register_intent,
    reject_intent,
    withdraw_intent,
)
from marketplace.listings.notice_service import answer_priority, check_before_signing
from marketplace.listings.outcome_service import (
    close_qualification,
    end_announcements,
    end_qualifications,
)
from marketplace.listings.outside_service import fail_outside, record_outside
from marketplace.listings.revision_service import revise
from marketplace.listings.trial_service import begin_trial, end_trial

__all__ = [
    "IntentContent",
    "ListingContent",
    "accept",
    "admit_intent",
    "agree_price",
    "announce",
    "answer_priority",
    "apply",
    "begin_trial",
    "check_before_signing",
    "close_qualification",
    "close_sessions",
    "correct",
    "deposit_arrived",
    "end_announcements",
    "end_qualifications",
    "end_trial",
    "fail_outside",
    "mark_signed",
    "open_sessions",
    "place_bid",
    "publicity_closed",
    "record_outside",
    "register_intent",
    "reissue",
    "reject_intent",
    "return_",
    "revise",
    "terminate",
    "withdraw",
    "withdraw_certificate",
    "withdraw_intent",
]
