"""Send a claim back to its applicant with its reason: by a reviewer, an objection, the bureau."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.subsidies import return_rules, rules
from marketplace.subsidies.deadline_service import set_due
from marketplace.subsidies.events import ClaimReturned
from marketplace.subsidies.models import Claim, Payment
from marketplace.subsidies.rules import ClaimStatus


def send_back(session: Session, claim: Claim, *, reason: str, now: datetime) -> None:
    """Return a locked claim for correction, with a deadline; what was granted lapses."""
    today = local_date(now)
    claim.status, claim.reason = ClaimStatus.RETURNED, reason
    claim.approved_fen = claim.payable_fen = None
    claim.factor = "1"
    due_on = add_workdays(today, value_on("claim_correction_workdays", today))
    set_due(claim, due_on, today=today)
    outbox.publish(
        session,
        ClaimReturned(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            item=claim.item.value,
            year=claim.year,
            reason=reason,
            due_on=due_on,
        ),
        now=now,
    )


def recall(session: Session, *, actor: Actor, now: datetime, claim_id: int, reason: str) -> None:
    """Return a settled or approved claim that is not on a payment list, as the bureau.

    For what comes to light after the reviews: a cancelled registration, a wrong account.
    """
    require(actor, rules.SEND_BACK)
    claim = lock(session, Claim, claim_id)
    listed = session.scalar(select(Payment.id).where(Payment.claim_id == claim.id))
    return_rules.check_recall(status=claim.status, listed=listed is not None, reason=reason)
    before = claim.status
    send_back(session, claim, reason=reason.strip(), now=now)
    audit.record(
        session,
        actor=actor,
        action="subsidies.send_back",
        subject=f"claim:{claim.id}",
        now=now,
        before={"status": before},
        after={"status": claim.status, "reason": claim.reason},
    )
