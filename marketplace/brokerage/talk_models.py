"""Tables of a deal's meetings: the meeting, its proposed times, and whom each time suits."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.talk_rules import TalkKind, TalkState
from marketplace.foundation.db import Base, Id


class Talk(Base):
    """A meeting or site visit of a deal."""

    __tablename__ = "brokerage_talks"

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"), index=True)
    kind: Mapped[TalkKind]
    topic: Mapped[str]
    place: Mapped[str]
    state: Mapped[TalkState]
    proposed_at: Mapped[datetime]
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    proposed_by_name: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    minutes: Mapped[str] = mapped_column(default="")
    minutes_by_name: Mapped[str] = mapped_column(default="")
    minutes_at: Mapped[datetime | None]
    cancelled_reason: Mapped[str] = mapped_column(default="")


class TalkSlot(Base):
    """A proposed time."""

    __tablename__ = "brokerage_talk_slots"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="times_in_order"),
        UniqueConstraint("talk_id", "starts_at"),
    )

    id: Mapped[Id]
    talk_id: Mapped[int] = mapped_column(ForeignKey("brokerage_talks.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class TalkVote(Base):
    """An organisation to which a proposed time suits."""

    __tablename__ = "brokerage_talk_votes"

    slot_id: Mapped[int] = mapped_column(ForeignKey("brokerage_talk_slots.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("accounts_organisations.id"), primary_key=True
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    person: Mapped[str]
