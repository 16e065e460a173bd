"""The use cases of contracts in one place, for views and other slices."""

from __future__ import annotations

from marketplace.contracts.amendment_service import (
    apply_cancellation,
    apply_change,
    decline_amendment,
    grant_amendment,
    withdraw_amendment,
)
from marketplace.contracts.drafting_service import draft, draft_from_deal, save
from marketplace.contracts.paper_service import attach, detach
from marketplace.contracts.receipt_service import (
    confirm_receipt,
    declare_receipt,
    withdraw_receipt,
)
from marketplace.contracts.register_service import cancel, change
from marketplace.contracts.review_service import (
    dispute,
    refuse,
    register,
    return_,
    take_up,
)
from marketplace.contracts.submission_service import resubmit, submit

__all__ = [
    "apply_cancellation",
    "apply_change",
    "attach",
    "cancel",
    "change",
    "confirm_receipt",
    "declare_receipt",
    "decline_amendment",
    "detach",
    "dispute",
    "draft",
    "draft_from_deal",
    "grant_amendment",
    "refuse",
    "register",
    "resubmit",
    "return_",
    "save",
    "submit",
    "take_up",
    "withdraw_amendment",
    "withdraw_receipt",
]
