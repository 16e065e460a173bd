"""The use cases of the trading hall in one place, for views, handlers and other slices."""

from __future__ import annotations

from marketplace.listings.application_service import (
    accept,
    announce,
    apply,
    correct,
    return_,
)
from marketplace.listings.automatic_service import drop_limit, set_limit
from marketplace.listings.award_service import (
    agree_price,
    mark_signed,
    publicity_closed,
    terminate,
    withdraw,
)
from marketplace.listings.bidding_service import (
    note_passed,
    note_refused_bid,
    place_bid,
    price_passed,
)
from marketplace.listings.certificate_service import reissue, withdraw_certificate
from marketplace.listings.content_service import ListingContent
from marketplace.listings.deciding_service import close_sessions, open_sessions
from marketplace.listings.intent_service import (
    IntentContent,
    deposit_arrived,
    register_intent,
    withdraw_intent,
)
from marketplace.listings.notice_service import answer_priority, check_before_signing
from marketplace.listings.officer_service import make_key
from marketplace.listings.outcome_service import (
    close_qualification,
    end_announcements,
    end_qualifications,
)
from marketplace.listings.outside_service import fail_outside, record_outside
from marketplace.listings.priority_offer_service import answer_offer
from marketplace.listings.qualification_service import admit_intent, bar_intent, reject_intent
from marketplace.listings.revision_service import revise
from marketplace.listings.sealed_service import (
    SealedReceipt,
    give_opening_share,
    record_scores,
    submit_sealed_bid,
    void_unopened,
)
from marketplace.listings.terms_service import choose_bidding
from marketplace.listings.trial_service import begin_trial, end_trial

__all__ = [
    "IntentContent",
    "ListingContent",
    "SealedReceipt",
    "accept",
    "admit_intent",
    "agree_price",
    "announce",
    "answer_offer",
    "answer_priority",
    "apply",
    "bar_intent",
    "begin_trial",
    "check_before_signing",
    "choose_bidding",
    "close_qualification",
    "close_sessions",
    "correct",
    "deposit_arrived",
    "drop_limit",
    "end_announcements",
    "end_qualifications",
    "end_trial",
    "fail_outside",
    "give_opening_share",
    "make_key",
    "mark_signed",
    "note_passed",
    "note_refused_bid",
    "open_sessions",
    "place_bid",
    "price_passed",
    "publicity_closed",
    "record_outside",
    "record_scores",
    "register_intent",
    "reissue",
    "reject_intent",
    "return_",
    "revise",
    "set_limit",
    "submit_sealed_bid",
    "terminate",
    "void_unopened",
    "withdraw",
    "withdraw_certificate",
    "withdraw_intent",
]
