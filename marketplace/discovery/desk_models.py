"""Tables of the match desk: pairs computed beforehand, what waits for it, brokers' answers."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.discovery.desk_rules import DeskState, DismissReason
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.trade import TechnologyField

_NEED = "needs_needs.id"
_ACHIEVEMENT = "achievements_achievements.id"
_ORGANISATION = "accounts_organisations.id"


class MatchPair(Base):
    """A need and one of its best achievements, with the reasons as they were when it was found.

    ``changed_at`` is when one of the two records last said something else; ``current`` is false
    where the pair is not among the best any more. ``points`` are (tone, label, text).
    """

    __tablename__ = "discovery_pairs"
    __table_args__ = (
        UniqueConstraint("need_id", "achievement_id"),
        CheckConstraint("fit BETWEEN 0 AND 100", name="fit_percent"),
        Index("ix_discovery_pairs_desk", "current", "weight"),
        Index("ix_discovery_pairs_achievement", "achievement_id"),
    )

    id: Mapped[Id]
    need_id: Mapped[int] = mapped_column(ForeignKey(_NEED))
    achievement_id: Mapped[int] = mapped_column(ForeignKey(_ACHIEVEMENT))
    buyer_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    need_field: Mapped[TechnologyField | None]
    achievement_field: Mapped[TechnologyField | None]
    fit: Mapped[int]
    weight: Mapped[float]
    points: Mapped[Json]
    terms: Mapped[Json]
    sentence: Mapped[str]
    opinion: Mapped[str]
    digest: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime]
    current: Mapped[bool]


class PairingDue(Base):
    """A need or achievement whose pairs have to be found again."""

    __tablename__ = "discovery_pairing_due"
    __table_args__ = (Index("ix_discovery_pairing_asked", "asked_at"),)

    document_id: Mapped[str] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime]


class DeskAnswer(Base):
    """What one broker has done with a pair; the verdict that it teaches stands with the others."""

    __tablename__ = "discovery_desk_answers"
    __table_args__ = (
        UniqueConstraint("broker_user_id", "pair_id"),
        CheckConstraint("(state = 'snoozed') = (until IS NOT NULL)", name="snoozed_until"),
        CheckConstraint("(state = 'dismissed') = (reason IS NOT NULL)", name="dismissed_reason"),
    )

    id: Mapped[Id]
    pair_id: Mapped[int] = mapped_column(ForeignKey("discovery_pairs.id"), index=True)
    broker_user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    state: Mapped[DeskState]
    until: Mapped[date | None]
    reason: Mapped[DismissReason | None]
    words: Mapped[str]
    answered_at: Mapped[datetime]
