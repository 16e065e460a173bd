"""How a listing goes on when its announcement or qualification ends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.parameters import value_on
from marketplace.listings import rules
from marketplace.listings.announcement_rules import VersionKind
from marketplace.listings.award_service import conclude, fail, locked_intents
from marketplace.listings.content_service import set_announcement_end
from marketplace.listings.events import ListingExtended
from marketplace.listings.intent_service import qualify, reject
from marketplace.listings.models import Listing
from marketplace.listings.notice_service import publish_version
from marketplace.listings.planning_service import check_officers, plan_session
from marketplace.listings.rules import IntentState, ListingState, Outcome, PricingMode
from marketplace.listings.trail import note
from marketplace.payments import queries as payments
from marketplace.payments.rules import HELD, PaymentState


def end_announcements(session: Session, *, now: datetime) -> int:
    """Go on with the listings whose announcement is over; count them."""
    ids = session.scalars(
        select(Listing.id)
        .where(Listing.state == ListingState.ANNOUNCED, Listing.announcement_closes_at <= now)
        .order_by(Listing.announcement_closes_at, Listing.id)
        .limit(20)
    ).all()
    for listing_id in ids:
        listing = lock(session, Listing, listing_id)
        if locked_intents(session, listing, rules.LIVE_INTENTS):
            negotiated = listing.pricing_mode is PricingMode.NEGOTIATED
            before = listing.state
            listing.state = rules.move(
                before, ListingState.NEGOTIATING if negotiated else ListingState.QUALIFYING
            )
            listing.version += 1
            note(session, listing, SYSTEM, "end_announcement", now, before=before)
        else:
            _extend_or_fail(session, listing, now=now)
    return len(ids)


def end_qualifications(session: Session, *, now: datetime) -> int:
    """Go on with the listings whose qualification is over and waits for nobody; count them."""
    ids = session.scalars(
        select(Listing.id)
        .where(Listing.state == ListingState.QUALIFYING, Listing.qualification_closes_at <= now)
        .order_by(Listing.qualification_closes_at, Listing.id)
    ).all()
    return sum(_settle_if_ready(session, lock(session, Listing, found), now=now) for found in ids)


def close_qualification(session: Session, *, actor: Actor, now: datetime, listing_id: int) -> None:
    """End the qualification before its term, once every intent is decided and paid for."""
    require(actor, rules.OPERATE)
    listing = lock(session, Listing, listing_id)
    if listing.state is not ListingState.QUALIFYING:
        raise RuleBroken(
            "listings.not_qualifying", f"项目现在是“{listing.state.label}”，没有待结束的资格确认"
        )
    open_intents = locked_intents(session, listing, (IntentState.REGISTERED, IntentState.ADMITTED))
    if open_intents:
        raise RuleBroken(
            "listings.intents_open",
            f"还有 {len(open_intents)} 家意向方待确认资格或待交保证金，"
            f"请先办理，或等到 {listing.qualification_ends_on} 期满",
        )
    _settle(session, listing, actor=actor, now=now)


def _settle_if_ready(session: Session, listing: Listing, *, now: datetime) -> bool:
    """Settle at the end of the term unless the operator still owes somebody an answer."""
    if locked_intents(session, listing, (IntentState.REGISTERED,)):
        return False
    try:
        check_officers(session, listing.bidding_kind, now)
    except RuleBroken:
        return False  # the desk says what is missing; the terms of the buyers do not run out
    for intent in locked_intents(session, listing, (IntentState.ADMITTED,)):
        # Asked directly: the news of the arrival may still be on its way.
        assert intent.payment_id is not None
        state = payments.state_of(session, intent.payment_id)
        if state is PaymentState.REPORTED:
            return False
        if state in HELD:
            qualify(session, listing, intent, actor=SYSTEM, now=now)
        else:
            reject(
                session,
                listing,
                intent,
                actor=SYSTEM,
                now=now,
                reason=f"保证金到 {listing.qualification_ends_on} 没有到账",
            )
    _settle(session, listing, actor=SYSTEM, now=now)
    return True


def _settle(session: Session, listing: Listing, *, actor: Actor, now: datetime) -> None:
    qualified = locked_intents(session, listing, (IntentState.QUALIFIED,))
    follows = rules.outcome(
        len(qualified),
        extension_count=listing.extension_count,
        extension_limit=value_on("extension_limit_count", local_date(now)),
        pricing_mode=listing.pricing_mode,
    )
    if follows is Outcome.OUTSIDE:
        before = listing.state
        listing.state = rules.move(before, ListingState.OUTSIDE)
        listing.version += 1
        note(session, listing, actor, "hand_over", now, before=before, bidders=len(qualified))
    elif follows is Outcome.BID:
        _schedule_bidding(session, listing, actor=actor, now=now)
    elif follows is Outcome.DEAL:
        conclude(session, listing, qualified[0], qualified[0].offer_fen, actor=actor, now=now)
    else:
        _extend_or_fail(session, listing, now=now)


def _extend_or_fail(session: Session, listing: Listing, *, now: datetime) -> None:
    today = local_date(now)
    limit = value_on("extension_limit_count", today)
    if rules.outcome(0, extension_count=listing.extension_count, extension_limit=limit) is (
        Outcome.FAIL
    ):
        fail(session, listing, actor=SYSTEM, now=now, reason=f"延期 {limit} 次仍无合格意向方")
        return
    before = listing.state
    if before is not ListingState.ANNOUNCED:
        listing.state = rules.move(before, ListingState.ANNOUNCED)
    listing.extension_count += 1
    listing.version += 1
    set_announcement_end(listing, workdays=value_on("extension_workdays", today), now=now)
    publish_version(
        session, listing, VersionKind.EXTENSION, now=now, reason="公告期满没有合格意向方"
    )
    assert listing.announcement_ends_on is not None
    outbox.publish(
        session,
        ListingExtended(
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            title=listing.title,
            ends_on=listing.announcement_ends_on,
            count=listing.extension_count,
        ),
        now=now,
    )
    note(
        session,
        listing,
        SYSTEM,
        "extend",
        now,
        before=before,
        ends_on=listing.announcement_ends_on,
        count=listing.extension_count,
    )


def _schedule_bidding(session: Session, listing: Listing, *, actor: Actor, now: datetime) -> None:
    before = listing.state
    listing.state = rules.move(before, ListingState.BIDDING)
    listing.version += 1
    planned = plan_session(session, listing, now=now)
    note(
        session,
        listing,
        actor,
        "schedule_bidding",
        now,
        before=before,
        starts_at=planned.starts_at,
    )
