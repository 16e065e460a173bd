"""Tables of the needs and of the answers to them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField
from marketplace.needs.rules import AnswerState, NeedState

_ORGANISATION = "accounts_organisations.id"
_USER = "accounts_users.id"
_NEED = "needs_needs.id"


class Need(Base):
    """One need; what is not known yet is empty, so that a draft can be kept."""

    __tablename__ = "needs_needs"
    __table_args__ = (
        CheckConstraint(
            "budget_min_fen IS NULL OR budget_max_fen IS NULL OR budget_min_fen <= budget_max_fen",
            name="budget",
        ),
        CheckConstraint("budget_max_fen IS NULL OR budget_max_fen >= 0", name="budget_positive"),
        CheckConstraint("state <> 'open' OR opened_at IS NOT NULL", name="opened_at"),
        UniqueConstraint("organisation_id", "import_key"),
        Index("ix_needs_owner_updated", "organisation_id", "updated_at", "id"),
        Index("ix_needs_state_deadline", "state", "deadline"),
        Index("ix_needs_state_submitted", "state", "submitted_at"),
    )

    id: Mapped[Id]
    number: Mapped[str | None] = mapped_column(unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    author_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    state: Mapped[NeedState]
    version: Mapped[int] = mapped_column(default=1)

    title: Mapped[str] = mapped_column(default="")
    problem: Mapped[str] = mapped_column(Text, default="")
    present_solution: Mapped[str] = mapped_column(Text, default="")
    budget_min_fen: Mapped[Fen | None]
    budget_max_fen: Mapped[Fen | None]
    budget_negotiable: Mapped[bool] = mapped_column(default=False)
    deadline: Mapped[date | None]
    modes: Mapped[Json]
    field: Mapped[TechnologyField | None]
    industry_code: Mapped[str] = mapped_column(default="")
    industry_name: Mapped[str] = mapped_column(default="")
    discipline: Mapped[str] = mapped_column(default="")
    region_code: Mapped[str] = mapped_column(default="")
    anonymous: Mapped[bool] = mapped_column(default=False)
    challenge: Mapped[bool] = mapped_column(default=False)
    expert_terms: Mapped[Json]
    confidential: Mapped[str] = mapped_column(Text, default="")

    missing_count: Mapped[int] = mapped_column(default=0)
    return_reason: Mapped[str] = mapped_column(Text, default="")
    closing_reason: Mapped[str] = mapped_column(Text, default="")
    import_key: Mapped[str | None]
    import_note: Mapped[str] = mapped_column(Text, default="")

    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    # When the operator has read an imported need; a member's own passes review before it opens.
    reviewed_at: Mapped[datetime | None]

    indicators: Mapped[list[IndicatorRow]] = relationship(
        cascade="all, delete-orphan", order_by="IndicatorRow.position", lazy="selectin"
    )


class IndicatorRow(Base):
    """One target indicator."""

    __tablename__ = "needs_indicators"

    id: Mapped[Id]
    need_id: Mapped[int] = mapped_column(ForeignKey(_NEED), index=True)
    position: Mapped[int]
    name: Mapped[str]
    present: Mapped[str]
    target: Mapped[str]
    unit: Mapped[str]


class Answer(Base):
    """An organisation's 我能解决."""

    __tablename__ = "needs_answers"
    __table_args__ = (
        Index("ix_needs_answers_need", "need_id", "id"),
        Index("ix_needs_answers_organisation", "organisation_id", "id"),
    )

    id: Mapped[Id]
    need_id: Mapped[int] = mapped_column(ForeignKey(_NEED))
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    user_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    achievement_id: Mapped[int | None] = mapped_column(ForeignKey("achievements_achievements.id"))
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[AnswerState]
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
