"""How contracts stand in the register now, for whoever rests an amount on one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.contracts.models import Contract, ContractChange
from marketplace.contracts.rules import IN_REGISTER, ContractStatus
from marketplace.foundation.money import Fen


@dataclass(frozen=True)
class Standing:
    """A registered contract's present state; ``reason`` says why it was cancelled."""

    contract_id: int
    contract_no: str
    status: ContractStatus
    amount_fen: Fen
    technology_amount_fen: Fen
    changed_on: date | None
    cancelled_on: date | None
    reason: str

    @property
    def counts(self) -> bool:
        """Tell whether an amount may rest on the contract."""
        return self.status in IN_REGISTER


def standings_of(session: Session, contract_ids: Collection[int]) -> dict[int, Standing]:
    """Return the present state of contracts that stand or stood in the register, by id."""
    newest = session.execute(
        select(ContractChange.contract_id, func.max(ContractChange.changed_on))
        .where(ContractChange.contract_id.in_(contract_ids))
        .group_by(ContractChange.contract_id)
    )
    changed: dict[int, date] = {}
    for contract_id, day in newest:
        changed[contract_id] = day
    rows = session.scalars(
        select(Contract).where(Contract.id.in_(contract_ids), Contract.contract_no.is_not(None))
    )
    found = {}
    for row in rows:
        assert row.contract_no is not None
        assert row.amount_fen is not None
        assert row.technology_amount_fen is not None
        cancelled = row.status is ContractStatus.CANCELLED
        found[row.id] = Standing(
            row.id,
            row.contract_no,
            row.status,
            row.amount_fen,
            row.technology_amount_fen,
            changed.get(row.id),
            row.cancelled_on,
            row.decision_words if cancelled else "",
        )
    return found
