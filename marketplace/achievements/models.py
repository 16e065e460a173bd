"""Tables of the achievements and of their organisations' review chains."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.achievements.rules import (
    AchievementState,
    EvidenceClass,
    IPKind,
    LegalStatus,
    ReviewOutcome,
)
from marketplace.foundation.access import Role
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField

_ORGANISATION = "accounts_organisations.id"
_USER = "accounts_users.id"
_ACHIEVEMENT = "achievements_achievements.id"


class Achievement(Base):
    """One achievement; what is not known yet is empty, so that a draft can be kept."""

    __tablename__ = "achievements_achievements"
    __table_args__ = (
        CheckConstraint("trl IS NULL OR trl BETWEEN 1 AND 9", name="trl"),
        CheckConstraint("price_fen IS NULL OR price_fen >= 0", name="price"),
        CheckConstraint("state <> 'published' OR published_at IS NOT NULL", name="published_at"),
        UniqueConstraint("organisation_id", "import_key"),
        Index("ix_achievements_owner_state", "organisation_id", "state", "id"),
        Index("ix_achievements_owner_updated", "organisation_id", "updated_at", "id"),
        Index("ix_achievements_state_confirmed", "state", "stale", "confirmed_at"),
        Index("ix_achievements_state_valid", "state", "valid_until"),
    )

    id: Mapped[Id]
    number: Mapped[str | None] = mapped_column(unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    author_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    state: Mapped[AchievementState]
    version: Mapped[int] = mapped_column(default=1)

    title: Mapped[str] = mapped_column(default="")
    problem: Mapped[str] = mapped_column(Text, default="")
    solution: Mapped[str] = mapped_column(Text, default="")
    benefit: Mapped[str] = mapped_column(Text, default="")
    field: Mapped[TechnologyField | None]
    industry_code: Mapped[str] = mapped_column(default="")
    industry_name: Mapped[str] = mapped_column(default="")
    ipc: Mapped[Json]
    discipline: Mapped[str] = mapped_column(default="")
    trl: Mapped[int | None]
    trl_evidence: Mapped[str] = mapped_column(Text, default="")
    fiscal_funded: Mapped[bool | None]
    fiscal_source: Mapped[str] = mapped_column(default="")
    modes: Mapped[Json]
    negotiable: Mapped[bool] = mapped_column(default=False)
    price_fen: Mapped[Fen | None]
    visibility: Mapped[Json]
    keywords: Mapped[Json]
    confidential: Mapped[str] = mapped_column(Text, default="")

    # How many things the form still lacks: an import publishes what is known.
    missing_count: Mapped[int] = mapped_column(default=0)
    return_reason: Mapped[str] = mapped_column(Text, default="")
    closing_reason: Mapped[str] = mapped_column(Text, default="")
    import_key: Mapped[str | None]
    import_note: Mapped[str] = mapped_column(Text, default="")

    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    valid_until: Mapped[date | None]
    stale: Mapped[bool] = mapped_column(default=False)

    comparison: Mapped[list[ComparisonRow]] = relationship(
        cascade="all, delete-orphan", order_by="ComparisonRow.position", lazy="selectin"
    )
    ip_rights: Mapped[list[IPRightRow]] = relationship(
        cascade="all, delete-orphan", order_by="IPRightRow.position", lazy="selectin"
    )
    owners: Mapped[list[OwnerRow]] = relationship(
        cascade="all, delete-orphan", order_by="OwnerRow.position", lazy="selectin"
    )
    inventors: Mapped[list[InventorRow]] = relationship(
        cascade="all, delete-orphan", order_by="InventorRow.position", lazy="selectin"
    )


class ComparisonRow(Base):
    """One indicator against the best alternative."""

    __tablename__ = "achievements_comparisons"

    id: Mapped[Id]
    achievement_id: Mapped[int] = mapped_column(ForeignKey(_ACHIEVEMENT), index=True)
    position: Mapped[int]
    indicator: Mapped[str]
    value: Mapped[str]
    unit: Mapped[str]
    alternative: Mapped[str]
    alternative_value: Mapped[str]
    evidence: Mapped[EvidenceClass | None]


class IPRightRow(Base):
    """One IP right; ``number_key`` tells the same right under different spellings."""

    __tablename__ = "achievements_ip_rights"
    __table_args__ = (Index("ix_achievements_ip_number", "number_key"),)

    id: Mapped[Id]
    achievement_id: Mapped[int] = mapped_column(ForeignKey(_ACHIEVEMENT), index=True)
    position: Mapped[int]
    kind: Mapped[IPKind | None]
    number: Mapped[str]
    number_key: Mapped[str]
    title: Mapped[str]
    legal_status: Mapped[LegalStatus]
    filed_on: Mapped[date | None]
    expires_on: Mapped[date | None]
    filed_year: Mapped[int | None]
    open_licensed: Mapped[bool] = mapped_column(default=False)


class OwnerRow(Base):
    """One owner; ``share`` in ten-thousandths."""

    __tablename__ = "achievements_owners"
    __table_args__ = (
        CheckConstraint("share IS NULL OR (share > 0 AND share <= 10000)", name="share"),
    )

    id: Mapped[Id]
    achievement_id: Mapped[int] = mapped_column(ForeignKey(_ACHIEVEMENT), index=True)
    position: Mapped[int]
    name: Mapped[str]
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    share: Mapped[int | None]


class InventorRow(Base):
    """One inventor."""

    __tablename__ = "achievements_inventors"

    id: Mapped[Id]
    achievement_id: Mapped[int] = mapped_column(ForeignKey(_ACHIEVEMENT), index=True)
    position: Mapped[int]
    name: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey(_USER), index=True)


class ChainStepRow(Base):
    """One step of an organisation's own review chain, as its settings page keeps it."""

    __tablename__ = "achievements_chain_steps"
    __table_args__ = (UniqueConstraint("organisation_id", "role"),)

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    role: Mapped[Role]
    from_fen: Mapped[Fen]


class ReviewRow(Base):
    """One step of one submission; the chain is copied, so a later change leaves it alone."""

    __tablename__ = "achievements_reviews"
    __table_args__ = (UniqueConstraint("achievement_id", "round", "position"),)

    id: Mapped[Id]
    achievement_id: Mapped[int] = mapped_column(ForeignKey(_ACHIEVEMENT))
    round: Mapped[int]
    position: Mapped[int]
    role: Mapped[Role]
    outcome: Mapped[ReviewOutcome]
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_by: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    decided_by_name: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]


class GrantRow(Base):
    """An organisation that may read the confidential layer, and on what ground."""

    __tablename__ = "achievements_grants"
    __table_args__ = (UniqueConstraint("achievement_id", "organisation_id"),)

    id: Mapped[Id]
    achievement_id: Mapped[int] = mapped_column(ForeignKey(_ACHIEVEMENT))
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION), index=True)
    ground: Mapped[str]
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
