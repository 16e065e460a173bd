"""List approved claims for payment, confirm each payment by a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.standing_queries import check_acting
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.numbering import next_number
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.subsidies import payment_rules, rules
from marketplace.subsidies.application_service import check_honest
from marketplace.subsidies.deadline_service import set_due
from marketplace.subsidies.events import ClaimPaid
from marketplace.subsidies.models import Claim, ContractFact, Payment, PaymentList
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
        payment_rules.check_listing(
            number=claim.number, status=claim.status, cancelled=_cancelled(session, claim)
        )
        check_honest(session, claim.organisation_id, now)
        check_acting(session, (claim.organisation_id,))
    listed = session.scalar(
        select(Claim.number)
        .join(Payment, Payment.claim_id == Claim.id)
        .where(Claim.id.in_([claim.id for claim in claims]))
        .limit(1)
    )
    if listed is not None:
        raise Conflict("payments.listed", f"{listed} 已经在支付清单上，不能重复列入")
    today = local_date(now)
    due_on = add_workdays(today, value_on("claim_payment_workdays", today))
    made = PaymentList(
        number=next_number(session, "ZF", today.year),
        prepared_at=now,
        prepared_by_id=actor.user_id,
        due_on=due_on,
    )
    session.add(made)
    session.flush()
    for claim in claims:
        set_due(claim, due_on, today=today)
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
    payment_rules.check_two_persons(prepared_by_id=payment.prepared_by_id, actor=actor)
    payment_rules.check_payment(
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
    set_due(claim, None, today=local_date(now))
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


def _cancelled(session: Session, claim: Claim) -> list[str]:
    return list(
        session.scalars(
            select(ContractFact.contract_no)
            .where(
                ContractFact.contract_id.in_([line.contract_id for line in claim.lines]),
                ContractFact.cancelled_on.is_not(None),
            )
            .order_by(ContractFact.contract_no)
        )
    )
