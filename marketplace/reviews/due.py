"""What time alone brings about in reviews: grades take effect when no appeal came."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.foundation.clock import local_midnight
from marketplace.foundation.due import DueTask
from marketplace.reviews import queries, service


def next_settling(session: Session, now: datetime) -> datetime | None:
    """Return the moment at which the next term of appeal has ended."""
    last = queries.first_appeal_end(session)
    return None if last is None else local_midnight(last + timedelta(days=1))


TASKS: tuple[DueTask, ...] = (DueTask("reviews.settle", next_settling, service.settle_due),)
