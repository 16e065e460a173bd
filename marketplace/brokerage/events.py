"""What happened to deals: opened, moved, merged, split, lost, talked over, answered.

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
