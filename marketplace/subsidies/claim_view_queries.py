"""A claim with everything that its applicant and its reviewers see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.contracts.rules import ContractType
from marketplace.foundation import attachments
from marketplace.foundation.access import Actor, require_own
from marketplace.foundation.attachments import AttachmentView
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.money import Fen
from marketplace.subsidies import claim_queries, claimable_queries, facts_queries, rules
from marketplace.subsidies.claim_queries import Entitlement
from marketplace.subsidies.clawback_rules import ClawBackGround
from marketplace.subsidies.explanation_rules import Explanation
from marketplace.subsidies.models import Claim, ClawBack, ContractFact, Payment, Review
from marketplace.subsidies.review_rules import ExpertOpinion, Panel, judge_panel
from marketplace.subsidies.round_queries import RoundView, get_round
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus, ReviewDecision, ReviewStep
from marketplace.subsidies.single_entry_rules import ENTRIES, Entries
from marketplace.subsidies.single_queries import SingleEntitlement
from marketplace.subsidies.word_rules import ClaimItem


@dataclass(frozen=True)
class ClaimRow:
    """A claim as a line of a list."""

    id: int
    number: str
    round_id: int
    organisation_id: int
    organisation_name: str
    item: ClaimItem
    year: int
    status: ClaimStatus
    district: str | None
    claimed_fen: Fen
    approved_fen: Fen | None
    payable_fen: Fen | None
    applied_at: datetime | None
    due_on: date | None
    reason: str

    @property
    def amount_fen(self) -> Fen:
        """Return the amount that stands now: payable, else approved, else claimed."""
        for amount in (self.payable_fen, self.approved_fen):
            if amount is not None:
                return amount
        return self.claimed_fen


@dataclass(frozen=True)
class ReviewView:
    """One decision, by whom and why; a person's name only for other reviewers."""

    step: ReviewStep
    attempt: int
    seat: int
    reviewer_user_id: int | None
    decision: ReviewDecision
    opinion: str
    score: int | None
    organisation_name: str
    reviewer_name: str
    decided_at: datetime


@dataclass(frozen=True)
class PaymentView:
    """A claim's payment."""

    id: int
    claim_id: int
    list_id: int
    amount_fen: Fen
    status: PaymentStatus
    reference: str
    confirmed_at: datetime | None


@dataclass(frozen=True)
class ClawBackView:
    """What is taken back of a claim, until when, and whether it came."""

    ground: ClawBackGround
    article: str
    amount_fen: Fen
    reason: str
    document: str
    due_on: date
    ordered_at: datetime
    reference: str
    received_at: datetime | None


@dataclass(frozen=True)
class FactView:
    """A contract of a claim as it was registered, with its files."""

    contract_id: int
    contract_no: str
    contract_type: ContractType
    project_name: str
    registered_on: date
    amount_fen: Fen
    technology_amount_fen: Fen
    seller_name: str
    buyer_name: str
    agency_name: str
    registrar_name: str
    project_id: str
    activity_id: str
    fiscal_funds: bool
    cancelled_on: date | None
    files: tuple[AttachmentView, ...]


@dataclass(frozen=True)
class ClaimView:
    """A claim with everything its applicant and its reviewers see."""

    row: ClaimRow
    organisation: OrganisationView
    round: RoundView
    attempt: int
    earlier_fen: Fen
    factor: str
    calculation: Explanation
    contact_name: str
    contact_phone: str
    bank_name: str
    bank_account: str
    statement: str
    publicity_id: int | None
    reviews: tuple[ReviewView, ...]
    payment: PaymentView | None
    claw_back: ClawBackView | None
    entries: Entries
    panel: Panel | None
    files: tuple[AttachmentView, ...]

    @property
    def id(self) -> int:
        """Return the claim's id."""
        return self.row.id

    @property
    def status(self) -> ClaimStatus:
        """Return where the claim stands."""
        return self.row.status

    @property
    def step(self) -> ReviewStep | None:
        """Return the review it waits for, if any."""
        return rules.STEP_OF.get(self.row.status)

    @property
    def on_contracts(self) -> bool:
        """Tell whether it rests on contracts, not on single occasions."""
        return self.row.item.contracts is not None

    @property
    def scaled(self) -> bool:
        """Tell whether a short budget cut the amount."""
        return self.factor != "1"


def claim_rows(session: Session, claims: Iterable[Claim]) -> list[ClaimRow]:
    """Build the lines of a list of claims, in its order."""
    listed = list(claims)
    names = accounts.get_organisations(session, [claim.organisation_id for claim in listed])
    return [
        ClaimRow(
            id=claim.id,
            number=claim.number,
            round_id=claim.round_id,
            organisation_id=claim.organisation_id,
            organisation_name=names[claim.organisation_id].name,
            item=claim.item,
            year=claim.year,
            status=claim.status,
            district=claim.district,
            claimed_fen=claim.claimed_fen,
            approved_fen=claim.approved_fen,
            payable_fen=claim.payable_fen,
            applied_at=claim.applied_at,
            due_on=claim.due_on,
            reason=claim.reason,
        )
        for claim in listed
    ]


def own_claims(session: Session, organisation_id: int) -> list[ClaimRow]:
    """List an organisation's claims, the newest first."""
    return claim_rows(
        session,
        session.scalars(
            select(Claim).where(Claim.organisation_id == organisation_id).order_by(Claim.id.desc())
        ),
    )


