"""Plan a bidding session, void one that was late, and plan its successor."""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation import outbox
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.local_time import LOCAL, local_date
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.listings import record_rules
from marketplace.listings.bidding_models import BiddingSession
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.events import BiddingScheduled, BiddingVoided
from marketplace.listings.models import Intent, Listing
from marketplace.listings.officer_service import keys_missing, share_key
from marketplace.listings.record_rules import RecordKind
from marketplace.listings.rules import IntentState
from marketplace.listings.session_service import append, late_limit
from marketplace.listings.trail import note


def check_officers(session: Session, kind: BiddingKind, now: datetime) -> None:
    """Refuse to go on with sealed bidding while too few officers have an opening key."""
    missing = 0 if kind is BiddingKind.ASCENDING else keys_missing(session, local_date(now))
    if missing:
        raise RuleBroken(
            "bidding.officers",
            f"密封报价还缺 {missing} 位开标人：请交易中心业务员先在“开标口令”页设置各自的口令",
        )


def plan_session(session: Session, listing: Listing, *, now: datetime) -> BiddingSession:
    """Set the next session of a locked listing, a few working days from now; return it.

    Its terms are the first entry of its record: from here on nobody can change them unseen.
    """
    kind = listing.bidding_kind
    check_officers(session, kind, now)
    today = local_date(now)
    day = add_workdays(today, value_on("bidding_notice_workdays", today))
    starts_at = datetime.combine(day, time(), tzinfo=LOCAL) + timedelta(
        minutes=value_on("bidding_start_minutes", today)
    )
    ascending = kind is BiddingKind.ASCENDING
    free_ends_at = starts_at + timedelta(minutes=value_on("bidding_free_minutes", today))
    cycle = timedelta(minutes=value_on("bidding_cycle_minutes", today))
    sealed_for = timedelta(minutes=value_on("bidding_sealed_minutes", today))
    attempts = session.scalar(
        select(func.count())
        .select_from(BiddingSession)
        .where(BiddingSession.listing_id == listing.id)
    )
    row = BiddingSession(
        listing_id=listing.id,
        attempt=(attempts or 0) + 1,
        kind=kind,
        base_fen=listing.base_price_fen,
        increment_fen=listing.increment_fen,
        criteria=list(listing.criteria) if kind is BiddingKind.WEIGHTED else [],
        starts_at=starts_at,
        free_ends_at=free_ends_at if ascending else None,
        cycle_seconds=int(cycle.total_seconds()) if ascending else 0,
        closes_at=free_ends_at + cycle if ascending else starts_at + sealed_for,
        opened_at=None,
        closed_at=None,
        decided_at=None,
        voided_at=None,
        last_plate=None,
        last_fen=None,
        last_at=None,
        last_cycle=None,
        entry_count=0,
        head_digest="",
        plates_nonce=secrets.token_hex(32),
        public_key=None,
        scores={},
    )
    session.add(row)
    session.flush()
    if not ascending:
        share_key(session, row, on=today)
    append(session, row, RecordKind.TERMS, _terms_body(session, listing, row), at=now)
    session.flush()
    outbox.publish(
        session,
        BiddingScheduled(
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
            bidding_kind=kind.value,
            starts_at=row.starts_at,
            closes_at=row.closes_at,
        ),
        now=now,
    )
    return row


def void_session(
    session: Session,
    listing: Listing,
    row: BiddingSession,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
) -> None:
    """Void a locked session and plan the next one for the same bidders. Sealed bids stay sealed."""
    row.voided_at = now
    row.void_reason = reason
    append(session, row, RecordKind.VOIDED, {"reason": reason}, at=now)
    session.flush()
    note(session, listing, actor, "void_bidding", now, attempt=row.attempt, reason=reason)
    following = plan_session(session, listing, now=now)
    note(session, listing, actor, "schedule_bidding", now, starts_at=following.starts_at)
    outbox.publish(
        session,
        BiddingVoided(
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
            reason=reason,
            starts_at=following.starts_at,
        ),
        now=now,
    )


def void_if_late(
    session: Session,
    listing: Listing,
    row: BiddingSession,
    *,
    due_at: datetime,
    what: str,
    now: datetime,
) -> bool:
    """Void a locked session that opens or closes later than allowed; tell whether it was."""
    limit = late_limit(row)
    if now - due_at <= limit:
        return False
    void_session(
        session,
        listing,
        row,
        actor=SYSTEM,
        now=now,
        reason=f"因平台故障，本场{what}晚于规定时间 {int(limit.total_seconds())} 秒以上",
    )
    return True


def admitted_plates(session: Session, listing_id: int) -> list[str]:
    """List the plates of those who may bid, or might have until they were barred."""
    plates = session.scalars(
        select(Intent.plate).where(
            Intent.listing_id == listing_id,
            Intent.plate.is_not(None),
            Intent.state.in_((IntentState.QUALIFIED, IntentState.BARRED)),
        )
    )
    return sorted(plate for plate in plates if plate is not None)


def _terms_body(session: Session, listing: Listing, row: BiddingSession) -> dict[str, Any]:
    body: dict[str, Any] = {
        "listing": listing.number,
        "title": listing.title,
        "attempt": row.attempt,
        "session": f"{listing.number}/{row.attempt}",
        "kind": row.kind.value,
        "base_fen": row.base_fen,
        "starts_at": record_rules.moment_text(row.starts_at),
        "closes_at": record_rules.moment_text(row.closes_at),
        "late_limit_seconds": int(late_limit(row).total_seconds()),
        "plates_digest": record_rules.list_digest(
            admitted_plates(session, listing.id), row.plates_nonce
        ),
    }
    if row.free_ends_at is not None:
        body["increment_fen"] = row.increment_fen
        body["free_ends_at"] = record_rules.moment_text(row.free_ends_at)
        body["cycle_seconds"] = row.cycle_seconds
    if row.public_key is not None:
        body["criteria"] = row.criteria
        body["public_key"] = row.public_key.hex()
        body["threshold"] = row.threshold
    return body
