"""Reads of exams: what somebody may do, a running paper, earlier results, the bank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.training import exam_rules, parameters, rules
from marketplace.training.exam_rules import Question, QuestionKind
from marketplace.training.models import Attempt, BankQuestion, Course
from marketplace.training.paper_queries import attended_hours, paper_of


@dataclass(frozen=True)
class AttemptView:
    """One attempt as who made it sees it; the right options are not in it."""

    id: int
    course_id: int
    course_title: str
    number: int
    started_at: datetime
    ends_at: datetime
    submitted_at: datetime | None
    percent: int | None
    passed: bool
    late: bool
    # Whoever sits an exam when its course is cancelled finishes it, and it counts.
    course_cancelled: bool
    paper: tuple[Question, ...]


@dataclass(frozen=True)
class ExamDoor:
    """Whether somebody may take an exam, and what came of it so far."""

    attended: int
    needed: int
    last_at: datetime
    attempts: tuple[AttemptView, ...]
    allowed: int
    running: AttemptView | None
    passed: bool
    open: bool


@dataclass(frozen=True)
class BankRow:
    """A question of the bank as the operator sees it."""

    id: int
    level: BrokerLevel
    kind: QuestionKind
    text: str
    options: tuple[str, ...]
    right: str
    withdrawn_at: datetime | None


def exam_door(session: Session, actor: Actor, course_id: int, *, now: datetime) -> ExamDoor | None:
    """Return how the actor stands to a course's exam; None for who never had a place."""
    course = session.get(Course, course_id)
    hours = attended_hours(session, course_id, actor.user_id)
    if course is None or hours is None:
        return None
    attempts = tuple(
        _view(row, course)
        for row in session.scalars(
            select(Attempt)
            .where(Attempt.course_id == course_id, Attempt.user_id == actor.user_id)
            .order_by(Attempt.number)
        )
    )
    percent = parameters.attendance_percent_on(local_date(now))
    last_at = course.ends_at + parameters.exam_term_on(local_date(now))
    running = next(
        (
            each
            for each in attempts
            if each.submitted_at is None and exam_rules.in_time(now, each.ends_at)
        ),
        None,
    )
    passed = any(each.passed for each in attempts)
    state = rules.course_state(
        cancelled=course.cancelled_at is not None,
        starts_at=course.starts_at,
        ends_at=course.ends_at,
        free=0,  # whether it is full has no say here
        now=now,
    )
    return ExamDoor(
        hours,
        -(-course.hours * percent // 100),
        last_at,
        attempts,
        course.attempts,
        running,
        passed,
        not passed
        and now <= last_at
        and (running is not None or state in rules.EXAMINED)
        and rules.may_be_examined(hours, course.hours, percent)
        and (running is not None or len(attempts) < course.attempts),
    )


def get_attempt(session: Session, actor: Actor, attempt_id: int) -> AttemptView:
    """Return an attempt to who made it; others get ``NotFound``."""
    row = session.get(Attempt, attempt_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound()
    return _view(row, session.get_one(Course, row.course_id))


def _view(row: Attempt, course: Course) -> AttemptView:
    return AttemptView(
        row.id,
        row.course_id,
        course.title,
        row.number,
        row.started_at,
        row.ends_at,
        row.submitted_at,
        row.percent,
        row.passed,
        row.late,
        course.cancelled_at is not None,
        tuple(
            Question(each.id, each.kind, each.text, each.options, frozenset())
            for each in paper_of(row)
        ),
    )


def bank(session: Session, actor: Actor, level: BrokerLevel) -> list[BankRow]:
    """List the questions of a level for the operator, the newest first, withdrawn ones last."""
    require(actor, rules.CONDUCT)
    rows = session.scalars(
        select(BankQuestion)
        .where(BankQuestion.level == level)
        .order_by(BankQuestion.withdrawn_at.is_not(None), BankQuestion.id.desc())
        .limit(500)
    )
    return [
        BankRow(
            row.id,
            row.level,
            row.kind,
            row.text,
            tuple(row.options),
            "".join(chr(ord("A") + place) for place in row.right),
            row.withdrawn_at,
        )
        for row in rows
    ]


def bank_counts(session: Session) -> dict[BrokerLevel, int]:
    """Count the questions of each level that may be drawn."""
    rows = session.execute(
        select(BankQuestion.level, func.count().label("questions"))
        .where(BankQuestion.withdrawn_at.is_(None))
        .group_by(BankQuestion.level)
    )
    return {row.level: row.questions for row in rows}
