"""Tables of deals, notes, tasks, introductions, agreements, commission, brokers and filings."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.register_rules import BrokerLevel, FilingStatus, RequestStatus
from marketplace.brokerage.rules import (
    DealSource,
    DealStage,
    LostReason,
    NoteKind,
    NoteVisibility,
)
from marketplace.brokerage.terms_rules import (
    AgreementStatus,
    CommissionBasis,
    CommissionPayer,
    CommissionStatus,
    DueWhen,
)
from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode

_ORGANISATION = "accounts_organisations.id"
_USER = "accounts_users.id"
_ACHIEVEMENT = "achievements_achievements.id"
_STANDING = text("ended_at IS NULL")
_LIVE_PAIR = text("achievement_id IS NOT NULL AND stage NOT IN ('lost', 'merged', 'paid')")
_LIVE_NEED = text(
    "achievement_id IS NULL AND need_id IS NOT NULL AND stage NOT IN ('lost', 'merged', 'paid')"
)


class Deal(Base):
    """One pair of supply and demand on its way to a contract."""

    __tablename__ = "brokerage_deals"
    __table_args__ = (
        CheckConstraint("seller_organisation_id <> buyer_organisation_id", name="two_parties"),
        CheckConstraint("amount_fen IS NULL OR amount_fen > 0", name="amount_positive"),
        CheckConstraint("stage <> 'lost' OR lost_reason IS NOT NULL", name="loss_has_reason"),
        # Signing, registration and payment end every pipeline, by the same names.
        CheckConstraint(
            "stage NOT IN ('signed', 'registered', 'paid') OR step = stage", name="end_is_common"
        ),
        CheckConstraint(
            "(stage = 'merged') = (merged_into_id IS NOT NULL)", name="merged_into_another"
        ),
        CheckConstraint("merged_into_id <> id", name="not_into_itself"),
        # One deal at a time for a pair: a second intent or a double click finds the first. Only
        # parts that a leader has told apart stand beside each other.
        Index(
            "uq_brokerage_deals_live_pair",
            "achievement_id",
            "buyer_organisation_id",
            "part",
            unique=True,
            sqlite_where=_LIVE_PAIR,
            postgresql_where=_LIVE_PAIR,
        ),
        Index(
            "uq_brokerage_deals_live_need",
            "need_id",
            "seller_organisation_id",
            "part",
            unique=True,
            sqlite_where=_LIVE_NEED,
            postgresql_where=_LIVE_NEED,
        ),
        Index("ix_brokerage_deals_broker", "broker_user_id", "stage"),
        Index("ix_brokerage_deals_seller", "seller_organisation_id", "stage"),
        Index("ix_brokerage_deals_buyer", "buyer_organisation_id", "stage"),
        Index("ix_brokerage_deals_agency", "agency_organisation_id", "stage"),
    )

    id: Mapped[Id]
    version: Mapped[int] = mapped_column(default=1)
    title: Mapped[str]
    source: Mapped[DealSource]
    # Codes of seed/reference/pipelines.yaml. The stage follows the step; a lost deal keeps the
    # step that it had reached. ``stage_since`` is the day of the last step.
    pipeline: Mapped[str] = mapped_column(String(40))
    step: Mapped[str] = mapped_column(String(40))
    stage: Mapped[DealStage]
    stage_since: Mapped[datetime]
    opened_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    achievement_id: Mapped[int | None] = mapped_column(ForeignKey(_ACHIEVEMENT))
    need_id: Mapped[int | None] = mapped_column(ForeignKey("needs_needs.id"))
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listings_listings.id"))
    intent_id: Mapped[int | None] = mapped_column(unique=True)
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    buyer_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    broker_user_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    agency_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    amount_fen: Mapped[Fen | None]
    trading_mode: Mapped[TradingMode | None]
    agreement_waiver: Mapped[str] = mapped_column(default="")
    signed_on: Mapped[date | None]
    registered_on: Mapped[date | None]
    paid_on: Mapped[date | None]
    contract_no: Mapped[str] = mapped_column(default="")
    lost_reason: Mapped[LostReason | None]
    lost_words: Mapped[str] = mapped_column(default="")
    lost_from: Mapped[DealStage | None]
    lost_at: Mapped[datetime | None]
    last_contact_at: Mapped[datetime | None]
    # The earliest open task's day, kept with the deal so that lists sort and filter by it.
    next_task_on: Mapped[date | None]
    # What part of its achievement or need it is about, once it was split; empty means all of it.
    part: Mapped[str] = mapped_column(default="")
    split_from_id: Mapped[int | None] = mapped_column(ForeignKey("brokerage_deals.id"), index=True)
    # Always the deal that stands: when that one is merged on, what was merged into it follows.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("brokerage_deals.id"), index=True)
    merged_at: Mapped[datetime | None]


class Note(Base):
    """What was said or seen on a deal."""

    __tablename__ = "brokerage_notes"
    __table_args__ = (Index("ix_brokerage_notes_deal", "deal_id", "id"),)

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"))
    kind: Mapped[NoteKind]
    visibility: Mapped[NoteVisibility]
    body: Mapped[str]
    written_at: Mapped[datetime]
    author_user_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    author_name: Mapped[str]
    author_organisation_name: Mapped[str]


class Task(Base):
    """The next thing to do on a deal, with its day."""

    __tablename__ = "brokerage_tasks"
    __table_args__ = (Index("ix_brokerage_tasks_owner", "owner_user_id", "done_at", "due_on"),)

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"), index=True)
    what: Mapped[str]
    due_on: Mapped[date]
    owner_user_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    result: Mapped[str] = mapped_column(default="")


class Introduction(Base):
    """A broker's introduction of two parties, proved by its time and digest."""

    __tablename__ = "brokerage_introductions"
    __table_args__ = (
        # Of two brokers the first stands, until his introduction has run out.
        Index(
            "uq_brokerage_introductions_standing",
            "subject",
            "seller_organisation_id",
            "buyer_organisation_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_brokerage_introductions_parties", "seller_uscc", "buyer_uscc"),
        CheckConstraint("seller_organisation_id <> buyer_organisation_id", name="two_parties"),
    )

    id: Mapped[Id]
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("brokerage_deals.id"), index=True)
    subject: Mapped[str]
    subject_title: Mapped[str]
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    buyer_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    seller_uscc: Mapped[str] = mapped_column(String(18))
    buyer_uscc: Mapped[str] = mapped_column(String(18))
    broker_user_id: Mapped[int] = mapped_column(ForeignKey(_USER), index=True)
    agency_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    introduced_at: Mapped[datetime]
    valid_to: Mapped[date]
    # Set when another introduction of the pair takes its place, after it has run out.
    ended_at: Mapped[datetime | None]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    seller_acknowledged_at: Mapped[datetime | None]
    buyer_acknowledged_at: Mapped[datetime | None]


