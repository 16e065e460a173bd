"""Tables of what follows a registration: payments received, applications for amendment."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.contracts.amendment_rules import AmendmentKind, AmendmentState
from marketplace.contracts.payment_rules import ReceiptState
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen

_NOT_WITHDRAWN = text("state <> 'withdrawn'")
_OPEN = text("state = 'applied'")


class ContractReceipt(Base):
    """A payment that the seller received under a contract, with the bank's reference."""

    __tablename__ = "contracts_receipts"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint(
            "technology_amount_fen >= 0 AND technology_amount_fen <= amount_fen",
            name="technology_within_amount",
        ),
        # One bank slip pays a contract once.
        Index(
            "uq_contracts_receipts_reference",
            "contract_id",
            "reference",
            unique=True,
            sqlite_where=_NOT_WITHDRAWN,
            postgresql_where=_NOT_WITHDRAWN,
        ),
    )

    id: Mapped[Id]
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts_contracts.id"), index=True)
    received_on: Mapped[date]
    amount_fen: Mapped[Fen]
    technology_amount_fen: Mapped[Fen]
    reference: Mapped[str]
    state: Mapped[ReceiptState]
    declared_at: Mapped[datetime]
    declared_by: Mapped[str]
    confirmed_on: Mapped[date | None]
    confirmed_by: Mapped[str] = mapped_column(default="")
    withdrawn_reason: Mapped[str] = mapped_column(default="")


class ContractAmendment(Base):
    """A party's application to change or cancel a registration, and the registrar's answer."""

    __tablename__ = "contracts_amendments"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("technology_amount_fen > 0", name="technology_amount_positive"),
        CheckConstraint("technology_amount_fen <= amount_fen", name="technology_within_amount"),
        # A second application waits for the answer to the first.
        Index(
            "uq_contracts_amendments_open",
            "contract_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[Id]
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts_contracts.id"), index=True)
    kind: Mapped[AmendmentKind]
    state: Mapped[AmendmentState]
    amount_fen: Mapped[Fen | None]
    technology_amount_fen: Mapped[Fen | None]
    items: Mapped[Json] = mapped_column(default=list)
    ends_on: Mapped[date | None]
    reason: Mapped[str]
    applied_at: Mapped[datetime]
    applied_by: Mapped[str]
    due_on: Mapped[date]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(default="")
    decision_words: Mapped[str] = mapped_column(default="")
