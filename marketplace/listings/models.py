"""The tables of the trading hall: listings and intents; bidding stands in ``bidding_models``.

Locks are taken in this order: listing, intents by id, session, then payments and notices.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import PaymentMode, TechnologyField, TradingMode
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.rules import IntentState, ListingState, PricingMode

_OVER = text("state NOT IN ('signed', 'failed', 'withdrawn')")
_LIVE = text("state IN ('registered', 'admitted', 'qualified', 'won')")


class Listing(Base):
    """An achievement offered under stated conditions; dates fill in as the procedure goes on."""

    __tablename__ = "listings_listings"
    __table_args__ = (
        CheckConstraint("base_price_fen > 0", name="base_price_positive"),
        CheckConstraint("deposit_fen >= 0", name="deposit_not_negative"),
        CheckConstraint("price_fen IS NULL OR price_fen >= base_price_fen", name="never_below"),
        CheckConstraint(
            "state NOT IN ('awarded', 'signed') OR (price_fen IS NOT NULL AND buyer_id IS NOT NULL"
            " AND publicity_id IS NOT NULL)",
            name="award_after_publicity",
        ),
        # One achievement is on offer once at a time.
        Index(
            "uq_listings_achievement_live",
            "achievement_id",
            unique=True,
            sqlite_where=_OVER,
            postgresql_where=_OVER,
        ),
        Index("ix_listings_hall", "state", "announced_at", "id"),
        Index("ix_listings_seller", "organisation_id", "id"),
    )

    id: Mapped[Id]
    number: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[ListingState]
    version: Mapped[int] = mapped_column(default=1)
    achievement_id: Mapped[int] = mapped_column(ForeignKey("achievements_achievements.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    title: Mapped[str]
    field: Mapped[TechnologyField | None]
    pricing_mode: Mapped[PricingMode]
    trading_mode: Mapped[TradingMode]
    base_price_fen: Mapped[Fen]
    increment_fen: Mapped[Fen]
    deposit_fen: Mapped[Fen]
    # How bids are given, should it come to bidding, and what counts beside the price.
    bidding_kind: Mapped[BiddingKind] = mapped_column(default=BiddingKind.ASCENDING)
    criteria: Mapped[Json] = mapped_column(default=list)
    payment_mode: Mapped[PaymentMode]
    payment_terms: Mapped[str]
    conditions: Mapped[str]
    # Who holds the auction or the tender, and by which licence.
    agent_name: Mapped[str] = mapped_column(default="")
    agent_licence: Mapped[str] = mapped_column(default="")
    outside_document: Mapped[str] = mapped_column(default="")
    applied_at: Mapped[datetime]
    applied_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    accepted_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]
    announcement_ends_on: Mapped[date | None]
    announcement_closes_at: Mapped[datetime | None]
    extension_count: Mapped[int] = mapped_column(default=0)
    qualification_ends_on: Mapped[date | None]
    qualification_closes_at: Mapped[datetime | None]
    # The buyer's organisation, as soon as price and buyer are settled.
    buyer_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_organisations.id"))
    price_fen: Mapped[Fen | None]
    related_party: Mapped[bool] = mapped_column(default=False)
    settled_at: Mapped[datetime | None]
    publicity_id: Mapped[int | None] = mapped_column(ForeignKey("publicity_notices.id"))
    awarded_at: Mapped[datetime | None]
    sign_by: Mapped[date | None]
    signed_at: Mapped[datetime | None]
    contract_no: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]


class Intent(Base):
    """A buyer's wish to acquire, and what became of it."""

    __tablename__ = "listings_intents"
    __table_args__ = (
        CheckConstraint("offer_fen > 0", name="offer_positive"),
        UniqueConstraint("listing_id", "plate"),
        Index(
            "uq_listings_intents_live",
            "listing_id",
            "organisation_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_listings_intents_buyer", "organisation_id", "id"),
    )

    id: Mapped[Id]
    listing_id: Mapped[int] = mapped_column(ForeignKey("listings_listings.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    state: Mapped[IntentState]
    offer_fen: Mapped[Fen]
    plan: Mapped[str]
    related_party: Mapped[bool]
    relation: Mapped[str]
    registered_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))
    reason: Mapped[str] = mapped_column(default="")
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("payments_payments.id"))
    plate: Mapped[str | None]
    # What was found when the intent was registered and judged, item by item.
    checks: Mapped[Json] = mapped_column(default=list)
    barred_at: Mapped[datetime | None]
