"""List approved claims for payment, confirm each payment by a second person, claw back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.numbering import next_number
from marketplace.integrity import service as integrity
from marketplace.integrity.rules import DishonestyGround
from marketplace.subsidies import rules
from marketplace.subsidies.events import ClaimClawedBack, ClaimPaid
from marketplace.subsidies.models import Claim, Payment, PaymentList
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus


def list_payments(
    session: Session, *, actor: Actor, now: datetime, claim_ids: Sequence[int]
) -> int:
    """Put approved claims on a new payment list for the finance bureau; return the list's id."""
    require(actor, rules.LIST_PAYMENTS)
    if not claim_ids:
        raise RuleBroken("payments.none", "请至少选择一件已通过公示的申报")
    claims = list(
        session.scalars(
            select(Claim)
            .where(Claim.id.in_(set(claim_ids)))
            .order_by(Claim.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    if len(claims) != len(set(claim_ids)):
        raise NotFound()
    for claim in claims:
        if claim.status is not ClaimStatus.APPROVED or claim.payable_fen is None:
            raise Conflict(
                "payments.claim", f"{claim.number} 现在是“{claim.status.label}”，不能列入支付清单"
            )
    listed = session.scalar(
        select(Claim.number)
        .join(Payment, Payment.claim_id == Claim.id)
        .where(Claim.id.in_([claim.id for claim in claims]))
        .limit(1)
    )
    if listed is not None:
        raise Conflict("payments.listed", f"{listed} 已经在支付清单上，不能重复列入")
    made = PaymentList(
        number=next_number(session, "ZF", local_date(now).year),
        prepared_at=now,
        prepared_by_id=actor.user_id,
    )
    session.add(made)
    session.flush()
    for claim in claims:
        session.add(
            Payment(
                claim_id=claim.id,
                list_id=made.id,
                amount_fen=claim.payable_fen,
                status=PaymentStatus.LISTED,
                prepared_by_id=actor.user_id,
                confirmed_by_id=None,
                confirmed_at=None,
            )
        )
        audit.record(
            session,
            actor=actor,
            action="subsidies.list_payment",
            subject=f"claim:{claim.id}",
            now=now,
            after={"list": made.number, "amount_fen": claim.payable_fen},
        )
    return made.id


def confirm_payment(
    session: Session, *, actor: Actor, now: datetime, payment_id: int, reference: str
) -> None:
    """Confirm that the finance bureau paid; once, by another person than listed it."""
    require(actor, rules.CONFIRM_PAYMENT)
    seen = session.get(Payment, payment_id)
    if seen is None:
        raise NotFound()
    # The claim before its payment, everywhere.
    claim = lock(session, Claim, seen.claim_id)
    payment = lock(session, Payment, payment_id)
    rules.check_two_persons(prepared_by_id=payment.prepared_by_id, actor=actor)
    rules.check_payment(
        status=payment.status,
        claim=claim.status,
        amount_fen=payment.amount_fen,
        payable_fen=claim.payable_fen or Fen(0),
        reference=reference,
    )
    payment.status = PaymentStatus.PAID
    payment.reference = reference.strip()
    payment.confirmed_by_id = actor.user_id
    payment.confirmed_at = now
    claim.status = ClaimStatus.PAID
    outbox.publish(
        session,
        ClaimPaid(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            item=claim.item.value,
            year=claim.year,
            amount_fen=payment.amount_fen,
            reference=payment.reference,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="subsidies.confirm_payment",
        subject=f"claim:{claim.id}",
        now=now,
        before={"status": ClaimStatus.APPROVED},
        after={
            "status": claim.status,
            "amount_fen": payment.amount_fen,
            "reference": payment.reference,
        },
    )


def claw_back(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    claim_id: int,
    reason: str,
    document: str,
    dishonest_until: date,
) -> None:
    """Take a paid claim back and put the organisation on the integrity record.

    虚报冒领, 假技术合同: 济科发〔2020〕58号 第14条.
    """
    require(actor, rules.CLAW_BACK)
    claim = lock(session, Claim, claim_id)
    rules.check_claw_back(status=claim.status, reason=reason, document=document)
    claim.status, claim.reason = ClaimStatus.CLAWED_BACK, reason.strip()
    record_id = integrity.record(
        session,
        actor=actor,
        now=now,
        organisation_id=claim.organisation_id,
        ground=DishonestyGround.FALSE_MATERIAL,
        reason=f"追回 {claim.year} 年度{claim.item.label}（{claim.number}）：{reason.strip()}",
        document=document,
        starts_on=local_date(now),
        ends_on=dishonest_until,
    )
    outbox.publish(
        session,
        ClaimClawedBack(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            amount_fen=claim.payable_fen or Fen(0),
            reason=claim.reason,
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
        after={"status": claim.status, "integrity_record": record_id},
    )
