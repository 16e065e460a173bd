"""What discovery stores: changed documents, verdicts and what they teach, saved searches."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.discovery.rules import Verdict
from marketplace.discovery.subscription_rules import Frequency
from marketplace.foundation.db import Base, Id, Json


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


class LearnedPair(Base):
    """An everyday word and the professional term that answers have shown it to mean.

    Made anew as a whole by learning; ``refused`` is the operator's word and stays.
    """

    __tablename__ = "discovery_learned_pairs"
    __table_args__ = (
        UniqueConstraint("said", "meant"),
        Index("ix_discovery_learned_meant", "meant"),
    )

    id: Mapped[Id]
    said: Mapped[str]
    meant: Mapped[str]
    supporters: Mapped[int]
    opponents: Mapped[int]
    weight: Mapped[float]
    refused: Mapped[bool] = mapped_column(default=False)


class Learning(Base):
    """When the learned pairs were made; one row."""

    __tablename__ = "discovery_learning"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    learned_at: Mapped[datetime]


class SavedSearch(Base):
    """A search that a person keeps, for the organisation for which it was asked.

    ``arguments`` state it as a URL does. ``feed_version`` is part of the feed's secret address:
    with every new number the addresses before it are dead.
    """

    __tablename__ = "discovery_saved_searches"
    __table_args__ = (
        CheckConstraint("feed_version >= 0", name="feed_version"),
        Index("ix_discovery_saved_owner", "user_id", "organisation_id"),
        Index("ix_discovery_saved_due", "paused", "next_look_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    name: Mapped[str]
    arguments: Mapped[Json]
    frequency: Mapped[Frequency]
    paused: Mapped[bool] = mapped_column(default=False)
    feed_open: Mapped[bool] = mapped_column(default=False)
    feed_version: Mapped[int] = mapped_column(default=0)
    saved_at: Mapped[datetime]
    looked_at: Mapped[datetime | None]
    next_look_at: Mapped[datetime]


class SavedHit(Base):
    """An entry of which the keeper of a search was told, or is about to be."""

    __tablename__ = "discovery_saved_hits"
    __table_args__ = (UniqueConstraint("saved_search_id", "document_id"),)

    id: Mapped[Id]
    saved_search_id: Mapped[int] = mapped_column(
        ForeignKey("discovery_saved_searches.id", ondelete="CASCADE")
    )
    document_id: Mapped[str]
    found_at: Mapped[datetime]
