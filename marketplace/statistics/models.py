"""Projections: what happened, as far as the boards count it. Rebuilt from events, never audited."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.accounts.rules import District, OrganisationKind
from marketplace.contracts.rules import ContractType
from marketplace.foundation.db import Base
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField
from marketplace.statistics.rules import Measure


class Fact(Base):
    """One thing that counts once for a measure: the first time it happened."""

    __tablename__ = "statistics_facts"
    __table_args__ = (Index("ix_statistics_facts_day", "measure", "happened_on"),)

    measure: Mapped[Measure] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    happened_on: Mapped[date]
    field: Mapped[TechnologyField | None]
    district: Mapped[District | None]
    amount_fen: Mapped[Fen | None]


class ContractFact(Base):
    """One registered contract with what was fixed on the day of registration."""

    __tablename__ = "statistics_contracts"
    __table_args__ = (Index("ix_statistics_contracts_day", "registered_on"),)

    contract_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    contract_no: Mapped[str]
    contract_type: Mapped[ContractType]
    registered_on: Mapped[date]
    amount_fen: Mapped[Fen]
    technology_amount_fen: Mapped[Fen]
    field: Mapped[TechnologyField | None]
    seller_kind: Mapped[OrganisationKind]
    seller_district: Mapped[District | None]
    buyer_district: Mapped[District | None]
    brokered: Mapped[bool]
    cancelled_on: Mapped[date | None]
