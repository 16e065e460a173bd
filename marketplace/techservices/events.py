"""What happened to service orders and meetings; ``kind`` is a ``ServiceKind`` by value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class OrderRequested(Event):
    """A member asked a provider for a service."""

    order_id: int
    number: str
    kind: str
    title: str
    customer_organisation_id: int
    provider_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class OrderWithdrawn(Event):
    """The customer took a request back before it was answered."""

    order_id: int
    number: str
    kind: str
    title: str
    customer_organisation_id: int
    provider_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class OrderAccepted(Event):
    """The provider took an order at a price and for a day."""

    order_id: int
    number: str
    kind: str
    title: str
    customer_organisation_id: int
    provider_organisation_id: int
    fee_fen: int
    voucher_fen: int
    due_on: date


@dataclass(frozen=True, kw_only=True)
class OrderDeclined(Event):
    """The provider declined an order, with its reason."""

    order_id: int
    number: str
    kind: str
    title: str
    customer_organisation_id: int
    provider_organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderProgressed(Event):
    """The provider began or reported a step; ``note`` says which."""

    order_id: int
    number: str
    kind: str
    title: str
    customer_organisation_id: int
    provider_organisation_id: int
    note: str


@dataclass(frozen=True, kw_only=True)
class OrderDelivered(Event):
    """The provider delivered; the customer confirms."""

    order_id: int
    number: str
    kind: str
    title: str
    customer_organisation_id: int
    provider_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class OrderConfirmed(Event):
    """The customer confirmed the delivery and recorded what was paid."""

    order_id: int
    number: str
    kind: str
    title: str
    customer_organisation_id: int
    provider_organisation_id: int
    paid_fen: int
    voucher_fen: int
    confirmed_on: date


@dataclass(frozen=True, kw_only=True)
class MeetingAnnounced(Event):
    """A matchmaking meeting, a roadshow or a training is open for sign-up."""

    meeting_id: int
    kind: str
    title: str
    organiser_organisation_id: int
    starts_at: datetime


@dataclass(frozen=True, kw_only=True)
class MeetingCancelled(Event):
    """A meeting will not take place."""

    meeting_id: int
    title: str
    organiser_organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class MeetingSignedUp(Event):
    """Somebody will attend a meeting."""

    meeting_id: int
    title: str
    organiser_organisation_id: int
    user_id: int
    organisation_id: int | None
    starts_at: datetime


@dataclass(frozen=True, kw_only=True)
class MeetingCheckedIn(Event):
    """Somebody was there."""

    meeting_id: int
    title: str
    organiser_organisation_id: int
    user_id: int
    organisation_id: int | None
