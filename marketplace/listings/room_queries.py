"""What the bidding room shows: price, time, the record by plate, and the reader's own place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.listings import bidding_rules as bidding
from marketplace.listings import sealed_rules as sealed
from marketplace.listings.bidding_models import (
    AutomaticOrder,
    Bid,
    BiddingSession,
    SealedBid,
)
from marketplace.listings.bidding_queries import mark_of, sealed_terms_of, standing_of, terms_of
from marketplace.listings.bidding_rules import BiddingKind, Mark, Phase, Standing, Terms
from marketplace.listings.models import Intent
from marketplace.listings.rules import IntentState
from marketplace.listings.sealed_rules import SealedTerms

SHOWN = 50


@dataclass(frozen=True)
class RecordLine:
    """One line of the public record; ``raise_fen`` is None for the first bid."""

    mark: Mark
    raise_fen: Fen | None
    own: bool

    @property
    def stage(self) -> str:
        """Return the name of the stage in which it was placed."""
        return stage_of(self.mark)


@dataclass(frozen=True)
class Afterwards:
    """The days by which what follows a session is due."""

    publicity_ends_on: date
    sign_by: date
    refund_by: date


@dataclass(frozen=True)
class OwnSeal:
    """The reader's own sealed bid as a receipt: everybody else sees the commitment only."""

    received_at: datetime
    commitment: str


@dataclass(frozen=True, kw_only=True)
class Room:
    """A bidding session at one moment for one reader; ``lines`` are the newest first.

    Time alone ends a session; until it is ``settled`` it may still turn out void (ended late).
    """

    session_id: int
    kind: BiddingKind
    attempt: int
    attempts: int
    void_reason: str
    base_fen: Fen
    increment_fen: Fen
    starts_at: datetime
    terms: Terms | None
    sealed_terms: SealedTerms | None
    phase: Phase
    settled: bool
    cycle: int
    closes_at: datetime
    ends_at: datetime
    minimum_fen: Fen
    highest: Mark | None
    lines: tuple[RecordLine, ...]
    bid_count: int
    total_count: int
    step: int | None
    plate: str | None
    barred: bool
    rank: int | None
    own_last: Mark | None
    limit_fen: Fen | None
    own_seal: OwnSeal | None
    entry_count: int
    head_digest: str

    @property
    def stage(self) -> str:
        """Return the session's stage in words."""
        if self.phase is Phase.LIMITED:
            return f"{self.phase.label}，第 {self.cycle} 轮"
        return self.phase.label

    @property
    def ascending(self) -> bool:
        """Tell whether bids are public and rise."""
        return self.kind is BiddingKind.ASCENDING

    @property
    def running(self) -> bool:
        """Tell whether bids are taken at this moment."""
        return self.phase in (Phase.FREE, Phase.LIMITED, Phase.SEALING)

    @property
    def leads(self) -> bool:
        """Tell whether the reader's bid is the highest."""
        return self.plate is not None and (
            self.highest is not None and self.highest.plate == self.plate
        )

    @property
    def may_bid(self) -> bool:
        """Tell whether the reader may bid at this moment."""
        able = self.plate is not None and not self.barred and self.running
        return able and not self.leads and self.own_seal is None

    @property
    def may_order(self) -> bool:
        """Tell whether the reader may set a private limit at this moment."""
        open_for_it = self.phase in (Phase.PLANNED, Phase.FREE, Phase.LIMITED)
        return self.ascending and self.plate is not None and not self.barred and open_for_it

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
        began = {Phase.FREE: self.starts_at, Phase.SEALING: self.starts_at}.get(self.phase)
        if self.phase is Phase.LIMITED and self.terms is not None:
            began = self.closes_at - self.terms.cycle
        if began is None:
            return 0.0
        whole = self.ends_at - began
        return max(0.0, min(100.0, (self.ends_at - now) / whole * 100)) if whole else 0.0


def stage_of(mark: Mark) -> str:
    """Return the name of the stage in which a bid was placed."""
    return f"第 {mark.cycle} 轮" if mark.cycle else "自由报价"


def find_session(session: Session, listing_id: int, attempt: int | None = None) -> BiddingSession:
    """Return a listing's session, the latest unless one is chosen; ``NotFound`` without it."""
    statement = select(BiddingSession).where(BiddingSession.listing_id == listing_id)
    if attempt is not None:
        statement = statement.where(BiddingSession.attempt == attempt)
    row = session.scalar(statement.order_by(BiddingSession.attempt.desc()).limit(1))
    if row is None:
        raise NotFound()
    return row