def page_of_claims(
    session: Session, organisation_id: int, *, after: str | None = None, size: int = 20
) -> Page[ClaimRow]:
    """Read one page of an organisation's claims, the newest first."""
    page = paginate(
        session,
        select(Claim).where(Claim.organisation_id == organisation_id),
        keys=[Claim.id.desc()],
        after=after,
        size=size,
    )
    return Page(claim_rows(session, page.items), page.next_token)


def get_own_claim(session: Session, actor: Actor, claim_id: int) -> ClaimView:
    """Return a claim of the actor's organisation, else raise ``NotFound``."""
    claim = session.get(Claim, claim_id)
    require_own(actor, claim.organisation_id if claim else None)
    assert claim is not None
    return claim_view(session, claim)


def claim_view(session: Session, claim: Claim) -> ClaimView:
    """Build the view of one claim."""
    opened = get_round(session, claim.round_id)
    reviews = _reviews(session, claim.id)
    taken = session.scalar(select(ClawBack).where(ClawBack.claim_id == claim.id))
    payment = session.scalar(select(Payment).where(Payment.claim_id == claim.id))
    return ClaimView(
        row=claim_rows(session, [claim])[0],
        organisation=accounts.get_organisation(session, claim.organisation_id),
        round=opened,
        attempt=claim.attempt,
        earlier_fen=claim.earlier_fen,
        factor=claim.factor,
        calculation=claim_queries.unpack(claim.calculation),
        contact_name=claim.contact_name,
        contact_phone=claim.contact_phone,
        bank_name=claim.bank_name,
        bank_account=claim.bank_account,
        statement=claim.statement,
        publicity_id=claim.publicity_id,
        reviews=reviews,
        payment=None if payment is None else payment_view(payment),
        claw_back=None if taken is None else claw_back_view(taken),
        entries=ENTRIES.validate_python(claim.particulars),
        panel=_panel(reviews, claim.attempt, opened.expert_count),
        files=tuple(attachments.of(session, f"claim:{claim.id}")),
    )


def claw_back_view(row: ClawBack) -> ClawBackView:
    """Build the view of a claw-back."""
    return ClawBackView(
        ground=row.ground,
        article=row.article,
        amount_fen=row.amount_fen,
        reason=row.reason,
        document=row.document,
        due_on=row.due_on,
        ordered_at=row.ordered_at,
        reference=row.reference,
        received_at=row.received_at,
    )


def _panel(reviews: tuple[ReviewView, ...], attempt: int, seat_count: int) -> Panel | None:
    opinions = [
        ExpertOpinion(review.decision, review.score or 0, review.opinion)
        for review in reviews
        if review.step is ReviewStep.EXPERT and review.attempt == attempt
    ]
    return judge_panel(opinions, seat_count=seat_count) if opinions else None


def _reviews(session: Session, claim_id: int) -> tuple[ReviewView, ...]:
    rows = list(
        session.scalars(select(Review).where(Review.claim_id == claim_id).order_by(Review.id))
    )
    offices = accounts.get_organisations(
        session, (r.reviewer_organisation_id for r in rows if r.reviewer_organisation_id)
    )
    people = accounts.get_users(session, (r.reviewer_user_id for r in rows if r.reviewer_user_id))
    return tuple(
        ReviewView(
            step=row.step,
            attempt=row.attempt,
            seat=row.seat,
            reviewer_user_id=row.reviewer_user_id,
            decision=row.decision,
            opinion=row.opinion,
            score=row.score,
            organisation_name=(
                offices[row.reviewer_organisation_id].name if row.reviewer_organisation_id else ""
            ),
            reviewer_name=people[row.reviewer_user_id].name if row.reviewer_user_id else "",
            decided_at=row.decided_at,
        )
        for row in rows
    )


def computed_now(
    session: Session, view: ClaimView, *, now: datetime
) -> Entitlement | SingleEntitlement | None:
    """Compute a claim anew from the facts as they stand, leaving the claim itself out."""
    return claimable_queries.found_for(
        session,
        view.row.organisation_id,
        view.row.year,
        view.row.item,
        now=now,
        entries=view.entries,
        without_claim_id=view.id,
    )


def facts_of(session: Session, explanation: Explanation) -> dict[str, FactView]:
    """Return the registered facts behind an explanation's contracts, by contract number."""
    facts = facts_queries.facts_by_number(session, (p.contract_no for p in explanation.parts))
    names = accounts.get_organisations(
        session, {party for fact in facts.values() for party in facts_queries.party_ids(fact)}
    )
    return {number: _fact_view(session, fact, names) for number, fact in facts.items()}


def _fact_view(
    session: Session, fact: ContractFact, names: dict[int, OrganisationView]
) -> FactView:
    agency = fact.agency_organisation_id
    return FactView(
        contract_id=fact.contract_id,
        contract_no=fact.contract_no,
        contract_type=fact.contract_type,
        project_name=fact.project_name,
        registered_on=fact.registered_on,
        amount_fen=fact.amount_fen,
        technology_amount_fen=fact.technology_amount_fen,
        seller_name=names[fact.seller_organisation_id].name,
        buyer_name=names[fact.buyer_organisation_id].name,
        agency_name="" if agency is None else names[agency].name,
        registrar_name=names[fact.registrar_organisation_id].name,
        project_id=fact.project_id,
        activity_id=fact.activity_id,
        fiscal_funds=fact.fiscal_funds,
        cancelled_on=fact.cancelled_on,
        files=tuple(attachments.of(session, f"contract:{fact.contract_id}")),
    )


def payment_view(row: Payment) -> PaymentView:
    """Build the view of a payment."""
    return PaymentView(
        row.id,
        row.claim_id,
        row.list_id,
        row.amount_fen,
        row.status,
        row.reference,
        row.confirmed_at,
    )
