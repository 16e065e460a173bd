"""What the rules say of one contract, one organisation, one sum: the clauses themselves. Pure.

Readings A to K are marked where they work. The calculation of one organisation and the simulation
of a whole file both ask here, so that a clause is read in one place only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import NamedTuple, TypeVar

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen
from marketplace.subsidies.parameters import Acceptance, Group, ItemTerms, Policy
from marketplace.subsidies.trace_rules import GroupSum, Party
from marketplace.subsidies.word_rules import Item, Obstacle, PartyKind, Reason

PRINCIPALS = (Item.SELLER, Item.BUYER)

Found = TypeVar("Found")


class Situation(NamedTuple):
    """All that decides whether a contract counts for one of its parties; contracts alike in it
    are judged alike, whatever their amounts. ``registered_on`` may be any day of the same era.
    """

    contract_type: ContractType
    registered_on: date
    fiscal_funds: bool
    seller_kind: PartyKind | None
    seller_in_city: bool
    buyer_in_city: bool
    activity_repeated: bool
    filed: bool
    in_other_role: bool = False


def eras_of(year: int, policies: Iterable[Policy]) -> tuple[date, ...]:
    """Return the days of a year on which the set of documents in force changes, its first too.

    All days from one to the next are alike to Reading F.
    """
    turns = set()
    for policy in policies:
        turns.add(policy.in_force.since)
        if policy.in_force.until not in (None, date.max):
            turns.add(policy.in_force.until + timedelta(days=1))
    first = date(year, 1, 1)
    return tuple(sorted({first} | {day for day in turns if day.year == year}))


# A contract's group, and why it does not count.
Judgement = tuple[Group | None, tuple[Reason, ...]]


def judge(policy: Policy, terms: ItemTerms, situation: Situation) -> Judgement:
    """Return a contract's group and why it does not count, in the order reasons are given."""
    reasons: list[Reason] = []
    found = terms.group_for(situation.contract_type)
    if situation.fiscal_funds and policy.no_fiscal_funds:  # Reading C
        reasons.append(Reason.FISCAL_FUNDS)
    if terms.one_activity_once and situation.activity_repeated:  # Reading E
        reasons.append(Reason.ACTIVITY_ALREADY_COUNTED)
    if found is None:
        reasons.append(Reason.TYPE_NOT_COVERED)
    else:
        reasons.extend(_refused(situation, found[1]))
    if terms.filing_required and not situation.filed:  # Reading J
        reasons.append(Reason.NOT_FILED)
    if not policy.in_force.covers(situation.registered_on):  # Reading F
        reasons.append(Reason.POLICY_NOT_IN_FORCE)
    if situation.in_other_role:  # Reading H
        reasons.append(Reason.COUNTED_IN_OTHER_ROLE)
    return (found[0] if found else None), tuple(reasons)


def _refused(situation: Situation, acceptance: Acceptance) -> Iterator[Reason]:
    if (acceptance.seller_in_city and not situation.seller_in_city) or (
        acceptance.buyer_in_city and not situation.buyer_in_city
    ):  # Reading A
        yield Reason.NOT_IN_CITY
    # Reading B
    if acceptance.seller_kinds and situation.seller_kind not in acceptance.seller_kinds:
        yield Reason.SELLER_NOT_ELIGIBLE


def added_value(base: Fen, deduction: Fen) -> Fen:
    """Return what a later transfer adds to the highest earlier one, not below zero (Reading D)."""
    return Fen(base - min(base, deduction))


def obstacles_of(party: Party, terms: ItemTerms, year: int) -> Iterator[Obstacle]:
    """List what bars an organisation as such from an item in a year."""
    wanted = terms.claimant
    if wanted.in_city and not party.in_city:  # Reading A
        yield Obstacle.NOT_IN_CITY
    if wanted.kinds and party.kind not in wanted.kinds:  # Reading K
        yield Obstacle.KIND_NOT_ELIGIBLE
    if wanted.sme and not party.sme:
        yield Obstacle.NOT_SME
    if any(record.period.covers(date(year, 12, 31)) for record in party.dishonesty):  # Reading I
        yield Obstacle.DISHONEST


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a document makes of an organisation's sums for one item."""

    groups: tuple[GroupSum, ...]
    obstacles: tuple[Obstacle, ...]
    would_be_fen: Fen
    amount_fen: Fen


def weigh(party: Party, terms: ItemTerms, year: int, sums: Mapping[str, int]) -> Weighed:
    """Apply rate, cap, threshold and what bars the organisation to the bases by group key."""
    groups = []
    for group in terms.groups:
        base = Fen(sums.get(group.key, 0))
        groups.append(GroupSum(group, base, rated(group, base), payable(group, base)))
    would_be = Fen(sum(group.amount_fen for group in groups))
    obstacles = tuple(all_obstacles(party, terms, year, sum(sums.values())))
    return Weighed(tuple(groups), obstacles, would_be, Fen(0) if obstacles else would_be)


def all_obstacles(party: Party, terms: ItemTerms, year: int, total: int) -> Iterator[Obstacle]:
    """List what bars an organisation whose counted bases make ``total``; a threshold is within."""
    yield from obstacles_of(party, terms, year)
    if terms.threshold is not None and total < terms.threshold:
        yield Obstacle.BELOW_THRESHOLD


def rated(group: Group, base: Fen) -> Fen:
    """Return rate × base, floored to the fen."""
    return Fen(base * group.rate.numerator // group.rate.denominator)


def payable(group: Group, base: Fen) -> Fen:
    """Return rate × base, floored to the fen, up to the yearly cap."""
    return min(rated(group, base), group.cap)


def prevailing(amounts: Sequence[Fen]) -> int | None:
    """Return which of several documents pays, given oldest first: the highest amount (Reading G).

    Of equal amounts the later document pays; None where no document gives anything.
    """
    best: int | None = None
    for place, amount in enumerate(amounts):
        if amount > 0 and (best is None or amount >= amounts[best]):
            best = place
    return best


def role_is_ruled(policies: Sequence[Policy]) -> bool:
    """Tell whether one role per contract can matter: a document rules it and pays agencies."""
    return any(p.one_role_per_contract and p.terms_for(Item.AGENCY) for p in policies)


def best_assignment(
    shared: Mapping[Item, int],
    bound: Mapping[Item, Item],
    compute: Callable[[Mapping[Item, Item]], tuple[Found, int]],
) -> Found:
    """Return what the best assignment of roles finds (Reading H).

    ``shared`` counts, by principal's item, the contracts in which that principal is also the
    agency; ``compute`` finds what an assignment gives and its total. ``bound`` fixes choices.
    """
    choices = [[bound[item]] if item in bound else [item, Item.AGENCY] for item in shared]
    ways = [dict(zip(shared, roles, strict=True)) for roles in product(*choices)]
    if len(ways) == 1:
        return compute(ways[0])[0]

    def rank(way: tuple[Mapping[Item, Item], tuple[Found, int]]) -> tuple[int, int]:
        assignment, (_, total) = way
        as_principal = sum(shared[item] for item, role in assignment.items() if role is item)
        return total, as_principal

    # max keeps the first of equals, and the principal's choices stand first.
    return max(((way, compute(way)) for way in ways), key=rank)[1][0]


def counted_elsewhere(item: Item, assignment: Mapping[Item, Item]) -> frozenset[Item]:
    """Return the principal's items whose shared contracts do not count under ``item``."""
    if item is Item.AGENCY:
        return frozenset(p for p, role in assignment.items() if role is p)
    return frozenset({item}) if assignment.get(item) is Item.AGENCY else frozenset()
