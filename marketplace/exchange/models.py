"""Tables of the imports: the file, its columns, and every row's fate."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.exchange.rules import ImportKind, ImportState, RowFate
from marketplace.foundation.db import Base, Id, Json


class Import(Base):
    """One uploaded file and what became of it."""

    __tablename__ = "exchange_imports"
    __table_args__ = (
        CheckConstraint("checked_count <= row_count", name="checked"),
        Index("ix_exchange_imports_organisation", "organisation_id", "id"),
        Index("ix_exchange_imports_state", "state", "id"),
    )

    id: Mapped[Id]
    kind: Mapped[ImportKind]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    # None where the operator imports from the command line.
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    by_operator: Mapped[bool] = mapped_column(default=False)
    state: Mapped[ImportState]
    file_name: Mapped[str]
    stored_name: Mapped[str]
    sha256: Mapped[str]
    source: Mapped[str]
    header: Mapped[Json]
    mapping: Mapped[Json]
    row_count: Mapped[int]
    checked_count: Mapped[int] = mapped_column(default=0)
    imported_count: Mapped[int] = mapped_column(default=0)
    incomplete_count: Mapped[int] = mapped_column(default=0)
    existing_count: Mapped[int] = mapped_column(default=0)
    refused_count: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ImportRow(Base):
    """One row's fate; while the import runs, what was decided but not yet written."""

    __tablename__ = "exchange_import_rows"
    __table_args__ = (
        UniqueConstraint("import_id", "number"),
        Index("ix_exchange_import_rows_fate", "import_id", "fate", "number"),
    )

    id: Mapped[Id]
    import_id: Mapped[int] = mapped_column(ForeignKey("exchange_imports.id"))
    number: Mapped[int]
    title: Mapped[str]
    fate: Mapped[RowFate]
    reason: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(default="")
    record_id: Mapped[int | None]
