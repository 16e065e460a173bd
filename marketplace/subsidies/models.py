"""Tables of subsidies: facts of contracts, rounds, claims, reviews, payments and claw-backs."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from marketplace.contracts.rules import ContractType
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.subsidies.clawback_rules import ClawBackGround
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus, ReviewDecision, ReviewStep
from marketplace.subsidies.word_rules import ClaimItem, Item

_ORGANISATION = "accounts_organisations.id"
_USER = "accounts_users.id"


class ContractFact(Base):
    """What a registered contract was at its registration, as its event carried it."""

    __tablename__ = "subsidies_contract_facts"
    __table_args__ = (
        CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        Index("ix_subsidies_facts_seller", "seller_organisation_id", "registered_on"),
        Index("ix_subsidies_facts_buyer", "buyer_organisation_id", "registered_on"),
        Index("ix_subsidies_facts_agency", "agency_organisation_id", "registered_on"),
        Index("ix_subsidies_facts_registrar", "registrar_organisation_id", "registered_on"),
        Index("ix_subsidies_facts_project", "project_id"),
        Index("ix_subsidies_facts_activity", "activity_id"),
    )

    id: Mapped[Id]
    # No foreign key: the fact rests on the event alone and is complete without its contract.
    contract_id: Mapped[int] = mapped_column(unique=True)
    contract_no: Mapped[str] = mapped_column(unique=True)
    contract_type: Mapped[ContractType]
    project_name: Mapped[str]
    registered_on: Mapped[date]
    amount_fen: Mapped[Fen]
    technology_amount_fen: Mapped[Fen]
    tax_exempt_amount_fen: Mapped[Fen | None]
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    buyer_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    agency_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    registrar_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    project_id: Mapped[str]
    activity_id: Mapped[str]
    fiscal_funds: Mapped[bool]
    cancelled_on: Mapped[date | None]
    cancelled_reason: Mapped[str] = mapped_column(default="")


class Round(Base):
    """A notice that opens a year's applications, with its budget."""

    __tablename__ = "subsidies_rounds"
    __table_args__ = (
        CheckConstraint("budget_fen > 0", name="budget_positive"),
        CheckConstraint("closes_on >= opens_on", name="dates_in_order"),
        CheckConstraint("expert_count BETWEEN 1 AND 9", name="experts"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    year: Mapped[int] = mapped_column(index=True)
    title: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    budget_fen: Mapped[Fen]
    # The values of the ``ClaimItem``s that the notice names.
    items: Mapped[Json]
    eligible: Mapped[str] = mapped_column(default="")
    documents: Mapped[str] = mapped_column(default="")
    expert_count: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))


class Claim(Base):
    """One organisation's application for one item of one year in one round."""

    __tablename__ = "subsidies_claims"
    __table_args__ = (
        CheckConstraint("claimed_fen >= 0", name="claimed_not_negative"),
        CheckConstraint("approved_fen <= claimed_fen", name="approved_within_claimed"),
        CheckConstraint("payable_fen <= approved_fen", name="payable_within_approved"),
        Index("ix_subsidies_claims_own", "organisation_id", "year", "item"),
        Index("ix_subsidies_claims_desk", "status", "due_on"),
        Index("ix_subsidies_claims_remind", "remind_on"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("subsidies_rounds.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    item: Mapped[ClaimItem]
    year: Mapped[int]
    status: Mapped[ClaimStatus]
    # Set while it is a draft: one draft for an item, however many windows are open.
    draft_key: Mapped[str | None] = mapped_column(unique=True)
    attempt: Mapped[int] = mapped_column(default=1)
    district: Mapped[str | None]
    claimed_fen: Mapped[Fen]
    earlier_fen: Mapped[Fen]
    approved_fen: Mapped[Fen | None]
    payable_fen: Mapped[Fen | None]
    factor: Mapped[str] = mapped_column(default="1")
    calculation: Mapped[Json]
    # What the applicant enters where the platform does not know it: ``single_queries.Entries``.
    particulars: Mapped[Json] = mapped_column(default=dict)
    contact_name: Mapped[str] = mapped_column(default="")
    contact_phone: Mapped[str] = mapped_column(default="")
    bank_name: Mapped[str] = mapped_column(default="")
    bank_account: Mapped[str] = mapped_column(default="")
    statement: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    # The morning on which whoever holds the claim is reminded of ``due_on``; None: no more.
    remind_on: Mapped[date | None]
    publicity_id: Mapped[int | None] = mapped_column(ForeignKey("publicity_notices.id"))

    lines: Mapped[list[ClaimLine]] = relationship(
        back_populates="claim", cascade="all, delete-orphan", order_by="ClaimLine.id"
    )
    grounds: Mapped[list[ClaimGround]] = relationship(
        back_populates="claim", cascade="all, delete-orphan", order_by="ClaimGround.id"
    )


class ClaimLine(Base):
    """One contract taken by one claim; the constraint is what makes paying twice impossible."""

    __tablename__ = "subsidies_claim_lines"
    __table_args__ = (
        UniqueConstraint("contract_id", "item", "year", "organisation_id"),
        CheckConstraint("base_fen >= 0", name="base_not_negative"),
    )

    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("subsidies_claims.id"), index=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("subsidies_contract_facts.contract_id"))
    item: Mapped[Item]
    year: Mapped[int]
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    base_fen: Mapped[Fen]

    claim: Mapped[Claim] = relationship(back_populates="lines")


class ClaimGround(Base):
    """What a claim without contracts rests on: a recognition, a fee, an order, a meeting.

    ``key`` names it within its item; the constraint lets it be claimed once, by whomever.
    """

    __tablename__ = "subsidies_claim_grounds"
    __table_args__ = (
        UniqueConstraint("item", "key"),
        CheckConstraint("paid_fen >= 0", name="paid_not_negative"),
        CheckConstraint("counted_fen >= 0", name="counted_not_negative"),
    )

    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("subsidies_claims.id"), index=True)
    item: Mapped[ClaimItem]
    key: Mapped[str]
    what: Mapped[str]
    proof: Mapped[str]
    happened_on: Mapped[date]
    paid_fen: Mapped[Fen]
    counted_fen: Mapped[Fen]
    excellent: Mapped[bool] = mapped_column(default=False)
    counterparty_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))

    claim: Mapped[Claim] = relationship(back_populates="grounds")


