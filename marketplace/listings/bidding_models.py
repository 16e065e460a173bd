"""The tables of bidding: sessions, bids, sealed bids, private limits, the record, opening keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.record_rules import RecordKind

_STANDING = sql_text("voided_at IS NULL")


class BiddingSession(Base):
    """One session; ``closes_at`` moves on with each limited bid, voided, it has a successor.

    The row is locked before anything is done in the session, and carries what the next bid needs:
    the last bid and the head of the record.
    """

    __tablename__ = "listings_sessions"
    __table_args__ = (
        UniqueConstraint("listing_id", "attempt"),
        CheckConstraint("increment_fen >= 0", name="increment_not_negative"),
        CheckConstraint("starts_at < closes_at", name="times"),
        # A listing has one session that counts.
        Index(
            "uq_listings_sessions_standing",
            "listing_id",
            unique=True,
            sqlite_where=_STANDING,
            postgresql_where=_STANDING,
        ),
        Index("ix_listings_sessions_closing", "closed_at", "closes_at"),
    )

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings_listings.id"))
    attempt: Mapped[int]
    kind: Mapped[BiddingKind]
    base_fen: Mapped[Fen]
    increment_fen: Mapped[Fen]
    criteria: Mapped[Json] = mapped_column(default=list)
    starts_at: Mapped[datetime]
    # Ascending only: when the free period ends, and how long a limited cycle is.
    free_ends_at: Mapped[datetime | None]
    cycle_seconds: Mapped[int]
    closes_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[str] = mapped_column(default="")
    bid_count: Mapped[int] = mapped_column(default=0)
    order_count: Mapped[int] = mapped_column(default=0)
    last_plate: Mapped[str | None]
    last_fen: Mapped[Fen | None]
    last_at: Mapped[datetime | None]
    last_cycle: Mapped[int | None]
    entry_count: Mapped[int] = mapped_column(default=0)
    head_digest: Mapped[str] = mapped_column(String(64), default="")
    # Hides the list of admitted plates until the session is closed.
    plates_nonce: Mapped[str] = mapped_column(String(64))
    # Sealed kinds only: what bids are sealed to, and how many officers open it.
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    threshold: Mapped[int] = mapped_column(default=0)
    scores: Mapped[Json] = mapped_column(default=dict)


class Bid(Base):
    """One valid bid. Rows are only ever added: a bid cannot be changed or taken back."""

    __tablename__ = "listings_bids"
    __table_args__ = (
        UniqueConstraint("session_id", "sequence"),
        UniqueConstraint("session_id", "amount_fen"),
        UniqueConstraint("session_id", "submission_key"),
        CheckConstraint("amount_fen > 0", name="amount_positive"),
    )

    id: Mapped[Id]
    session_id: Mapped[int] = mapped_column(ForeignKey("listings_sessions.id"))
    sequence: Mapped[int]
    intent_id: Mapped[int] = mapped_column(ForeignKey("listings_intents.id"))
    plate: Mapped[str]
    amount_fen: Mapped[Fen]
    placed_at: Mapped[datetime]
    cycle: Mapped[int]
    submission_key: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))


class SealedBid(Base):
    """One sealed bid: ciphertext and commitment, nothing that tells its price."""

    __tablename__ = "listings_sealed_bids"
    __table_args__ = (
        UniqueConstraint("session_id", "intent_id"),
        UniqueConstraint("session_id", "commitment"),
    )

    id: Mapped[Id]
    session_id: Mapped[int] = mapped_column(ForeignKey("listings_sessions.id"))
    intent_id: Mapped[int] = mapped_column(ForeignKey("listings_intents.id"))
    plate: Mapped[str]
    received_at: Mapped[datetime]
    commitment: Mapped[str] = mapped_column(String(64))
    ciphertext: Mapped[bytes] = mapped_column(LargeBinary)
    submission_key: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))


class AutomaticOrder(Base):
    """A bidder's private limit (委托报价); seen by nobody else, never published."""

    __tablename__ = "listings_automatic_orders"
    __table_args__ = (
        UniqueConstraint("session_id", "intent_id"),
        CheckConstraint("limit_fen > 0", name="limit_positive"),
    )

    id: Mapped[Id]
    session_id: Mapped[int] = mapped_column(ForeignKey("listings_sessions.id"))
    intent_id: Mapped[int] = mapped_column(ForeignKey("listings_intents.id"))
    plate: Mapped[str]
    limit_fen: Mapped[Fen]
    # A changed limit counts from its change on: of two equal ones the earlier comes first.
    rank: Mapped[int]
    given_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))


class RecordEntry(Base):
    """One entry of a session's published record. Rows are only ever added."""

    __tablename__ = "listings_record_entries"
    __table_args__ = (UniqueConstraint("session_id", "sequence"),)

    id: Mapped[Id]
    session_id: Mapped[int] = mapped_column(ForeignKey("listings_sessions.id"))
    sequence: Mapped[int]
    at: Mapped[datetime]
    kind: Mapped[RecordKind]
    body: Mapped[Json]
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class OfficerKey(Base):
    """An officer's key pair for openings; the private key lies under the officer's passphrase."""

    __tablename__ = "listings_officer_keys"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"), unique=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    locked_key: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


class KeyShare(Base):
    """An officer's share of a session's opening key, sealed to the officer until given."""

    __tablename__ = "listings_key_shares"
    __table_args__ = (
        UniqueConstraint("session_id", "user_id"),
        UniqueConstraint("session_id", "number"),
        CheckConstraint("(given_at IS NULL) = (given IS NULL)", name="given_with_its_time"),
    )

    id: Mapped[Id]
    session_id: Mapped[int] = mapped_column(ForeignKey("listings_sessions.id"))
    number: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    # The officer's private key as it was when the share was made: a new passphrase cannot lose it.
    locked_key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_share: Mapped[bytes] = mapped_column(LargeBinary)
    given: Mapped[bytes | None] = mapped_column(LargeBinary)
    given_at: Mapped[datetime | None]
