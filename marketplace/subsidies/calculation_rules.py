"""The calculation: contracts of a year in, one result per organisation and item out, exact.

Pure. What the clauses say stands in ``verdict_rules``; here they are put together, and every result
keeps its whole trace.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen
from marketplace.subsidies.parameters import ItemTerms, Policy
from marketplace.subsidies.trace_rules import (
    ContractPart,
    ItemResult,
    Party,
    PolicyResult,
    RegisteredContract,
)
from marketplace.subsidies.verdict_rules import (
    PRINCIPALS,
    Judgement,
    Situation,
    added_value,
    best_assignment,
    counted_elsewhere,
    eras_of,
    judge,
    prevailing,
    role_is_ruled,
    weigh,
)
from marketplace.subsidies.word_rules import Item


@dataclass(frozen=True, slots=True)
class Lookback:
    """What earlier contracts do to later ones, over all years (Readings D and E)."""

    deductions: Mapping[str, Fen]
    not_first: frozenset[str]


def look_back(contracts: Iterable[RegisteredContract]) -> Lookback:
    """Find, by contract number, the deduction of later transfers and the repeated activities."""
    highest: dict[str, Fen] = {}
    activities: set[str] = set()
    deductions: dict[str, Fen] = {}
    not_first: set[str] = set()
    marked = (c for c in contracts if c.project_id or c.activity_id)
    for contract in sorted(marked, key=lambda c: c.order):
        if contract.project_id and contract.contract_type is ContractType.TRANSFER:
            before = highest.get(contract.project_id)
            if before is not None:
                deductions[contract.contract_no] = before
            highest[contract.project_id] = max(before or Fen(0), contract.amount_fen)
        if contract.activity_id:
            if contract.activity_id in activities:
                not_first.add(contract.contract_no)
            activities.add(contract.activity_id)
    return Lookback(deductions, frozenset(not_first))


@dataclass(frozen=True, slots=True)
class Calculation:
    """Everything the results of one year rest on; build it with ``prepare``."""

    year: int
    parties: Mapping[str, Party]
    policies: tuple[Policy, ...]
    lookback: Lookback
    held: Mapping[str, Mapping[Item, Sequence[RegisteredContract]]]
    eras: tuple[date, ...]
    _judged: dict[tuple[int, Item], dict[Situation, Judgement]] = field(
        default_factory=dict, repr=False, compare=False
    )

    _situations: dict[str, Situation] = field(default_factory=dict, repr=False, compare=False)

    def results_of(
        self, key: str, *, bound: Mapping[Item, Item] | None = None
    ) -> dict[Item, ItemResult]:
        """Compute every item of one organisation, in the assignment of roles that earns it most.

        ``bound`` fixes assignments that an earlier claim has already used: the principal's item
        to itself or to ``Item.AGENCY`` (Reading H).
        """
        party, own = self.parties[key], self.held.get(key, {})

        def compute(assignment: Mapping[Item, Item]) -> tuple[dict[Item, ItemResult], int]:
            results = {
                item: self._item(party, item, own[item], counted_elsewhere(item, assignment))
                for item in Item
                if own.get(item)
            }
            return results, sum(result.amount_fen for result in results.values())

        return best_assignment(self._shared(key, own), bound or {}, compute)

    def results(self, keys: Iterable[str] | None = None) -> Iterator[ItemResult]:
        """Compute the items of everybody, or of some in their order, each's by item name."""
        for key in sorted(self.held) if keys is None else keys:
            results = self.results_of(key)
            yield from (results[item] for item in sorted(results, key=str))

    def _shared(
        self, key: str, own: Mapping[Item, Sequence[RegisteredContract]]
    ) -> dict[Item, int]:
        """Count the contracts in which a principal is its own agency (Reading H)."""
        if not own.get(Item.AGENCY) or not role_is_ruled(self.policies):
            return {}
        counts = {item: sum(c.agency == key for c in own.get(item, ())) for item in PRINCIPALS}
        return {item: count for item, count in counts.items() if count}

    def _item(
        self,
        party: Party,
        item: Item,
        contracts: Sequence[RegisteredContract],
        elsewhere: frozenset[Item],
    ) -> ItemResult:
        situations = [self._situation(party, contract, elsewhere) for contract in contracts]
        compared = [
            self._policy(party, policy, terms, contracts, situations)
            for policy in self.policies
            if (terms := policy.terms_for(item)) is not None
        ]
        best = prevailing([result.amount_fen for result in compared])
        paying = None if best is None else compared[best]
        return ItemResult(self.year, party, item, tuple(contracts), tuple(compared), paying)

    def _policy(
        self,
        party: Party,
        policy: Policy,
        terms: ItemTerms,
        contracts: Sequence[RegisteredContract],
        situations: Sequence[Situation],
    ) -> PolicyResult:
        judged = self._judged.setdefault((id(policy), terms.item), {})
        parts = []
        sums: dict[str, int] = defaultdict(int)
        for contract, situation in zip(contracts, situations, strict=True):
            ruling = judged.get(situation)
            if ruling is None:
                ruling = judged[situation] = judge(policy, terms, situation)
            group, reasons = ruling
            if reasons or group is None:
                parts.append(ContractPart(contract, group, Fen(0), reasons))
                continue
            base = contract.base(group.base)
            deducted = Fen(0)
            if terms.added_value:
                # Only transfers have a deduction (Reading D).
                before = self.lookback.deductions.get(contract.contract_no, Fen(0))
                left = added_value(base, before)
                base, deducted = left, Fen(base - left)
            parts.append(ContractPart(contract, group, base, (), deducted))
            sums[group.key] += base
        found = weigh(party, terms, self.year, sums)
        return PolicyResult(
            policy,
            terms,
            tuple(parts),
            found.groups,
            found.obstacles,
            found.would_be_fen,
            found.amount_fen,
        )

    def _situation(
        self, party: Party, contract: RegisteredContract, elsewhere: frozenset[Item]
    ) -> Situation:
        """Describe a contract as one of its parties has it; most are the same for all of them."""
        shared = self._situations.get(contract.contract_no)
        if shared is None:
            seller = self.parties[contract.seller]
            shared = Situation(
                contract_type=contract.contract_type,
                # The era's first day is as good, and makes few situations of many contracts.
                registered_on=self.eras[bisect_right(self.eras, contract.registered_on) - 1],
                fiscal_funds=contract.fiscal_funds,
                seller_kind=seller.kind,
                seller_in_city=seller.in_city,
                buyer_in_city=self.parties[contract.buyer].in_city,
                activity_repeated=contract.contract_no in self.lookback.not_first,
                filed=False,
            )
            self._situations[contract.contract_no] = shared
        filed = bool(party.filings) and any(
            filing.covers(contract.registered_on) for filing in party.filings
        )
        in_other_role = contract.agency == party.key and any(
            contract.holder(principal) == party.key for principal in elsewhere
        )
        if not filed and not in_other_role:
            return shared
        return shared._replace(filed=filed, in_other_role=in_other_role)