class Review(Base):
    """One reviewer's decision on one step; a returned claim is reviewed anew.

    An office has one seat, a panel of experts several; nobody takes two of them.
    """

    __tablename__ = "subsidies_reviews"
    __table_args__ = (
        UniqueConstraint("claim_id", "step", "attempt", "seat"),
        UniqueConstraint("claim_id", "step", "attempt", "reviewer_user_id"),
        CheckConstraint("seat BETWEEN 1 AND 9", name="seat_in_range"),
        CheckConstraint("score BETWEEN 0 AND 100", name="score_in_range"),
    )

    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("subsidies_claims.id"))
    step: Mapped[ReviewStep]
    attempt: Mapped[int]
    seat: Mapped[int] = mapped_column(default=1)
    decision: Mapped[ReviewDecision]
    opinion: Mapped[str]
    score: Mapped[int | None]
    computed_fen: Mapped[Fen]
    reviewer_user_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    reviewer_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    decided_at: Mapped[datetime]


class PaymentList(Base):
    """Approved claims that the bureau hands to the finance bureau together."""

    __tablename__ = "subsidies_payment_lists"

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(unique=True)
    prepared_at: Mapped[datetime]
    prepared_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    due_on: Mapped[date | None]


class Payment(Base):
    """The one payment of a claim: listed by one person, confirmed by another."""

    __tablename__ = "subsidies_payments"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("confirmed_by_id <> prepared_by_id", name="two_persons"),
        CheckConstraint("status <> 'paid' OR confirmed_at IS NOT NULL", name="paid_when"),
        Index("ix_subsidies_payments_waiting", "status", "list_id"),
    )

    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("subsidies_claims.id"), unique=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("subsidies_payment_lists.id"))
    amount_fen: Mapped[Fen]
    status: Mapped[PaymentStatus]
    reference: Mapped[str] = mapped_column(default="")
    prepared_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    confirmed_at: Mapped[datetime | None]


class ClawBack(Base):
    """The one claw-back of a paid claim: decided by one person, its receipt seen by another."""

    __tablename__ = "subsidies_claw_backs"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_positive"),
        CheckConstraint("received_by_id <> ordered_by_id", name="two_persons"),
        CheckConstraint("(received_at IS NULL) = (reference = '')", name="received_with_reference"),
    )

    id: Mapped[Id]
    claim_id: Mapped[int] = mapped_column(ForeignKey("subsidies_claims.id"), unique=True)
    ground: Mapped[ClawBackGround]
    article: Mapped[str]
    amount_fen: Mapped[Fen]
    reason: Mapped[str]
    document: Mapped[str]
    due_on: Mapped[date]
    # No foreign key: the integrity slice keeps its own records.
    integrity_record_id: Mapped[int | None]
    ordered_at: Mapped[datetime]
    ordered_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    reference: Mapped[str] = mapped_column(default="")
    received_at: Mapped[datetime | None]
    received_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
