"""Reads of reports: what can be reported, the queue, and one report by its code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import rating_queries as ratings
from marketplace.foundation.access import Actor, permits, require
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.waiting import WaitingItem
from marketplace.listings import queries as listings
from marketplace.needs import queries as needs
from marketplace.oversight import rules
from marketplace.oversight.models import Report
from marketplace.oversight.report_rules import ReportedKind, ReportReason, ReportState


@dataclass(frozen=True)
class Reported:
    """A record that somebody can see and therefore report."""

    kind: ReportedKind
    number: int
    title: str
    organisation_id: int | None

    @property
    def subject(self) -> str:
        """Return its name in audit and database."""
        return f"{self.kind.value}:{self.number}"


def _achievement(session: Session, actor: Actor, number: int) -> tuple[str, int | None]:
    view = achievements.get_for(session, actor, number)
    return view.title, view.organisation_id


def _need(session: Session, actor: Actor, number: int) -> tuple[str, int | None]:
    view = needs.get_for(session, actor, number)
    return view.title, view.organisation_id


def _listing(session: Session, _actor: Actor, number: int) -> tuple[str, int | None]:
    view = listings.get_public(session, number)
    return view.title, view.organisation_id


def _organisation(session: Session, _actor: Actor, number: int) -> tuple[str, int | None]:
    view = accounts.get_organisation(session, number)
    if not view.verified:
        raise NotFound()
    return view.name, view.id


def _rating(session: Session, _actor: Actor, number: int) -> tuple[str, int | None]:
    # Whose words they are is told to the operator alone; the title names whom they are about.
    name, organisation_id = ratings.get_shown(session, number)
    return f"对{name}的评语", organisation_id


_FINDERS: dict[ReportedKind, Callable[[Session, Actor, int], tuple[str, int | None]]] = {
    ReportedKind.ACHIEVEMENT: _achievement,
    ReportedKind.NEED: _need,
    ReportedKind.LISTING: _listing,
    ReportedKind.ORGANISATION: _organisation,
    ReportedKind.RATING: _rating,
}


def find_reported(session: Session, actor: Actor, kind: str, number: int) -> Reported:
    """Return a record as the actor sees it; what one cannot see cannot be reported."""
    known = next((word for word in ReportedKind if word.value == kind), None)
    if known is None:
        raise NotFound()
    title, organisation_id = _FINDERS[known](session, actor, number)
    return Reported(known, number, title, organisation_id)


@dataclass(frozen=True)
class ReportView:
    """One report as the operator sees it."""

    id: int
    code: str
    kind: ReportedKind
    number: int
    title: str
    organisation_name: str
    reason: ReportReason
    words: str
    contact: str
    reporter_name: str
    reported_at: datetime
    state: ReportState
    decided_at: datetime | None
    decision_words: str


def queue(
    session: Session, actor: Actor, state: ReportState, *, after: str | None
) -> Page[ReportView]:
    """Read one page of reports in a state, the oldest first."""
    require(actor, rules.ANSWER_REPORTS)
    page = paginate(
        session,
        select(Report).where(Report.state == state),
        keys=[Report.reported_at.asc(), Report.id.asc()],
        after=after,
    )
    return Page(_views(session, page.items), page.next_token)


def get_report(session: Session, actor: Actor, report_id: int) -> ReportView:
    """Return one report to the operator."""
    require(actor, rules.ANSWER_REPORTS)
    row = session.get(Report, report_id)
    if row is None:
        raise NotFound()
    return _views(session, [row])[0]


def get_by_code(session: Session, code: str) -> ReportView:
    """Return a report to whoever holds its code."""
    row = session.scalar(select(Report).where(Report.code == code))
    if row is None:
        raise NotFound()
    return _views(session, [row])[0]


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """Offer the operator the reports that wait for an answer."""
    if not permits(actor, rules.ANSWER_REPORTS):
        return []
    rows = session.scalars(
        select(Report)
        .where(Report.state == ReportState.OPEN)
        .order_by(Report.reported_at)
        .limit(20)
    )
    return [
        WaitingItem(
            what=f"处理举报：{row.subject_title}",
            why=row.reason.label,
            endpoint="oversight.report_desk",
            params={"report_id": row.id},
            act="核查",
        )
        for row in rows
    ]


def _views(session: Session, rows: list[Report]) -> list[ReportView]:
    houses = accounts.get_organisations(
        session, {row.organisation_id for row in rows if row.organisation_id}
    )
    people = accounts.get_users(
        session, {row.reporter_user_id for row in rows if row.reporter_user_id}
    )
    return [
        ReportView(
            id=row.id,
            code=row.code,
            kind=ReportedKind(row.subject.partition(":")[0]),
            number=int(row.subject.partition(":")[2]),
            title=row.subject_title,
            organisation_name=houses[row.organisation_id].name if row.organisation_id else "",
            reason=row.reason,
            words=row.words,
            contact=row.contact,
            reporter_name=people[row.reporter_user_id].name if row.reporter_user_id else "访客",
            reported_at=row.reported_at,
            state=row.state,
            decided_at=row.decided_at,
            decision_words=row.decision_words,
        )
        for row in rows
    ]
