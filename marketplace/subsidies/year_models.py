"""Tables of whole years: each recomputation, every organisation's result with its reasons."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id
from marketplace.foundation.money import Fen
from marketplace.subsidies.word_rules import Item

_CURRENT = text("superseded_by_id IS NULL")


class YearRun(Base):
    """One recomputation of a year that found something new; ``known_on`` decides the documents."""

    __tablename__ = "subsidies_year_runs"
    __table_args__ = (Index("ix_subsidies_year_runs_year", "year", "id"),)

    id: Mapped[Id]
    year: Mapped[int]
    known_on: Mapped[date]
    computed_at: Mapped[datetime]
    # When the year was last found unchanged: no run of its own.
    checked_at: Mapped[datetime]
    # Of everything that went in: the same facts under the same documents are not computed again.
    fingerprint: Mapped[str] = mapped_column(String(64))
    contract_count: Mapped[int]
    result_count: Mapped[int]
    changed_count: Mapped[int]
    total_fen: Mapped[Fen]


class YearResult(Base):
    """One organisation's item of a year as one run found it, until a later run finds another."""

    __tablename__ = "subsidies_year_results"
    __table_args__ = (
        UniqueConstraint("run_id", "organisation_id", "item"),
        CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        Index(
            "uq_subsidies_year_results_current",
            "year",
            "organisation_id",
            "item",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index("ix_subsidies_year_results_amount", "year", "amount_fen"),
    )

    id: Mapped[Id]
    run_id: Mapped[int] = mapped_column(ForeignKey("subsidies_year_runs.id"))
    superseded_by_id: Mapped[int | None] = mapped_column(
        ForeignKey("subsidies_year_runs.id"), index=True
    )
    year: Mapped[int]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    item: Mapped[Item]
    policy_id: Mapped[str]
    amount_fen: Mapped[Fen]
    # What the result gave that this one took the place of.
    before_fen: Mapped[Fen | None]
    contract_count: Mapped[int]
    counted_count: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    # The explanation as it was written then, in JSON.
    explanation: Mapped[str] = mapped_column(Text)
