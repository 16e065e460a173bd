"""Which claims rest on a contract, for the registrar who changes or cancels it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.money import Fen
from marketplace.subsidies.models import Claim, ClaimLine
from marketplace.subsidies.rules import ClaimStatus
from marketplace.subsidies.word_rules import ClaimItem


@dataclass(frozen=True)
class ClaimOnContract:
    """A claim that has taken a contract; ``base_fen`` is the contract's part of its base."""

    number: str
    organisation_name: str
    item: ClaimItem
    year: int
    status: ClaimStatus
    base_fen: Fen


def claims_on_contract(session: Session, contract_id: int) -> list[ClaimOnContract]:
    """List the claims that rest on a contract, the oldest first."""
    rows = session.execute(
        select(Claim, ClaimLine.base_fen)
        .join(ClaimLine, ClaimLine.claim_id == Claim.id)
        .where(ClaimLine.contract_id == contract_id)
        .order_by(Claim.id)
    ).all()
    names = accounts.get_organisations(session, {claim.organisation_id for claim, _base in rows})
    return [
        ClaimOnContract(
            claim.number,
            names[claim.organisation_id].short_name,
            claim.item,
            claim.year,
            claim.status,
            base,
        )
        for claim, base in rows
    ]
