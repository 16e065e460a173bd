"""Sealed bids: take them in unread, score what is scored, open them by k officers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import rules, sealing
from marketplace.listings import sealed_rules as sealed
from marketplace.listings.bidding_models import BiddingSession, KeyShare, SealedBid
from marketplace.listings.bidding_queries import sealed_terms_of
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.bidding_service import check_running
from marketplace.listings.deciding_service import decide
from marketplace.listings.events import BidsUnsealed
from marketplace.listings.models import Listing
from marketplace.listings.officer_service import give_share
from marketplace.listings.planning_service import void_session
from marketplace.listings.record_rules import RecordKind
from marketplace.listings.sealed_rules import SealedText
from marketplace.listings.sealing import Share
from marketplace.listings.session_service import append, bidder, key_of, lock_standing, open_session


@dataclass(frozen=True)
class SealedReceipt:
    """What a bidder keeps: the commitment stands in the list that is published at the closing."""

    plate: str
    received_at: datetime
    commitment: str


def submit_sealed_bid(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    amount_fen: Fen,
    submission_key: str,
    plate: str | None = None,
) -> SealedReceipt:
    """Seal a bid to the session's key and return its receipt; the price is kept nowhere else.

    One bid for each bidder. The same submission key returns the receipt of the first time:
    whether the amount is the same nobody can tell any more.
    """
    require(actor, rules.BID)
    row = lock_standing(session, listing_id)
    if row.kind is BiddingKind.ASCENDING or row.public_key is None:
        raise RuleBroken("bidding.kind", f"这场竞价是“{row.kind.label}”，请在竞价室公开报价")
    intent = bidder(session, actor, row, plate)
    if not submission_key:
        raise Conflict("bidding.no_key", "这次提交缺少编号，请刷新竞价室后重新报价")
    key = key_of(actor, submission_key)
    before = session.scalar(
        select(SealedBid).where(SealedBid.session_id == row.id, SealedBid.intent_id == intent.id)
    )
    if before is not None:
        if before.submission_key != key:
            raise Conflict("bidding.sealed_once", "贵单位已经密封报价，只能报一次，不能更改或撤回")
        return SealedReceipt(before.plate, before.received_at, before.commitment)
    check_running(row, now)
    sealed.judge(sealed_terms_of(row), amount_fen=amount_fen, now=now)
    if row.opened_at is None:  # the first bid came before the worker
        open_session(session, row, now=now)
    listing = session.get_one(Listing, row.listing_id)
    assert intent.plate is not None
    text = sealed.write(
        SealedText(
            session=f"{listing.number}/{row.attempt}",
            plate=intent.plate,
            amount_fen=amount_fen,
            received_at=now,
            nonce=secrets.token_hex(32),
        )
    )
    stored = SealedBid(
        session_id=row.id,
        intent_id=intent.id,
        plate=intent.plate,
        received_at=now,
        commitment=sealed.commitment(text),
        ciphertext=sealing.seal(row.public_key, text.encode()),
        submission_key=key,
        user_id=actor.user_id,
    )
    session.add(stored)
    row.bid_count += 1
    audit.record(
        session,
        actor=actor,
        action="listings.seal_bid",
        subject=f"bidding:{row.id}",
        now=now,
        after={"plate": stored.plate, "commitment": stored.commitment},
    )
    return SealedReceipt(stored.plate, stored.received_at, stored.commitment)


def record_scores(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    scores: Mapping[str, Sequence[int]],
) -> None:
    """Note the committee's scores by plate, once, before any price can be known."""
    require(actor, rules.OPERATE)
    row = lock_standing(session, listing_id)
    _check_closed(row)
    if row.scores:
        raise Conflict("bidding.scored", "评分已经记入竞价记录，不能再改")
    plates = session.scalars(select(SealedBid.plate).where(SealedBid.session_id == row.id)).all()
    sealed.check_scores(sealed_terms_of(row), sorted(plates), scores)
    if _given_count(session, row):
        raise Conflict("bidding.opening", "开标已经开始，不能再评分")
    row.scores = {plate: list(given) for plate, given in scores.items()}
    append(session, row, RecordKind.SCORED, {"scores": row.scores}, at=now)
    audit.record(
        session,
        actor=actor,
        action="listings.score_bids",
        subject=f"bidding:{row.id}",
        now=now,
        after={"scores": row.scores},
    )


def give_opening_share(
    session: Session, *, actor: Actor, now: datetime, listing_id: int, passphrase: str
) -> bool:
    """Give one officer's share; with the last one needed the bids are opened and the winner named.

    Return whether the bids were opened.
    """
    require(actor, rules.OPERATE)
    listing = lock(session, Listing, listing_id)
    row = lock_standing(session, listing_id)
    _check_closed(row)
    if row.kind is BiddingKind.WEIGHTED and not row.scores:
        raise RuleBroken("bidding.unscored", "权重报价要先记入评分，才能开标")
    shares = give_share(session, row, actor=actor, now=now, passphrase=passphrase)
    if len(shares) < row.threshold:
        return False
    texts = _open_all(session, row, shares)
    append(session, row, RecordKind.UNSEALED, {"bids": texts, "officers": len(shares)}, at=now)
    outbox.publish(
        session,
        BidsUnsealed(
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
            bid_count=len(texts),
        ),
        now=now,
    )
    ranked = sealed.ranking(
        sealed_terms_of(row), [sealed.read(text) for text in texts], row.scores or None
    )
    best = (ranked[0].plate, ranked[0].amount_fen) if ranked else None
    decide(session, listing, row, best, actor=actor, now=now)
    return True


def void_unopened(
    session: Session, *, actor: Actor, now: datetime, listing_id: int, reason: str
) -> None:
    """Void a closed session that cannot be opened, and plan another; its bids stay sealed."""
    require(actor, rules.OPERATE)
    rules.check_reason(reason, "作废")
    listing = lock(session, Listing, listing_id)
    row = lock_standing(session, listing_id)
    _check_closed(row)
    void_session(session, listing, row, actor=actor, now=now, reason=reason.strip())


def _check_closed(row: BiddingSession) -> None:
    if row.kind is BiddingKind.ASCENDING:
        raise RuleBroken("bidding.kind", "多次报价没有开标和评分")
    if row.closed_at is None:
        raise RuleBroken("bidding.not_closed", "报价还没有截止，不能评分、开标或作废")
    if row.decided_at is not None:
        raise Conflict("bidding.decided", "这场竞价已经开标，结果见竞价记录")


def _given_count(session: Session, row: BiddingSession) -> int:
    count = session.scalar(
        select(func.count())
        .select_from(KeyShare)
        .where(KeyShare.session_id == row.id, KeyShare.given.is_not(None))
    )
    return count or 0


def _open_all(session: Session, row: BiddingSession, shares: Sequence[Share]) -> list[str]:
    assert row.public_key is not None
    private_key = sealing.join_key(row.public_key, shares)
    stored = session.scalars(
        select(SealedBid).where(SealedBid.session_id == row.id).order_by(SealedBid.id)
    )
    return [sealing.unseal(private_key, bid.ciphertext).decode() for bid in stored]
