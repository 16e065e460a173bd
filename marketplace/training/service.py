"""The use cases of courses: announce, cancel, sign up, give up, check in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.training import rules
from marketplace.training.events import AttendanceStruck, CourseCancelled, CoursePlaceOffered
from marketplace.training.models import Attendance, Course, CoursePlace
from marketplace.training.rules import CourseState, PlaceState


@dataclass(frozen=True, kw_only=True)
class CourseContent:
    """What the operator fills in."""

    title: str
    level: BrokerLevel
    place: str
    starts_at: datetime
    ends_at: datetime
    hours: int
    capacity: int
    question_count: int
    minutes: int
    pass_percent: int
    attempts: int
    fee_fen: Fen = Fen(0)
    teacher: str = ""
    body: str = ""


@dataclass(frozen=True)
class CheckInKey:
    """The key that signs check-in codes, drawn from the site's; wired once."""

    key: bytes


def subject(course_id: int) -> str:
    """Name a course for audit."""
    return f"course:{course_id}"


def announce(session: Session, *, actor: Actor, now: datetime, content: CourseContent) -> int:
    """Announce a course and return its id."""
    require(actor, rules.CONDUCT)
    rules.check_course(
        title=content.title,
        place=content.place,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        hours=content.hours,
        now=now,
    )
    course = Course(
        title=content.title.strip(),
        level=content.level,
        body=content.body.strip(),
        teacher=content.teacher.strip(),
        place=content.place.strip(),
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        hours=content.hours,
        capacity=content.capacity,
        fee_fen=content.fee_fen,
        question_count=content.question_count,
        minutes=content.minutes,
        pass_percent=content.pass_percent,
        attempts=content.attempts,
        announced_at=now,
    )
    session.add(course)
    session.flush()
    _audit(session, actor, "announce", course, now, title=course.title)
    return course.id


def cancel(session: Session, *, actor: Actor, now: datetime, course_id: int, reason: str) -> None:
    """Cancel a course; everybody who signed up is told why."""
    require(actor, rules.CONDUCT)
    course = lock(session, Course, course_id)
    text = rules.check_cancel(state_of(session, course, now), reason)
    course.cancelled_at, course.cancelled_reason = now, text
    people = session.scalars(
        select(CoursePlace.user_id).where(
            CoursePlace.course_id == course.id, CoursePlace.state != PlaceState.GIVEN_UP
        )
    ).all()
    for user_id in people:
        outbox.publish(
            session,
            CourseCancelled(
                course_id=course.id, course_title=course.title, user_id=user_id, reason=text
            ),
            now=now,
        )
    _audit(session, actor, "cancel", course, now, reason=text)


def sign_up(session: Session, *, actor: Actor, now: datetime, course_id: int) -> PlaceState:
    """Take a place, or one in the waiting list when the course is full; again changes nothing."""
    require(actor, rules.ATTEND)
    course = lock(session, Course, course_id)
    found = _place_of(session, course.id, actor)
    if found is not None and found.state is not PlaceState.GIVEN_UP:
        return found.state
    state = state_of(session, course, now)
    rules.check_sign_up(state)
    if found is None:
        found = CoursePlace(course_id=course.id, user_id=actor.user_id)
        session.add(found)
    found.state = PlaceState.BOOKED if state is CourseState.OPEN else PlaceState.WAITING
    found.organisation_id, found.signed_up_at = actor.organisation_id, now
    _audit(session, actor, "sign_up", course, now, user=actor.user_id, state=found.state)
    return found.state


def give_up(session: Session, *, actor: Actor, now: datetime, course_id: int) -> None:
    """Give one's place back; who has waited longest moves up and is told."""
    require(actor, rules.ATTEND)
    course = lock(session, Course, course_id)
    found = _place_of(session, course.id, actor)
    if found is None or found.state is PlaceState.GIVEN_UP:
        raise NotFound("training.no_place", "您没有报名这个课程")
    rules.check_give_up(state_of(session, course, now))
    release(session, found, course, actor=actor, now=now)


def release(
    session: Session, found: CoursePlace, course: Course, *, actor: Actor, now: datetime
) -> None:
    """Give a place free; who has waited longest moves up and is told."""
    booked = found.state is PlaceState.BOOKED
    found.state = PlaceState.GIVEN_UP
    _audit(session, actor, "give_up", course, now, user=found.user_id)
    if not booked:
        return
    next_one = session.scalar(
        select(CoursePlace)
        .where(CoursePlace.course_id == course.id, CoursePlace.state == PlaceState.WAITING)
        .order_by(CoursePlace.signed_up_at, CoursePlace.id)
        .limit(1)
    )
    if next_one is not None:
        next_one.state = PlaceState.BOOKED
        _audit(session, actor, "move_up", course, now, user=next_one.user_id)
        outbox.publish(
            session,
            CoursePlaceOffered(
                course_id=course.id,
                course_title=course.title,
                user_id=next_one.user_id,
                starts_at=course.starts_at,
            ),
            now=now,
        )


