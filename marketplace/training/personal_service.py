"""What training holds on one person: places in courses, exams, certificates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.training.models import Attempt, Course, CoursePlace, TrainingCertificate
from marketplace.training.rules import PlaceState
from marketplace.training.service import release


def own_data(session: Session, *, user_id: int) -> dict[str, Any]:
    """Return a person's courses, exams and certificates."""
    places = session.execute(
        select(Course.title, Course.starts_at, CoursePlace.state)
        .join(Course, Course.id == CoursePlace.course_id)
        .where(CoursePlace.user_id == user_id)
        .order_by(CoursePlace.id)
    )
    attempts = session.execute(
        select(Course.title, Attempt.number, Attempt.started_at, Attempt.percent)
        .join(Course, Course.id == Attempt.course_id)
        .where(Attempt.user_id == user_id)
        .order_by(Attempt.id)
    )
    certificates = session.scalars(
        select(TrainingCertificate)
        .where(TrainingCertificate.user_id == user_id)
        .order_by(TrainingCertificate.id)
    )
    return {
        "培训课程": [
            {"课程": title, "日期": local_date(starts_at).isoformat(), "报名": state.label}
            for title, starts_at, state in places
        ],
        "培训考试": [
            {"课程": title, "第几次": number, "日期": local_date(at).isoformat(), "得分": percent}
            for title, number, at, percent in attempts
        ],
        "培训证书": [
            {"编号": row.number, "有效期至": row.valid_to.isoformat()} for row in certificates
        ],
    }


def let_go(session: Session, *, actor: Actor, now: datetime) -> None:
    """Give up the places in courses to come of somebody whose account is being closed.

    Attendance, exams and certificates stay: a certificate's number must remain verifiable.
    """
    rows = session.execute(
        select(CoursePlace, Course)
        .join(Course, Course.id == CoursePlace.course_id)
        .where(
            CoursePlace.user_id == actor.user_id,
            CoursePlace.state != PlaceState.GIVEN_UP,
            Course.starts_at > now,
            Course.cancelled_at.is_(None),
        )
        .order_by(Course.id)
        .with_for_update()
    ).all()
    for place, course in rows:
        release(session, place, course, actor=actor, now=now)
