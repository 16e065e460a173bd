"""What happened: the register of brokers and agencies: requests, filings, ratings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class BrokerProfileChanged(Event):
    """A broker changed his entry in the register, or the operator confirmed it."""

    user_id: int


@dataclass(frozen=True, kw_only=True)
class ContactRequested(Event):
    """An organisation asked a broker to get in touch."""

    request_id: int
    organisation_id: int
    broker_user_id: int
    subject: str


@dataclass(frozen=True, kw_only=True)
class ContactAnswered(Event):
    """The broker took up an organisation's request or declined it with a reason."""

    request_id: int
    organisation_id: int
    broker_user_id: int
    accepted: bool
    answer: str
    deal_id: int | None


@dataclass(frozen=True, kw_only=True)
class FilingApplied(Event):
    """An agency applied for its filing (备案)."""

    filing_id: int
    organisation_id: int


@dataclass(frozen=True, kw_only=True)
class FilingApproved(Event):
    """An agency is filed from ``valid_from`` to ``valid_to``, both included."""

    filing_id: int
    organisation_id: int
    valid_from: date
    valid_to: date


@dataclass(frozen=True, kw_only=True)
class FilingDeclined(Event):
    """The operator declined an agency's filing."""

    filing_id: int
    organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class FilingEnded(Event):
    """An agency's filing ended before its time; contracts registered later count no longer."""

    organisation_id: int
    ended_on: date
    reason: str


@dataclass(frozen=True, kw_only=True)
class BrokerRated(Event):
    """A party of a registered contract rated its broker."""

    rating_id: int
    broker_user_id: int
    contract_no: str
    words_wait: bool


@dataclass(frozen=True, kw_only=True)
class RatingWordsDecided(Event):
    """The operator showed the words of a rating or kept them back; ``outcome`` says which."""

    rating_id: int
    organisation_id: int
    contract_no: str
    shown: bool
    outcome: str


@dataclass(frozen=True, kw_only=True)
class RatingAnswered(Event):
    """A broker answered the words of a rating."""

    rating_id: int
    organisation_id: int
    broker_user_id: int
    answer: str
