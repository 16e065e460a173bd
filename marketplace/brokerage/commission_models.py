"""Tables behind the commission ledger: shares, what has fallen due, and necessary expenses."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.commission_rules import EntryCause, ExpenseStatus
from marketplace.brokerage.terms_rules import CommissionPayer
from marketplace.foundation.db import Base, Id
from marketplace.foundation.money import Fen

_COMMISSION = "brokerage_commissions.id"
_ORGANISATION = "accounts_organisations.id"
_USER = "accounts_users.id"


class CommissionShare(Base):
    """A broker's part of a commission; the parts of one come to the whole."""

    __tablename__ = "brokerage_commission_shares"
    __table_args__ = (
        CheckConstraint("per_myriad BETWEEN 1 AND 10000", name="share_range"),
        UniqueConstraint("commission_id", "broker_user_id"),
    )

    id: Mapped[Id]
    commission_id: Mapped[int] = mapped_column(ForeignKey(_COMMISSION))
    broker_user_id: Mapped[int] = mapped_column(ForeignKey(_USER), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    per_myriad: Mapped[int]


class CommissionEntry(Base):
    """A broker's amount that fell due by one cause, with its invoice and its arrival."""

    __tablename__ = "brokerage_commission_entries"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        # The last word against a second due for the same cause.
        UniqueConstraint("commission_id", "cause", "cause_id", "broker_user_id"),
        Index("ix_brokerage_commission_entries_broker", "broker_user_id", "received_on"),
        Index("ix_brokerage_commission_entries_organisation", "organisation_id", "received_on"),
    )

    id: Mapped[Id]
    commission_id: Mapped[int] = mapped_column(ForeignKey(_COMMISSION))
    cause: Mapped[EntryCause]
    # The receipt behind it; nought where a contract has but one such cause.
    cause_id: Mapped[int] = mapped_column(default=0)
    broker_user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    amount_fen: Mapped[Fen]
    due_on: Mapped[date]
    invoice_no: Mapped[str] = mapped_column(default="")
    invoiced_on: Mapped[date | None]
    received_on: Mapped[date | None]


class Expense(Base):
    """Necessary expenses that a broker asks one side for when no contract came about."""

    __tablename__ = "brokerage_expenses"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        UniqueConstraint("deal_id", "payer"),
    )

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"))
    payer: Mapped[CommissionPayer]
    payer_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION), index=True)
    broker_user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    amount_fen: Mapped[Fen]
    words: Mapped[str]
    status: Mapped[ExpenseStatus]
    claimed_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by_name: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
