"""What time alone brings about in brokerage: agreements run out, telephone numbers are let go."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.brokerage import contact_service, queries, service
from marketplace.foundation.clock import local_midnight
from marketplace.foundation.due import DueTask


def next_end(session: Session, now: datetime) -> datetime | None:
    """Return the moment at which the next agreement has run out."""
    last = queries.first_agreement_end(session)
    return None if last is None else local_midnight(last + timedelta(days=1))


TASKS: tuple[DueTask, ...] = (
    DueTask("brokerage.agreements", next_end, service.end_agreements),
    DueTask("brokerage.remove_expired", None, contact_service.remove_expired),
)