def room(
    session: Session,
    actor: Actor,
    listing_id: int,
    *,
    now: datetime,
    attempt: int | None = None,
    step: int | None = None,
    all_lines: bool = False,
) -> Room:
    """Return a session of a listing as the actor sees it; ``NotFound`` when there is none.

    ``step`` shows a finished session as it stood after that bid.
    """
    row = find_session(session, listing_id, attempt)
    attempts = session.scalar(
        select(func.max(BiddingSession.attempt)).where(BiddingSession.listing_id == listing_id)
    )
    own = _own_intent(session, actor, listing_id)
    plate = own.plate if own else None
    ascending = row.kind is BiddingKind.ASCENDING
    terms = terms_of(row) if ascending else None
    sealed_terms = None if ascending else sealed_terms_of(row)
    standing = standing_of(row)
    phase = phase_of(row, now)
    if step is not None and phase is Phase.OVER and ascending:
        step = max(0, min(step, row.bid_count))
        standing = _standing_at(session, row, step)
    else:
        step = None
    closes_at = (
        bidding.closes_at(terms, standing)
        if terms is not None and step is not None
        else row.closes_at
    )
    free_ends_at = row.free_ends_at or row.closes_at
    ends_at = {Phase.PLANNED: row.starts_at, Phase.FREE: free_ends_at}.get(phase, closes_at)
    upto = standing.count if ascending else 0
    return Room(
        session_id=row.id,
        kind=row.kind,
        attempt=row.attempt,
        attempts=attempts or row.attempt,
        void_reason=row.void_reason,
        base_fen=row.base_fen,
        increment_fen=row.increment_fen,
        starts_at=row.starts_at,
        terms=terms,
        sealed_terms=sealed_terms,
        phase=phase,
        settled=row.decided_at is not None or row.voided_at is not None,
        cycle=bidding.current_cycle(terms, standing, now) if terms else 0,
        closes_at=closes_at,
        ends_at=ends_at,
        minimum_fen=bidding.minimum(terms, standing) if terms else row.base_fen,
        highest=standing.last,
        lines=_lines(session, row, plate, upto=upto, limit=None if all_lines else SHOWN),
        bid_count=upto if ascending else row.bid_count,
        total_count=row.bid_count,
        step=step,
        plate=plate,
        barred=own is not None and own.state is IntentState.BARRED,
        rank=_rank(session, row, plate, upto=upto) if plate else None,
        own_last=_own_last(session, row, plate, upto=upto) if plate else None,
        limit_fen=_limit(session, row, own),
        own_seal=_own_seal(session, row, own),
        entry_count=row.entry_count,
        head_digest=row.head_digest,
    )


def begins_or_ends(session: Session, *, since: datetime, until: datetime) -> bool:
    """Tell whether a session that counts begins or ends between two moments."""
    found = session.scalar(
        select(BiddingSession.id)
        .where(
            BiddingSession.voided_at.is_(None),
            BiddingSession.closed_at.is_(None),
            or_(
                BiddingSession.starts_at.between(since, until),
                BiddingSession.closes_at.between(since, until),
            ),
        )
        .limit(1)
    )
    return found is not None


def phase_of(row: BiddingSession, now: datetime) -> Phase:
    """Return where a stored session stands at ``now``."""
    if row.voided_at is not None:
        return Phase.VOIDED
    if row.decided_at is not None:
        return Phase.OVER
    if row.kind is BiddingKind.ASCENDING:
        return bidding.phase(terms_of(row), standing_of(row), now)
    return sealed.phase(sealed_terms_of(row), now)


def _standing_at(session: Session, row: BiddingSession, step: int) -> Standing:
    bid = session.scalar(select(Bid).where(Bid.session_id == row.id, Bid.sequence == step))
    return Standing(mark_of(bid) if bid else None)


def _own_intent(session: Session, actor: Actor, listing_id: int) -> Intent | None:
    if actor.organisation_id is None:
        return None
    return session.scalar(
        select(Intent)
        .where(
            Intent.listing_id == listing_id,
            Intent.organisation_id == actor.organisation_id,
            Intent.plate.is_not(None),
        )
        .order_by(Intent.id.desc())
        .limit(1)
    )


def _lines(
    session: Session, row: BiddingSession, plate: str | None, *, upto: int, limit: int | None
) -> tuple[RecordLine, ...]:
    statement = (
        select(Bid)
        .where(Bid.session_id == row.id, Bid.sequence <= upto)
        .order_by(Bid.sequence.desc())
    )
    if limit is not None:
        statement = statement.limit(limit + 1)
    marks = [mark_of(bid) for bid in session.scalars(statement)]
    earlier: list[Mark | None] = [*marks[1:], None] if marks else []
    lines = [
        RecordLine(
            mark,
            Fen(mark.amount_fen - before.amount_fen) if before else None,
            plate is not None and mark.plate == plate,
        )
        for mark, before in zip(marks, earlier, strict=True)
    ]
    return tuple(lines[:limit])


def _rank(session: Session, row: BiddingSession, plate: str, *, upto: int) -> int | None:
    best = (
        select(Bid.plate, func.max(Bid.amount_fen).label("best"))
        .where(Bid.session_id == row.id, Bid.sequence <= upto)
        .group_by(Bid.plate)
        .subquery()
    )
    own = session.scalar(select(best.c.best).where(best.c.plate == plate))
    if own is None:
        return None
    above = session.scalar(select(func.count()).select_from(best).where(best.c.best > own))
    return 1 + (above or 0)


def _own_last(session: Session, row: BiddingSession, plate: str, *, upto: int) -> Mark | None:
    found = session.scalar(
        select(Bid)
        .where(Bid.session_id == row.id, Bid.plate == plate, Bid.sequence <= upto)
        .order_by(Bid.sequence.desc())
        .limit(1)
    )
    return None if found is None else mark_of(found)


def _limit(session: Session, row: BiddingSession, own: Intent | None) -> Fen | None:
    if own is None:
        return None
    return session.scalar(
        select(AutomaticOrder.limit_fen).where(
            AutomaticOrder.session_id == row.id, AutomaticOrder.intent_id == own.id
        )
    )


def _own_seal(session: Session, row: BiddingSession, own: Intent | None) -> OwnSeal | None:
    if own is None:
        return None
    found = session.scalar(
        select(SealedBid).where(SealedBid.session_id == row.id, SealedBid.intent_id == own.id)
    )
    return None if found is None else OwnSeal(found.received_at, found.commitment)
