"""Reads of yearly reviews: the public list, one review by who may see it, the desk, what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Actor, Role, permits, require
from marketplace.foundation.errors import NotFound
from marketplace.foundation.waiting import WaitingItem
from marketplace.reviews import rules
from marketplace.reviews.models import YearlyReview
from marketplace.reviews.rules import (
    PUBLIC_STATES,
    Evidence,
    EvidenceKind,
    Grade,
    Indicator,
    ReviewState,
)


@dataclass(frozen=True)
class ReviewLine:
    """One line of a review: the figure as it is read, its points, and what it rests on."""

    indicator: Indicator
    value: str
    tenths: int
    most: int
    evidence: tuple[Evidence, ...]

    @property
    def points(self) -> str:
        """Return the points as they are read."""
        return rules.points(self.tenths)


@dataclass(frozen=True)
class ReviewView:
    """One yearly review as whoever may see it reads it."""

    id: int
    version: int
    organisation_id: int
    organisation_name: str
    year: int
    state: ReviewState
    rule_name: str
    lines: tuple[ReviewLine, ...]
    score: str
    proposed: Grade
    computed_at: datetime
    confirm_by: date
    statement: str
    confirmed_at: datetime | None
    confirmed_by_name: str
    grade: Grade | None
    reason: str
    decided_at: datetime | None
    decided_by_name: str
    appeal_by: date | None
    appeal_words: str
    appealed_at: datetime | None
    first_grade: Grade | None
    appeal_reason: str
    appeal_decided_at: datetime | None
    settled_at: datetime | None
    filing_ended_on: date | None

    @property
    def public(self) -> bool:
        """Tell whether everybody may read the result."""
        return self.state in PUBLIC_STATES

    @property
    def consequence(self) -> str:
        """Say what an ended filing does to the agency's subsidies; empty where none ended."""
        return rules.consequence(self.filing_ended_on) if self.filing_ended_on else ""


def years(session: Session) -> list[int]:
    """List the years of which a review is public, the latest first."""
    return list(
        session.scalars(
            select(YearlyReview.year)
            .where(YearlyReview.state.in_(PUBLIC_STATES))
            .distinct()
            .order_by(YearlyReview.year.desc())
        )
    )


def published(session: Session, year: int) -> list[ReviewView]:
    """List the public reviews of a year, the best first."""
    rows = session.scalars(
        select(YearlyReview)
        .where(YearlyReview.year == year, YearlyReview.state.in_(PUBLIC_STATES))
        .order_by(YearlyReview.score_tenths.desc(), YearlyReview.id)
        .limit(500)
    )
    return _views(session, list(rows))


def desk(session: Session, actor: Actor, year: int) -> list[ReviewView]:
    """List all reviews of a year for who conducts them."""
    require(actor, rules.CONDUCT)
    rows = session.scalars(
        select(YearlyReview)
        .where(YearlyReview.year == year)
        .order_by(YearlyReview.state, YearlyReview.score_tenths.desc(), YearlyReview.id)
        .limit(500)
    )
    return _views(session, list(rows))


def own(session: Session, actor: Actor) -> list[ReviewView]:
    """List the reviews of the actor's agency, the latest year first."""
    rows = session.scalars(
        select(YearlyReview)
        .where(YearlyReview.organisation_id == (actor.organisation_id or 0))
        .order_by(YearlyReview.year.desc())
        .limit(20)
    )
    return _views(session, list(rows))


def takes_part(actor: Actor, view: ReviewView) -> bool:
    """Tell whether the actor reads the records behind the figures: the agency and who conducts."""
    return permits(actor, rules.CONDUCT) or (
        actor.organisation_id == view.organisation_id and permits(actor, rules.SUPPLEMENT)
    )


def opens_contracts(actor: Actor, view: ReviewView) -> bool:
    """Tell whether the actor may open the contracts and disputes behind the figures."""
    own = actor.organisation_id == view.organisation_id
    return actor.has(Role.OPERATOR) or (own and actor.has(Role.AGENCY_HEAD, Role.BROKER))


