"""Tables of what is owed to who asks: enquiries with their answers, and monthly digests."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.rules import LostReason
from marketplace.foundation.db import Base, Id

_OPEN = text("closed_at IS NULL")
_ORGANISATION = "accounts_organisations.id"


class Enquiry(Base):
    """A buyer's message on a deal that waits for an answer, or was answered."""

    __tablename__ = "brokerage_enquiries"
    __table_args__ = (
        # What a buyer adds before the answer belongs to the same enquiry.
        Index(
            "uq_brokerage_enquiries_open",
            "deal_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_brokerage_enquiries_next", "closed_at", "next_step_on"),
        Index("ix_brokerage_enquiries_organisation", "organisation_id", "asked_at"),
    )

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    asked_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # None while it waits, and where the buyer closed it himself.
    answer_workdays: Mapped[int | None]
    steps_taken: Mapped[int] = mapped_column(default=0)
    # The day on which the next reminder goes out; None when there is none left.
    next_step_on: Mapped[date | None]


class Digest(Base):
    """What a month of lost deals told one university; its being says that it was sent."""

    __tablename__ = "brokerage_digests"
    __table_args__ = (UniqueConstraint("organisation_id", "month"),)

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    month: Mapped[date]
    lost_count: Mapped[int]
    leading_reason: Mapped[LostReason]
    sent_at: Mapped[datetime]
