"""The tables of the ledger and of the bank's statement."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id
from marketplace.foundation.money import Fen
from marketplace.payments.ledger_rules import LedgerAccount, PostingKind
from marketplace.payments.statement_rules import LineState


class StatementLine(Base):
    """One line of the bank's statement: money that arrived, and whose it turned out to be."""

    __tablename__ = "payments_statement_lines"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint(
            "settled_by_id IS NULL OR settled_by_id <> recorded_by_id", name="second_person"
        ),
        Index("ix_payments_statement_state", "state", "id"),
    )

    id: Mapped[Id]
    reference: Mapped[str] = mapped_column(unique=True)
    booked_on: Mapped[date]
    amount_fen: Mapped[Fen]
    account_name: Mapped[str]
    remark: Mapped[str]
    state: Mapped[LineState]
    # The payment that it seems to be for, and why, or why none was found.
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments_payments.id"))
    finding: Mapped[str] = mapped_column(default="")
    recorded_at: Mapped[datetime]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    return_reference: Mapped[str] = mapped_column(default="")


class LedgerPosting(Base):
    """One event of money. Rows are only ever added."""

    __tablename__ = "payments_ledger_postings"
    __table_args__ = (Index("ix_payments_ledger_payment", "payment_id", "id"),)

    id: Mapped[Id]
    kind: Mapped[PostingKind]
    posted_at: Mapped[datetime]
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments_payments.id"))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("payments_statement_lines.id"))


class LedgerEntry(Base):
    """One side of a posting. Rows are only ever added."""

    __tablename__ = "payments_ledger_entries"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount_not_zero"),
        Index("ix_payments_ledger_account", "account"),
    )

    id: Mapped[Id]
    posting_id: Mapped[int] = mapped_column(ForeignKey("payments_ledger_postings.id"), index=True)
    account: Mapped[LedgerAccount]
    amount_fen: Mapped[Fen]
