"""What happened: introductions, agreements, data rooms, commission and disputes about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.outbox import Event


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
    """A broker's part of an agreed commission is due, by the contract or by its payment."""

    commission_id: int
    deal_id: int
    title: str
    amount_fen: int
    payer_organisation_id: int
    agency_organisation_id: int | None
    broker_user_id: int
    contract_no: str


@dataclass(frozen=True, kw_only=True)
class ContractRecognised(Event):
    """A registered contract was put down to an introduction, or is to be checked for it.

    ``ground`` is a ``RecognitionGround``, ``state`` a ``RecognitionState`` by value.
    """

    introduction_id: int
    deal_id: int | None
    subject_title: str
    contract_no: str
    ground: str
    state: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class DisputeOpened(Event):
    """A dispute about an introduction was raised; ``ground`` is a ``DisputeGround`` by value."""

    dispute_id: int
    deal_id: int
    subject_title: str
    ground: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class DisputeDecided(Event):
    """A dispute ended; ``state`` is a ``DisputeState`` by value."""

    dispute_id: int
    deal_id: int
    subject_title: str
    state: str
    reason: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class ExpenseClaimed(Event):
    """A broker asked one side for his necessary expenses of a deal without a contract."""

    expense_id: int
    deal_id: int
    title: str
    amount_fen: int
    payer_organisation_id: int
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class RoomFilled(Event):
    """The owner put files into the data room of a deal."""

    deal_id: int
    title: str
    seller_organisation_id: int
    buyer_organisation_id: int
    file_count: int


@dataclass(frozen=True, kw_only=True)
class RoomClosed(Event):
    """The owner closed the data room of a deal."""

    deal_id: int
    title: str
    seller_organisation_id: int
    buyer_organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class RoomLinkIssued(Event):
    """The owner gave one member of the buyer a personal link to a file."""

    deal_id: int
    title: str
    file_name: str
    seller_organisation_id: int
    reader_user_id: int
    valid_to: date
