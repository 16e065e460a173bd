"""What happened in the brokers' trade: deals, introductions, agreements, commission, filing.

Enumerations travel by value: stages are ``DealStage``, reasons ``LostReason``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class DealOpened(Event):
    """A supply and a demand were paired."""

    deal_id: int
    title: str
    achievement_id: int | None
    need_id: int | None
    listing_id: int | None
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class DealStageChanged(Event):
    """A deal moved on; ``from_stage`` and ``to_stage`` are stages by value."""

    deal_id: int
    title: str
    from_stage: str
    to_stage: str
    achievement_id: int | None
    need_id: int | None
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class DealLost(Event):
    """A deal came to nothing; the reason goes back to the university and its inventors."""

    deal_id: int
    title: str
    stage: str
    reason_code: str
    reason: str
    achievement_id: int | None
    need_id: int | None
    listing_id: int | None
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class NoteShared(Event):
    """Somebody left a note on a deal that both parties and the broker may read."""

    deal_id: int
    title: str
    author_user_id: int | None
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class IntroductionRecorded(Event):
    """A broker introduced two parties to each other; the digest proves what and when."""

    introduction_id: int
    deal_id: int | None
    subject: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class IntroductionAcknowledged(Event):
    """One side acknowledged an introduction; ``complete`` once both have."""

    introduction_id: int
    deal_id: int | None
    subject: str
    organisation_id: int
    broker_user_id: int
    complete: bool


@dataclass(frozen=True, kw_only=True)
class AgreementAccepted(Event):
    """A buyer accepted the confidentiality agreement of one achievement."""

    agreement_id: int
    achievement_id: int
    deal_id: int | None
    seller_organisation_id: int
    buyer_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class AgreementRevoked(Event):
    """The achievement's owner closed the confidential layer for a buyer again."""

    agreement_id: int
    achievement_id: int
    seller_organisation_id: int
    buyer_organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class CommissionAgreed(Event):
    """The paying party confirmed the commission that the broker had proposed."""

    commission_id: int
    deal_id: int
    payer_organisation_id: int
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class CommissionDue(Event):
    """The deal's contract was registered, so the agreed commission is due."""

    commission_id: int
    deal_id: int
    title: str
    amount_fen: int
    payer_organisation_id: int
    agency_organisation_id: int | None
    broker_user_id: int
    contract_no: str


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
