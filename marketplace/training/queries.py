"""Reads of training: courses, places, attendance, certificates, hours and counts for others."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.foundation.access import Actor, permits, require
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.training import rules
from marketplace.training.models import Attendance, Course, CoursePlace, TrainingCertificate
from marketplace.training.rules import CourseState, PlaceState


@dataclass(frozen=True)
class CourseView:
    """A course as everybody sees it."""

    id: int
    title: str
    level: BrokerLevel
    body: str
    teacher: str
    place: str
    starts_at: datetime
    ends_at: datetime
    hours: int
    capacity: int
    taken_count: int
    waiting_count: int
    fee_fen: Fen
    question_count: int
    minutes: int
    pass_percent: int
    attempts: int
    cancelled_reason: str
    state: CourseState

    @property
    def free(self) -> int:
        """Return how many places are free."""
        return max(0, self.capacity - self.taken_count)


@dataclass(frozen=True)
class PlaceView:
    """Somebody's place with the hours attended."""

    user_id: int
    name: str
    organisation_name: str
    state: PlaceState
    signed_up_at: datetime
    hours: int
    days: int


@dataclass(frozen=True)
class CertificateView:
    """A certificate as its holder sees it, and whoever has its check code."""

    number: str
    check_code: str
    course_id: int
    user_id: int
    name: str
    organisation_name: str
    course_title: str
    level: BrokerLevel
    hours: int
    issuer: str
    issued_on: date
    valid_to: date
    over: bool
    revoked_at: datetime | None
    revoked_reason: str


@dataclass(frozen=True)
class Checked:
    """What the public learns of a number: its state, and the whole with the right code."""

    number: str
    level: BrokerLevel
    issued_on: date
    valid_to: date
    over: bool
    revoked_at: datetime | None
    code_fits: bool | None
    certificate: CertificateView | None


def list_courses(
    session: Session, *, now: datetime, past: bool = False, limit: int = 50
) -> list[CourseView]:
    """List the courses that are to come or running, the next first; or those that are over."""
    statement = select(Course)
    if past:
        statement = statement.where(Course.ends_at <= now).order_by(Course.starts_at.desc())
    else:
        statement = statement.where(Course.ends_at > now).order_by(Course.starts_at)
    return _courses(session, list(session.scalars(statement.limit(limit))), now)


def get_course(session: Session, course_id: int, *, now: datetime) -> CourseView:
    """Return one course or raise ``NotFound``."""
    row = session.get(Course, course_id)
    if row is None:
        raise NotFound()
    return _courses(session, [row], now)[0]


def _courses(session: Session, rows: list[Course], now: datetime) -> list[CourseView]:
    counted = session.execute(
        select(CoursePlace.course_id, CoursePlace.state, func.count())
        .where(CoursePlace.course_id.in_([row.id for row in rows]))
        .group_by(CoursePlace.course_id, CoursePlace.state)
    ).all()
    counts = {(course_id, state): number for course_id, state, number in counted}
    return [
        CourseView(
            row.id,
            row.title,
            row.level,
            row.body,
            row.teacher,
            row.place,
            row.starts_at,
            row.ends_at,
            row.hours,
            row.capacity,
            counts.get((row.id, PlaceState.BOOKED), 0),
            counts.get((row.id, PlaceState.WAITING), 0),
            row.fee_fen,
            row.question_count,
            row.minutes,
            row.pass_percent,
            row.attempts,
            row.cancelled_reason,
            rules.course_state(
                cancelled=row.cancelled_at is not None,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                free=row.capacity - counts.get((row.id, PlaceState.BOOKED), 0),
                now=now,
            ),
        )
        for row in rows
    ]


def own_place(session: Session, actor: Actor, course_id: int) -> PlaceView | None:
    """Return the actor's place in a course, or None."""
    if actor.user_id is None:
        return None
    rows = session.scalars(
        select(CoursePlace).where(
            CoursePlace.course_id == course_id, CoursePlace.user_id == actor.user_id
        )
    ).all()
    return next(iter(_places(session, list(rows))), None)


def places_of(session: Session, actor: Actor, course_id: int) -> list[PlaceView]:
    """List who comes to a course, for the operator; who waits stands last."""
    require(actor, rules.CONDUCT)
    rows = session.scalars(
        select(CoursePlace)
        .where(CoursePlace.course_id == course_id, CoursePlace.state != PlaceState.GIVEN_UP)
        .order_by(CoursePlace.state, CoursePlace.signed_up_at, CoursePlace.id)
    )
    return _places(session, list(rows))


def _places(session: Session, rows: list[CoursePlace]) -> list[PlaceView]:
    counted = session.execute(
        select(Attendance.place_id, func.sum(Attendance.hours), func.count())
        .where(Attendance.place_id.in_([row.id for row in rows]), Attendance.struck_at.is_(None))
        .group_by(Attendance.place_id)
    ).all()
    hours = {place_id: (int(total), days) for place_id, total, days in counted}
    people = accounts.get_users(session, {row.user_id for row in rows})
    houses = accounts.get_organisations(
        session, {row.organisation_id for row in rows if row.organisation_id is not None}
    )
    return [
        PlaceView(
            row.user_id,
            people[row.user_id].name,
            houses[row.organisation_id].name if row.organisation_id in houses else "",
            row.state,
            row.signed_up_at,
            *hours.get(row.id, (0, 0)),
        )
        for row in rows
    ]


