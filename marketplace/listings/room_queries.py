"""What the bidding room shows: price, time, the record by plate, and the reader's own place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.listings import bidding_rules as bidding
from marketplace.listings.bidding_rules import Mark, Phase, Standing, Terms
from marketplace.listings.models import Bid, BiddingSession, Intent


@dataclass(frozen=True)
class RecordLine:
    """One line of the public record; ``raise_fen`` is None for the first bid."""

    mark: Mark
    raise_fen: Fen | None
    own: bool

    @property
    def stage(self) -> str:
        """Return the name of the stage in which it was placed."""
        return f"第 {self.mark.cycle} 轮" if self.mark.cycle else "自由报价"


@dataclass(frozen=True)
class Afterwards:
    """The days by which what follows a session is due."""

    publicity_ends_on: date
    sign_by: date
    refund_by: date


@dataclass(frozen=True)
class Room:
    """A bidding session at one moment for one reader; ``lines`` are the newest first."""

    terms: Terms
    phase: Phase
    cycle: int
    closes_at: datetime
    ends_at: datetime
    minimum_fen: Fen
    highest: Mark | None
    lines: tuple[RecordLine, ...]
    plate: str | None
    rank: int | None
    own_last: Mark | None

    @property
    def stage(self) -> str:
        """Return the session's stage in words."""
        if self.phase is Phase.LIMITED:
            return f"{self.phase.label}，第 {self.cycle} 轮"
        return self.phase.label

    @property
    def leads(self) -> bool:
        """Tell whether the reader's bid is the highest."""
        return (
            self.plate is not None
            and self.highest is not None
            and (self.highest.plate == self.plate)
        )

    @property
    def may_bid(self) -> bool:
        """Tell whether the reader may bid at this moment."""
        running = self.phase in (Phase.FREE, Phase.LIMITED)
        return self.plate is not None and running and not self.leads

    @property
    def afterwards(self) -> Afterwards:
        """Return by when what follows the session is due, were it to end as it stands."""
        ended = local_date(self.closes_at)
        published = add_workdays(ended, value_on("result_publicity_workdays", ended))
        return Afterwards(
            publicity_ends_on=published,
            sign_by=add_workdays(published, value_on("signing_workdays", ended)),
            refund_by=add_workdays(ended, value_on("deposit_refund_workdays", ended)),
        )

    def time_left(self, now: datetime) -> str:
        """Write what is left of the running period, ``3:42`` or ``2 天 4:05:00``."""
        seconds = max(0, int((self.ends_at - now).total_seconds()))
        days, rest = divmod(seconds, 86_400)
        hours, rest = divmod(rest, 3_600)
        minutes, seconds = divmod(rest, 60)
        short = (
            f"{hours}:{minutes:02d}:{seconds:02d}"
            if hours or days
            else (f"{minutes}:{seconds:02d}")
        )
        return f"{days} 天 {short}" if days else short

    def percent_left(self, now: datetime) -> float:
        """Return how much of the running period is left, 0 to 100."""
        began = {
            Phase.FREE: self.terms.starts_at,
            Phase.LIMITED: self.closes_at - self.terms.cycle,
        }.get(self.phase)
        if began is None:
            return 0.0
        whole = self.ends_at - began
        return max(0.0, min(100.0, (self.ends_at - now) / whole * 100)) if whole else 0.0


def room(session: Session, actor: Actor, listing_id: int, *, now: datetime) -> Room:
    """Return the session of a listing as the actor sees it; ``NotFound`` when there is none."""
    row = session.scalar(select(BiddingSession).where(BiddingSession.listing_id == listing_id))
    if row is None:
        raise NotFound()
    terms = Terms(
        base_fen=row.base_fen,
        increment_fen=row.increment_fen,
        starts_at=row.starts_at,
        free_ends_at=row.free_ends_at,
        cycle=timedelta(seconds=row.cycle_seconds),
    )
    record = [
        Mark(bid.sequence, bid.plate, bid.amount_fen, bid.placed_at, bid.cycle)
        for bid in session.scalars(
            select(Bid).where(Bid.session_id == row.id).order_by(Bid.sequence)
        )
    ]
    plate = _plate(session, actor, listing_id)
    standing = Standing(record[-1] if record else None)
    stands = Phase.OVER if row.closed_at is not None else bidding.phase(terms, standing, now)
    closes_at = bidding.closes_at(terms, standing)
    ends_at = {Phase.PLANNED: terms.starts_at, Phase.FREE: terms.free_ends_at}.get(
        stands, closes_at
    )
    own = [mark for mark in record if mark.plate == plate]
    return Room(
        terms=terms,
        phase=stands,
        cycle=bidding.current_cycle(terms, standing, now),
        closes_at=closes_at,
        ends_at=ends_at,
        minimum_fen=bidding.minimum(terms, standing),
        highest=standing.last,
        lines=tuple(reversed(_lines(record, plate))),
        plate=plate,
        rank=bidding.rank(record, plate) if plate else None,
        own_last=own[-1] if own else None,
    )


def _plate(session: Session, actor: Actor, listing_id: int) -> str | None:
    if actor.organisation_id is None:
        return None
    return session.scalar(
        select(Intent.plate).where(
            Intent.listing_id == listing_id,
            Intent.organisation_id == actor.organisation_id,
            Intent.plate.is_not(None),
        )
    )


def _lines(record: list[Mark], plate: str | None) -> list[RecordLine]:
    before: list[Mark | None] = [None, *record[:-1]] if record else []
    return [
        RecordLine(
            mark,
            Fen(mark.amount_fen - earlier.amount_fen) if earlier else None,
            plate is not None and mark.plate == plate,
        )
        for mark, earlier in zip(record, before, strict=True)
    ]
