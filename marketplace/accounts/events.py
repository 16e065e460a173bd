"""What happens to organisations and members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class OrganisationRegistered(Event):
    """An organisation asked to be verified."""

    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class OrganisationVerified(Event):
    """The operator verified an organisation."""

    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class OrganisationRejected(Event):
    """The operator refused to verify an organisation, with a reason."""

    organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class OrganisationChanged(Event):
    """An organisation's public data changed."""

    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class MemberInvited(Event):
    """Somebody was invited; the link itself is never in an event."""

    organisation_id: int
    email: str


@dataclass(frozen=True, kw_only=True)
class MemberChanged(Event):
    """A member joined, left or changed roles."""

    organisation_id: int
    user_id: int


@dataclass(frozen=True, kw_only=True)
class SecondFactorChanged(Event):
    """A person's second factor was turned on, off, or reset by two operators."""

    user_id: int
    enrolled: bool
    changed_at: datetime  # tells two changes of one kind apart


@dataclass(frozen=True, kw_only=True)
class ConsentWithdrawn(Event):
    """A person took back the consent to one use of personal data."""

    user_id: int
    purpose: str
    recipient: str
    withdrawn_at: datetime  # tells two withdrawals of one consent apart


@dataclass(frozen=True, kw_only=True)
class OrganisationSuspended(Event):
    """The operator suspended an organisation, with a reason; its open objects end or wait."""

    organisation_id: int
    reason: str
    suspended_at: datetime  # tells two suspensions of one organisation apart


@dataclass(frozen=True, kw_only=True)
class OrganisationResumed(Event):
    """The operator let a suspended organisation act again."""

    organisation_id: int
    resumed_at: datetime
