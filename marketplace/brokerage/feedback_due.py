"""What time alone brings about in feedback: reminders of owed answers, and monthly digests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.brokerage import feedback_queries, service
from marketplace.brokerage.feedback_rules import month_after
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.due import DueTask


def next_reminder(session: Session, now: datetime) -> datetime | None:
    """Return the moment of the next reminder of an owed answer."""
    day = feedback_queries.first_reminder(session)
    return None if day is None else local_midnight(day)


def next_digest(session: Session, now: datetime) -> datetime | None:
    """Return the end of the month when it has a lost deal to tell of."""
    month = local_date(now).replace(day=1)
    if not feedback_queries.lost_since(session, local_midnight(month)):
        return None
    return local_midnight(month_after(month))


TASKS: tuple[DueTask, ...] = (
    DueTask("brokerage.answers", next_reminder, service.remind),
    DueTask("brokerage.digests", next_digest, service.send_digests),
)
