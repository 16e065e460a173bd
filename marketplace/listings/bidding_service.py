"""A session of ascending bidding: open, bid, close. The session's row is locked first, always."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import bidding_rules as bidding
from marketplace.listings import rules
from marketplace.listings.award_service import conclude, fail
from marketplace.listings.bidding_rules import Mark, Standing, Terms
from marketplace.listings.events import BiddingClosed, BiddingOpened, BidPlaced
from marketplace.listings.models import Bid, BiddingSession, Intent, Listing
from marketplace.listings.rules import IntentState
from marketplace.listings.trail import note


def terms_of(row: BiddingSession) -> Terms:
    """Read the terms a session is held under."""
    return Terms(
        base_fen=row.base_fen,
        increment_fen=row.increment_fen,
        starts_at=row.starts_at,
        free_ends_at=row.free_ends_at,
        cycle=timedelta(seconds=row.cycle_seconds),
    )


def mark_of(row: Bid) -> Mark:
    """Read one bid of the record."""
    return Mark(row.sequence, row.plate, row.amount_fen, row.placed_at, row.cycle)


def place_bid(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    amount_fen: Fen,
    submission_key: str,
) -> Mark:
    """Place a bid and return its mark in the record.

    ``now`` is the server's time at which the request arrived. The same submission key with the
    same amount returns the mark it made before; with another amount it is a ``Conflict``.
    """
    require(actor, rules.BID)
    row = _lock_session(session, listing_id)
    intent = _own_intent(session, actor, listing_id)
    if not submission_key:
        raise Conflict("bidding.no_key", "这次提交缺少编号，请刷新竞价室后重新出价")
    repeated = session.scalar(
        select(Bid).where(Bid.session_id == row.id, Bid.submission_key == submission_key)
    )
    if repeated is not None:
        if repeated.intent_id != intent.id or repeated.amount_fen != amount_fen:
            raise Conflict(
                "bidding.key_reused", "这次提交已经出过另一个价，请刷新竞价室，按最新价格重新出价"
            )
        return mark_of(repeated)
    if row.closed_at is not None:
        raise RuleBroken("bidding.over", "竞价已经结束，这次报价没有计入")
    last = session.scalar(
        select(Bid).where(Bid.session_id == row.id).order_by(Bid.sequence.desc()).limit(1)
    )
    terms = terms_of(row)
    assert intent.plate is not None
    mark = bidding.judge(
        terms,
        Standing(mark_of(last) if last else None),
        plate=intent.plate,
        amount_fen=amount_fen,
        now=now,
    )
    session.add(
        Bid(
            session_id=row.id,
            sequence=mark.sequence,
            intent_id=intent.id,
            plate=mark.plate,
            amount_fen=mark.amount_fen,
            placed_at=mark.placed_at,
            cycle=mark.cycle,
            submission_key=submission_key,
            user_id=actor.user_id,
        )
    )
    row.closes_at = bidding.closes_at(terms, Standing(mark))
    session.flush()
    outbox.publish(
        session,
        BidPlaced(
            listing_id=listing_id,
            sequence=mark.sequence,
            plate=mark.plate,
            amount_fen=mark.amount_fen,
            placed_at=mark.placed_at,
            closes_at=row.closes_at,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="listings.bid",
        subject=f"listing:{listing_id}",
        now=now,
        after={"sequence": mark.sequence, "plate": mark.plate, "amount_fen": mark.amount_fen},
    )
    return mark


def open_sessions(session: Session, *, now: datetime) -> int:
    """Announce the sessions whose free period began; count them."""
    ids = session.scalars(
        select(BiddingSession.id)
        .where(BiddingSession.opened_at.is_(None), BiddingSession.starts_at <= now)
        .order_by(BiddingSession.starts_at, BiddingSession.id)
        .limit(20)
    ).all()
    for session_id in ids:
        row = lock(session, BiddingSession, session_id)
        listing = session.get_one(Listing, row.listing_id)
        row.opened_at = now
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
    return len(ids)


def close_sessions(session: Session, *, now: datetime) -> int:
    """Close the sessions in which nobody raised in time, and settle their listings; count them."""
    ids = session.scalars(
        select(BiddingSession.listing_id)
        .where(BiddingSession.closed_at.is_(None), BiddingSession.closes_at <= now)
        .order_by(BiddingSession.closes_at, BiddingSession.id)
        .limit(20)
    ).all()
    return sum(_close(session, listing_id, now=now) for listing_id in ids)


def _close(session: Session, listing_id: int, *, now: datetime) -> bool:
    listing = lock(session, Listing, listing_id)
    row = _lock_session(session, listing_id)
    if row.closed_at is not None or row.closes_at > now:
        return False  # a bid came in between and moved the end
    row.closed_at = now
    record = [
        mark_of(bid)
        for bid in session.scalars(
            select(Bid).where(Bid.session_id == row.id).order_by(Bid.sequence)
        )
    ]
    bidding.replay(terms_of(row), record)
    won = bidding.winner(record)
    intent = None if won is None else _by_plate(session, listing_id, won.plate)
    outbox.publish(
        session,
        BiddingClosed(
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=intent.organisation_id if intent else None,
            price_fen=won.amount_fen if won else None,
            bid_count=len(record),
        ),
        now=now,
    )
    note(session, listing, SYSTEM, "close_bidding", now, bids=len(record))
    if won is None or intent is None:
        fail(session, listing, actor=SYSTEM, now=now, reason="竞价期内没有人报价")
    else:
        conclude(session, listing, intent, won.amount_fen, actor=SYSTEM, now=now)
    return True


def _lock_session(session: Session, listing_id: int) -> BiddingSession:
    row = session.scalar(
        select(BiddingSession)
        .where(BiddingSession.listing_id == listing_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound()
    return row


def _own_intent(session: Session, actor: Actor, listing_id: int) -> Intent:
    listing = session.get_one(Listing, listing_id)
    if listing.organisation_id == actor.organisation_id:
        raise NotAllowed("bidding.seller", "转让方的成员不能在自己的项目中出价")
    intent = session.scalar(
        select(Intent).where(
            Intent.listing_id == listing_id,
            Intent.organisation_id == actor.organisation_id,
            Intent.plate.is_not(None),
        )
    )
    if intent is None:
        raise NotAllowed(
            "bidding.unqualified",
            "贵单位没有这场竞价的号牌：通过资格确认并交足保证金后才可以出价",
        )
    return intent


def _by_plate(session: Session, listing_id: int, plate: str) -> Intent:
    return session.scalars(
        select(Intent).where(
            Intent.listing_id == listing_id,
            Intent.plate == plate,
            Intent.state == IntentState.QUALIFIED,
        )
    ).one()
