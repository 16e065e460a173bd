"""What time alone brings about in brokerage: agreements and proposals end, numbers are let go."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.brokerage import (
    contact_service,
    proposal_end_service,
    proposal_queries,
    queries,
    service,
)
from marketplace.brokerage.proposal_rules import REMIND_BEFORE
from marketplace.foundation.clock import local_midnight
from marketplace.foundation.due import DueTask


def next_end(session: Session, now: datetime) -> datetime | None:
    """Return the moment at which the next agreement has run out."""
    last = queries.first_agreement_end(session)
    return None if last is None else local_midnight(last + timedelta(days=1))


def next_proposal_reminder(session: Session, now: datetime) -> datetime | None:
    """Return the moment at which the next proposal is reminded of."""
    day = proposal_queries.first_end(session, reminded=False)
    return None if day is None else local_midnight(day - REMIND_BEFORE)


def next_proposal_end(session: Session, now: datetime) -> datetime | None:
    """Return the moment at which the next proposal has ended."""
    day = proposal_queries.first_end(session)
    return None if day is None else local_midnight(day + timedelta(days=1))


TASKS: tuple[DueTask, ...] = (
    DueTask("brokerage.agreements", next_end, service.end_agreements),
    DueTask(
        "brokerage.proposal_reminders",
        next_proposal_reminder,
        proposal_end_service.remind_of_proposals,
    ),
    DueTask("brokerage.proposal_ends", next_proposal_end, proposal_end_service.lapse_proposals),
    DueTask("brokerage.remove_expired", None, contact_service.remove_expired),
)
