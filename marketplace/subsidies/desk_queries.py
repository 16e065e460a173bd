"""The reviewers' desk: which claims an office may see, which wait for it, in which order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, and_, exists, func, or_, select
from sqlalchemy.orm import Session, selectinload

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.subsidies import facts_queries, rules
from marketplace.subsidies.claim_view_queries import (
    ClaimRow,
    ClaimView,
    ReviewView,
    claim_rows,
    claim_view,
)
from marketplace.subsidies.models import (
    Claim,
    ClaimGround,
    ClaimLine,
    ContractFact,
    Payment,
    Review,
)
from marketplace.subsidies.rules import ClaimStatus, ReviewStep
from marketplace.subsidies.word_rules import ClaimItem


def get_claim_for_review(session: Session, actor: Actor, claim_id: int) -> ClaimView:
    """Return a claim that the actor may see at the desk, else raise ``NotFound``."""
    claim = session.scalar(select(Claim).where(Claim.id == claim_id, _visible(session, actor)))
    if claim is None:
        raise NotFound()
    view = claim_view(session, claim)
    if not must_be_blind(view, actor):
        return view
    shown = tuple(review for review in view.reviews if review not in _panel(view))
    return replace(view, reviews=shown, panel=None)


def must_be_blind(view: ClaimView, actor: Actor) -> bool:
    """Tell whether an expert has not judged yet, and so must not know what the others said."""
    if view.status is not ClaimStatus.EXPERT_REVIEW or not actor.has(Role.EXPERT):
        return False
    return all(review.reviewer_user_id != actor.user_id for review in _panel(view))


def _panel(view: ClaimView) -> list[ReviewView]:
    return [
        review
        for review in view.reviews
        if review.step is ReviewStep.EXPERT and review.attempt == view.attempt
    ]


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
    """Pick the claims whose next review is the actor's: never where they are concerned."""
    mine: list[ColumnElement[bool]] = []
    for step, role in rules.ROLE_OF.items():
        if not actor.has(role):
            continue
        waits = Claim.status == rules.STATUS_OF[step]
        if step is ReviewStep.DISTRICT:
            waits = and_(waits, Claim.district == _district(session, actor))
        if step is ReviewStep.EXPERT:
            waits = and_(waits, ~_judged(actor))
        mine.append(waits)
    if actor.has(Role.CENTRE_REVIEWER):
        mine.append(and_(Claim.status == ClaimStatus.DISTRICT_REVIEW, Claim.district.is_(None)))
    own = Claim.organisation_id != (actor.organisation_id or 0)
    return and_(or_(*mine), own, ~_concerns(actor)) if mine else Claim.id.is_(None)


def _judged(actor: Actor) -> ColumnElement[bool]:
    """Tell whether an expert has taken a seat in the claim's present panel."""
    return exists().where(
        Review.claim_id == Claim.id,
        Review.step == ReviewStep.EXPERT,
        Review.attempt == Claim.attempt,
        Review.reviewer_user_id == actor.user_id,
    )


def _concerns(actor: Actor) -> ColumnElement[bool]:
    """Tell whether the actor's organisation stands in any role behind the claim."""
    own = actor.organisation_id or 0
    in_contract = (
        exists()
        .where(ClaimLine.claim_id == Claim.id)
        .where(ContractFact.contract_id == ClaimLine.contract_id)
        .where(facts_queries.concerns([own]))
    )
    in_ground = exists().where(
        ClaimGround.claim_id == Claim.id, ClaimGround.counterparty_organisation_id == own
    )
    return or_(in_contract, in_ground)


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
    item: ClaimItem | None = None
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


def judged_by(session: Session, claim_id: int) -> set[int]:
    """Return the experts who have taken a seat in a claim's present panel."""
    found = session.scalars(
        select(Review.reviewer_user_id)
        .join(Claim, Claim.id == Review.claim_id)
        .where(
            Claim.id == claim_id,
            Review.step == ReviewStep.EXPERT,
            Review.attempt == Claim.attempt,
        )
    )
    return {user_id for user_id in found if user_id is not None}


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
