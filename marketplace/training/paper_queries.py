"""What an exam is made of: the bank, a paper as it was drawn, the hours that open it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.brokerage.register_rules import BrokerLevel
from marketplace.training.exam_rules import Question, QuestionKind
from marketplace.training.models import Attempt, Attendance, BankQuestion, CoursePlace


def paper_of(row: Attempt) -> list[Question]:
    """Read the paper of an attempt as it was drawn."""
    return [
        Question(
            each["id"],
            QuestionKind(each["kind"]),
            each["text"],
            tuple(each["options"]),
            frozenset(each["right"]),
        )
        for each in row.paper
    ]


def bank_of(session: Session, level: BrokerLevel) -> list[Question]:
    """Read the questions of a level that may be drawn."""
    rows = session.scalars(
        select(BankQuestion)
        .where(BankQuestion.level == level, BankQuestion.withdrawn_at.is_(None))
        .order_by(BankQuestion.id)
    )
    return [
        Question(row.id, row.kind, row.text, tuple(row.options), frozenset(row.right))
        for row in rows
    ]


def attended_hours(session: Session, course_id: int, user_id: int | None) -> int | None:
    """Sum somebody's hours at a course; None for who never had a place."""
    place_id = session.scalar(
        select(CoursePlace.id).where(
            CoursePlace.course_id == course_id, CoursePlace.user_id == user_id
        )
    )
    if place_id is None:
        return None
    hours = session.scalar(
        select(func.sum(Attendance.hours)).where(
            Attendance.place_id == place_id, Attendance.struck_at.is_(None)
        )
    )
    return int(hours or 0)
