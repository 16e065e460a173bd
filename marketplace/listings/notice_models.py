"""The tables around a listing's notice: its versions, priority rights, right checks, trials."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.listings.announcement_rules import VersionKind
from marketplace.listings.priority_rules import HolderKind, PriorityState
from marketplace.listings.right_rules import CheckMoment
from marketplace.listings.trial_rules import PriceFormula, TrialState

_LISTING = "listings_listings.id"


class Announcement(Base):
    """One version of a listing's public notice; rows are only ever added."""

    __tablename__ = "listings_announcements"
    __table_args__ = (UniqueConstraint("listing_id", "number"),)

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(ForeignKey(_LISTING))
    number: Mapped[int]
    kind: Mapped[VersionKind]
    # The notice as published, by the keys of ``announcement_rules.LABELS``.
    content: Mapped[Json]
    reason: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime]
    ends_on: Mapped[date]


class Priority(Base):
    """One holder of a priority right, asked and answered."""

    __tablename__ = "listings_priorities"
    __table_args__ = (
        CheckConstraint("(state IN ('asked', 'silent')) = (answered_at IS NULL)", name="answered"),
        Index("ix_listings_priorities_listing", "listing_id"),
        Index("ix_listings_priorities_user", "user_id"),
    )

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(ForeignKey(_LISTING))
    kind: Mapped[HolderKind]
    name: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    state: Mapped[PriorityState]
    asked_at: Mapped[datetime]
    answer_by: Mapped[date]
    note: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))


class RightCheck(Base):
    """What was found of a listing's IP rights at one moment; rows are only ever added."""

    __tablename__ = "listings_right_checks"
    __table_args__ = (Index("ix_listings_right_checks_listing", "listing_id", "checked_at"),)

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(ForeignKey(_LISTING))
    moment: Mapped[CheckMoment]
    findings: Mapped[Json]
    checked_at: Mapped[datetime]


class Trial(Base):
    """A trial before payment: its terms, its days, what was measured, the price that follows."""

    __tablename__ = "listings_trials"
    __table_args__ = (
        CheckConstraint("months > 0", name="months"),
        CheckConstraint("(state = 'adopted') = (price_fen IS NOT NULL)", name="price_if_adopted"),
        CheckConstraint(
            "state = 'offered' OR (starts_on IS NOT NULL AND ends_on > starts_on)", name="days"
        ),
    )

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(ForeignKey(_LISTING), unique=True)
    state: Mapped[TrialState]
    months: Mapped[int]
    conditions: Mapped[str]
    formula: Mapped[PriceFormula]
    rate_fen: Mapped[Fen]
    rate_per_mille: Mapped[int]
    unit: Mapped[str]
    floor_fen: Mapped[Fen]
    cap_fen: Mapped[Fen | None]
    starts_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    units: Mapped[int | None]
    revenue_fen: Mapped[Fen | None]
    result: Mapped[str] = mapped_column(default="")
    price_fen: Mapped[Fen | None]
    ended_at: Mapped[datetime | None]
