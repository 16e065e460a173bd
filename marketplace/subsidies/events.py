"""What happened to subsidy rounds and claims; enumerations travel by value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class RoundOpened(Event):
    """The bureau announced that a year's subsidies may be applied for."""

    round_id: int
    year: int
    title: str
    opens_on: date
    closes_on: date
    budget_fen: int


@dataclass(frozen=True, kw_only=True)
class ClaimApplied(Event):
    """An organisation applied, or applied again after a correction; ``item`` is an ``Item``."""

    claim_id: int
    number: str
    organisation_id: int
    item: str
    year: int
    claimed_fen: int
    district: str | None
    reapplied: bool
    due_on: date


@dataclass(frozen=True, kw_only=True)
class ClaimReviewed(Event):
    """A reviewer let a claim pass a ``ReviewStep``; it now stands at ``status``."""

    claim_id: int
    number: str
    organisation_id: int
    item: str
    year: int
    step: str
    status: str
    due_on: date | None


@dataclass(frozen=True, kw_only=True)
class ClaimPublicised(Event):
    """A claim's amount stands before the public."""

    claim_id: int
    number: str
    organisation_id: int
    payable_fen: int
    publicity_id: int


@dataclass(frozen=True, kw_only=True)
class ClaimReturned(Event):
    """A claim went back to its applicant with what is to be corrected."""

    claim_id: int
    number: str
    organisation_id: int
    item: str
    year: int
    reason: str
    due_on: date


@dataclass(frozen=True, kw_only=True)
class ClaimRefused(Event):
    """A claim was refused for good."""

    claim_id: int
    number: str
    organisation_id: int
    item: str
    year: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class ClaimApproved(Event):
    """A claim stood its publicity and waits for payment."""

    claim_id: int
    number: str
    organisation_id: int
    item: str
    year: int
    payable_fen: int


@dataclass(frozen=True, kw_only=True)
class ClaimPaid(Event):
    """The finance bureau paid a claim."""

    claim_id: int
    number: str
    organisation_id: int
    item: str
    year: int
    amount_fen: int
    reference: str


@dataclass(frozen=True, kw_only=True)
class ClaimDue(Event):
    """A claim's deadline is near, or ``overdue``; ``status`` says who holds it.

    ``listed`` tells that an approved claim stands on a payment list already.
    """

    claim_id: int
    number: str
    organisation_id: int
    item: str
    year: int
    status: str
    due_on: date
    overdue: bool
    district: str | None
    listed: bool


@dataclass(frozen=True, kw_only=True)
class ClaimClawedBack(Event):
    """A paid amount is to be given back; ``recorded`` tells that the integrity record says so."""

    claim_id: int
    number: str
    organisation_id: int
    amount_fen: int
    reason: str
    due_on: date
    recorded: bool


@dataclass(frozen=True, kw_only=True)
class ClawBackReceived(Event):
    """The amount that was clawed back has arrived."""

    claim_id: int
    number: str
    organisation_id: int
    amount_fen: int
    reference: str
