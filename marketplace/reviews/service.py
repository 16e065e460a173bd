"""The use cases of yearly reviews: open, confirm, grade, appeal, settle."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage import agency_queries
from marketplace.brokerage import service as brokerage
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.workdays import add_workdays
from marketplace.reviews import figure_queries, parameters, rules
from marketplace.reviews.events import (
    ReviewAppealDecided,
    ReviewAppealed,
    ReviewConfirmed,
    ReviewOpened,
    ReviewPublished,
)
from marketplace.reviews.models import YearlyReview
from marketplace.reviews.rules import Grade, ReviewState

_BATCH = 100


def subject(review_id: int) -> str:
    """Name a review for audit."""
    return f"review:{review_id}"


def open_reviews(session: Session, *, actor: Actor, now: datetime, year: int) -> list[int]:
    """Compute the year of every agency that was filed in it; return the reviews that were opened.

    An agency whose year was opened before is left alone, so that a second time opens nothing.
    """
    require(actor, rules.CONDUCT)
    today = local_date(now)
    rules.check_year(year, today=today)
    known = set(
        session.scalars(select(YearlyReview.organisation_id).where(YearlyReview.year == year))
    )
    version = parameters.rule_on(today)
    filed = agency_queries.filed_in(session, year)
    if not filed:
        raise RuleBroken("reviews.nobody", f"{year} 年没有备案有效的机构，不需要评价", "year")
    opened = []
    for organisation_id in filed:
        if organisation_id in known:
            continue
        row = YearlyReview(
            organisation_id=organisation_id,
            year=year,
            state=ReviewState.OPEN,
            opened_at=now,
            confirm_by=add_workdays(today, version.confirm_workdays),
        )
        _compute(session, row, now)
        session.add(row)
        session.flush()
        _audit(session, actor, "open", row, now, score=row.score_tenths, proposed=row.proposed)
        outbox.publish(
            session,
            ReviewOpened(
                review_id=row.id,
                organisation_id=row.organisation_id,
                year=year,
                confirm_by=row.confirm_by,
            ),
            now=now,
        )
        opened.append(row.id)
    return opened


def recompute(session: Session, *, actor: Actor, now: datetime, review_id: int) -> None:
    """Compute a year anew that is not graded; what changed goes back to the agency."""
    require(actor, rules.CONDUCT)
    row = lock(session, YearlyReview, review_id)
    rules.check_recompute(row.state)
    before = row.figures
    _compute(session, row, now)
    if row.figures != before and row.state is ReviewState.CONFIRMED:
        row.state, row.confirmed_at, row.confirmed_by_name = ReviewState.OPEN, None, ""
        row.confirm_by = add_workdays(
            local_date(now), parameters.rule_on(local_date(now)).confirm_workdays
        )
        outbox.publish(
            session,
            ReviewOpened(
                review_id=row.id,
                organisation_id=row.organisation_id,
                year=row.year,
                confirm_by=row.confirm_by,
            ),
            now=now,
        )
    row.version += 1
    _audit(session, actor, "recompute", row, now, score=row.score_tenths, state=row.state)


def confirm(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    review_id: int,
    statement: str,
    version: int | None = None,
) -> None:
    """Let the agency confirm its year, with what it has to add."""
    require(actor, rules.SUPPLEMENT)
    row = lock(session, YearlyReview, review_id)
    rules.check_confirm(row.state, organisation_id=row.organisation_id, actor=actor)
    if version is not None and version != row.version:
        raise Conflict("reviews.stale", "数据刚重新计算过；请另开一页核对后再确认")
    row.state, row.statement = ReviewState.CONFIRMED, statement.strip()
    row.confirmed_at, row.confirmed_by_name = now, actor.name
    row.version += 1
    _audit(session, actor, "confirm", row, now, statement=row.statement)
    outbox.publish(
        session,
        ReviewConfirmed(review_id=row.id, organisation_id=row.organisation_id, year=row.year),
        now=now,
    )


def decide(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    review_id: int,
    grade: Grade,
    reason: str = "",
) -> None:
    """Grade an agency's year and publish it; the term of the appeal begins."""
    require(actor, rules.CONDUCT)
    row = lock(session, YearlyReview, review_id)
    today = local_date(now)
    rules.check_decision(
        row.state,
        proposed=row.proposed,
        grade=grade,
        reason=reason,
        confirm_by=row.confirm_by,
        today=today,
    )
    row.state, row.grade, row.reason = ReviewState.PUBLISHED, grade, reason.strip()
    row.decided_at, row.decided_by_id, row.decided_by_name = now, actor.user_id, actor.name
    row.appeal_by = add_workdays(today, parameters.rule_on(today).appeal_workdays)
    _audit(session, actor, "decide", row, now, grade=grade, reason=row.reason)
    outbox.publish(
        session,
        ReviewPublished(
            review_id=row.id,
            organisation_id=row.organisation_id,
            year=row.year,
            grade_label=grade.label,
            appeal_by=row.appeal_by,
        ),
        now=now,
    )


