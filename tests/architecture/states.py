"""In which states of its object each changing action is open, from the rules' own tables.

A move is open where the transition table has its step and the action is meant for it; everything
else is open in a set of states that the rules name. ``tests/pages/test_states.py`` walks them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from marketplace.accounts.access_token_rules import TokenState
from marketplace.accounts.rules import OrganisationState
from marketplace.achievements import rules as achievements
from marketplace.achievements.rules import AchievementState
from marketplace.assessments import rules as assessments
from marketplace.assessments.panel_rules import SeatState
from marketplace.assessments.rules import AssessmentState
from marketplace.brokerage import commission_rules, terms_rules
from marketplace.brokerage import rules as deals
from marketplace.brokerage.commission_rules import ExpenseStatus
from marketplace.brokerage.introduction_rules import DisputeState, RecognitionState
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import onward
from marketplace.brokerage.proposal_rules import ProposalState
from marketplace.brokerage.rating_rules import WordsState
from marketplace.brokerage.register_rules import FilingStatus, RequestStatus
from marketplace.brokerage.rules import DealStage
from marketplace.brokerage.talk_rules import TalkState
from marketplace.brokerage.terms_rules import AgreementStatus, CommissionStatus
from marketplace.contracts import rules as contracts
from marketplace.contracts.amendment_rules import AmendmentState
from marketplace.contracts.payment_rules import ReceiptState
from marketplace.contracts.rules import ContractStatus
from marketplace.exchange import rules as imports
from marketplace.foundation.words import Word
from marketplace.integrity.rules import RecordState, RepairState
from marketplace.listings import rules as listings
from marketplace.listings.bidding_rules import Phase
from marketplace.listings.certificate_rules import CertificateState
from marketplace.listings.priority_rules import PriorityState
from marketplace.listings.rules import IntentState, ListingState
from marketplace.listings.trial_rules import TrialState
from marketplace.needs import rules as needs
from marketplace.needs.rules import AnswerState, NeedState
from marketplace.notifications.webhook_rules import WebhookState
from marketplace.oversight.report_rules import ReportState
from marketplace.payments import rules as payments
from marketplace.payments.rules import PaymentState
from marketplace.payments.statement_rules import LineState
from marketplace.publicity import rules as publicity
from marketplace.publicity.rules import ObjectionState
from marketplace.reviews.rules import ReviewState
from marketplace.subsidies import return_rules
from marketplace.subsidies import rules as claims
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus
from marketplace.techservices import rules as services
from marketplace.techservices.rules import MeetingState, OrderState
from marketplace.training import rules as courses
from marketplace.training.rules import PlaceState

State = TypeVar("State", bound=Word)


class Mark(Word):
    """Of what has no word for its state in the rules, only the mark that it has ended."""

    STANDS = "stands", "有效"
    ENDED = "ended", "已终止"


def _before(
    table: Mapping[State, Collection[State]], to: State, without: Collection[State] = ()
) -> frozenset[State]:
    """Return the states from which a table leads to a state, less those of another action."""
    return frozenset(state for state in table if to in table[state]) - frozenset(without)


_N, _A, _C, _O = NeedState, AchievementState, ContractStatus, OrderState
_NEEDS, _ACHIEVEMENTS = needs.TRANSITIONS, achievements.TRANSITIONS
_CONTRACTS, _ORDERS = contracts.TRANSITIONS, services.TRANSITIONS
_L, _I, _P = ListingState, IntentState, PaymentState
_LISTINGS, _INTENTS = listings.TRANSITIONS, listings.INTENT_TRANSITIONS
_PAYMENTS = payments.TRANSITIONS
_E, _ASSESSMENTS = AssessmentState, assessments.TRANSITIONS
_COMMISSIONS, _EXPENSES = terms_rules.COMMISSION_STEPS, commission_rules.EXPENSE_STEPS

OPEN_IN: dict[str, frozenset[Any]] = {
    "needs.submit": _before(_NEEDS, _N.REVIEW),
    # Three ways lead back to a draft: the owner's from review, the operator's, and from the end.
    "needs.recall": frozenset({_N.REVIEW}),
    "needs.reopen": needs.REOPENABLE_STATES,
    # An open one leaves the market by it.
    "needs.return_": frozenset({_N.REVIEW, _N.OPEN}),
    "needs.accept": frozenset({_N.REVIEW}),
    # One in a deal is closed by the deal.
    "needs.close": _before(_NEEDS, _N.CLOSED, {_N.MATCHED}),
    "needs.edit": needs.EDITABLE_STATES,
    "needs.attach": needs.EDITABLE_STATES,
    "needs.detach": needs.EDITABLE_STATES,
    "needs.answer": needs.VISIBLE_STATES,
    "needs.accept_answer": frozenset({AnswerState.SENT}),
    "needs.decline_answer": frozenset({AnswerState.SENT}),
    "achievements.submit": _before(_ACHIEVEMENTS, _A.INTERNAL_REVIEW),
    "achievements.approve": frozenset({_A.INTERNAL_REVIEW}),
    "achievements.return_": frozenset({_A.INTERNAL_REVIEW}),
    "achievements.withdraw": _before(_ACHIEVEMENTS, _A.WITHDRAWN),
    "achievements.reopen": achievements.REOPENABLE_STATES,
    "achievements.edit": achievements.EDITABLE_STATES,
    "achievements.attach": achievements.EDITABLE_STATES,
    "achievements.detach": achievements.EDITABLE_STATES,
    "contracts.submit": _before(_CONTRACTS, _C.SUBMITTED),
    "contracts.edit": contracts.EDITABLE,
    "contracts.detach": contracts.EDITABLE,
    "contracts.take_up": _before(_CONTRACTS, _C.REVIEW),
    "contracts.return_": _before(_CONTRACTS, _C.CORRECTION),
    "contracts.refuse": _before(_CONTRACTS, _C.REFUSED),
    "contracts.register": _before(_CONTRACTS, _C.REGISTERED),
    "contracts.dispute": contracts.WITH_REGISTRAR,
    "contracts.change": _before(_CONTRACTS, _C.CHANGED),
    "contracts.cancel": _before(_CONTRACTS, _C.CANCELLED),
    "contracts.amend": contracts.IN_REGISTER,
    "contracts.ask_cancellation": contracts.IN_REGISTER,
    "contracts.declare_receipt": contracts.IN_REGISTER,
    "contracts.withdraw_receipt": frozenset({ReceiptState.DECLARED}),
    "contracts.confirm_receipt": frozenset({ReceiptState.DECLARED}),
    "contracts.withdraw_amendment": frozenset({AmendmentState.APPLIED}),
    "contracts.grant_amendment": frozenset({AmendmentState.APPLIED}),
    "contracts.decline_amendment": frozenset({AmendmentState.APPLIED}),
    "techservices.accept": _before(_ORDERS, _O.ACCEPTED),
    "techservices.decline": _before(_ORDERS, _O.DECLINED),
    "techservices.withdraw": _before(_ORDERS, _O.WITHDRAWN),
    "techservices.report": _before(_ORDERS, _O.IN_PROGRESS),
    "techservices.deliver": _before(_ORDERS, _O.DELIVERED),
    "techservices.confirm": _before(_ORDERS, _O.CONFIRMED),
    "listings.accept": _before(_LISTINGS, _L.ACCEPTED),
    # Back from the qualification leads an extension, which nobody asks for.
    "listings.announce": _before(_LISTINGS, _L.ANNOUNCED, {_L.QUALIFYING}),
    "listings.return_application": _before(_LISTINGS, _L.RETURNED),
    "listings.edit": frozenset(listings.EDITABLE),
    "listings.choose_bidding": frozenset(listings.UNPUBLISHED),
    "listings.revise": frozenset({_L.ANNOUNCED}),
    # At a negotiated price buyers still come while others talk.
    "listings.intend": frozenset({_L.ANNOUNCED, _L.NEGOTIATING}),
    "listings.close_qualification": frozenset({_L.QUALIFYING}),
    "listings.withdraw": _before(_LISTINGS, _L.WITHDRAWN),
    "listings.terminate": frozenset({_L.AWARDED}),
    "listings.fail_outside": frozenset({_L.OUTSIDE}),
    "listings.admit_intent": _before(_INTENTS, _I.ADMITTED),
    "listings.reject_intent": _before(_INTENTS, _I.REJECTED),
    "listings.bar_intent": _before(_INTENTS, _I.BARRED),
    "listings.withdraw_intent": _before(_INTENTS, _I.WITHDRAWN),
    "listings.agree_price": _before(_INTENTS, _I.WON),
    "listings.record_outside": _before(_INTENTS, _I.WON),
    "listings.bid": frozenset({Phase.FREE, Phase.LIMITED}),
    "listings.set_limit": frozenset({Phase.PLANNED, Phase.FREE, Phase.LIMITED}),
    "listings.drop_limit": frozenset({Phase.PLANNED, Phase.FREE, Phase.LIMITED}),
    "listings.seal": frozenset({Phase.SEALING}),
    "listings.score_bids": frozenset({Phase.UNSEALING}),
    "listings.give_share": frozenset({Phase.UNSEALING}),
    "listings.void_unopened": frozenset({Phase.UNSEALING}),
    "listings.begin_trial": frozenset({TrialState.OFFERED}),
    "listings.end_trial": frozenset({TrialState.RUNNING}),
    "listings.priority": frozenset({PriorityState.ASKED}),
    "listings.answer_offer": frozenset({PriorityState.OFFERED}),
    "listings.withdraw_certificate": frozenset({CertificateState.ISSUED}),
    "listings.reissue": frozenset({CertificateState.WITHDRAWN}),
    "payments.report": _before(_PAYMENTS, _P.REPORTED),
    "payments.confirm": _before(_PAYMENTS, _P.CONFIRMED),
    "payments.reject": _before(_PAYMENTS, _P.EXPECTED),
    "payments.request_refund": _before(_PAYMENTS, _P.REFUND_DUE),
    "payments.refund": _before(_PAYMENTS, _P.REFUNDED),
    "payments.forfeit": _before(_PAYMENTS, _P.FORFEITED),
    "payments.confirm_line": frozenset({LineState.OPEN, LineState.MATCHED}),
    "payments.return_line": frozenset({LineState.OPEN, LineState.MATCHED}),
    "publicity.object_to": frozenset(publicity.RUNNING),
    "publicity.answer": frozenset({ObjectionState.OPEN}),
    "subsidies.enter": frozenset(claims.WITH_APPLICANT),
    "subsidies.apply": frozenset(claims.WITH_APPLICANT),
    "subsidies.decide": frozenset(claims.IN_REVIEW),
    "subsidies.recall": frozenset(return_rules.RECALLABLE),
    "subsidies.claw_back": frozenset({ClaimStatus.PAID}),
    "subsidies.confirm_receipt": frozenset({ClaimStatus.RECLAIMING}),
    "subsidies.confirm_payment": frozenset({PaymentStatus.LISTED}),
    "assessments.assign": _before(_ASSESSMENTS, _E.ASSIGNED),
    "assessments.accept": _before(_ASSESSMENTS, _E.ACCEPTED),
    # What is requested waits for no assessor yet.
    "assessments.decline": _before(_ASSESSMENTS, _E.PRE_ASSESSED, {_E.REQUESTED}),
    "assessments.panel": assessments.WORKING_STATES,
    "assessments.valuation": _before(_ASSESSMENTS, _E.SCORING),
    "assessments.explain": frozenset({_E.SCORING}),
    "assessments.issue": _before(_ASSESSMENTS, _E.REPORT),
    "assessments.file": _before(_ASSESSMENTS, _E.FILED),
    "assessments.reject": _before(_ASSESSMENTS, _E.REJECTED),
    "assessments.declare": frozenset({SeatState.INVITED}),
    "assessments.leave": frozenset({SeatState.INVITED, SeatState.DECLARED}),
    "assessments.seat": frozenset({SeatState.DECLARED}),
    # In the first pipeline the steps are named as the stages in which they stand.
    "brokerage.move": frozenset(
        stage for stage in DealStage if onward(pipelines().every[0], stage, stage)
    ),
    "brokerage.change_pipeline": frozenset(deals.TALKING),
    "brokerage.merge": frozenset(deals.TALKING),
    "brokerage.split": frozenset(deals.TALKING),
    "brokerage.lose": frozenset(stage for stage in DealStage if deals.can_be_lost(stage)),
    "brokerage.terms": frozenset({*deals.TALKING, DealStage.SIGNED}),
    # What was said is noted also when a deal is over.
    "brokerage.add_note": frozenset(DealStage),
    "brokerage.add_task": frozenset(DealStage) - deals.CLOSED,
    "brokerage.call": frozenset(DealStage) - deals.CLOSED,
    "brokerage.propose_talk": frozenset(DealStage) - deals.CLOSED,
    "brokerage.propose_commission": frozenset(deals.TALKING),
    "brokerage.accept_agreement": frozenset({AgreementStatus.OFFERED}),
    "brokerage.revoke_agreement": frozenset({AgreementStatus.OFFERED, AgreementStatus.ACCEPTED}),
    "brokerage.confirm_commission": _before(_COMMISSIONS, CommissionStatus.AGREED),
    # What was agreed is not taken back by one side.
    "brokerage.decline_commission": _before(
        _COMMISSIONS, CommissionStatus.VOID, {CommissionStatus.AGREED}
    ),
    "brokerage.check_recognition": frozenset({RecognitionState.TO_CHECK}),
    "brokerage.withdraw_dispute": frozenset({DisputeState.OPEN}),
    "brokerage.decide_dispute": frozenset({DisputeState.OPEN}),
    "brokerage.answer_expense": _before(_EXPENSES, ExpenseStatus.ACCEPTED),
    "brokerage.settle_expense": _before(_EXPENSES, ExpenseStatus.SETTLED),
    "brokerage.choose_slots": frozenset({TalkState.PROPOSED}),
    "brokerage.fix_talk": frozenset({TalkState.PROPOSED}),
    "brokerage.cancel_talk": frozenset({TalkState.PROPOSED, TalkState.FIXED}),
    "brokerage.write_minutes": frozenset({TalkState.FIXED}),
    "brokerage.request": frozenset({RequestStatus.OPEN}),
    "brokerage.answer_proposal": frozenset({ProposalState.OPEN}),
    "brokerage.rating_words": frozenset({WordsState.WAITING}),
    "brokerage.answer_rating": frozenset({WordsState.SHOWN}),
    "brokerage.filing": frozenset({FilingStatus.APPLIED}),
    "brokerage.decline_filing": frozenset({FilingStatus.APPLIED}),
    "reviews.confirm": frozenset({ReviewState.OPEN}),
    # Unconfirmed when the agency's term is over.
    "reviews.decide": frozenset({ReviewState.OPEN, ReviewState.CONFIRMED}),
    "reviews.recompute": frozenset({ReviewState.OPEN, ReviewState.CONFIRMED}),
    "reviews.appeal": frozenset({ReviewState.PUBLISHED}),
    "reviews.decide_appeal": frozenset({ReviewState.APPEALED}),
    "integrity.repair": frozenset({RepairState.APPLIED}),
    "integrity.apply_repair": frozenset({RecordState.CURRENT}),
    # What is over is taken back as well: it stays in the file.
    "integrity.revoke": frozenset(RecordState) - {RecordState.REVOKED},
    "accounts.verify": frozenset({OrganisationState.REGISTERED}),
    "accounts.verification": frozenset({OrganisationState.REGISTERED}),
    "accounts.suspend": frozenset({OrganisationState.VERIFIED}),
    "accounts.resume": frozenset({OrganisationState.SUSPENDED}),
    # A suspended one is to be found under the name it had; the papers it was verified by are kept.
    "accounts.organisation": frozenset(OrganisationState) - {OrganisationState.SUSPENDED},
    "accounts.remove_paper": frozenset({OrganisationState.REGISTERED, OrganisationState.REJECTED}),
    "accounts.disable_person": frozenset({Mark.STANDS}),
    "accounts.enable_person": frozenset({Mark.ENDED}),
    "accounts.revoke_token": frozenset({TokenState.LIVING, TokenState.EXPIRED}),
    "training.sign_up": courses.BEFORE,
    "training.give_up": courses.BEFORE,
    "training.cancel": courses.CANCELLABLE,
    "training.begin": courses.EXAMINED,
    "training.check_in": frozenset({PlaceState.BOOKED}),
    "training.strike": frozenset({Mark.STANDS}),
    "training.restore": frozenset({Mark.ENDED}),
    "training.revoke": frozenset({Mark.STANDS}),
    "training.withdraw_question": frozenset({Mark.STANDS}),
    "techservices.sign_up": frozenset({MeetingState.OPEN}),
    "techservices.give_up": services.COMING,
    "techservices.cancel": services.COMING,
    # Who came is noted afterwards as well.
    "techservices.check_in": services.COMING | {MeetingState.OVER},
    "exchange.start": imports.CHANGEABLE,
    "exchange.cancel": imports.CANCELLABLE,
    "oversight.report_desk": frozenset({ReportState.OPEN}),
    "notifications.end_webhook": frozenset({WebhookState.LIVING, WebhookState.FAILING}),
    "notifications.resume_webhook": frozenset({WebhookState.FAILING}),
}


def states_of(method: str, endpoint: str) -> str:
    """Return the states in which a changing route is open, in the order of their words."""
    chosen = OPEN_IN.get(endpoint, frozenset()) if method != "GET" else frozenset()
    words = type(next(iter(chosen))) if chosen else ()
    return " ".join(state.value for state in words if state in chosen)
