"""Stored sessions, bids and records read as the values that the rules take."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation.money import Fen
from marketplace.listings.bidding_models import Bid, BiddingSession, RecordEntry
from marketplace.listings.bidding_rules import Mark, Standing, Terms
from marketplace.listings.record_rules import Entry
from marketplace.listings.sealed_rules import Criterion, SealedTerms


def terms_of(row: BiddingSession) -> Terms:
    """Read the terms of an ascending session."""
    assert row.free_ends_at is not None
    return Terms(
        base_fen=row.base_fen,
        increment_fen=row.increment_fen,
        starts_at=row.starts_at,
        free_ends_at=row.free_ends_at,
        cycle=timedelta(seconds=row.cycle_seconds),
    )


def sealed_terms_of(row: BiddingSession) -> SealedTerms:
    """Read the terms of a session of sealed bids."""
    return SealedTerms(
        base_fen=row.base_fen,
        starts_at=row.starts_at,
        closes_at=row.closes_at,
        criteria=criteria_of(row.criteria),
    )


def criteria_of(stored: Any) -> tuple[Criterion, ...]:
    """Read what is scored beside the price."""
    return tuple(Criterion(entry["name"], entry["weight"]) for entry in stored)


def standing_of(row: BiddingSession) -> Standing:
    """Read where the bids of an ascending session stand."""
    if row.last_plate is None or row.last_fen is None or row.last_at is None:
        return Standing()
    return Standing(
        Mark(row.bid_count, row.last_plate, row.last_fen, row.last_at, row.last_cycle or 0)
    )


def entries_of(session: Session, session_id: int) -> list[Entry]:
    """Read the record of a session."""
    session.flush()
    rows = session.scalars(
        select(RecordEntry)
        .where(RecordEntry.session_id == session_id)
        .order_by(RecordEntry.sequence)
    )
    return [
        Entry(entry.sequence, entry.at, entry.kind, entry.body, entry.previous, entry.digest)
        for entry in rows
    ]


def mark_of(row: Bid) -> Mark:
    """Read one bid of the record."""
    return Mark(row.sequence, row.plate, Fen(row.amount_fen), row.placed_at, row.cycle)
