"""What time brings about for claims: reminders of their deadlines."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.due import DueTask
from marketplace.subsidies import deadline_service
from marketplace.subsidies.models import Claim


def _next_reminder(session: Session, now: datetime) -> datetime | None:
    day = session.scalar(select(func.min(Claim.remind_on)).where(Claim.remind_on > local_date(now)))
    return None if day is None else local_midnight(day)


def _remind(session: Session, now: datetime) -> int:
    return deadline_service.remind_due(session, now=now)


TASKS = [DueTask(name="subsidies.remind", next_due=_next_reminder, run=_remind)]
