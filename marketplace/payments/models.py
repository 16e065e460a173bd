"""The table of payments: what is expected, what arrived, what went back."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id
from marketplace.foundation.money import Fen
from marketplace.payments.rules import PaymentPurpose, PaymentState


class Payment(Base):
    """One amount that one organisation pays another through the platform."""

    __tablename__ = "payments_payments"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint(
            "state NOT IN ('confirmed', 'refund_due', 'refunded', 'forfeit_due', 'forfeited')"
            " OR confirmed_at IS NOT NULL",
            name="held_only_when_confirmed",
        ),
        CheckConstraint(
            "(state IN ('refunded', 'forfeited')) = (refunded_at IS NOT NULL)",
            name="refunded_exactly_once",
        ),
        CheckConstraint(
            "refunded_by_id IS NULL OR ("
            "(confirmed_by_id IS NULL OR refunded_by_id <> confirmed_by_id) AND "
            "(refund_requested_by_id IS NULL OR refunded_by_id <> refund_requested_by_id))",
            name="refund_by_second_person",
        ),
        Index("ix_payments_payer", "payer_organisation_id", "state"),
        Index("ix_payments_state", "state", "id"),
        Index("ix_payments_subject", "subject"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    purpose: Mapped[PaymentPurpose]
    subject: Mapped[str]
    description: Mapped[str]
    payer_organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    payee_organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    amount_fen: Mapped[Fen]
    state: Mapped[PaymentState]
    due_on: Mapped[date | None]
    expected_at: Mapped[datetime]
    reported_reference: Mapped[str] = mapped_column(default="")
    reported_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(default="")
    # One line of the bank statement pays one payment, never two.
    receipt_reference: Mapped[str | None] = mapped_column(unique=True)
    confirmed_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    # The same columns tell of a forfeited amount, which goes to the payee instead of back.
    refund_reason: Mapped[str] = mapped_column(default="")
    refund_due_on: Mapped[date | None]
    refund_requested_at: Mapped[datetime | None]
    refund_requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    refund_reference: Mapped[str] = mapped_column(default="")
    refunded_at: Mapped[datetime | None]
    refunded_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
