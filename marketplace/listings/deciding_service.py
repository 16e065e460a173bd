"""Open and close sessions at their time, and name the winner that the record replays to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import outbox
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.db import lock
from marketplace.foundation.money import Fen
from marketplace.listings.automatic_service import run_orders
from marketplace.listings.award_service import conclude, fail
from marketplace.listings.bidding_models import BiddingSession, SealedBid
from marketplace.listings.bidding_queries import entries_of
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.events import BiddingClosed, SealedBidsClosed
from marketplace.listings.models import Intent, Listing
from marketplace.listings.planning_service import admitted_plates, void_if_late
from marketplace.listings.record_rules import RecordKind
from marketplace.listings.replay_rules import replay
from marketplace.listings.rules import IntentState
from marketplace.listings.session_service import append, lock_standing, open_session
from marketplace.listings.trail import note

_BATCH = 20


def open_sessions(session: Session, *, now: datetime) -> int:
    """Begin the sessions whose time has come; one that is too late is voided. Count them."""
    ids = session.scalars(
        select(BiddingSession.listing_id)
        .where(
            BiddingSession.opened_at.is_(None),
            BiddingSession.voided_at.is_(None),
            BiddingSession.starts_at <= now,
        )
        .order_by(BiddingSession.starts_at, BiddingSession.id)
        .limit(_BATCH)
    ).all()
    return sum(_open(session, listing_id, now=now) for listing_id in ids)


def _open(session: Session, listing_id: int, *, now: datetime) -> bool:
    listing = lock(session, Listing, listing_id)
    row = lock_standing(session, listing_id)
    if row.opened_at is not None or row.starts_at > now:
        return False
    if void_if_late(session, listing, row, due_at=row.starts_at, what="开始", now=now):
        return True
    open_session(session, row, now=now)
    run_orders(session, row, now=now)
    return True


def close_sessions(session: Session, *, now: datetime) -> int:
    """Close the sessions whose time is over; one that is too late is voided. Count them."""
    ids = session.scalars(
        select(BiddingSession.listing_id)
        .where(
            BiddingSession.closed_at.is_(None),
            BiddingSession.voided_at.is_(None),
            BiddingSession.closes_at <= now,
        )
        .order_by(BiddingSession.closes_at, BiddingSession.id)
        .limit(_BATCH)
    ).all()
    return sum(_close(session, listing_id, now=now) for listing_id in ids)


def _close(session: Session, listing_id: int, *, now: datetime) -> bool:
    listing = lock(session, Listing, listing_id)
    row = lock_standing(session, listing_id)
    if row.closed_at is not None or row.closes_at > now:
        return False  # a bid came in between and moved the end
    if void_if_late(session, listing, row, due_at=row.closes_at, what="结束", now=now):
        return True
    row.closed_at = now
    body: dict[str, object] = {
        "bids": row.bid_count,
        "plates": admitted_plates(session, listing.id),
        "plates_nonce": row.plates_nonce,
    }
    if row.kind is BiddingKind.ASCENDING:
        append(session, row, RecordKind.CLOSED, body, at=now)
        found = (row.last_plate, row.last_fen) if row.last_plate and row.last_fen else None
        decide(session, listing, row, found, actor=SYSTEM, now=now)
        return True
    hashes = session.scalars(
        select(SealedBid.commitment)
        .where(SealedBid.session_id == row.id)
        .order_by(SealedBid.commitment)
    ).all()
    append(session, row, RecordKind.CLOSED, {**body, "hashes": list(hashes)}, at=now)
    outbox.publish(
        session,
        SealedBidsClosed(
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
            bid_count=row.bid_count,
        ),
        now=now,
    )
    note(session, listing, SYSTEM, "close_bidding", now, bids=row.bid_count)
    if row.bid_count == 0:
        decide(session, listing, row, None, actor=SYSTEM, now=now)
    return True


def decide(
    session: Session,
    listing: Listing,
    row: BiddingSession,
    best: tuple[str, Fen] | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Name the winner of a locked session, prove it from the record, and settle the listing."""
    plate, amount = best or (None, None)
    append(session, row, RecordKind.RESULT, {"plate": plate, "amount_fen": amount}, at=now)
    row.decided_at = now
    replay(entries_of(session, row.id))
    intent = None if plate is None else _by_plate(session, listing.id, plate)
    outbox.publish(
        session,
        BiddingClosed(
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=intent.organisation_id if intent else None,
            price_fen=amount,
            bid_count=row.bid_count,
        ),
        now=now,
    )
    note(session, listing, actor, "decide_bidding", now, bids=row.bid_count, record=row.head_digest)
    if intent is None or amount is None:
        fail(session, listing, actor=SYSTEM, now=now, reason="竞价期内没有人报价")
    else:
        conclude(session, listing, intent, amount, actor=SYSTEM, now=now)


def _by_plate(session: Session, listing_id: int, plate: str) -> Intent:
    return session.scalars(
        select(Intent).where(
            Intent.listing_id == listing_id,
            Intent.plate == plate,
            Intent.state == IntentState.QUALIFIED,
        )
    ).one()