def get_review(session: Session, actor: Actor, review_id: int) -> ReviewView:
    """Return a review: to everybody once it is public, before that to who takes part."""
    row = session.get(YearlyReview, review_id)
    if row is None:
        raise NotFound()
    view = _views(session, [row])[0]
    if not view.public and not takes_part(actor, view):
        raise NotFound()
    return view


def grade_before(session: Session, organisation_id: int, year: int) -> Grade | None:
    """Return an agency's effective grade of the year before a year, or None."""
    return session.scalar(
        select(YearlyReview.grade).where(
            YearlyReview.organisation_id == organisation_id,
            YearlyReview.year == year - 1,
            YearlyReview.state == ReviewState.SETTLED,
        )
    )


def first_appeal_end(session: Session) -> date | None:
    """Return the last day of the term of appeal that ends first, or None."""
    return session.scalar(
        select(func.min(YearlyReview.appeal_by)).where(YearlyReview.state == ReviewState.PUBLISHED)
    )


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """Offer the agency its year to confirm, and who conducts reviews the grades and appeals."""
    items: list[WaitingItem] = []
    if permits(actor, rules.SUPPLEMENT) and actor.organisation_id is not None:
        items += [
            WaitingItem(
                what=f"确认 {row.year} 年度评价数据",
                why="补充说明并确认，逾期按现有数据评定",
                endpoint="reviews.review",
                params={"review_id": row.id},
                act="确认",
                due_on=row.confirm_by,
                workdays=True,
            )
            for row in session.scalars(
                select(YearlyReview).where(
                    YearlyReview.organisation_id == actor.organisation_id,
                    YearlyReview.state == ReviewState.OPEN,
                )
            )
        ]
    if permits(actor, rules.CONDUCT):
        rows = session.scalars(
            select(YearlyReview)
            .where(YearlyReview.state.in_((ReviewState.CONFIRMED, ReviewState.APPEALED)))
            .order_by(YearlyReview.year, YearlyReview.id)
            .limit(20)
        )
        items += [
            WaitingItem(
                what=f"年度评价：{view.organisation_name}",
                why=f"{view.year} 年度，{view.state.label}",
                endpoint="reviews.review",
                params={"review_id": view.id},
                act="处理申诉" if view.state is ReviewState.APPEALED else "评定",
            )
            for view in _views(session, list(rows))
        ]
    return items


def _views(session: Session, rows: list[YearlyReview]) -> list[ReviewView]:
    houses = accounts.get_organisations(session, {row.organisation_id for row in rows})
    return [
        ReviewView(
            row.id,
            row.version,
            row.organisation_id,
            houses[row.organisation_id].name,
            row.year,
            row.state,
            row.rule_name,
            _lines(row),
            rules.points(row.score_tenths),
            row.proposed,
            row.computed_at,
            row.confirm_by,
            row.statement,
            row.confirmed_at,
            row.confirmed_by_name,
            row.grade,
            row.reason,
            row.decided_at,
            row.decided_by_name,
            row.appeal_by,
            row.appeal_words,
            row.appealed_at,
            row.first_grade,
            row.appeal_reason,
            row.appeal_decided_at,
            row.settled_at,
            row.filing_ended_on,
        )
        for row in rows
    ]


def _lines(row: YearlyReview) -> tuple[ReviewLine, ...]:
    found = {each["indicator"]: each for each in row.figures}
    lines = []
    for line in row.lines:
        indicator = Indicator(line["indicator"])
        figure = found.get(indicator.value, {"value": None, "evidence": []})
        lines.append(
            ReviewLine(
                indicator,
                rules.written(indicator, figure["value"]),
                line["tenths"],
                line["most"],
                tuple(
                    Evidence(EvidenceKind(each["kind"]), each["number"], each["label"])
                    for each in figure["evidence"]
                ),
            )
        )
    return tuple(lines)
