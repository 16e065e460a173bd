"""The table of a broker's proposals to bring a need and an achievement together."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.proposal_rules import ProposalState, SideAnswer
from marketplace.foundation.db import Base, Id

_ORGANISATION = "accounts_organisations.id"
_OPEN = text("state = 'open'")


class Proposal(Base):
    """A pair that a broker proposes to one or both sides, with what they said."""

    __tablename__ = "brokerage_proposals"
    __table_args__ = (
        CheckConstraint("seller_organisation_id <> buyer_organisation_id", name="two_parties"),
        # Nobody is asked twice at a time about the same pair, by whomever.
        Index(
            "uq_brokerage_proposals_open",
            "need_id",
            "achievement_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_brokerage_proposals_end", "state", "valid_to"),
        Index("ix_brokerage_proposals_broker", "broker_user_id", "id"),
        Index("ix_brokerage_proposals_buyer", "buyer_organisation_id", "buyer_answer"),
        Index("ix_brokerage_proposals_seller", "seller_organisation_id", "seller_answer"),
    )

    id: Mapped[Id]
    need_id: Mapped[int] = mapped_column(ForeignKey("needs_needs.id"))
    achievement_id: Mapped[int] = mapped_column(ForeignKey("achievements_achievements.id"))
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    buyer_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    # The need is anonymous: broker and seller do not learn who asks before the buyer agrees.
    anonymous: Mapped[bool]
    broker_user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    agency_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    words: Mapped[str]
    proposed_at: Mapped[datetime]
    valid_to: Mapped[date]
    state: Mapped[ProposalState]
    buyer_answer: Mapped[SideAnswer]
    seller_answer: Mapped[SideAnswer]
    buyer_words: Mapped[str] = mapped_column(default="")
    seller_words: Mapped[str] = mapped_column(default="")
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("brokerage_deals.id"))
    # Set when who has not answered was reminded of the end.
    reminded_at: Mapped[datetime | None]
