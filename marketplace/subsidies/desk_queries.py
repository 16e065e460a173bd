"""Claims as their applicants and the reviewers' desk see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.contracts.rules import ContractType
from marketplace.foundation import attachments, audit
from marketplace.foundation.access import Actor, Role, require_own
from marketplace.foundation.attachments import AttachmentView
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen, format_yuan
from marketplace.subsidies import claim_queries, facts_queries, rules
from marketplace.subsidies.claim_queries import Entitlement
from marketplace.subsidies.explanation_rules import Explanation
from marketplace.subsidies.models import (
    Claim,
    ContractFact,
    Payment,
    Review,
)
from marketplace.subsidies.round_queries import RoundView, get_round
from marketplace.subsidies.rules import (
    ClaimStatus,
    PaymentStatus,
    ReviewDecision,
    ReviewStep,
)
from marketplace.subsidies.word_rules import Item


@dataclass(frozen=True)
class ClaimRow:
    """A claim as a line of a list."""

    id: int
    number: str
    round_id: int
    organisation_id: int
    organisation_name: str
    item: Item
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
    """One step's decision, by whom and why; a person's name only for other reviewers."""

    step: ReviewStep
    attempt: int
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


def get_own_claim(session: Session, actor: Actor, claim_id: int) -> ClaimView:
    """Return a claim of the actor's organisation, else raise ``NotFound``."""
    claim = session.get(Claim, claim_id)
    require_own(actor, claim.organisation_id if claim else None)
    assert claim is not None
    return _claim_view(session, claim)


def get_claim_for_review(session: Session, actor: Actor, claim_id: int) -> ClaimView:
    """Return a claim that the actor may see at the desk, else raise ``NotFound``."""
    claim = session.scalar(select(Claim).where(Claim.id == claim_id, _visible(session, actor)))
    if claim is None:
        raise NotFound()
    return _claim_view(session, claim)


def _claim_view(session: Session, claim: Claim) -> ClaimView:
    payment = session.scalar(select(Payment).where(Payment.claim_id == claim.id))
    return ClaimView(
        row=claim_rows(session, [claim])[0],
        organisation=accounts.get_organisation(session, claim.organisation_id),
        round=get_round(session, claim.round_id),
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
        reviews=_reviews(session, claim.id),
        payment=None if payment is None else payment_view(payment),
        files=tuple(attachments.of(session, f"claim:{claim.id}")),
    )


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


def computed_now(session: Session, view: ClaimView) -> Entitlement | None:
    """Compute a claim anew from the facts as they stand, leaving the claim itself out."""
    found = claim_queries.entitlements(
        session, view.row.organisation_id, view.row.year, without_claim_id=view.id
    )
    return found.get(view.row.item)


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


def _visible(session: Session, actor: Actor) -> ColumnElement[bool]:
    """Bound what a reviewer sees: applied, not one's own, a district's office its own district."""
    seen: list[ColumnElement[bool]] = []
    if actor.has(Role.CENTRE_REVIEWER, Role.BUREAU_REVIEWER):
        seen.append(Claim.status.in_(rules.COUNTS))
    if actor.has(Role.DISTRICT_REVIEWER):
        seen.append(
            and_(Claim.status.in_(rules.COUNTS), Claim.district == _district(session, actor))
        )
    if actor.has(Role.EXPERT):
        reviewed = select(Review.claim_id).where(Review.reviewer_user_id == actor.user_id)
        seen.append(or_(Claim.status == ClaimStatus.EXPERT_REVIEW, Claim.id.in_(reviewed)))
    if actor.has(Role.TREASURER):
        seen.append(Claim.id.in_(select(Payment.claim_id)))
    own = Claim.organisation_id != (actor.organisation_id or 0)
    return and_(or_(*seen), own) if seen else Claim.id.is_(None)


def _awaited(session: Session, actor: Actor) -> ColumnElement[bool]:
    """Pick the claims whose next review is the actor's."""
    mine: list[ColumnElement[bool]] = []
    for step, role in rules.ROLE_OF.items():
        if not actor.has(role):
            continue
        waits = Claim.status == rules.STATUS_OF[step]
        if step is ReviewStep.DISTRICT:
            waits = and_(waits, Claim.district == _district(session, actor))
        mine.append(waits)
    if actor.has(Role.CENTRE_REVIEWER):
        mine.append(and_(Claim.status == ClaimStatus.DISTRICT_REVIEW, Claim.district.is_(None)))
    own = Claim.organisation_id != (actor.organisation_id or 0)
    return and_(or_(*mine), own) if mine else Claim.id.is_(None)


def _district(session: Session, actor: Actor) -> str:
    if actor.organisation_id is None:
        return ""
    district = accounts.get_organisation(session, actor.organisation_id).district
    return "" if district is None else district.value


