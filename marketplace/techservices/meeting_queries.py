"""Reads of meetings: the public calendar, one meeting, who comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import UnaryExpression, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import District
from marketplace.foundation.access import SYSTEM, Actor, Role, permits
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.techservices import rules
from marketplace.techservices.models import Meeting, SignUp
from marketplace.techservices.rules import MeetingKind, MeetingState


@dataclass(frozen=True)
class MeetingView:
    """A meeting as everybody sees it."""

    id: int
    kind: MeetingKind
    state: MeetingState
    title: str
    body: str
    organiser_organisation_id: int
    organiser_name: str
    place: str
    district: District | None
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken_count: int
    checked_in_count: int
    vouchers: bool
    cancelled_reason: str

    @property
    def seats_left(self) -> int:
        """Return how many places are free."""
        return max(0, self.capacity - self.taken_count)


@dataclass(frozen=True)
class SignUpView:
    """One person's place, for the person and the organiser."""

    id: int
    code: str
    user_id: int
    name: str
    organisation_name: str
    note: str
    signed_up_at: datetime
    checked_in_at: datetime | None
    voucher_fen: Fen


def calendar(
    session: Session,
    *,
    now: datetime,
    past: bool = False,
    kind: MeetingKind | None = None,
    after: str | None = None,
    size: int = 20,
) -> Page[MeetingView]:
    """Read one page of meetings: the next ones first, or those that are over, latest first."""
    statement = select(Meeting)
    if kind is not None:
        statement = statement.where(Meeting.kind == kind)
    keys: list[UnaryExpression[Any]]
    if past:
        statement = statement.where(Meeting.ends_at <= now)
        keys = [Meeting.starts_at.desc(), Meeting.id.desc()]
    else:
        statement = statement.where(Meeting.ends_at > now)
        keys = [Meeting.starts_at.asc(), Meeting.id.asc()]
    page = paginate(session, statement, keys=keys, after=after, size=size)
    views = {view.id: view for view in _views(session, page.items, now=now)}
    return page.map(lambda row: views[row.id])


def coming(session: Session, *, now: datetime, limit: int = 3) -> list[MeetingView]:
    """List the next meetings that take place."""
    rows = session.scalars(
        select(Meeting)
        .where(Meeting.starts_at > now, Meeting.cancelled_at.is_(None))
        .order_by(Meeting.starts_at, Meeting.id)
        .limit(limit)
    )
    return _views(session, list(rows), now=now)


def count_coming(session: Session, *, now: datetime) -> int:
    """Count the meetings that are still to take place."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Meeting)
            .where(Meeting.starts_at > now, Meeting.cancelled_at.is_(None))
        )
        or 0
    )


def get_meeting(session: Session, meeting_id: int, *, now: datetime) -> MeetingView:
    """Return one meeting or raise ``NotFound``."""
    row = session.get(Meeting, meeting_id)
    if row is None:
        raise NotFound()
    return _views(session, [row], now=now)[0]


def organises(actor: Actor, meeting: MeetingView) -> bool:
    """Tell whether the actor may see who comes, check in and cancel."""
    if not permits(actor, rules.ORGANISE):
        return False
    own = actor.organisation_id == meeting.organiser_organisation_id
    return own or actor.has(Role.OPERATOR) or actor is SYSTEM


def own_sign_up(session: Session, actor: Actor, meeting_id: int) -> SignUpView | None:
    """Return the actor's place at a meeting, or None."""
    if actor.user_id is None:
        return None
    rows = session.scalars(
        select(SignUp).where(
            SignUp.meeting_id == meeting_id,
            SignUp.user_id == actor.user_id,
            SignUp.cancelled_at.is_(None),
        )
    )
    return next(iter(_sign_ups(session, list(rows))), None)


def sign_ups(session: Session, actor: Actor, meeting: MeetingView) -> list[SignUpView]:
    """List who comes, by code, for the organiser; else raise ``NotFound``."""
    if not organises(actor, meeting):
        raise NotFound()
    rows = session.scalars(
        select(SignUp)
        .where(SignUp.meeting_id == meeting.id, SignUp.cancelled_at.is_(None))
        .order_by(SignUp.code)
    )
    return _sign_ups(session, list(rows))


def attendees(session: Session, meeting_id: int) -> set[int]:
    """Return the ids of the people who hold a place at a meeting."""
    return set(
        session.scalars(
            select(SignUp.user_id).where(
                SignUp.meeting_id == meeting_id, SignUp.cancelled_at.is_(None)
            )
        )
    )


def _sign_ups(session: Session, rows: Sequence[SignUp]) -> list[SignUpView]:
    people = accounts.get_users(session, (row.user_id for row in rows))
    names = accounts.get_organisations(
        session, (row.organisation_id for row in rows if row.organisation_id)
    )
    return [
        SignUpView(
            id=row.id,
            code=row.code,
            user_id=row.user_id,
            name=people[row.user_id].name,
            organisation_name=names[row.organisation_id].name if row.organisation_id else "",
            note=row.note,
            signed_up_at=row.signed_up_at,
            checked_in_at=row.checked_in_at,
            voucher_fen=row.voucher_fen,
        )
        for row in rows
    ]


def _views(session: Session, rows: Sequence[Meeting], *, now: datetime) -> list[MeetingView]:
    names = accounts.get_organisations(session, (row.organiser_organisation_id for row in rows))
    counts = {
        meeting_id: (taken, came)
        for meeting_id, taken, came in session.execute(
            select(SignUp.meeting_id, func.count(), func.count(SignUp.checked_in_at))
            .where(SignUp.meeting_id.in_([row.id for row in rows]), SignUp.cancelled_at.is_(None))
            .group_by(SignUp.meeting_id)
        )
    }
    views = []
    for row in rows:
        taken, came = counts.get(row.id, (0, 0))
        views.append(
            MeetingView(
                id=row.id,
                kind=row.kind,
                state=rules.meeting_state(
                    cancelled=row.cancelled_at is not None,
                    ends_at=row.ends_at,
                    seats_left=row.capacity - taken,
                    now=now,
                ),
                title=row.title,
                body=row.body,
                organiser_organisation_id=row.organiser_organisation_id,
                organiser_name=names[row.organiser_organisation_id].name,
                place=row.place,
                district=row.district,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                capacity=row.capacity,
                taken_count=taken,
                checked_in_count=came,
                vouchers=row.vouchers,
                cancelled_reason=row.cancelled_reason,
            )
        )
    return views