def appeal(session: Session, *, actor: Actor, now: datetime, review_id: int, words: str) -> None:
    """Let the agency appeal within its term; the grade takes no effect until that is decided."""
    require(actor, rules.SUPPLEMENT)
    row = lock(session, YearlyReview, review_id)
    rules.check_party(actor, row.organisation_id)
    row.appeal_words = rules.check_appeal(
        row.state, words=words, appeal_by=row.appeal_by, today=local_date(now)
    )
    row.state, row.appealed_at = ReviewState.APPEALED, now
    _audit(session, actor, "appeal", row, now, words=row.appeal_words)
    outbox.publish(
        session,
        ReviewAppealed(review_id=row.id, organisation_id=row.organisation_id, year=row.year),
        now=now,
    )


def decide_appeal(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    review_id: int,
    grade: Grade,
    reason: str,
) -> None:
    """Keep or change the grade after an appeal; the result takes effect at once."""
    require(actor, rules.CONDUCT)
    row = lock(session, YearlyReview, review_id)
    row.appeal_reason = rules.check_appeal_decision(
        row.state, reason=reason, decided_by_id=row.decided_by_id, user_id=actor.user_id
    )
    changed = grade is not row.grade
    if changed:
        row.first_grade, row.grade = row.grade, grade
    row.appeal_decided_at, row.appeal_decided_by_name = now, actor.name
    _audit(session, actor, "decide_appeal", row, now, grade=grade, reason=row.appeal_reason)
    outbox.publish(
        session,
        ReviewAppealDecided(
            review_id=row.id,
            organisation_id=row.organisation_id,
            year=row.year,
            outcome=f"等次改为“{grade.label}”" if changed else f"维持“{grade.label}”",
            reason=row.appeal_reason,
        ),
        now=now,
    )
    _settle(session, row, actor=actor, now=now)


def settle_due(session: Session, now: datetime) -> int:
    """Let grades take effect whose term of appeal has ended; return how many."""
    rows = session.scalars(
        select(YearlyReview)
        .where(
            YearlyReview.state == ReviewState.PUBLISHED,
            YearlyReview.appeal_by < local_date(now),
        )
        .order_by(YearlyReview.year, YearlyReview.id)
        .limit(_BATCH)
        .with_for_update()
    ).all()
    for row in rows:
        _settle(session, row, actor=SYSTEM, now=now)
    return len(rows)


def _settle(session: Session, row: YearlyReview, *, actor: Actor, now: datetime) -> None:
    """Make a grade effective; two failed years running end the filing with that day."""
    row.state, row.settled_at = ReviewState.SETTLED, now
    session.flush()
    for pair in (_neighbour(session, row, row.year - 1), _neighbour(session, row, row.year + 1)):
        if pair is None:
            continue
        first, second = sorted((row, pair), key=lambda each: each.year)
        if rules.ends_filing(second.grade, first.grade):
            today = local_date(now)
            ended = brokerage.end_filing(
                session,
                actor=actor,
                now=now,
                organisation_id=row.organisation_id,
                ends_on=today,
                reason=f"{first.year}、{second.year} 年度评价连续不合格",
            )
            if ended:
                second.filing_ended_on = today
    _audit(
        session,
        actor,
        "settle",
        row,
        now,
        grade=row.grade,
        filing_ended_on=row.filing_ended_on,
    )


def _neighbour(session: Session, row: YearlyReview, year: int) -> YearlyReview | None:
    return session.scalar(
        select(YearlyReview).where(
            YearlyReview.organisation_id == row.organisation_id,
            YearlyReview.year == year,
            YearlyReview.state == ReviewState.SETTLED,
        )
    )


def _compute(session: Session, row: YearlyReview, now: datetime) -> None:
    version = parameters.rule_on(local_date(now))
    figures = figure_queries.figures_of(session, row.organisation_id, row.year)
    scored = rules.score({each.indicator: each.value for each in figures}, version.rule)
    row.rule_name, row.computed_at = version.name, now
    row.figures = [
        {
            "indicator": each.indicator.value,
            "value": each.value,
            "evidence": [
                {"kind": piece.kind.value, "number": piece.number, "label": piece.label}
                for piece in each.evidence
            ],
        }
        for each in figures
    ]
    row.lines = [
        {"indicator": line.indicator.value, "tenths": line.tenths, "most": line.most}
        for line in scored.lines
    ]
    row.score_tenths, row.proposed = scored.tenths, scored.grade


def _audit(
    session: Session, actor: Actor, action: str, row: YearlyReview, now: datetime, **after: Any
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"reviews.{action}",
        subject=subject(row.id),
        now=now,
        after={"year": row.year, **after},
    )
