"""Deadlines of claims: set with each step, reminded of in time, told once when they are missed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import local_date
from marketplace.subsidies import deadline_rules
from marketplace.subsidies.events import ClaimDue
from marketplace.subsidies.models import Claim, Payment


def set_due(claim: Claim, due_on: date | None, *, today: date) -> None:
    """Give a claim its next deadline and the morning of its reminder, or none."""
    claim.due_on = due_on
    claim.remind_on = None if due_on is None else deadline_rules.first_reminder(due_on, today=today)


def remind_due(session: Session, *, now: datetime, limit: int = 20) -> int:
    """Remind of the deadlines whose morning has come; return how many.

    Repeating it changes nothing: each reminder names the next one, or none.
    """
    today = local_date(now)
    claims = session.scalars(
        select(Claim)
        .where(Claim.remind_on <= today)
        .order_by(Claim.remind_on, Claim.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for claim in claims:
        due_on = claim.due_on
        if due_on is None:
            claim.remind_on = None
            continue
        overdue = today > due_on
        listed = session.scalar(select(Payment.id).where(Payment.claim_id == claim.id))
        claim.remind_on = deadline_rules.next_reminder(due_on, today=today)
        outbox.publish(
            session,
            ClaimDue(
                claim_id=claim.id,
                number=claim.number,
                organisation_id=claim.organisation_id,
                item=claim.item.value,
                year=claim.year,
                status=claim.status.value,
                due_on=due_on,
                overdue=overdue,
                district=claim.district,
                listed=listed is not None,
            ),
            now=now,
        )
        audit.record(
            session,
            actor=SYSTEM,
            action="subsidies.remind",
            subject=f"claim:{claim.id}",
            now=now,
            after={"due_on": due_on, "overdue": overdue},
        )
    return len(claims)
