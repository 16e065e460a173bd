"""What time brings about for subsidies: reminders of deadlines, and two years computed nightly."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import LOCAL, local_date, local_midnight
from marketplace.foundation.due import DueTask
from marketplace.subsidies import service
from marketplace.subsidies.models import Claim
from marketplace.subsidies.year_queries import compute_year, fact_years, latest_run
from marketplace.subsidies.year_rules import last_night, nightly_years


def _next_reminder(session: Session, now: datetime) -> datetime | None:
    day = session.scalar(select(func.min(Claim.remind_on)).where(Claim.remind_on > local_date(now)))
    return None if day is None else local_midnight(day)


def _remind(session: Session, now: datetime) -> int:
    return service.remind_due(session, now=now)


def _recompute(session: Session, now: datetime) -> int:
    """Recompute one year that was not looked at since last night; return 0 when none is left."""
    here = now.astimezone(LOCAL)
    night = last_night(here)
    for year in nightly_years(here):
        last = latest_run(session, year)
        if last is not None and last.checked_at >= night:
            continue
        if year not in fact_years(session):
            continue
        computed = compute_year(session, year, known_on=here.date())
        service.store_year(session, computed, actor=SYSTEM, now=now)
        return 1
    return 0


TASKS = [
    DueTask(name="subsidies.remind", next_due=_next_reminder, run=_remind),
    DueTask(name="subsidies.recompute", next_due=None, run=_recompute),
]
