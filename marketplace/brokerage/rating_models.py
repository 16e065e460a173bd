"""The table of ratings: what a party of a registered contract says of its broker."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.rating_rules import RatingSide, WordsState
from marketplace.foundation.db import Base, Id


class Rating(Base):
    """One side's rating of a deal's broker, written once."""

    __tablename__ = "brokerage_ratings"
    __table_args__ = (
        UniqueConstraint("deal_id", "organisation_id"),
        CheckConstraint("response BETWEEN 1 AND 5", name="response_range"),
        CheckConstraint("skill BETWEEN 1 AND 5", name="skill_range"),
        CheckConstraint("trust BETWEEN 1 AND 5", name="trust_range"),
        Index("ix_brokerage_ratings_broker", "broker_user_id", "struck_at"),
        Index("ix_brokerage_ratings_words", "words_state", "rated_at"),
    )

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"))
    contract_no: Mapped[str] = mapped_column(index=True)
    broker_user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    side: Mapped[RatingSide]
    rated_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    rated_at: Mapped[datetime]
    response: Mapped[int]
    skill: Mapped[int]
    trust: Mapped[int]
    words: Mapped[str] = mapped_column(default="")
    words_state: Mapped[WordsState]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    # Set when the contract's registration was cancelled: the rating counts no longer.
    struck_at: Mapped[datetime | None]
