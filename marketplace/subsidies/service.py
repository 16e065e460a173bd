"""The use cases of subsidies, in one place for pages and other slices."""

from marketplace.subsidies.application_service import Payee, apply, enter, prepare
from marketplace.subsidies.clawback_service import claw_back, confirm_receipt
from marketplace.subsidies.deadline_service import remind_due
from marketplace.subsidies.draft_service import begin_draft, change_draft
from marketplace.subsidies.facts_service import keep_cancelled, keep_changed, keep_registered
from marketplace.subsidies.payment_service import confirm_payment, list_payments
from marketplace.subsidies.publicity_service import publicise, take_publicity
from marketplace.subsidies.return_service import recall
from marketplace.subsidies.review_service import Verdict, review
from marketplace.subsidies.round_service import open_round
from marketplace.subsidies.year_service import store_year

__all__ = [
    "Payee",
    "Verdict",
    "apply",
    "begin_draft",
    "change_draft",
    "claw_back",
    "confirm_payment",
    "confirm_receipt",
    "enter",
    "keep_cancelled",
    "keep_changed",
    "keep_registered",
    "list_payments",
    "open_round",
    "prepare",
    "publicise",
    "recall",
    "remind_due",
    "review",
    "store_year",
    "take_publicity",
]
