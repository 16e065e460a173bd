"""Bids of an ascending session, and what is noted of those that were refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.errors import Conflict, DomainError, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import bidding_rules as bidding
from marketplace.listings import rules
from marketplace.listings.automatic_service import run_orders
from marketplace.listings.bidding_models import Bid, BiddingSession
from marketplace.listings.bidding_queries import mark_of, standing_of, terms_of
from marketplace.listings.bidding_rules import BiddingKind, Mark
from marketplace.listings.models import Intent, Listing
from marketplace.listings.session_service import (
    bidder,
    entitled,
    key_of,
    late_limit,
    lock_standing,
    open_session,
    plate_of,
    store_mark,
)


def place_bid(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    amount_fen: Fen,
    submission_key: str,
    plate: str | None = None,
) -> Mark:
    """Place a bid and return its mark in the record; private limits of others answer at once.

    ``now`` is the server's time at which the request arrived. The same submission key with the
    same amount returns the mark it made before; with another amount it is a ``Conflict``.
    ``plate`` is what the page said the bidder's plate is.
    """
    require(actor, rules.BID)
    row = lock_standing(session, listing_id)
    if row.kind is not BiddingKind.ASCENDING:
        raise RuleBroken("bidding.kind", f"这场竞价是“{row.kind.label}”，请按密封报价提交")
    intent = bidder(session, actor, row, plate)
    if not submission_key:
        raise Conflict("bidding.no_key", "这次提交缺少编号，请刷新竞价室后重新出价")
    key = key_of(actor, submission_key)
    repeated = session.scalar(
        select(Bid).where(Bid.session_id == row.id, Bid.submission_key == key)
    )
    if repeated is not None:
        if repeated.amount_fen != amount_fen:
            raise Conflict(
                "bidding.key_reused", "这次提交已经出过另一个价，请刷新竞价室，按最新价格重新出价"
            )
        return mark_of(repeated)
    check_running(row, now)
    assert intent.plate is not None
    mark = bidding.judge(
        terms_of(row), standing_of(row), plate=intent.plate, amount_fen=amount_fen, now=now
    )
    if row.opened_at is None:  # the first bid came before the worker
        open_session(session, row, now=mark.placed_at)
        run_orders(session, row, now=mark.placed_at)
        mark = bidding.judge(
            terms_of(row), standing_of(row), plate=intent.plate, amount_fen=amount_fen, now=now
        )
    store_mark(session, row, intent.id, mark, key=key, actor=actor, action="listings.bid", now=now)
    run_orders(session, row, now=mark.placed_at)
    session.flush()
    return mark


@dataclass(frozen=True)
class Passed:
    """A bid that the price has passed already: in which session, and what its bidder is told."""

    session_id: int
    refusal: RuleBroken


def price_passed(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    amount_fen: Fen,
    submission_key: str,
    plate: str | None = None,
) -> Passed | None:
    """Tell whether the price has passed a bid already; None when only the lock can tell.

    In a rush most bids come too late, and they need not wait for the session's lock: prices only
    rise, so that what is too low before the lock is too low behind it. One statement.
    """
    require(actor, rules.BID)
    found = session.execute(
        select(BiddingSession, Listing.organisation_id, Intent, Bid.id)
        .join(Listing, Listing.id == BiddingSession.listing_id)
        .outerjoin(Intent, plate_of(actor))
        .outerjoin(
            Bid,
            and_(
                Bid.session_id == BiddingSession.id,
                Bid.submission_key == key_of(actor, submission_key),
            ),
        )
        .where(
            BiddingSession.listing_id == listing_id,
            BiddingSession.voided_at.is_(None),
            BiddingSession.opened_at.is_not(None),
            BiddingSession.kind == BiddingKind.ASCENDING,
        )
        .order_by(Intent.id.desc())
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    row, seller_id, intent, bid_before = found
    if bid_before is not None:
        return None
    own_plate = entitled(actor, seller_id, intent, plate).plate or ""
    try:
        bidding.judge(
            terms_of(row), standing_of(row), plate=own_plate, amount_fen=amount_fen, now=now
        )
    except RuleBroken as refusal:
        if refusal.code == bidding.BELOW_MINIMUM:
            return Passed(row.id, refusal)
    return None


def note_passed(
    session: Session, passed: Passed, *, actor: Actor, now: datetime, typed: str
) -> None:
    """Leave an audit row of a bid that the price had passed; ``typed`` is the amount as it came."""
    _note(
        session, f"bidding:{passed.session_id}", passed.refusal, actor=actor, now=now, amount=typed
    )


def check_running(row: BiddingSession, now: datetime) -> None:
    """Refuse what comes after the closing, or into a session that did not begin in time."""
    if row.closed_at is not None:
        raise RuleBroken("bidding.over", "竞价已经结束，这次报价没有计入")
    if row.opened_at is None and now > row.starts_at + late_limit(row):
        raise RuleBroken(
            "bidding.late", "本场没有按时开始，将作废并重新安排；新的时间会通知各竞价人"
        )


def note_refused_bid(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    refusal: DomainError,
    amount: str,
) -> None:
    """Leave an audit row of a bid that was refused: by whom, for what reason, and what was bid.

    The amount of a sealed bid is nobody's to know and is left out.
    """
    found = session.execute(
        select(BiddingSession.id, BiddingSession.kind)
        .where(BiddingSession.listing_id == listing_id)
        .order_by(BiddingSession.attempt.desc())
        .limit(1)
    ).one_or_none()
    if found is None and session.get(Listing, listing_id) is None:
        raise NotFound()
    open_price = found is not None and found.kind is BiddingKind.ASCENDING
    subject = f"bidding:{found.id}" if found is not None else f"listing:{listing_id}"
    _note(session, subject, refusal, actor=actor, now=now, amount=amount if open_price else None)


def _note(
    session: Session,
    subject: str,
    refusal: DomainError,
    *,
    actor: Actor,
    now: datetime,
    amount: str | None,
) -> None:
    told: dict[str, object] = {"code": refusal.code, "reason": refusal.message}
    if amount is not None:
        told["amount"] = amount[:40]
    audit.record(
        session, actor=actor, action="listings.bid_refused", subject=subject, now=now, after=told
    )
