"""What every use case of bidding does alike: lock the session, keep its record, store a bid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.errors import NotAllowed, NotFound
from marketplace.foundation.local_time import local_date
from marketplace.foundation.parameters import value_on
from marketplace.listings import bidding_rules as bidding
from marketplace.listings import record_rules
from marketplace.listings.bidding_models import Bid, BiddingSession, RecordEntry
from marketplace.listings.bidding_queries import terms_of
from marketplace.listings.bidding_rules import Mark, Standing
from marketplace.listings.events import BiddingOpened
from marketplace.listings.models import Intent, Listing
from marketplace.listings.record_rules import RecordKind
from marketplace.listings.rules import IntentState
from marketplace.listings.trail import note


def lock_standing(session: Session, listing_id: int) -> BiddingSession:
    """Lock the session of a listing that counts; ``NotFound`` when there is none."""
    row = session.scalar(
        select(BiddingSession)
        .where(BiddingSession.listing_id == listing_id, BiddingSession.voided_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound()
    return row


def late_limit(row: BiddingSession) -> timedelta:
    """Return how late a session may open or close before it is void."""
    return timedelta(seconds=value_on("session_late_limit_seconds", local_date(row.starts_at)))


def append(
    session: Session,
    row: BiddingSession,
    kind: RecordKind,
    body: Mapping[str, Any],
    *,
    at: datetime,
) -> None:
    """Add an entry to the record of a locked session."""
    sequence = row.entry_count + 1
    previous = row.head_digest or record_rules.GENESIS
    digest = record_rules.digest_of(sequence, at, kind, body, previous)
    session.add(
        RecordEntry(
            session_id=row.id,
            sequence=sequence,
            at=at,
            kind=kind,
            body=dict(body),
            previous=previous,
            digest=digest,
        )
    )
    row.entry_count, row.head_digest = sequence, digest


def open_session(session: Session, row: BiddingSession, *, now: datetime) -> None:
    """Begin a locked session: record, audit row, event."""
    listing = session.get_one(Listing, row.listing_id)
    row.opened_at = now
    append(session, row, RecordKind.OPENED, {}, at=now)
    outbox.publish(
        session,
        BiddingOpened(
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
        ),
        now=now,
    )
    note(session, listing, SYSTEM, "open_bidding", now, starts_at=row.starts_at)


def plate_of(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that joins to a listing the intent with the actor's plate."""
    return and_(
        Intent.listing_id == Listing.id,
        Intent.organisation_id == actor.organisation_id,
        Intent.plate.is_not(None),
    )


def bidder(session: Session, actor: Actor, row: BiddingSession, plate: str | None = None) -> Intent:
    """Return the intent under whose plate the actor bids, or say why there is none.

    ``plate`` is what the page said; another than the actor's own is a forged one.
    """
    seller_id, intent = session.execute(
        select(Listing.organisation_id, Intent)
        .outerjoin(Intent, plate_of(actor))
        .where(Listing.id == row.listing_id)
        .order_by(Intent.id.desc())
        .limit(1)
    ).one()
    return entitled(actor, seller_id, intent, plate)


def entitled(actor: Actor, seller_id: int, intent: Intent | None, plate: str | None) -> Intent:
    """Return the intent that entitles the actor to bid, or say why none does."""
    if seller_id == actor.organisation_id:
        raise NotAllowed("bidding.seller", "转让方的成员不能在自己的项目中出价")
    if intent is None:
        raise NotAllowed(
            "bidding.unqualified",
            "贵单位没有这场竞价的号牌：通过资格确认并交足保证金后才可以出价",
        )
    if intent.state is IntentState.BARRED:
        raise NotAllowed(
            "bidding.barred", f"贵单位的竞价资格已取消，不能出价。原因：{intent.reason}"
        )
    if plate and plate != intent.plate:
        raise NotAllowed(
            "bidding.forged_plate", f"号牌不符：贵单位是 {intent.plate} 号；请刷新竞价室后重新出价"
        )
    return intent


def key_of(actor: Actor, submission_key: str) -> str:
    """Return what is stored of a submission key: it counts for one bidder only."""
    return hashlib.sha256(f"{actor.organisation_id}:{submission_key}".encode()).hexdigest()


def store_mark(
    session: Session,
    row: BiddingSession,
    intent_id: int,
    mark: Mark,
    *,
    key: str,
    actor: Actor,
    action: str,
    now: datetime,
) -> None:
    """Store a valid bid of a locked session: bid, record, the session's head, audit row."""
    session.add(
        Bid(
            session_id=row.id,
            sequence=mark.sequence,
            intent_id=intent_id,
            plate=mark.plate,
            amount_fen=mark.amount_fen,
            placed_at=mark.placed_at,
            cycle=mark.cycle,
            submission_key=key,
            user_id=actor.user_id,
        )
    )
    append(
        session,
        row,
        RecordKind.BID,
        {
            "number": mark.sequence,
            "plate": mark.plate,
            "amount_fen": mark.amount_fen,
            "cycle": mark.cycle,
        },
        at=mark.placed_at,
    )
    row.bid_count = mark.sequence
    row.last_plate, row.last_fen = mark.plate, mark.amount_fen
    row.last_at, row.last_cycle = mark.placed_at, mark.cycle
    row.closes_at = bidding.closes_at(terms_of(row), Standing(mark))
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"bidding:{row.id}",
        now=now,
        after={"sequence": mark.sequence, "plate": mark.plate, "amount_fen": mark.amount_fen},
    )
