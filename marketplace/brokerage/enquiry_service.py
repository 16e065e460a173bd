"""Enquiries: opened by a buyer's message, closed by the answer, reminded of meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage import feedback_rules
from marketplace.brokerage.deal_queries import parties_of
from marketplace.brokerage.events import AnswerOverdue, FeedbackDigested
from marketplace.brokerage.family_queries import belongs_to, standing_id
from marketplace.brokerage.feedback_models import Digest, Enquiry
from marketplace.brokerage.models import Deal
from marketplace.brokerage.parameters import reminder_terms_on
from marketplace.brokerage.rules import ADVICE, DealStage, LostReason
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.workdays import add_workdays, workdays_between


def message_written(session: Session, deal: Deal, *, actor: Actor, now: datetime) -> None:
    """Note that somebody wrote to the others on a deal: a buyer asks, everybody else answers."""
    if actor is SYSTEM:
        return
    if actor.organisation_id == deal.buyer_organisation_id:
        _ask(session, deal, now=now)
    else:
        close_enquiry(session, deal, actor=actor, now=now)


def close_enquiry(session: Session, deal: Deal, *, actor: Actor, now: datetime) -> None:
    """Close what waits for an answer; a buyer who ends the deal himself was not answered."""
    if actor is SYSTEM:
        return
    for row in _open(session, deal.id):
        row.closed_at, row.next_step_on = now, None
        if actor.organisation_id != deal.buyer_organisation_id:
            row.answer_workdays = _workdays(local_date(row.asked_at), local_date(now))


def remind(session: Session, now: datetime) -> int:
    """Remind who owes an answer, and in the end tell the operator; return how many."""
    today = local_date(now)
    rows = session.scalars(
        select(Enquiry)
        .where(Enquiry.closed_at.is_(None), Enquiry.next_step_on <= today)
        .order_by(Enquiry.id)
        .limit(200)
        .with_for_update()
    ).all()
    for row in rows:
        deal = session.get_one(Deal, standing_id(session, row.deal_id))
        steps = reminder_terms_on(local_date(row.asked_at)).steps
        waited = steps[row.steps_taken]
        row.steps_taken += 1
        row.next_step_on = _step_day(local_date(row.asked_at), row.steps_taken)
        audit.record(
            session,
            actor=SYSTEM,
            action="brokerage.remind",
            subject=f"deal:{deal.id}",
            now=now,
            after={"enquiry": row.id, "workdays": waited},
        )
        outbox.publish(
            session,
            AnswerOverdue(
                deal_id=deal.id,
                title=deal.title,
                organisation_id=row.organisation_id,
                broker_user_id=deal.broker_user_id,
                asked_on=local_date(row.asked_at),
                workdays=waited,
                to_operator=row.steps_taken == len(steps),
            ),
            now=now,
        )
    return len(rows)


def send_digests(session: Session, now: datetime) -> int:
    """Send every university what last month's lost deals said, once; return how many."""
    month = feedback_rules.month_before(local_date(now))
    reasons: dict[int, list[LostReason]] = {}
    rows = session.execute(
        select(Deal.seller_organisation_id, Deal.lost_reason)
        .where(
            Deal.stage == DealStage.LOST,
            Deal.lost_at >= local_midnight(month),
            Deal.lost_at < local_midnight(feedback_rules.month_after(month)),
            Deal.seller_organisation_id.not_in(
                select(Digest.organisation_id).where(Digest.month == month)
            ),
        )
        .order_by(Deal.id)
    )
    for organisation_id, reason in rows:
        if reason is not None:
            reasons.setdefault(organisation_id, []).append(reason)
    for organisation_id, found in reasons.items():
        _send(session, organisation_id, month, found, now=now)
    return len(reasons)


def _send(
    session: Session, organisation_id: int, month: date, reasons: list[LostReason], *, now: datetime
) -> None:
    first = feedback_rules.leading(reasons)
    digest = Digest(
        organisation_id=organisation_id,
        month=month,
        lost_count=len(reasons),
        leading_reason=first,
        sent_at=now,
    )
    session.add(digest)
    session.flush()
    audit.record(
        session,
        actor=SYSTEM,
        action="brokerage.send_digest",
        subject=f"organisation:{organisation_id}",
        now=now,
        after={"digest": digest.id, "month": month, "lost": len(reasons)},
    )
    outbox.publish(
        session,
        FeedbackDigested(
            organisation_id=organisation_id,
            month=month.strftime("%Y-%m"),
            lost_count=len(reasons),
            leading_reason=first.value,
            advice=ADVICE[first],
        ),
        now=now,
    )


def _ask(session: Session, deal: Deal, *, now: datetime) -> None:
    if _open(session, deal.id):
        return
    session.add(
        Enquiry(
            deal_id=deal.id,
            organisation_id=feedback_rules.owing(parties_of(deal)),
            asked_at=now,
            next_step_on=_step_day(local_date(now), 0),
        )
    )


def _open(session: Session, deal_id: int) -> Sequence[Enquiry]:
    """Lock what waits on a deal: one message, and one for each deal that was merged into it."""
    return session.scalars(
        select(Enquiry)
        .where(belongs_to(Enquiry.deal_id, deal_id), Enquiry.closed_at.is_(None))
        .order_by(Enquiry.id)
        .with_for_update()
    ).all()


def _step_day(asked_on: date, taken: int) -> date | None:
    """Return the morning after the term of the next reminder, or None when none is left.

    Where next year's calendar is not published yet nobody is reminded: a message still counts.
    """
    steps = reminder_terms_on(asked_on).steps
    if taken >= len(steps):
        return None
    try:
        return add_workdays(asked_on, steps[taken]) + timedelta(days=1)
    except RuleBroken:
        return None


def _workdays(start: date, end: date) -> int | None:
    try:
        return workdays_between(start, end)
    except RuleBroken:
        return None
