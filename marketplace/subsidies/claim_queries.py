"""What an organisation may claim now: a year's result less what it has claimed before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation.money import Fen
from marketplace.subsidies import facts_queries
from marketplace.subsidies.calculation_rules import prepare
from marketplace.subsidies.explanation_rules import Explanation, explain
from marketplace.subsidies.facts_queries import YearFacts
from marketplace.subsidies.models import Claim, ClaimLine
from marketplace.subsidies.parameters import select_policies
from marketplace.subsidies.rules import CONTRACT_ITEMS, COUNTS
from marketplace.subsidies.trace_rules import ItemResult
from marketplace.subsidies.word_rules import Item

_EXPLANATION = TypeAdapter(Explanation)


@dataclass(frozen=True)
class Entitlement:
    """A year's result for one item and what of it can still be claimed.

    ``bases`` are the counted contracts, by id, that no other claim has taken.
    """

    result: ItemResult
    explanation: Explanation
    earlier_fen: Fen
    bases: dict[int, Fen]

    @property
    def claimable_fen(self) -> Fen:
        """Return the amount of a claim made now."""
        if not self.bases:
            return Fen(0)
        return Fen(max(0, self.result.amount_fen - self.earlier_fen))


def entitlements(
    session: Session, organisation_id: int, year: int, *, without_claim_id: int | None = None
) -> dict[Item, Entitlement]:
    """Compute every item of an organisation in a year against what its other claims have taken."""
    facts = facts_queries.facts_of_year(session, year, organisation_ids=[organisation_id])
    calculation = prepare(
        year, parties=facts.parties, contracts=facts.contracts, policies=select_policies()
    )
    key = str(organisation_id)
    if key not in calculation.held:
        return {}
    lines = _other_lines(session, organisation_id, year, without_claim_id)
    results = calculation.results_of(key, bound=_bound(lines, facts, key))
    earlier = _claimed(session, organisation_id, year, without_claim_id)
    return {
        item: Entitlement(
            result,
            explain(result, facts.parties),
            earlier.get(item, Fen(0)),
            _free(result, facts, {line.contract_id for line in lines if line.item is item}),
        )
        for item, result in results.items()
    }


def pack(explanation: Explanation) -> Any:
    """Turn an explanation into what a claim keeps as its record."""
    return _EXPLANATION.dump_python(explanation, mode="json")


def unpack(record: Any) -> Explanation:
    """Turn a claim's record back into an explanation."""
    return _EXPLANATION.validate_python(record)


def _free(result: ItemResult, facts: YearFacts, taken: set[int]) -> dict[int, Fen]:
    if result.paying is None:
        return {}
    return {
        contract_id: part.base_fen
        for part in result.paying.parts
        if part.counted
        and (contract_id := facts.contract_ids[part.contract.contract_no]) not in taken
    }


def _other_lines(
    session: Session, organisation_id: int, year: int, without_claim_id: int | None
) -> list[ClaimLine]:
    statement = select(ClaimLine).where(
        ClaimLine.organisation_id == organisation_id, ClaimLine.year == year
    )
    if without_claim_id is not None:
        statement = statement.where(ClaimLine.claim_id != without_claim_id)
    return list(session.scalars(statement))


def _claimed(
    session: Session, organisation_id: int, year: int, without_claim_id: int | None
) -> dict[Item, Fen]:
    """Sum by item what was claimed before; a share cut by a short budget stays cut."""
    amount = func.coalesce(Claim.approved_fen, Claim.claimed_fen)
    statement = (
        select(Claim.item, func.sum(amount))
        .where(
            Claim.organisation_id == organisation_id,
            Claim.year == year,
            Claim.status.in_(COUNTS),
            Claim.item.in_(CONTRACT_ITEMS),
        )
        .group_by(Claim.item)
    )
    if without_claim_id is not None:
        statement = statement.where(Claim.id != without_claim_id)
    return {Item(item.value): Fen(int(total)) for item, total in session.execute(statement)}


def _bound(lines: list[ClaimLine], facts: YearFacts, key: str) -> dict[Item, Item]:
    """Hold shared contracts in the role in which one of them was claimed before (Reading H)."""
    contracts = {facts.contract_ids[c.contract_no]: c for c in facts.contracts}
    bound: dict[Item, Item] = {}
    for line in lines:
        contract = contracts.get(line.contract_id)
        if contract is None or contract.agency != key:
            continue
        for principal in (Item.SELLER, Item.BUYER):
            if contract.holder(principal) != key:
                continue
            if line.item in (principal, Item.AGENCY):
                bound.setdefault(principal, line.item)
    return bound
