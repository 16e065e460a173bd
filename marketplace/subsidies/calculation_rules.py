"""The calculation: contracts of a year in, one result per organisation and item out, exact.

Pure. Readings A to K of the rules are marked where they work. Every result keeps its whole trace,
from which ``explanation`` writes the sentences and the claim keeps its record.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import product

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen
from marketplace.subsidies.parameters import Acceptance, Group, ItemTerms, Policy
from marketplace.subsidies.word_rules import Base, Item, Obstacle, PartyKind, Reason

_PRINCIPALS = (Item.SELLER, Item.BUYER)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, both included; None is an open end (Reading K)."""

    since: date | None
    until: date | None

    def covers(self, day: date) -> bool:
        """Tell whether a day lies within."""
        return (self.since is None or self.since <= day) and (
            self.until is None or day <= self.until
        )


@dataclass(frozen=True, slots=True)
class Dishonesty:
    """A recorded period of dishonesty and why it was recorded."""

    period: Period
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """What the rules ask of an organisation; ``kind`` None is one the rules have no word for."""

    key: str
    name: str
    kind: PartyKind | None
    in_city: bool
    sme: bool
    filings: tuple[Period, ...] = ()
    dishonesty: tuple[Dishonesty, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisteredContract:
    """The facts of a contract as they were fixed by its registration; amounts in fen."""

    contract_no: str
    contract_type: ContractType
    registered_on: date
    amount_fen: Fen
    technology_amount_fen: Fen | None
    tax_exempt_amount_fen: Fen | None
    seller: str
    buyer: str
    agency: str | None
    registrar: str | None
    project_id: str = ""
    activity_id: str = ""
    fiscal_funds: bool = False

    @property
    def order(self) -> tuple[date, str]:
        """Return what "earlier" means: by date, then by contract number (Readings D, E)."""
        return self.registered_on, self.contract_no

    def base(self, base: Base) -> Fen:
        """Return the amount a rate is applied to; what the tax office did not record is nothing."""
        if base is Base.AMOUNT:
            return self.amount_fen
        if base is Base.TECHNOLOGY_AMOUNT:
            return self.technology_amount_fen or Fen(0)
        return self.tax_exempt_amount_fen or Fen(0)

    def holder(self, item: Item) -> str | None:
        """Return the organisation that stands in an item's role."""
        if item is Item.SELLER:
            return self.seller
        if item is Item.BUYER:
            return self.buyer
        return self.agency if item is Item.AGENCY else self.registrar


@dataclass(frozen=True, slots=True)
class ContractPart:
    """What one contract contributes under one document, and why nothing where it does not count."""

    contract: RegisteredContract
    group: Group | None
    base_fen: Fen
    reasons: tuple[Reason, ...]
    deducted_fen: Fen = Fen(0)

    @property
    def counted(self) -> bool:
        """Tell whether it counts."""
        return not self.reasons

    @property
    def reason(self) -> Reason | None:
        """Return the reason that is given first."""
        return self.reasons[0] if self.reasons else None


@dataclass(frozen=True, slots=True)
class GroupSum:
    """A group's base, what the rate makes of it, and what the cap leaves."""

    group: Group
    base_fen: Fen
    uncapped_fen: Fen
    amount_fen: Fen

    @property
    def capped(self) -> bool:
        """Tell whether the cap cuts the amount."""
        return self.amount_fen < self.uncapped_fen


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """What one document gives an organisation for one item in a year."""

    policy: Policy
    terms: ItemTerms
    parts: tuple[ContractPart, ...]
    groups: tuple[GroupSum, ...]
    obstacles: tuple[Obstacle, ...]
    would_be_fen: Fen
    amount_fen: Fen

    @property
    def counted_base_fen(self) -> Fen:
        """Return the sum of the bases, which the threshold is compared with."""
        return Fen(sum(group.base_fen for group in self.groups))


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One organisation's item in a year: every document compared and the one that pays."""

    year: int
    party: Party
    item: Item
    contracts: tuple[RegisteredContract, ...]
    compared: tuple[PolicyResult, ...]
    paying: PolicyResult | None

    @property
    def amount_fen(self) -> Fen:
        """Return what is paid."""
        return self.paying.amount_fen if self.paying else Fen(0)


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

    def results_of(
        self, key: str, *, bound: Mapping[Item, Item] | None = None
    ) -> dict[Item, ItemResult]:
        """Compute every item of one organisation, in the assignment of roles that earns it most.

        ``bound`` fixes assignments that an earlier claim has already used: the principal's item
        to itself or to ``Item.AGENCY`` (Reading H).
        """
        party, own = self.parties[key], self.held.get(key, {})
        shared = self._shared(key, own)
        best: dict[Item, ItemResult] = {}
        best_rank: tuple[int, int] | None = None
        for assignment in _assignments(shared, bound or {}):
            results = {
                item: self._item(party, item, own[item], self._elsewhere(key, item, assignment))
                for item in Item
                if own.get(item)
            }
            as_principal = sum(
                len(shared[item]) for item, role in assignment.items() if role is item
            )
            total = sum(result.amount_fen for result in results.values())
            if best_rank is None or (total, as_principal) > best_rank:
                best, best_rank = results, (total, as_principal)
        return best

    def results(self) -> Iterator[ItemResult]:
        """Compute every organisation's items, by organisation key and then by item name."""
        for key in sorted(self.held):
            results = self.results_of(key)
            yield from (results[item] for item in sorted(results, key=str))

    def _shared(
        self, key: str, own: Mapping[Item, Sequence[RegisteredContract]]
    ) -> dict[Item, list[RegisteredContract]]:
        """Group the contracts in which a principal is its own agency (Reading H)."""
        ruled = any(
            policy.one_role_per_contract and policy.terms_for(Item.AGENCY)
            for policy in self.policies
        )
        if not ruled or not own.get(Item.AGENCY):
            return {}
        groups = {item: [c for c in own.get(item, ()) if c.agency == key] for item in _PRINCIPALS}
        return {item: contracts for item, contracts in groups.items() if contracts}

    @staticmethod
    def _elsewhere(key: str, item: Item, assignment: Mapping[Item, Item]) -> frozenset[Item]:
        """Return the principal's items whose shared contracts do not count under ``item``."""
        if item is Item.AGENCY:
            return frozenset(p for p, role in assignment.items() if role is p)
        return frozenset({item}) if assignment.get(item) is Item.AGENCY else frozenset()

    def _item(
        self,
        party: Party,
        item: Item,
        contracts: Sequence[RegisteredContract],
        elsewhere: frozenset[Item],
    ) -> ItemResult:
        compared = [
            self._policy(party, policy, terms, contracts, elsewhere)
            for policy in self.policies
            if (terms := policy.terms_for(item)) is not None
        ]
        # Reading G: the highest amount; policies stand oldest first, so ">=" prefers the later.
        paying: PolicyResult | None = None
        for result in compared:
            if result.amount_fen > 0 and (paying is None or result.amount_fen >= paying.amount_fen):
                paying = result
        return ItemResult(self.year, party, item, tuple(contracts), tuple(compared), paying)

    def _policy(
        self,
        party: Party,
        policy: Policy,
        terms: ItemTerms,
        contracts: Sequence[RegisteredContract],
        elsewhere: frozenset[Item],
    ) -> PolicyResult:
        parts = tuple(self._part(party, policy, terms, c, elsewhere) for c in contracts)
        sums: dict[str, int] = defaultdict(int)
        for part in parts:
            if part.group is not None and part.counted:
                sums[part.group.key] += part.base_fen
        groups = tuple(_sum(group, Fen(sums[group.key])) for group in terms.groups)
        would_be = Fen(sum(group.amount_fen for group in groups))
        obstacles = list(obstacles_of(party, terms, self.year))
        if terms.threshold is not None and sum(sums.values()) < terms.threshold:
            obstacles.append(Obstacle.BELOW_THRESHOLD)
        return PolicyResult(
            policy,
            terms,
            parts,
            groups,
            tuple(obstacles),
            would_be,
            Fen(0) if obstacles else would_be,
        )

    def _part(
        self,
        party: Party,
        policy: Policy,
        terms: ItemTerms,
        contract: RegisteredContract,
        elsewhere: frozenset[Item],
    ) -> ContractPart:
        reasons: list[Reason] = []
        found = terms.group_for(contract.contract_type)
        group = found[0] if found else None
        if contract.fiscal_funds and policy.no_fiscal_funds:  # Reading C
            reasons.append(Reason.FISCAL_FUNDS)
        if terms.one_activity_once and contract.contract_no in self.lookback.not_first:  # E
            reasons.append(Reason.ACTIVITY_ALREADY_COUNTED)
        if found is None:
            reasons.append(Reason.TYPE_NOT_COVERED)
        else:
            reasons.extend(self._refused(contract, found[1]))
        if terms.filing_required and not any(
            filing.covers(contract.registered_on) for filing in party.filings
        ):  # Reading J
            reasons.append(Reason.NOT_FILED)
        if not policy.in_force.covers(contract.registered_on):  # Reading F
            reasons.append(Reason.POLICY_NOT_IN_FORCE)
        if contract.agency == party.key and any(
            contract.holder(principal) == party.key for principal in elsewhere
        ):  # Reading H
            reasons.append(Reason.COUNTED_IN_OTHER_ROLE)
        if reasons or group is None:
            return ContractPart(contract, group, Fen(0), tuple(reasons))
        base = contract.base(group.base)
        deducted = Fen(0)
        if terms.added_value:  # Reading D; only transfers have a deduction
            deducted = self.lookback.deductions.get(contract.contract_no, Fen(0))
            deducted = min(deducted, base)
        return ContractPart(contract, group, Fen(base - deducted), (), deducted)

    def _refused(self, contract: RegisteredContract, acceptance: Acceptance) -> Iterator[Reason]:
        seller = self.parties[contract.seller]
        if (acceptance.seller_in_city and not seller.in_city) or (
            acceptance.buyer_in_city and not self.parties[contract.buyer].in_city
        ):
            yield Reason.NOT_IN_CITY
        if acceptance.seller_kinds and seller.kind not in acceptance.seller_kinds:
            yield Reason.SELLER_NOT_ELIGIBLE


def prepare(
    year: int,
    *,
    parties: Mapping[str, Party],
    contracts: Iterable[RegisteredContract],
    policies: Iterable[Policy],
    lookback: Lookback | None = None,
) -> Calculation:
    """Sort the contracts of a year by who stands in which role.

    ``contracts`` may hold other years, which only the look-back reads; pass ``lookback`` when it
    was made from more contracts than these.
    """
    listed = contracts if isinstance(contracts, Sequence) else list(contracts)
    held: dict[str, dict[Item, list[RegisteredContract]]] = {}
    for contract in listed:
        if contract.registered_on.year != year:  # Reading F
            continue
        for item in Item:
            holder = contract.holder(item)
            if holder is not None:
                held.setdefault(holder, {}).setdefault(item, []).append(contract)
    for roles in held.values():
        for role in roles.values():
            role.sort(key=lambda contract: contract.order)
    ordered = tuple(sorted(policies, key=lambda policy: policy.issued_order))
    return Calculation(year, parties, ordered, lookback or look_back(listed), held)


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


def _assignments(
    shared: Mapping[Item, Sequence[RegisteredContract]], bound: Mapping[Item, Item]
) -> Iterator[dict[Item, Item]]:
    """List the ways to assign shared contracts: a principal's go to itself or to the agency."""
    choices = [[bound[item]] if item in bound else [item, Item.AGENCY] for item in shared]
    for roles in product(*choices):
        yield dict(zip(shared, roles, strict=True))


def _sum(group: Group, base: Fen) -> GroupSum:
    uncapped = Fen(int(group.rate * base))  # a positive fraction: int() floors to the fen
    return GroupSum(group, base, uncapped, min(uncapped, group.cap))


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
