"""The rules applied to a file of contracts: alike contracts are judged once, then only sums count.

Pure. A contract's verdict depends on its situation and not on its amounts, and a large file holds a
few hundred different situations. ``Plan.verdicts`` judges each of them under every document;
``Plan.lines_of`` makes an organisation's lines from sums of the contracts that were judged alike.
The clauses themselves stand in ``verdict_rules``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from marketplace.foundation.money import Fen
from marketplace.subsidies.parameters import Group, ItemTerms, Policy
from marketplace.subsidies.trace_rules import Party
from marketplace.subsidies.verdict_rules import (
    Situation,
    all_obstacles,
    best_assignment,
    counted_elsewhere,
    eras_of,
    judge,
    obstacles_of,
    payable,
    prevailing,
    role_is_ruled,
)
from marketplace.subsidies.word_rules import Base, Item, Reason


@dataclass(frozen=True, slots=True, order=True)
class Measure:
    """An amount of a contract that can be a base, whole or as added value (Reading D)."""

    base: Base
    added: bool


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one document says of alike contracts; ``reason`` is None where they count."""

    group: Group | None
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the documents of an item say of alike contracts, oldest document first."""

    rulings: tuple[Ruling, ...]


class AlikeSum(NamedTuple):
    """Contracts of one organisation and item that were judged alike, with their summed bases.

    ``own_seller`` and ``own_buyer`` tell whether the contracts' agency is their seller or buyer;
    ``sums`` follow ``Plan.measures``.
    """

    verdict: int
    own_seller: bool
    own_buyer: bool
    contract_count: int
    sums: tuple[int, ...]


class Counting(NamedTuple):
    """Where the sums of alike contracts go: a document's group, and which measure it takes."""

    place: int
    group: str
    measure: int


@dataclass(frozen=True, slots=True)
class Line:
    """One organisation's item that pays; contracts of ``elsewhere`` count in another role."""

    key: str
    item: Item
    policy: Policy
    place: int
    amount_fen: Fen
    elsewhere: frozenset[Item]


@dataclass(frozen=True, slots=True)
class Plan:
    """The documents of one year by item, oldest first; build it with ``plan_for``."""

    year: int
    terms: Mapping[Item, tuple[tuple[Policy, ItemTerms], ...]]
    measures: tuple[Measure, ...]
    eras: tuple[date, ...]
    roles_ruled: bool

    def verdict(self, item: Item, situation: Situation) -> Verdict:
        """Judge a situation under each of an item's documents."""
        rulings = []
        for policy, terms in self.terms[item]:
            group, reasons = judge(policy, terms, situation)
            rulings.append(Ruling(group, reasons[0] if reasons else None))
        return Verdict(tuple(rulings))

    def measure_of(self, item: Item, place: int, group: Group) -> int:
        """Return which of the measures a group sums."""
        _, terms = self.terms[item][place]
        return self.measures.index(Measure(group.base, terms.added_value))

    def may_earn(self, party: Party, item: Item) -> bool:
        """Tell whether any document's item is open to an organisation as such."""
        return any(not any(obstacles_of(party, t, self.year)) for _, t in self.terms[item])

    def counting(self, item: Item, verdict: Verdict) -> tuple[Counting, ...]:
        """Say where the sums of contracts with a verdict go: to each document that counts them."""
        return tuple(
            Counting(place, ruling.group.key, self.measure_of(item, place, ruling.group))
            for place, ruling in enumerate(verdict.rulings)
            if ruling.group is not None and ruling.reason is None
        )

    def lines_of(
        self,
        party: Party,
        found: Mapping[Item, Sequence[AlikeSum]],
        countings: Mapping[Item, Sequence[tuple[Counting, ...]]],
    ) -> list[Line]:
        """Compute an organisation's lines from its sums, in the best assignment of roles.

        ``countings`` hold, by item and by the number of a verdict, what ``counting`` says.
        """

        def compute(assignment: Mapping[Item, Item]) -> tuple[list[Line], int]:
            lines = []
            for item, sums in found.items():
                elsewhere = counted_elsewhere(item, assignment)
                line = self._line(party, item, sums, countings[item], elsewhere)
                if line is not None:
                    lines.append(line)
            return lines, sum(line.amount_fen for line in lines)

        return best_assignment(self._shared(found), {}, compute)

    def _shared(self, found: Mapping[Item, Sequence[AlikeSum]]) -> dict[Item, int]:
        # A contract that an organisation brokered for itself is among the agency's too.
        brokered = found.get(Item.AGENCY, ())
        if not brokered or not self.roles_ruled:
            return {}
        counts = (
            (Item.SELLER, sum(alike.contract_count for alike in brokered if alike.own_seller)),
            (Item.BUYER, sum(alike.contract_count for alike in brokered if alike.own_buyer)),
        )
        return {item: count for item, count in counts if count}

    def _line(
        self,
        party: Party,
        item: Item,
        found: Sequence[AlikeSum],
        countings: Sequence[tuple[Counting, ...]],
        elsewhere: frozenset[Item],
    ) -> Line | None:
        terms = self.terms[item]
        sums: list[dict[str, int]] = [{} for _ in terms]
        for alike in found:
            if not in_other_role(alike, elsewhere):
                for place, group, measure in countings[alike.verdict]:
                    own = sums[place]
                    own[group] = own.get(group, 0) + alike.sums[measure]
        amounts = [
            self._amount(party, terms[place][1], own) if own else Fen(0)
            for place, own in enumerate(sums)
        ]
        best = prevailing(amounts)
        if best is None:
            return None
        return Line(party.key, item, terms[best][0], best, amounts[best], elsewhere)

    def _amount(self, party: Party, terms: ItemTerms, sums: Mapping[str, int]) -> Fen:
        if any(all_obstacles(party, terms, self.year, sum(sums.values()))):
            return Fen(0)
        return Fen(sum(payable(group, Fen(sums.get(group.key, 0))) for group in terms.groups))


def in_other_role(alike: AlikeSum, elsewhere: frozenset[Item]) -> bool:
    """Tell whether alike contracts count for their holder in another role (Reading H)."""
    return (alike.own_seller and Item.SELLER in elsewhere) or (
        alike.own_buyer and Item.BUYER in elsewhere
    )


def plan_for(year: int, policies: Iterable[Policy]) -> Plan:
    """Order a year's documents by item and age, and list what has to be summed and told apart."""
    ordered = sorted(
        (policy for policy in policies if policy.in_force.touches(year)),
        key=lambda policy: policy.issued_order,
    )
    terms = {
        item: tuple((p, found) for p in ordered if (found := p.terms_for(item)) is not None)
        for item in Item
    }
    measures = {
        Measure(group.base, found.added_value)
        for listed in terms.values()
        for _, found in listed
        for group in found.groups
    }
    return Plan(
        year, terms, tuple(sorted(measures)), eras_of(year, ordered), role_is_ruled(ordered)
    )
