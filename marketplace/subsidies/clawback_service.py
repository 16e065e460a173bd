"""Take a paid amount back: decide it with its ground, confirm by another person that it came."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict
from marketplace.foundation.money import Fen
from marketplace.integrity import service as integrity
from marketplace.subsidies import clawback_rules, rules
from marketplace.subsidies.clawback_rules import ClawBackTerms
from marketplace.subsidies.deadline_service import set_due
from marketplace.subsidies.events import ClaimClawedBack, ClawBackReceived
from marketplace.subsidies.models import Claim, ClawBack, Payment
from marketplace.subsidies.rules import ClaimStatus


def claw_back(
    session: Session, *, actor: Actor, now: datetime, claim_id: int, terms: ClawBackTerms
) -> None:
    """Decide to take a paid amount back, in whole or in part, until a day.

    虚报冒领 and 假技术合同 put the organisation on the integrity record (济科发〔2020〕58号
    第14条).
    """
    require(actor, rules.CLAW_BACK)
    claim = lock(session, Claim, claim_id)
    paid = session.scalar(select(Payment.amount_fen).where(Payment.claim_id == claim.id))
    today = local_date(now)
    clawback_rules.check_claw_back(terms, status=claim.status, paid_fen=paid or Fen(0), today=today)
    record_id = _put_on_record(session, claim, terms, actor=actor, now=now)
    session.add(
        ClawBack(
            claim_id=claim.id,
            ground=terms.ground,
            article=terms.ground.article,
            amount_fen=terms.amount_fen,
            reason=terms.reason.strip(),
            document=terms.document.strip(),
            due_on=terms.due_on,
            integrity_record_id=record_id,
            ordered_at=now,
            ordered_by_id=actor.user_id,
            received_at=None,
            received_by_id=None,
        )
    )
    claim.status, claim.reason = ClaimStatus.RECLAIMING, terms.reason.strip()
    set_due(claim, terms.due_on, today=today)
    outbox.publish(
        session,
        ClaimClawedBack(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            amount_fen=terms.amount_fen,
            reason=claim.reason,
            due_on=terms.due_on,
            recorded=record_id is not None,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="subsidies.claw_back",
        subject=f"claim:{claim.id}",
        now=now,
        before={"status": ClaimStatus.PAID},
        after={
            "status": claim.status,
            "amount_fen": terms.amount_fen,
            "integrity_record": record_id,
        },
    )


def confirm_receipt(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    claim_id: int,
    amount_fen: Fen | None,
    reference: str,
) -> None:
    """Confirm that the amount arrived, in full and once, by another person than decided it."""
    require(actor, rules.CONFIRM_RECEIPT)
    claim = lock(session, Claim, claim_id)
    found = session.scalar(select(ClawBack).where(ClawBack.claim_id == claim.id).with_for_update())
    if found is None or claim.status not in rules.TAKEN_BACK:
        raise Conflict("clawback.none", "这份申报没有要追回的款项")
    clawback_rules.check_receipt(
        received=claim.status is ClaimStatus.CLAWED_BACK,
        ordered_by_id=found.ordered_by_id,
        actor=actor,
        amount_fen=found.amount_fen,
        given_fen=amount_fen,
        reference=reference,
    )
    found.reference = reference.strip()
    found.received_at, found.received_by_id = now, actor.user_id
    claim.status = ClaimStatus.CLAWED_BACK
    set_due(claim, None, today=local_date(now))
    outbox.publish(
        session,
        ClawBackReceived(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            amount_fen=found.amount_fen,
            reference=found.reference,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="subsidies.confirm_receipt",
        subject=f"claim:{claim.id}",
        now=now,
        before={"status": ClaimStatus.RECLAIMING},
        after={"status": claim.status, "amount_fen": found.amount_fen},
    )


def _put_on_record(
    session: Session, claim: Claim, terms: ClawBackTerms, *, actor: Actor, now: datetime
) -> int | None:
    ground = terms.ground.dishonesty
    if ground is None or terms.dishonest_until is None:
        return None
    return integrity.record(
        session,
        actor=actor,
        now=now,
        organisation_id=claim.organisation_id,
        ground=ground,
        reason=f"追回 {claim.year} 年度{claim.item.label}（{claim.number}）："
        f"{terms.reason.strip()}",
        document=terms.document,
        starts_on=local_date(now),
        ends_on=terms.dishonest_until,
    )
