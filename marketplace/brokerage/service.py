"""The use cases of brokerage in one place, for views and other slices."""

from __future__ import annotations

from marketplace.brokerage.agreement_service import (
    accept_agreement,
    end_agreements,
    offer_agreement,
    revoke_agreement,
    waive_agreement,
)
from marketplace.brokerage.diary_service import add_note, add_task, finish_task
from marketplace.brokerage.opening_service import (
    express_interest,
    open_deal,
    open_from_answer,
    open_from_intent,
    take_award,
)
from marketplace.brokerage.pipeline_service import lose, mark_registered, move, set_terms
from marketplace.brokerage.register_service import (
    answer_request,
    apply_for_filing,
    approve_filing,
    confirm_profile,
    decline_filing,
    request_contact,
    save_profile,
)
from marketplace.brokerage.terms_service import (
    acknowledge_introduction,
    confirm_commission,
    decline_commission,
    introduce,
    propose_commission,
    receive_commission,
)

__all__ = [
    "accept_agreement",
    "acknowledge_introduction",
    "add_note",
    "add_task",
    "answer_request",
    "apply_for_filing",
    "approve_filing",
    "confirm_commission",
    "confirm_profile",
    "decline_commission",
    "decline_filing",
    "end_agreements",
    "express_interest",
    "finish_task",
    "introduce",
    "lose",
    "mark_registered",
    "move",
    "offer_agreement",
    "open_deal",
    "open_from_answer",
    "open_from_intent",
    "propose_commission",
    "receive_commission",
    "request_contact",
    "revoke_agreement",
    "save_profile",
    "set_terms",
    "take_award",
    "waive_agreement",
]