@dataclass(frozen=True)
class DeskFilter:
    """What of the desk is shown; ``awaited`` is what the actor is to decide."""

    awaited: bool = True
    round_id: int | None = None
    item: Item | None = None
    status: ClaimStatus | None = None


def desk(
    session: Session, actor: Actor, chosen: DeskFilter, *, after: str | None = None, size: int = 30
) -> Page[ClaimRow]:
    """Read one page of the desk, the nearest deadline first where claims wait, else the newest."""
    statement = select(Claim).where(
        _awaited(session, actor) if chosen.awaited else _visible(session, actor)
    )
    if chosen.round_id is not None:
        statement = statement.where(Claim.round_id == chosen.round_id)
    if chosen.item is not None:
        statement = statement.where(Claim.item == chosen.item)
    if chosen.status is not None:
        statement = statement.where(Claim.status == chosen.status)
    # What waits for a review always has a deadline, so neither key is ever NULL.
    keys: list[UnaryExpression[Any]] = (
        [Claim.due_on.asc(), Claim.id.asc()] if chosen.awaited else [Claim.id.desc()]
    )
    page = paginate(session, statement, keys=keys, after=after, size=size)
    rows = {row.id: row for row in claim_rows(session, page.items)}
    return page.map(lambda claim: rows[claim.id])


def awaited_ids(session: Session, actor: Actor) -> list[int]:
    """List the ids of all claims that wait for the actor, in the desk's order."""
    return list(
        session.scalars(
            select(Claim.id).where(_awaited(session, actor)).order_by(Claim.due_on, Claim.id)
        )
    )


def claims_of_round(session: Session, round_id: int) -> list[ClaimRow]:
    """List a round's applications by number, drafts left out."""
    return claim_rows(
        session,
        session.scalars(
            select(Claim)
            .where(Claim.round_id == round_id, Claim.status.in_(rules.COUNTS))
            .order_by(Claim.number)
        ),
    )


def claims_of_contract(session: Session, contract_id: int) -> list[ClaimRow]:
    """List the claims that have taken a contract, for the contract's page."""
    claims = session.scalars(
        select(Claim)
        .options(selectinload(Claim.lines))
        .where(Claim.lines.any(contract_id=contract_id))
        .order_by(Claim.id)
    )
    return claim_rows(session, claims)


def totals_by_year(session: Session) -> dict[int, dict[ClaimStatus, tuple[int, Fen]]]:
    """Count claims and sum their standing amounts by year and state, for boards."""
    amount = func.coalesce(Claim.payable_fen, Claim.approved_fen, Claim.claimed_fen)
    found: dict[int, dict[ClaimStatus, tuple[int, Fen]]] = {}
    for year, status, count, total in session.execute(
        select(Claim.year, Claim.status, func.count(), func.sum(amount)).group_by(
            Claim.year, Claim.status
        )
    ):
        found.setdefault(year, {})[status] = (count, Fen(int(total)))
    return found


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


@dataclass(frozen=True)
class TimelineEntry:
    """One line of a claim's history; ``who`` is empty for the applicant's eyes."""

    what: str
    at: datetime
    who: str
    note: str
    state: str
    url: str = ""


_ACTS = {
    "subsidies.prepare": "按登记数据生成申报",
    "subsidies.apply": "提交申报",
    "subsidies.publicise": "开始公示",
    "subsidies.take_publicity": "公示结束",
    "subsidies.list_payment": "列入支付清单",
    "subsidies.confirm_payment": "支付",
    "subsidies.claw_back": "追回",
    "attachments.store": "上传材料",
}


def timeline(session: Session, claim_id: int, *, with_names: bool) -> list[TimelineEntry]:
    """List what was done to a claim, oldest first; names only for the offices."""
    acts = _ACTS | {f"subsidies.review.{step}": step.label for step in ReviewStep}
    return [
        TimelineEntry(
            what=acts[entry.action],
            at=entry.happened_at,
            who=entry.actor_name if with_names else "",
            note=_note(entry.after or {}),
            state="bad" if (entry.after or {}).get("status") in _BAD else "",
        )
        for entry in audit.history(session, f"claim:{claim_id}")
        if entry.action in acts
    ]


_BAD = (ClaimStatus.RETURNED.value, ClaimStatus.REFUSED.value, ClaimStatus.CLAWED_BACK.value)


def _note(after: dict[str, Any]) -> str:
    if "decision" in after:
        return ReviewDecision(after["decision"]).label
    if "upheld" in after:
        return "异议成立，退回补正" if after["upheld"] else "没有成立的异议，通过"
    if "name" in after:
        return str(after["name"])
    for key in ("payable_fen", "amount_fen", "claimed_fen"):
        if key in after:
            return f"{format_yuan(Fen(after[key]))} 元"
    return ""
