"""What happened in the brokers' trade: deals, introductions, agreements, commission, filing.

Enumerations travel by value: stages are ``DealStage``, reasons ``LostReason``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

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
    """A deal moved on; ``from_stage`` and ``to_stage`` are stages by value.

    The labels name the steps of its pipeline as they were called then; of deals that moved before
    there were pipelines they are empty.
    """

    deal_id: int
    title: str
    from_stage: str
    to_stage: str
    achievement_id: int | None
    need_id: int | None
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None
    from_label: str = ""
    to_label: str = ""


@dataclass(frozen=True, kw_only=True)
class DealPipelineChanged(Event):
    """A deal goes on in another pipeline; its name and the step's label are those of the day."""

    deal_id: int
    title: str
    from_pipeline: str
    to_pipeline: str
    pipeline_name: str
    to_stage: str
    step_label: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class DealLost(Event):
    """A deal came to nothing; the reason goes back to the university and its inventors.

    ``advice`` is what a team can do about such a reason.
    """

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
    advice: str = ""


@dataclass(frozen=True, kw_only=True)
class DealMerged(Event):
    """A deal was merged into another of the same parties, which goes on for both."""

    deal_id: int
    title: str
    into_deal_id: int
    into_title: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class DealSplit(Event):
    """A part of a deal became a deal of its own."""

    deal_id: int
    title: str
    new_deal_id: int
    new_title: str
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


@dataclass(frozen=True, kw_only=True)
class AnswerOverdue(Event):
    """A buyer's message has waited so many working days; in the end the operator is told."""

    deal_id: int
    title: str
    organisation_id: int
    broker_user_id: int | None
    asked_on: date
    workdays: int
    to_operator: bool


@dataclass(frozen=True, kw_only=True)
class FeedbackDigested(Event):
    """A month of lost deals was summed up for a university.

    ``leading_reason`` is a ``LostReason`` by value, ``month`` is written ``2024-02``.
    """

    organisation_id: int
    month: str
    lost_count: int
    leading_reason: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class TalkProposed(Event):
    """A side of a deal proposed times for a meeting or a site visit."""

    talk_id: int
    deal_id: int
    title: str
    topic: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class TalkFixed(Event):
    """A meeting's time is fixed."""

    talk_id: int
    deal_id: int
    title: str
    topic: str
    starts_at: datetime
    place: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


@dataclass(frozen=True, kw_only=True)
class TalkCancelled(Event):
    """A meeting will not take place."""

    talk_id: int
    deal_id: int
    title: str
    topic: str
    reason: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None


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


@dataclass(frozen=True, kw_only=True)
class ProposalMade(Event):
    """A broker proposed a pair; only the sides that are asked are named."""

    proposal_id: int
    title: str
    need_title: str
    seller_organisation_id: int | None
    buyer_organisation_id: int | None
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class ProposalReminded(Event):
    """A proposal ends soon; only the sides that have not answered are named."""

    proposal_id: int
    title: str
    need_title: str
    valid_to: date
    seller_organisation_id: int | None
    buyer_organisation_id: int | None
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class ProposalLapsed(Event):
    """A proposal ended without all the answers; the sides that gave none are named."""

    proposal_id: int
    title: str
    need_title: str
    valid_to: date
    seller_organisation_id: int | None
    buyer_organisation_id: int | None
    broker_user_id: int


@dataclass(frozen=True, kw_only=True)
class ProposalAnswered(Event):
    """A side answered a proposal; ``answer`` and ``side`` are words by value."""

    proposal_id: int
    title: str
    answer: str
    words: str
    side: str
    broker_user_id: int
