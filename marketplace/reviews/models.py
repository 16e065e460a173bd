"""The table of yearly reviews: one row for an agency and a year."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json
from marketplace.reviews.rules import Grade, ReviewState

_USER = "accounts_users.id"


class YearlyReview(Base):
    """An agency's year: figures as computed, what it says to them, the grade and the appeal."""

    __tablename__ = "reviews_reviews"
    __table_args__ = (
        UniqueConstraint("organisation_id", "year"),
        CheckConstraint("score_tenths BETWEEN 0 AND 1000", name="score_range"),
        CheckConstraint(
            "state IN ('open', 'confirmed') OR (grade IS NOT NULL AND decided_at IS NOT NULL)",
            name="decided_has_grade",
        ),
        CheckConstraint("state <> 'appealed' OR appealed_at IS NOT NULL", name="appeal_has_time"),
        Index("ix_reviews_reviews_state", "state", "year"),
    )

    id: Mapped[Id]
    version: Mapped[int] = mapped_column(default=1)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    year: Mapped[int]
    state: Mapped[ReviewState]
    rule_name: Mapped[str]
    # Of {indicator, value, evidence[{kind, number, label}]}, and of {indicator, tenths, most}.
    figures: Mapped[Json]
    lines: Mapped[Json]
    score_tenths: Mapped[int]
    proposed: Mapped[Grade]
    computed_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    confirm_by: Mapped[date]
    statement: Mapped[str] = mapped_column(default="")
    confirmed_at: Mapped[datetime | None]
    confirmed_by_name: Mapped[str] = mapped_column(default="")
    grade: Mapped[Grade | None]
    reason: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    decided_by_name: Mapped[str] = mapped_column(default="")
    appeal_by: Mapped[date | None]
    appeal_words: Mapped[str] = mapped_column(default="")
    appealed_at: Mapped[datetime | None]
    # The grade before an appeal that was upheld.
    first_grade: Mapped[Grade | None]
    appeal_reason: Mapped[str] = mapped_column(default="")
    appeal_decided_at: Mapped[datetime | None]
    appeal_decided_by_name: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]
    filing_ended_on: Mapped[date | None]