class Agreement(Base):
    """The confidentiality agreement of one buyer for one achievement."""

    __tablename__ = "brokerage_agreements"
    __table_args__ = (UniqueConstraint("achievement_id", "buyer_organisation_id"),)

    id: Mapped[Id]
    achievement_id: Mapped[int] = mapped_column(ForeignKey(_ACHIEVEMENT))
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("brokerage_deals.id"), index=True)
    seller_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    buyer_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION), index=True)
    status: Mapped[AgreementStatus]
    offered_at: Mapped[datetime]
    text_version: Mapped[str]
    text_digest: Mapped[str] = mapped_column(String(64))
    accepted_at: Mapped[datetime | None]
    accepted_on: Mapped[date | None]
    accepted_by_name: Mapped[str] = mapped_column(default="")
    valid_to: Mapped[date | None]
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(default="")


class Commission(Base):
    """What one party owes the broker if the deal's contract is registered."""

    __tablename__ = "brokerage_commissions"
    __table_args__ = (
        CheckConstraint("(rate_per_myriad IS NULL) <> (fixed_fen IS NULL)", name="rate_or_fixed"),
        CheckConstraint("rate_per_myriad BETWEEN 1 AND 10000", name="rate_range"),
        CheckConstraint("fixed_fen > 0", name="fixed_positive"),
        CheckConstraint("due_fen >= 0", name="due_not_negative"),
        CheckConstraint("minimum_fen > 0", name="minimum_positive"),
        CheckConstraint("due_fen IS NULL OR due_fen <= total_fen", name="due_within_total"),
        # One commission of each side for a deal, so that none falls due twice.
        UniqueConstraint("deal_id", "payer"),
    )

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"))
    broker_user_id: Mapped[int] = mapped_column(ForeignKey(_USER), index=True)
    agency_organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION))
    payer: Mapped[CommissionPayer]
    payer_organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION), index=True)
    basis: Mapped[CommissionBasis]
    rate_per_myriad: Mapped[int | None]
    fixed_fen: Mapped[Fen | None]
    minimum_fen: Mapped[Fen | None]
    due_when: Mapped[DueWhen]
    status: Mapped[CommissionStatus]
    proposed_at: Mapped[datetime]
    agreed_at: Mapped[datetime | None]
    agreed_by_name: Mapped[str] = mapped_column(default="")
    # What the registered contract makes of the terms, and how much of it has fallen due.
    total_fen: Mapped[Fen | None]
    contract_no: Mapped[str] = mapped_column(default="")
    due_fen: Mapped[Fen | None]
    due_on: Mapped[date | None]
    received_on: Mapped[date | None]