def prepare(
    year: int,
    *,
    parties: Mapping[str, Party],
    contracts: Iterable[RegisteredContract],
    policies: Iterable[Policy],
) -> Calculation:
    """Sort the contracts of a year by who stands in which role.

    ``contracts`` may hold other years, which only the look-back reads.
    """
    listed = contracts if isinstance(contracts, Sequence) else list(contracts)
    held: dict[str, dict[Item, list[RegisteredContract]]] = {}
    of_year = (c for c in listed if c.registered_on.year == year)  # Reading F
    for contract in sorted(of_year, key=lambda c: c.order):
        for item in Item:
            holder = contract.holder(item)
            if holder is not None:
                held.setdefault(holder, {}).setdefault(item, []).append(contract)
    ordered = tuple(sorted(policies, key=lambda policy: policy.issued_order))
    return Calculation(year, parties, ordered, look_back(listed), held, eras_of(year, ordered))


@dataclass(frozen=True, slots=True)
class Scaling:
    """A year's amounts brought within its budget by one factor, each floored to the fen."""

    factor: Fraction
    amounts: tuple[Fen, ...]


def scale_to_budget(amounts: Sequence[Fen], budget: Fen) -> Scaling:
    """Scale all amounts by the same factor where together they exceed the budget."""
    total = sum(amounts)
    if total <= budget:
        return Scaling(Fraction(1), tuple(amounts))
    factor = Fraction(budget, total)
    return Scaling(factor, tuple(Fen(int(amount * factor)) for amount in amounts))
