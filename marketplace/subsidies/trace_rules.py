"""What a calculation reads and leaves behind: parties, contracts, and the trace of every result.

Pure values. The trace is complete, so that the explanation needs nothing else and a claim can keep
it as its record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from marketplace.contracts.rules import ContractType
from marketplace.foundation.money import Fen
from marketplace.subsidies.parameters import Group, ItemTerms, Policy
from marketplace.subsidies.word_rules import Base, Item, Obstacle, PartyKind, Reason


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


class ContractPart(NamedTuple):
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