@dataclass(frozen=True)
class CheckedIn:
    """Somebody who checked in today, with whether the organiser struck him out."""

    attendance_id: int
    name: str
    organisation_name: str
    checked_in_at: datetime
    struck_at: datetime | None


def checked_in_today(
    session: Session, actor: Actor, course_id: int, *, today: date
) -> list[CheckedIn]:
    """List who checked in to a course today, for the organiser to look round; the latest first."""
    require(actor, rules.CONDUCT)
    rows = session.execute(
        select(Attendance, CoursePlace)
        .join(CoursePlace, CoursePlace.id == Attendance.place_id)
        .where(CoursePlace.course_id == course_id, Attendance.day == today)
        .order_by(Attendance.id.desc())
    ).all()
    people = {view.user_id: view for view in _places(session, [place for _row, place in rows])}
    return [
        CheckedIn(
            row.id,
            people[place.user_id].name,
            people[place.user_id].organisation_name,
            row.checked_in_at,
            row.struck_at,
        )
        for row, place in rows
    ]


def certificates_of(
    session: Session, actor: Actor, course_id: int, *, today: date
) -> list[CertificateView]:
    """List the certificates issued for a course, for the operator."""
    require(actor, rules.CONDUCT)
    rows = session.scalars(
        select(TrainingCertificate)
        .where(TrainingCertificate.course_id == course_id)
        .order_by(TrainingCertificate.id)
    )
    return [_certificate(row, today) for row in rows]


def own_courses(session: Session, actor: Actor, *, now: datetime) -> list[CourseView]:
    """List the courses in which the actor has a place, the latest first."""
    rows = session.scalars(
        select(Course)
        .join(CoursePlace, CoursePlace.course_id == Course.id)
        .where(
            CoursePlace.user_id == (actor.user_id or 0), CoursePlace.state != PlaceState.GIVEN_UP
        )
        .order_by(Course.starts_at.desc())
        .limit(50)
    )
    return _courses(session, list(rows), now)


def own_certificates(session: Session, actor: Actor, *, today: date) -> list[CertificateView]:
    """List the actor's certificates, the latest first."""
    rows = session.scalars(
        select(TrainingCertificate)
        .where(TrainingCertificate.user_id == (actor.user_id or 0))
        .order_by(TrainingCertificate.id.desc())
    )
    return [_certificate(row, today) for row in rows]


def get_certificate(session: Session, actor: Actor, number: str, *, today: date) -> CertificateView:
    """Return a certificate to its holder or the operator; others get ``NotFound``."""
    row = session.scalar(select(TrainingCertificate).where(TrainingCertificate.number == number))
    if row is None or not (row.user_id == actor.user_id or permits(actor, rules.CONDUCT)):
        raise NotFound()
    return _certificate(row, today)


def check_certificate(session: Session, number: str, code: str, *, today: date) -> Checked | None:
    """Look a number up for the public; the holder is named with the right check code only."""
    row = session.scalar(
        select(TrainingCertificate).where(TrainingCertificate.number == number.strip().upper())
    )
    if row is None:
        return None
    typed = code.replace("-", "").replace(" ", "").upper()
    fits = secrets.compare_digest(typed.encode(), row.check_code.encode()) if typed else None
    whole = _certificate(row, today)
    return Checked(
        row.number,
        row.level,
        row.issued_on,
        row.valid_to,
        whole.over,
        row.revoked_at,
        fits,
        whole if fits else None,
    )


def _certificate(row: TrainingCertificate, today: date) -> CertificateView:
    return CertificateView(
        row.number,
        row.check_code,
        row.course_id,
        row.user_id,
        row.name,
        row.organisation_name,
        row.course_title,
        row.level,
        row.hours,
        row.issuer,
        row.issued_on,
        row.valid_to,
        row.valid_to < today,
        row.revoked_at,
        row.revoked_reason,
    )


def count_trained(session: Session) -> int:
    """Count the people who passed a course on the platform."""
    return (
        session.scalar(
            select(func.count(func.distinct(TrainingCertificate.user_id))).where(
                TrainingCertificate.revoked_at.is_(None)
            )
        )
        or 0
    )


def hours_of(session: Session, organisation_id: int, year: int) -> list[tuple[int, str, int]]:
    """List the hours that an organisation's people attended in a year, as (user, name, hours)."""
    rows = session.execute(
        select(CoursePlace.user_id, func.sum(Attendance.hours))
        .join(Attendance, Attendance.place_id == CoursePlace.id)
        .where(
            CoursePlace.organisation_id == organisation_id,
            Attendance.struck_at.is_(None),
            Attendance.day.between(date(year, 1, 1), date(year, 12, 31)),
        )
        .group_by(CoursePlace.user_id)
        .order_by(CoursePlace.user_id)
    ).all()
    people = accounts.get_users(session, {user_id for user_id, _ in rows})
    return [(user_id, people[user_id].name, int(hours)) for user_id, hours in rows]
