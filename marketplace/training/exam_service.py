"""The use cases of exams: keep the bank, begin an attempt, hand it in, issue the certificate."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage import service as brokerage
from marketplace.brokerage.register_rules import BrokerLevel, Certificate
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound
from marketplace.foundation.numbering import next_number
from marketplace.training import exam_rules, parameters, rules
from marketplace.training.events import TrainingCertificateIssued
from marketplace.training.exam_rules import QuestionKind
from marketplace.training.models import (
    Attempt,
    BankQuestion,
    Course,
    TrainingCertificate,
)
from marketplace.training.paper_queries import attended_hours, bank_of, paper_of
from marketplace.training.service import state_of, subject

ISSUER = "山东省技术成果交易中心(济南)"
_PREFIXES = {
    BrokerLevel.JUNIOR: "JNPX-C",
    BrokerLevel.INTERMEDIATE: "JNPX-Z",
    BrokerLevel.SENIOR: "JNPX-G",
}
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def add_question(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    level: BrokerLevel,
    kind: QuestionKind,
    text: str,
    options: Sequence[str],
    right: Collection[int],
) -> int:
    """Put a question into the bank and return its id."""
    require(actor, rules.CONDUCT)
    exam_rules.check_question(kind, text=text, options=options, right=right)
    row = BankQuestion(
        level=level,
        kind=kind,
        text=text.strip(),
        options=list(options),
        right=sorted(set(right)),
        written_at=now,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="training.add_question",
        subject=f"question:{row.id}",
        now=now,
        after={"level": level, "kind": kind},
    )
    return row.id


def withdraw_question(session: Session, *, actor: Actor, now: datetime, question_id: int) -> None:
    """Take a question out of the bank; papers that were drawn keep it. Idempotent."""
    require(actor, rules.CONDUCT)
    row = lock(session, BankQuestion, question_id)
    if row.withdrawn_at is not None:
        return
    row.withdrawn_at = now
    audit.record(
        session,
        actor=actor,
        action="training.withdraw_question",
        subject=f"question:{row.id}",
        now=now,
        after={"level": row.level},
    )


def begin(session: Session, *, actor: Actor, now: datetime, course_id: int, seed: str = "") -> int:
    """Begin an attempt at a course's exam and return its id; a running one is gone on with.

    The paper is drawn from a seed that is kept with it, a random one where none is given: nobody
    who sits the exam can choose it. The time runs by the server's clock.
    """
    require(actor, rules.ATTEND)
    course = lock(session, Course, course_id)
    hours = attended_hours(session, course.id, actor.user_id)
    if hours is None:
        raise NotFound("training.no_place", "您没有报名这个课程")
    earlier = session.scalars(
        select(Attempt).where(Attempt.course_id == course.id, Attempt.user_id == actor.user_id)
    ).all()
    for row in earlier:
        if row.submitted_at is None and exam_rules.in_time(now, row.ends_at):
            return row.id
        if row.submitted_at is None:
            _close_late(session, actor, row, now)
    rules.check_exam(state_of(session, course, now))
    exam_rules.check_start(
        passed=any(row.passed for row in earlier),
        used=len(earlier),
        allowed=course.attempts,
        enough_hours=rules.may_be_examined(
            hours, course.hours, parameters.attendance_percent_on(local_date(now))
        ),
        last_at=course.ends_at + parameters.exam_term_on(local_date(now)),
        now=now,
    )
    seed = seed or secrets.token_hex(16)
    paper = exam_rules.draw(bank_of(session, course.level), course.question_count, seed)
    row = Attempt(
        course_id=course.id,
        user_id=actor.user_id,
        number=len(earlier) + 1,
        seed=seed,
        paper=[
            {
                "id": each.id,
                "kind": each.kind.value,
                "text": each.text,
                "options": list(each.options),
                "right": sorted(each.right),
            }
            for each in paper
        ],
        started_at=now,
        ends_at=now + timedelta(minutes=course.minutes),
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="training.begin_exam",
        subject=subject(course.id),
        now=now,
        after={"attempt": row.number, "seed": seed},
    )
    return row.id


def hand_in(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    attempt_id: int,
    answers: Mapping[int, Collection[int]],
) -> int:
    """Grade an attempt at once and return its course's id; passing issues the certificate.

    What arrives after the end does not count: the attempt is used up without points. A course that
    was cancelled meanwhile changes nothing: the hours were sat, and the time is running.
    """
    require(actor, rules.ATTEND)
    row = lock(session, Attempt, attempt_id)
    if row.user_id != actor.user_id:
        raise NotFound()
    if row.submitted_at is not None:
        raise Conflict("training.handed_in", "这份试卷已经交过，不能再交")
    if not exam_rules.in_time(now, row.ends_at):
        _close_late(session, actor, row, now)
        return row.course_id
    course = session.get_one(Course, row.course_id)
    paper = paper_of(row)
    result = exam_rules.grade(paper, answers, course.pass_percent)
    row.answers = {str(each.id): sorted(answers.get(each.id, ())) for each in paper}
    row.submitted_at, row.percent, row.passed = now, result.percent, result.passed
    audit.record(
        session,
        actor=actor,
        action="training.hand_in",
        subject=subject(course.id),
        now=now,
        after={"attempt": row.number, "percent": result.percent, "passed": result.passed},
    )
    if result.passed:
        _issue(session, actor, course, now)
    return course.id


def _close_late(session: Session, actor: Actor, row: Attempt, now: datetime) -> None:
    row.submitted_at, row.percent, row.late = now, 0, True
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="training.close_late",
        subject=subject(row.course_id),
        now=now,
        after={"attempt": row.number},
    )


def _issue(session: Session, actor: Actor, course: Course, now: datetime) -> None:
    today = local_date(now)
    row = TrainingCertificate(
        number=next_number(session, _PREFIXES[course.level], today.year),
        check_code="".join(secrets.choice(_ALPHABET) for _ in range(8)),
        course_id=course.id,
        user_id=actor.user_id,
        name=actor.name,
        organisation_name=actor.organisation_name,
        course_title=course.title,
        level=course.level,
        hours=course.hours,
        issuer=ISSUER,
        issued_on=today,
        valid_to=parameters.valid_to(today),
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="training.issue_certificate",
        subject=subject(course.id),
        now=now,
        after={"number": row.number, "valid_to": row.valid_to},
    )
    brokerage.take_certificate(
        session,
        actor=actor,
        now=now,
        certificate=Certificate(row.level, row.number, row.issuer, row.valid_to),
    )
    outbox.publish(
        session,
        TrainingCertificateIssued(
            course_id=course.id,
            course_title=course.title,
            user_id=row.user_id,
            number=row.number,
            valid_to=row.valid_to,
        ),
        now=now,
    )
