"""Tables of what follows from an introduction: contracts recognised in it, and disputes."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.introduction_rules import (
    DisputeGround,
    DisputeState,
    RecognitionGround,
    RecognitionState,
)
from marketplace.foundation.db import Base, Id
from marketplace.foundation.money import Fen

_INTRODUCTION = "brokerage_introductions.id"
_OPEN = text("state = 'open'")


class Recognition(Base):
    """A registered contract that is put down to an introduction."""

    __tablename__ = "brokerage_recognitions"
    __table_args__ = (UniqueConstraint("introduction_id", "contract_id"),)

    id: Mapped[Id]
    introduction_id: Mapped[int] = mapped_column(ForeignKey(_INTRODUCTION))
    # The contract lies downstream: its number and facts are copied, not referred to.
    contract_id: Mapped[int]
    contract_no: Mapped[str]
    project_name: Mapped[str]
    amount_fen: Mapped[Fen]
    signed_on: Mapped[date]
    ground: Mapped[RecognitionGround]
    state: Mapped[RecognitionState] = mapped_column(index=True)
    recognised_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(default="")
    decision: Mapped[str] = mapped_column(default="")


class Dispute(Base):
    """A disagreement about an introduction or its commission, decided by the operator."""

    __tablename__ = "brokerage_disputes"
    __table_args__ = (
        # One dispute at a time.
        Index(
            "uq_brokerage_disputes_open",
            "introduction_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_brokerage_disputes_state", "state", "opened_at"),
    )

    id: Mapped[Id]
    introduction_id: Mapped[int] = mapped_column(ForeignKey(_INTRODUCTION), index=True)
    ground: Mapped[DisputeGround]
    words: Mapped[str]
    state: Mapped[DisputeState]
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    opened_by_name: Mapped[str]
    opened_by_organisation_id: Mapped[int | None] = mapped_column(
        ForeignKey("accounts_organisations.id")
    )
    by_broker: Mapped[bool]
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str] = mapped_column(default="")
    decision: Mapped[str] = mapped_column(default="")
