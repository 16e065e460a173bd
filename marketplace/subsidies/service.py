"""The use cases of subsidies, in one place for pages and other slices."""

from marketplace.subsidies.application_service import Payee, apply, open_round, prepare
from marketplace.subsidies.draft_service import begin_draft, change_draft
from marketplace.subsidies.facts_service import keep_cancelled, keep_changed, keep_registered
from marketplace.subsidies.payment_service import claw_back, confirm_payment, list_payments
from marketplace.subsidies.review_service import Verdict, publicise, review, take_publicity
from marketplace.subsidies.year_service import store_year

__all__ = [
    "Payee",
    "Verdict",
    "apply",
    "begin_draft",
    "change_draft",
    "claw_back",
    "confirm_payment",
    "keep_cancelled",
    "keep_changed",
    "keep_registered",
    "list_payments",
    "open_round",
    "prepare",
    "publicise",
    "review",
    "store_year",
    "take_publicity",
]
