"""Keep what contracts announced: registered, changed, cancelled. Safe to repeat."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.contracts.events import ContractCancelled, ContractChanged, ContractRegistered
from marketplace.contracts.rules import ContractType
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.money import Fen
from marketplace.subsidies.models import ContractFact


def keep_registered(session: Session, event: ContractRegistered, *, now: datetime) -> None:
    """Store a registered contract's facts, once."""
    if _find(session, event.contract_id) is not None:
        return
    exempt = event.tax_exempt_amount_fen
    session.add(
        ContractFact(
            contract_id=event.contract_id,
            contract_no=event.contract_no,
            contract_type=ContractType(event.contract_type),
            project_name=event.project_name,
            registered_on=event.registered_on,
            amount_fen=Fen(event.amount_fen),
            technology_amount_fen=Fen(event.technology_amount_fen),
            tax_exempt_amount_fen=None if exempt is None else Fen(exempt),
            seller_organisation_id=event.seller_organisation_id,
            buyer_organisation_id=event.buyer_organisation_id,
            agency_organisation_id=event.agency_organisation_id,
            registrar_organisation_id=event.registrar_organisation_id,
            project_id=event.project_id,
            activity_id=event.activity_id,
            fiscal_funds=event.fiscal_funds,
            cancelled_on=None,
        )
    )
    audit.record(
        session,
        actor=SYSTEM,
        action="subsidies.keep_fact",
        subject=f"contract:{event.contract_id}",
        now=now,
        after={"contract_no": event.contract_no, "amount_fen": event.amount_fen},
    )


def keep_changed(session: Session, event: ContractChanged, *, now: datetime) -> None:
    """Take over the amounts of a changed registration; claims show the difference at review."""
    fact = _known(session, event.contract_id)
    exempt = event.tax_exempt_amount_fen
    if (fact.amount_fen, fact.technology_amount_fen, exempt) == (
        event.amount_fen,
        event.technology_amount_fen,
        fact.tax_exempt_amount_fen if exempt is not None else None,
    ):
        return
    before = fact.amount_fen
    fact.amount_fen = Fen(event.amount_fen)
    fact.technology_amount_fen = Fen(event.technology_amount_fen)
    if exempt is not None:
        fact.tax_exempt_amount_fen = Fen(exempt)
    audit.record(
        session,
        actor=SYSTEM,
        action="subsidies.change_fact",
        subject=f"contract:{event.contract_id}",
        now=now,
        before={"amount_fen": before},
        after={"amount_fen": fact.amount_fen},
    )


def keep_cancelled(session: Session, event: ContractCancelled, *, now: datetime) -> None:
    """Mark a registration as cancelled: it counts in no calculation any more."""
    fact = _known(session, event.contract_id)
    if fact.cancelled_on is not None:
        return
    fact.cancelled_on = event.cancelled_on
    fact.cancelled_reason = event.reason
    audit.record(
        session,
        actor=SYSTEM,
        action="subsidies.cancel_fact",
        subject=f"contract:{event.contract_id}",
        now=now,
        after={"cancelled_on": event.cancelled_on, "reason": event.reason},
    )


def _find(session: Session, contract_id: int) -> ContractFact | None:
    return session.scalar(select(ContractFact).where(ContractFact.contract_id == contract_id))


def _known(session: Session, contract_id: int) -> ContractFact:
    fact = _find(session, contract_id)
    if fact is None:
        # Its registration has not arrived yet: the outbox tries again later.
        raise LookupError(f"no fact of contract {contract_id} yet")
    return fact
