"""Tables of technology contracts: the form, its items and schedule, its text, recorded changes.

What follows a registration (receipts, applications for amendment) is in ``after_models``.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.achievements.rules import IPKind
from marketplace.contracts.proposal_rules import Certainty
from marketplace.contracts.rules import (
    ContractStatus,
    ContractSubtype,
    ContractType,
    PlanSource,
    RefusalReason,
)
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import PaymentMode, TechnologyField

_ORGANISATION = "accounts_organisations.id"
_USER = "accounts_users.id"
_LIVE_OF_DEAL = text("deal_id IS NOT NULL AND status NOT IN ('refused', 'cancelled')")


class Contract(Base):
    """A technology contract with everything that its registration form asks for."""

    __tablename__ = "contracts_contracts"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("technology_amount_fen > 0", name="technology_amount_positive"),
        CheckConstraint("technology_amount_fen <= amount_fen", name="technology_within_amount"),
        CheckConstraint("seller_organisation_id <> buyer_organisation_id", name="two_parties"),
        CheckConstraint(
            "status NOT IN ('registered', 'changed', 'cancelled') OR contract_no IS NOT NULL",
            name="registered_has_number",
        ),
        # A deal leads to one contract; after a refusal it may be drawn up anew.
        Index(
            "uq_contracts_contracts_live_of_deal",
            "deal_id",
            unique=True,
            sqlite_where=_LIVE_OF_DEAL,
            postgresql_where=_LIVE_OF_DEAL,
        ),
        Index("ix_contracts_contracts_queue", "registrar_organisation_id", "status", "due_on"),
        Index("ix_contracts_contracts_activity", "activity_id"),
        Index("ix_contracts_contracts_text", "text_sha256"),
        Index("ix_contracts_contracts_registered", "registered_on"),
    )

    id: Mapped[Id]
    version: Mapped[int] = mapped_column(default=1)
    status: Mapped[ContractStatus]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    touched_at: Mapped[datetime]

    deal_id: Mapped[int | None] = mapped_column(ForeignKey("brokerage_deals.id"))
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listings_listings.id"))
    achievement_id: Mapped[int | None] = mapped_column(ForeignKey("achievements_achievements.id"))
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION), index=True)
    buyer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION), index=True)
    agency_organisation_id: Mapped[int | None] = mapped_column(
        ForeignKey(_ORGANISATION), index=True
    )
    registrar_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))

    project_name: Mapped[str] = mapped_column(default="")
    contract_type: Mapped[ContractType | None]
    subtype: Mapped[ContractSubtype | None]
    signed_on: Mapped[date | None]
    effective_on: Mapped[date | None]
    ends_on: Mapped[date | None]
    amount_fen: Mapped[Fen | None]
    technology_amount_fen: Mapped[Fen | None]
    tax_exempt_amount_fen: Mapped[Fen | None]
    payment_mode: Mapped[PaymentMode | None]
    payment_terms: Mapped[str] = mapped_column(default="")
    related_parties: Mapped[bool | None]
    related_explanation: Mapped[str] = mapped_column(default="")
    plan_source: Mapped[PlanSource | None]
    ip_kind: Mapped[IPKind | None]
    no_ip: Mapped[bool] = mapped_column(default=False)
    technology_field: Mapped[TechnologyField | None]
    objective_code: Mapped[str] = mapped_column(default="")
    industry_code: Mapped[str] = mapped_column(default="")
    fiscal_funds: Mapped[bool | None]
    project_id: Mapped[str] = mapped_column(default="")
    activity_id: Mapped[str] = mapped_column(default="")
    seller_representative: Mapped[str] = mapped_column(default="")
    seller_contact_name: Mapped[str] = mapped_column(default="")
    seller_contact_phone: Mapped[str] = mapped_column(default="")
    buyer_representative: Mapped[str] = mapped_column(default="")
    buyer_contact_name: Mapped[str] = mapped_column(default="")
    buyer_contact_phone: Mapped[str] = mapped_column(default="")

    # Frozen at submission: what the parties were then, whatever their profiles say later.
    seller_snapshot: Mapped[Json] = mapped_column(default=dict)
    buyer_snapshot: Mapped[Json] = mapped_column(default=dict)
    text_sha256: Mapped[str] = mapped_column(String(64), default="")

    # The day of application: the first submission. Its rules hold through every correction.
    applied_on: Mapped[date | None]
    submitted_at: Mapped[datetime | None]
    round: Mapped[int] = mapped_column(default=0)
    due_on: Mapped[date | None]
    disputed_reason: Mapped[str] = mapped_column(default="")
    reviewer_name: Mapped[str] = mapped_column(default="")
    returned_reason: Mapped[str] = mapped_column(default="")
    contract_no: Mapped[str | None] = mapped_column(unique=True)
    registered_on: Mapped[date | None]
    rule_version: Mapped[str] = mapped_column(default="")
    refusal_reason: Mapped[RefusalReason | None]
    decision_words: Mapped[str] = mapped_column(default="")
    decided_at: Mapped[datetime | None]
    cancelled_on: Mapped[date | None]
    # What the seller applied for, and what the text spoke for, when the registrar decided.
    applied_type: Mapped[ContractType | None]
    applied_subtype: Mapped[ContractSubtype | None]
    proposed_type: Mapped[ContractType | None]
    proposed_certainty: Mapped[Certainty | None]
    # Drawn at random on registration; with it the public page shows the whole certificate.
    check_code: Mapped[str] = mapped_column(String(16), default="")

    items: Mapped[list[ContractItem]] = relationship(
        order_by="ContractItem.position", cascade="all, delete-orphan", lazy="selectin"
    )
    schedule: Mapped[list[ContractInstalment]] = relationship(
        order_by="ContractInstalment.position", cascade="all, delete-orphan", lazy="selectin"
    )


class ContractItem(Base):
    """A part of the price that pays for no technology."""

    __tablename__ = "contracts_items"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount_positive"),)

    id: Mapped[Id]
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts_contracts.id"), index=True)
    position: Mapped[int]
    label: Mapped[str]
    amount_fen: Mapped[Fen]


class ContractInstalment(Base):
    """A payment that the contract agrees on: when or after what, and how much."""

    __tablename__ = "contracts_instalments"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount_positive"),)

    id: Mapped[Id]
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts_contracts.id"), index=True)
    position: Mapped[int]
    due_on: Mapped[date]
    label: Mapped[str]
    amount_fen: Mapped[Fen]


class ContractText(Base):
    """What could be read of an attachment; ``problem`` says why there is nothing."""

    __tablename__ = "contracts_texts"

    attachment_id: Mapped[int] = mapped_column(
        ForeignKey("foundation_attachments.id"), primary_key=True, autoincrement=False
    )
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts_contracts.id"), index=True)
    body: Mapped[str] = mapped_column(Text)
    problem: Mapped[str]


class ContractTextMark(Base):
    """One of the smallest shingle hashes of a contract's text: like texts share many."""

    __tablename__ = "contracts_text_marks"
    __table_args__ = (Index("ix_contracts_text_marks_mark", "mark"),)

    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts_contracts.id"), primary_key=True)
    mark: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class ContractChange(Base):
    """A recorded change of a registered contract: what the amounts were and are."""

    __tablename__ = "contracts_changes"

    id: Mapped[Id]
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts_contracts.id"), index=True)
    changed_on: Mapped[date]
    reason: Mapped[str]
    amount_before_fen: Mapped[Fen]
    amount_after_fen: Mapped[Fen]
    technology_before_fen: Mapped[Fen]
    technology_after_fen: Mapped[Fen]
    ends_before_on: Mapped[date | None]
    ends_after_on: Mapped[date | None]
    recorded_by: Mapped[str]