def check_in(session: Session, *, actor: Actor, now: datetime, code: str, key: CheckInKey) -> int:
    """Note the actor's day at a course by the code shown in the room; return the course's id.

    A code holds for a short while and counts once for each person and day.
    """
    require(actor, rules.ATTEND)
    course = lock(session, Course, rules.read_code(key.key, code, now=now))
    today = local_date(now)
    days = rules.days_of(local_date(course.starts_at), local_date(course.ends_at))
    if course.cancelled_at is not None or today not in days:
        raise Conflict("training.not_today", "今天没有这个课程，不能签到")
    place = _place_of(session, course.id, actor)
    if place is None or place.state is not PlaceState.BOOKED:
        raise RuleBroken("training.no_place", "您没有这个课程的名额，请先报名")
    hours = rules.hours_of_day(course.hours, days, today)
    if hours == 0:
        raise Conflict("training.no_hours", "今天没有排课时，不用签到")
    if _was_struck(session, place.id, today):
        raise Conflict(
            "training.struck",
            "组织者核对到场时没有看到您，今天的签到已划掉；到场后请找现场组织者恢复",
        )
    row = Attendance(place_id=place.id, day=today, hours=hours, checked_in_at=now)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as again:
        raise Conflict("training.checked_in", "您今天已经签到，不用再签") from again
    _audit(session, actor, "check_in", course, now, user=actor.user_id, hours=hours)
    return course.id


def _was_struck(session: Session, place_id: int, day: date) -> bool:
    return (
        session.scalar(
            select(Attendance.id).where(
                Attendance.place_id == place_id,
                Attendance.day == day,
                Attendance.struck_at.is_not(None),
            )
        )
        is not None
    )


def strike(session: Session, *, actor: Actor, now: datetime, attendance_id: int) -> int:
    """Strike out somebody whom the organiser does not find in the room; return the course's id.

    On the day itself only; the person is told. Again changes nothing.
    """
    require(actor, rules.CONDUCT)
    row, course = _attendance(session, attendance_id, now)
    place = session.get_one(CoursePlace, row.place_id)
    if row.struck_at is not None:
        return course.id
    row.struck_at = now
    _audit(session, actor, "strike_attendance", course, now, user=place.user_id)
    outbox.publish(
        session,
        AttendanceStruck(
            course_id=course.id, course_title=course.title, user_id=place.user_id, day=row.day
        ),
        now=now,
    )
    return course.id


def restore(session: Session, *, actor: Actor, now: datetime, attendance_id: int) -> int:
    """Count somebody again who was struck out and is there; return the course's id."""
    require(actor, rules.CONDUCT)
    row, course = _attendance(session, attendance_id, now)
    if row.struck_at is not None:
        row.struck_at = None
        place = session.get_one(CoursePlace, row.place_id)
        _audit(session, actor, "restore_attendance", course, now, user=place.user_id)
    return course.id


def _attendance(session: Session, attendance_id: int, now: datetime) -> tuple[Attendance, Course]:
    row = lock(session, Attendance, attendance_id)
    rules.check_strike(row.day, today=local_date(now))
    place = session.get_one(CoursePlace, row.place_id)
    return row, session.get_one(Course, place.course_id)


def taken(session: Session, course_id: int) -> int:
    """Count the booked places of a course."""
    return (
        session.scalar(
            select(func.count())
            .select_from(CoursePlace)
            .where(CoursePlace.course_id == course_id, CoursePlace.state == PlaceState.BOOKED)
        )
        or 0
    )


def state_of(session: Session, course: Course, now: datetime) -> CourseState:
    """Return where a course stands at a moment."""
    return rules.course_state(
        cancelled=course.cancelled_at is not None,
        starts_at=course.starts_at,
        ends_at=course.ends_at,
        free=course.capacity - taken(session, course.id),
        now=now,
    )


def _place_of(session: Session, course_id: int, actor: Actor) -> CoursePlace | None:
    return session.scalar(
        select(CoursePlace).where(
            CoursePlace.course_id == course_id, CoursePlace.user_id == actor.user_id
        )
    )


def _audit(
    session: Session, actor: Actor, action: str, course: Course, now: datetime, **after: object
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"training.{action}",
        subject=subject(course.id),
        now=now,
        after=after,
    )
