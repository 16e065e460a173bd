"""The published record of a session: for download, for the opening's page, for the stream."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation.local_time import LOCAL
from marketplace.foundation.money import Fen, format_yuan, scale
from marketplace.listings import bidding_rules as bidding
from marketplace.listings import record_rules
from marketplace.listings import sealed_rules as sealed
from marketplace.listings.bidding_models import (
    Bid,
    BiddingSession,
    KeyShare,
    RecordEntry,
    SealedBid,
)
from marketplace.listings.bidding_queries import entries_of, sealed_terms_of, standing_of, terms_of
from marketplace.listings.bidding_rules import Mark
from marketplace.listings.record_rules import RecordKind
from marketplace.listings.room_queries import find_session, phase_of, stage_of

TAIL = 50


def document(session: Session, listing_id: int, attempt: int | None = None) -> dict[str, Any]:
    """Return the record of a session as it is published, up to now."""
    row = find_session(session, listing_id, attempt)
    return record_rules.document(entries_of(session, row.id))


@dataclass(frozen=True)
class Opening:
    """How far the opening of sealed bids has come."""

    hashes: tuple[str, ...]
    plates: tuple[str, ...]
    criteria: tuple[sealed.Criterion, ...]
    price_weight: int
    scores: dict[str, list[int]]
    officers: int
    threshold: int
    given: tuple[datetime, ...]
    is_officer: bool
    has_given: bool
    standings: tuple[sealed.Standing, ...]


def opening(session: Session, row: BiddingSession, user_id: int | None) -> Opening:
    """Return what is published of a sealed session, and the reader's part in its opening.

    ``plates`` are those of the sealed bids, for the officers who score by plate.
    """
    bids = session.execute(
        select(SealedBid.plate, SealedBid.commitment).where(SealedBid.session_id == row.id)
    ).all()
    shares = session.scalars(
        select(KeyShare).where(KeyShare.session_id == row.id).order_by(KeyShare.number)
    ).all()
    own = next((share for share in shares if share.user_id == user_id), None)
    terms = sealed_terms_of(row)
    closed = row.closed_at is not None
    return Opening(
        hashes=tuple(sorted(bid.commitment for bid in bids)) if closed else (),
        plates=tuple(sorted(bid.plate for bid in bids)) if closed else (),
        criteria=terms.criteria,
        price_weight=terms.price_weight,
        scores=row.scores or {},
        officers=len(shares),
        threshold=row.threshold,
        given=tuple(share.given_at for share in shares if share.given_at is not None),
        is_officer=own is not None,
        has_given=own is not None and own.given_at is not None,
        standings=_standings(session, row),
    )


def _standings(session: Session, row: BiddingSession) -> tuple[sealed.Standing, ...]:
    entry = session.scalar(
        select(RecordEntry).where(
            RecordEntry.session_id == row.id, RecordEntry.kind == RecordKind.UNSEALED
        )
    )
    if entry is None:
        return ()
    bids = [sealed.read(text) for text in entry.body["bids"]]
    return tuple(sealed.ranking(sealed_terms_of(row), bids, row.scores or None))


@dataclass(frozen=True)
class Pulse:
    """What tells whether anything has changed in a listing's session."""

    listing_id: int
    session_id: int
    attempt: int
    entry_count: int
    phase: str


def pulses(session: Session, listing_ids: Collection[int], *, now: datetime) -> list[Pulse]:
    """Feel the pulse of several listings' sessions that count, in one query."""
    rows = session.scalars(
        select(BiddingSession).where(
            BiddingSession.listing_id.in_(listing_ids), BiddingSession.voided_at.is_(None)
        )
    )
    return [
        Pulse(row.listing_id, row.id, row.attempt, row.entry_count, phase_of(row, now).value)
        for row in rows
    ]


def news(session: Session, row: BiddingSession, *, after: int, now: datetime) -> dict[str, Any]:
    """Tell what a room needs to come up to date: figures, time, and bids beyond an entry.

    Everything is written as the page shows it; nothing in it depends on who reads.
    """
    phase = phase_of(row, now)
    told: dict[str, Any] = {
        "attempt": row.attempt,
        "entry": row.entry_count,
        "phase": phase.value,
        "stage": phase.label,
        "now": now.isoformat(),
        "ends_at": row.closes_at.isoformat(),
        "count": row.bid_count if row.free_ends_at is not None or row.closed_at else 0,
        "bids": [],
    }
    if row.free_ends_at is None:
        if phase is bidding.Phase.PLANNED:
            told["ends_at"] = row.starts_at.isoformat()
        return told
    terms, standing = terms_of(row), standing_of(row)
    if phase is bidding.Phase.LIMITED:
        cycle = bidding.current_cycle(terms, standing, now)
        told["stage"] = f"{phase.label}，第 {cycle} 轮"
    ends = {bidding.Phase.PLANNED: row.starts_at, bidding.Phase.FREE: terms.free_ends_at}
    told["ends_at"] = ends.get(phase, row.closes_at).isoformat()
    least = bidding.minimum(terms, standing)
    told["minimum"] = format_yuan(least)
    if standing.last is not None:
        figure, unit = scale(standing.last.amount_fen)
        told["highest"] = {
            "plate": standing.last.plate,
            "figure": figure,
            "unit": unit,
            "yuan": format_yuan(standing.last.amount_fen),
        }
    told["bids"] = bids_after(session, row, after)
    return told


def bids_after(session: Session, row: BiddingSession, after: int) -> list[dict[str, Any]]:
    """Write the newest bids beyond an entry of the record, oldest first."""
    entries = session.scalars(
        select(RecordEntry)
        .where(
            RecordEntry.session_id == row.id,
            RecordEntry.sequence > after,
            RecordEntry.kind == RecordKind.BID,
        )
        .order_by(RecordEntry.sequence.desc())
        .limit(TAIL + 1)
    ).all()
    marks = [
        (
            entry.sequence,
            Mark(
                entry.body["number"],
                entry.body["plate"],
                Fen(entry.body["amount_fen"]),
                entry.at,
                entry.body["cycle"],
            ),
        )
        for entry in reversed(entries)
    ]
    return _written(session, row, marks)


def _written(
    session: Session, row: BiddingSession, marks: Sequence[tuple[int, Mark]]
) -> list[dict[str, Any]]:
    found = []
    before = _amount_before(session, row, marks[0][1].sequence) if marks else None
    for sequence, mark in marks:
        step = None if before is None else Fen(mark.amount_fen - before)
        found.append(
            {
                "entry": sequence,
                "number": mark.sequence,
                "time": mark.placed_at.astimezone(LOCAL).isoformat(timespec="milliseconds")[11:23],
                "plate": mark.plate,
                "yuan": format_yuan(mark.amount_fen).removesuffix(".00"),
                "raise": f"+{format_yuan(step).removesuffix('.00')}" if step else "起始",
                "stage": stage_of(mark),
            }
        )
        before = mark.amount_fen
    return found[-TAIL:]


def _amount_before(session: Session, row: BiddingSession, number: int) -> Fen | None:
    return session.scalar(
        select(Bid.amount_fen).where(Bid.session_id == row.id, Bid.sequence == number - 1)
    )
