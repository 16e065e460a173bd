"""Reads of answers owed and given, and of what a month of lost deals said."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from marketplace.accounts import queries as accounts
from marketplace.brokerage.family_queries import belongs_to
from marketplace.brokerage.feedback_models import Digest, Enquiry
from marketplace.brokerage.feedback_rules import median, month_after, month_before
from marketplace.brokerage.models import Deal
from marketplace.brokerage.rules import ADVICE, DealStage, LostReason
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date, local_midnight

# Answers older than this say little about how an organisation answers today.
_LOOK_BACK = timedelta(days=365)


@dataclass(frozen=True)
class AnswerTime:
    """How an organisation answers: the median in working days, of how many, and what waits."""

    organisation_id: int
    name: str
    median_workdays: float | None
    answered_count: int
    waiting_count: int
    overdue_count: int


@dataclass(frozen=True)
class OwedAnswer:
    """A message on a deal that waits for an answer."""

    deal_id: int
    title: str
    asked_on: date
    organisation_id: int
    steps_taken: int


def answer_times(
    session: Session, *, now: datetime, organisation_ids: Collection[int] | None = None
) -> list[AnswerTime]:
    """Read how organisations answered within a year, the slowest first."""
    statement = select(Enquiry).where(Enquiry.asked_at >= now - _LOOK_BACK)
    if organisation_ids is not None:
        statement = statement.where(Enquiry.organisation_id.in_(set(organisation_ids)))
    found: dict[int, list[Enquiry]] = {}
    for row in session.scalars(statement.order_by(Enquiry.id).limit(20_000)):
        found.setdefault(row.organisation_id, []).append(row)
    names = accounts.get_organisations(session, found)
    times = []
    for organisation_id, rows in found.items():
        taken = [row.answer_workdays for row in rows if row.answer_workdays is not None]
        waiting = [row for row in rows if row.closed_at is None]
        times.append(
            AnswerTime(
                organisation_id,
                names[organisation_id].name,
                median(taken),
                len(taken),
                len(waiting),
                sum(row.steps_taken > 0 for row in waiting),
            )
        )
    return sorted(
        times, key=lambda each: (-each.overdue_count, -(each.median_workdays or 0), each.name)
    )


def answer_time_of(session: Session, organisation_id: int, *, now: datetime) -> AnswerTime | None:
    """Return how one organisation answers; None when nobody has asked it within a year."""
    found = answer_times(session, now=now, organisation_ids=[organisation_id])
    return found[0] if found else None


def owed_answers(session: Session, actor: Actor, *, limit: int = 30) -> list[OwedAnswer]:
    """List the messages that wait for the actor's organisation, a broker's only on his deals."""
    standing = aliased(Deal)
    rows = session.execute(
        select(Enquiry, standing)
        .join(Deal, Deal.id == Enquiry.deal_id)
        .join(standing, standing.id == func.coalesce(Deal.merged_into_id, Deal.id))
        .where(
            Enquiry.closed_at.is_(None),
            Enquiry.organisation_id == (actor.organisation_id or 0),
            (Deal.broker_user_id.is_(None))
            | (Deal.broker_user_id == actor.user_id)
            | (Deal.agency_organisation_id != actor.organisation_id),
        )
        .order_by(Enquiry.asked_at)
        .limit(limit)
    )
    return [
        OwedAnswer(
            deal.id, deal.title, local_date(row.asked_at), row.organisation_id, row.steps_taken
        )
        for row, deal in rows
    ]


def open_enquiry(session: Session, deal_id: int) -> OwedAnswer | None:
    """Return what has waited longest for an answer on a deal, or None."""
    row = session.scalar(
        select(Enquiry)
        .where(belongs_to(Enquiry.deal_id, deal_id), Enquiry.closed_at.is_(None))
        .order_by(Enquiry.asked_at)
        .limit(1)
    )
    if row is None:
        return None
    deal = session.get_one(Deal, deal_id)
    return OwedAnswer(
        deal.id, deal.title, local_date(row.asked_at), row.organisation_id, row.steps_taken
    )


def first_reminder(session: Session) -> date | None:
    """Return the day of the next reminder, or None."""
    return session.scalar(select(func.min(Enquiry.next_step_on)).where(Enquiry.closed_at.is_(None)))


def lost_since(session: Session, moment: datetime) -> bool:
    """Tell whether a deal was lost since a moment."""
    return session.scalar(select(Deal.id).where(Deal.lost_at >= moment).limit(1)) is not None


@dataclass(frozen=True)
class MonthLoss:
    """A lost deal of a month."""

    deal_id: int
    title: str
    buyer_name: str
    reason: LostReason
    words: str
    advice: str
    lost_on: date


@dataclass(frozen=True)
class MonthDigest:
    """What a month of lost deals said, and the months there are digests of."""

    month: date
    losses: tuple[MonthLoss, ...]
    before_count: int
    months: tuple[date, ...]


def digest_months(session: Session, organisation_id: int) -> tuple[date, ...]:
    """List the months of which an organisation was sent a digest, the newest first."""
    return tuple(
        session.scalars(
            select(Digest.month)
            .where(Digest.organisation_id == organisation_id)
            .order_by(Digest.month.desc())
            .limit(24)
        )
    )


def month_digest(session: Session, organisation_id: int, month: date) -> MonthDigest:
    """Read what a university's lost deals of a month said, with the count of the month before."""
    rows = _lost(session, organisation_id, month)
    buyers = accounts.get_organisations(session, {row.buyer_organisation_id for row in rows})
    before = month_before(month)
    months = digest_months(session, organisation_id)
    return MonthDigest(
        month,
        tuple(
            MonthLoss(
                row.id,
                row.title,
                buyers[row.buyer_organisation_id].short_name,
                row.lost_reason,
                row.lost_words,
                ADVICE[row.lost_reason],
                local_date(row.lost_at),
            )
            for row in rows
            if row.lost_reason is not None and row.lost_at is not None
        ),
        len(_lost(session, organisation_id, before)),
        months,
    )


def _lost(session: Session, organisation_id: int, month: date) -> list[Deal]:
    return list(
        session.scalars(
            select(Deal)
            .where(
                Deal.seller_organisation_id == organisation_id,
                Deal.stage == DealStage.LOST,
                Deal.lost_at >= local_midnight(month),
                Deal.lost_at < local_midnight(month_after(month)),
            )
            .order_by(Deal.lost_at, Deal.id)
        )
    )
