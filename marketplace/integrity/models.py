"""The tables of integrity records and of applications for their repair."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id
from marketplace.integrity.rules import DishonestyGround, RepairState

_APPLIED = text("state = 'applied'")


class IntegrityRecord(Base):
    """One period of dishonesty of one organisation; both ends are included."""

    __tablename__ = "integrity_records"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="period"),
        CheckConstraint("repaired_on > starts_on", name="repaired_within"),
        Index("ix_integrity_records_organisation", "organisation_id", "starts_on"),
    )

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    ground: Mapped[DishonestyGround]
    reason: Mapped[str]
    document: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(default="")
    # The first day on which it no longer counts; the days before still do.
    repaired_on: Mapped[date | None]


class CreditRepair(Base):
    """An organisation's application to end a record early, and what became of it."""

    __tablename__ = "integrity_repairs"
    __table_args__ = (
        CheckConstraint("(state = 'applied') = (decided_at IS NULL)", name="decided_when"),
        # One application at a time.
        Index(
            "uq_integrity_repairs_open",
            "record_id",
            unique=True,
            sqlite_where=_APPLIED,
            postgresql_where=_APPLIED,
        ),
    )

    id: Mapped[Id]
    record_id: Mapped[int] = mapped_column(ForeignKey("integrity_records.id"))
    state: Mapped[RepairState]
    deeds: Mapped[str]
    applied_at: Mapped[datetime]
    applied_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    opinion: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
