"""What happened to money; ``purpose`` is a ``PaymentPurpose`` by value, amounts are fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class PaymentExpected(Event):
    """An organisation was asked to pay, by ``due_on`` where a day is set."""

    payment_id: int
    number: str
    purpose: str
    subject: str
    payer_organisation_id: int
    payee_organisation_id: int
    amount_fen: int
    due_on: date | None


@dataclass(frozen=True, kw_only=True)
class PaymentConfirmed(Event):
    """The whole amount arrived from the payer's own account."""

    payment_id: int
    number: str
    purpose: str
    subject: str
    payer_organisation_id: int
    payee_organisation_id: int
    amount_fen: int


@dataclass(frozen=True, kw_only=True)
class PaymentRefundRequested(Event):
    """A received amount is to go back, and waits for a second person."""

    payment_id: int
    number: str
    purpose: str
    subject: str
    payer_organisation_id: int
    amount_fen: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PaymentRefunded(Event):
    """A received amount went back, without interest, to the account it came from."""

    payment_id: int
    number: str
    purpose: str
    subject: str
    payer_organisation_id: int
    amount_fen: int


@dataclass(frozen=True, kw_only=True)
class PaymentForfeitRequested(Event):
    """A received amount is not to go back, for the reason given; a second person carries it out."""

    payment_id: int
    number: str
    purpose: str
    subject: str
    payer_organisation_id: int
    amount_fen: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class PaymentForfeited(Event):
    """A received amount was forfeited and paid out as the rules of trading say."""

    payment_id: int
    number: str
    purpose: str
    subject: str
    payer_organisation_id: int
    amount_fen: int


@dataclass(frozen=True, kw_only=True)
class PaymentCancelled(Event):
    """An expected payment is no longer wanted; nothing had arrived."""

    payment_id: int
    number: str
    purpose: str
    subject: str
    payer_organisation_id: int
    amount_fen: int
