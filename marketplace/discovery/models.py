"""What discovery stores: which documents changed, and how readers judged matches."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.discovery.rules import Verdict
from marketplace.foundation.db import Base, Id


class IndexChange(Base):
    """A document that has to be read again; kept for a while so that a rebuild can replay it."""

    __tablename__ = "discovery_index_changes"
    __table_args__ = (
        Index("ix_discovery_unindexed", "indexed_at", "id"),
        Index("ix_discovery_changes_document", "document_id"),
    )

    id: Mapped[Id]
    document_id: Mapped[str]
    changed_at: Mapped[datetime]
    indexed_at: Mapped[datetime | None]


class MatchVerdict(Base):
    """What one person says of one match; kept for weighting matches later."""

    __tablename__ = "discovery_match_verdicts"
    __table_args__ = (UniqueConstraint("need_id", "achievement_id", "user_id"),)

    id: Mapped[Id]
    need_id: Mapped[int] = mapped_column(ForeignKey("needs_needs.id"))
    achievement_id: Mapped[int] = mapped_column(
        ForeignKey("achievements_achievements.id"), index=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    verdict: Mapped[Verdict]
    judged_at: Mapped[datetime]
