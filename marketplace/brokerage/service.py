"""The use cases of brokerage in one place, for views and other slices."""

from __future__ import annotations

from marketplace.brokerage.agreement_service import (
    accept_agreement,
    end_agreements,
    offer_agreement,
    revoke_agreement,
    waive_agreement,
)
from marketplace.brokerage.call_service import log_call, plan_next
from marketplace.brokerage.chance_service import drop_override, override_chance
from marketplace.brokerage.contact_service import forget_phone
from marketplace.brokerage.diary_service import add_note, add_task, finish_task
from marketplace.brokerage.dispute_service import (
    decide_dispute,
    open_dispute,
    withdraw_dispute,
)
from marketplace.brokerage.enquiry_service import remind, send_digests
from marketplace.brokerage.event_opening_service import (
    open_from_answer,
    open_from_intent,
    take_award,
)
from marketplace.brokerage.expense_service import answer_expense, claim_expense, settle_expense
from marketplace.brokerage.filing_service import (
    apply_for_filing,
    approve_filing,
    decline_filing,
    end_filing,
)
from marketplace.brokerage.ledger_service import (
    accrue,
    note_invoice,
    receive_commission,
    receive_entry,
    strike_for_cancelled,
)
from marketplace.brokerage.merge_service import merge_deals
from marketplace.brokerage.opening_service import (
    express_interest,
    open_deal,
)
from marketplace.brokerage.pipeline_service import (
    change_pipeline,
    lose,
    mark_registered,
    move,
    set_terms,
)
from marketplace.brokerage.proposal_service import answer_proposal, propose_pair
from marketplace.brokerage.rating_service import (
    answer_rating,
    decide_words,
    hide_words,
    rate_broker,
    strike_ratings,
)
from marketplace.brokerage.recognition_service import decide_recognition, recognise_contract
from marketplace.brokerage.register_service import (
    answer_request,
    confirm_profile,
    drop_certificate,
    request_contact,
    save_profile,
    take_certificate,
)
from marketplace.brokerage.room_service import (
    add_files,
    close_room,
    issue_link,
    open_file,
    open_room,
    revoke_link,
    use_link,
    withdraw_file,
)
from marketplace.brokerage.saved_view_service import (
    remove_view,
    rename_view,
    save_view,
    start_with,
)
from marketplace.brokerage.split_service import split_deal
from marketplace.brokerage.talk_service import (
    cancel_talk,
    choose_slots,
    fix_talk,
    propose_talk,
    write_minutes,
)
from marketplace.brokerage.terms_service import (
    acknowledge_introduction,
    confirm_commission,
    decline_commission,
    introduce,
    propose_commission,
)

__all__ = [
    "accept_agreement",
    "accrue",
    "acknowledge_introduction",
    "add_files",
    "add_note",
    "add_task",
    "answer_expense",
    "answer_proposal",
    "answer_rating",
    "answer_request",
    "apply_for_filing",
    "approve_filing",
    "cancel_talk",
    "change_pipeline",
    "choose_slots",
    "claim_expense",
    "close_room",
    "confirm_commission",
    "confirm_profile",
    "decide_dispute",
    "decide_recognition",
    "decide_words",
    "decline_commission",
    "decline_filing",
    "drop_certificate",
    "drop_override",
    "end_agreements",
    "end_filing",
    "express_interest",
    "finish_task",
    "fix_talk",
    "forget_phone",
    "hide_words",
    "introduce",
    "issue_link",
    "log_call",
    "lose",
    "mark_registered",
    "merge_deals",
    "move",
    "note_invoice",
    "offer_agreement",
    "open_deal",
    "open_dispute",
    "open_file",
    "open_from_answer",
    "open_from_intent",
    "open_room",
    "override_chance",
    "plan_next",
    "propose_commission",
    "propose_pair",
    "propose_talk",
    "rate_broker",
    "receive_commission",
    "receive_entry",
    "recognise_contract",
    "remind",
    "remove_view",
    "rename_view",
    "request_contact",
    "revoke_agreement",
    "revoke_link",
    "save_profile",
    "save_view",
    "send_digests",
    "set_terms",
    "settle_expense",
    "split_deal",
    "start_with",
    "strike_for_cancelled",
    "strike_ratings",
    "take_award",
    "take_certificate",
    "use_link",
    "waive_agreement",
    "withdraw_dispute",
    "withdraw_file",
    "write_minutes",
]
