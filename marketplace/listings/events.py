"""What happened in the trading hall; enumerations travel by value, amounts are fen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class ListingApplied(Event):
    """A seller asked to list an achievement."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class ListingReturned(Event):
    """The operator sent an application back, to be corrected."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ListingAccepted(Event):
    """The operator accepted an application and gave it its number."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    title: str
    number: str


@dataclass(frozen=True, kw_only=True)
class ListingAnnounced(Event):
    """A listing is open for intents through ``ends_on``, that day included."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    title: str
    number: str
    pricing_mode: str
    trading_mode: str
    base_price_fen: int
    ends_on: date


@dataclass(frozen=True, kw_only=True)
class ListingExtended(Event):
    """Nobody came; the announcement runs on through ``ends_on`` for the ``count``-th time."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    title: str
    ends_on: date
    count: int


@dataclass(frozen=True, kw_only=True)
class AnnouncementRevised(Event):
    """A notice that stood was changed; ``kind`` is a ``VersionKind`` by value."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    title: str
    number: int
    kind: str
    reason: str
    ends_on: date


@dataclass(frozen=True, kw_only=True)
class PriorityAsked(Event):
    """A holder of a priority right is asked; ids are None for one who is not on the platform."""

    priority_id: int
    listing_id: int
    title: str
    user_id: int | None
    organisation_id: int | None
    answer_by: date


@dataclass(frozen=True, kw_only=True)
class PriorityOffered(Event):
    """Buyer and price are found: a holder who claimed its right is asked at that price."""

    priority_id: int
    listing_id: int
    title: str
    price_fen: int
    organisation_id: int
    answer_by: date


@dataclass(frozen=True, kw_only=True)
class PriorityExercised(Event):
    """A holder takes the sale at its price: who was to buy will not."""

    listing_id: int
    title: str
    holder: str
    price_fen: int
    seller_organisation_id: int
    former_buyer_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class CertificateIssued(Event):
    """A signed trade has its certificate; the file follows when it is sealed."""

    certificate_id: int
    listing_id: int
    number: str
    seller_organisation_id: int
    buyer_organisation_id: int
    title: str


@dataclass(frozen=True, kw_only=True)
class CertificateWithdrawn(Event):
    """A certificate no longer stands, for the reason given."""

    certificate_id: int
    listing_id: int
    number: str
    seller_organisation_id: int
    buyer_organisation_id: int
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class IntentRegistered(Event):
    """An enterprise registered its wish to acquire."""

    intent_id: int
    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    buyer_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class IntentAdmitted(Event):
    """The operator found a buyer eligible; the deposit decides the rest."""

    intent_id: int
    listing_id: int
    title: str
    buyer_organisation_id: int
    deposit_fen: int


@dataclass(frozen=True, kw_only=True)
class IntentQualified(Event):
    """A buyer is qualified and has its number plate."""

    intent_id: int
    listing_id: int
    title: str
    seller_organisation_id: int
    buyer_organisation_id: int
    plate: str


@dataclass(frozen=True, kw_only=True)
class IntentRejected(Event):
    """A buyer did not qualify, for the reason given."""

    intent_id: int
    listing_id: int
    title: str
    buyer_organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class IntentWithdrawn(Event):
    """A buyer took its intent back before it was bound by a bid or an agreed price."""

    intent_id: int
    listing_id: int
    title: str
    seller_organisation_id: int
    buyer_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class PriceAgreed(Event):
    """Seller and buyer agreed a price, which now goes before the public."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    buyer_organisation_id: int
    title: str
    price_fen: int
    related_party: bool
    publicity_id: int


@dataclass(frozen=True, kw_only=True)
class BiddingScheduled(Event):
    """A bidding session is set; the qualified buyers bid against each other."""

    listing_id: int
    title: str
    seller_organisation_id: int
    bidding_kind: str
    starts_at: datetime
    closes_at: datetime


@dataclass(frozen=True, kw_only=True)
class BiddingOpened(Event):
    """The free period of a bidding session began."""

    listing_id: int
    title: str
    seller_organisation_id: int


@dataclass(frozen=True, kw_only=True)
class SealedBidsClosed(Event):
    """The time for sealed bids is over; their hashes are published, nobody can read them yet."""

    listing_id: int
    title: str
    seller_organisation_id: int
    bid_count: int


@dataclass(frozen=True, kw_only=True)
class BidsUnsealed(Event):
    """Enough officers opened the sealed bids."""

    listing_id: int
    title: str
    seller_organisation_id: int
    bid_count: int


@dataclass(frozen=True, kw_only=True)
class BiddingVoided(Event):
    """A session was voided, for the reason given, and another one is planned."""

    listing_id: int
    title: str
    seller_organisation_id: int
    reason: str
    starts_at: datetime


@dataclass(frozen=True, kw_only=True)
class IntentBarred(Event):
    """A qualified buyer may no longer bid, for the reason given; the deposit goes back."""

    intent_id: int
    listing_id: int
    title: str
    buyer_organisation_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class BiddingClosed(Event):
    """A bidding session came to its result; without a bid there is no winner."""

    listing_id: int
    title: str
    seller_organisation_id: int
    buyer_organisation_id: int | None
    price_fen: int | None
    bid_count: int


@dataclass(frozen=True, kw_only=True)
class ListingAwarded(Event):
    """The result stood before the public and holds: seller and buyer are to sign."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    buyer_organisation_id: int
    price_fen: int
    trading_mode: str
    title: str
    sign_by: date


@dataclass(frozen=True, kw_only=True)
class ListingSigned(Event):
    """The contract of a listing was registered."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    buyer_organisation_id: int
    title: str
    contract_no: str


@dataclass(frozen=True, kw_only=True)
class ListingFailed(Event):
    """A listing ended without a deal, for the reason given."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ListingWithdrawn(Event):
    """The seller took a listing back, with its reason."""

    listing_id: int
    achievement_id: int
    seller_organisation_id: int
    title: str
    reason: str