class Broker(Base):
    """A broker's entry in the register."""

    __tablename__ = "brokerage_brokers"

    user_id: Mapped[int] = mapped_column(ForeignKey(_USER), primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey(_ORGANISATION), index=True)
    name: Mapped[str]
    level: Mapped[BrokerLevel | None]
    certificate_no: Mapped[str] = mapped_column(default="")
    certificate_issuer: Mapped[str] = mapped_column(default="")
    certificate_valid_to: Mapped[date | None]
    # The operator has seen the certificate; a change of it asks for another look.
    confirmed_at: Mapped[datetime | None]
    fields: Mapped[Json] = mapped_column(default=list)
    introduction: Mapped[str] = mapped_column(default="")
    listed: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime]


class ContactRequest(Base):
    """An organisation's wish that a broker get in touch."""

    __tablename__ = "brokerage_contact_requests"
    __table_args__ = (Index("ix_brokerage_contact_requests_broker", "broker_user_id", "status"),)

    id: Mapped[Id]
    broker_user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION), index=True)
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
    contact_name: Mapped[str]
    # Empty without the person's separate consent to hand it on.
    phone: Mapped[str] = mapped_column(default="")
    achievement_id: Mapped[int | None] = mapped_column(ForeignKey(_ACHIEVEMENT))
    need_id: Mapped[int | None] = mapped_column(ForeignKey("needs_needs.id"))
    message: Mapped[str]
    status: Mapped[RequestStatus]
    requested_at: Mapped[datetime]
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    deal_id: Mapped[int | None] = mapped_column(ForeignKey("brokerage_deals.id"))


_APPLIED = text("status = 'applied'")


class Filing(Base):
    """An agency's filing with the figures it applied with."""

    __tablename__ = "brokerage_filings"
    __table_args__ = (
        CheckConstraint("valid_to >= valid_from", name="dates_in_order"),
        CheckConstraint(
            "status <> 'approved' OR (valid_from IS NOT NULL AND valid_to IS NOT NULL)",
            name="approved_has_dates",
        ),
        # One application at a time.
        Index(
            "uq_brokerage_filings_open",
            "organisation_id",
            unique=True,
            sqlite_where=_APPLIED,
            postgresql_where=_APPLIED,
        ),
        Index("ix_brokerage_filings_valid", "organisation_id", "status", "valid_from"),
    )

    id: Mapped[Id]
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    internal: Mapped[bool]
    figures_year: Mapped[int]
    service_income_fen: Mapped[Fen]
    brokered_fen: Mapped[Fen]
    conversion_count: Mapped[int]
    statement: Mapped[str] = mapped_column(default="")
    status: Mapped[FilingStatus]
    applied_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    # Contracts of the register that the figures rest on, by number.
    contract_nos: Mapped[Json] = mapped_column(default=list)
    # Set when it was ended before its time; ``valid_to`` is that day then.
    ended_on: Mapped[date | None]
