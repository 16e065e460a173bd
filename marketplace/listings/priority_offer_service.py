"""The holder of a priority right is asked again when buyer and price are found: at that price?

Whoever claimed its right and takes part as a qualified buyer may step into the result on the same
terms (民法典第八百四十七条, 第八百六十条) while the result stands before the public. Who claimed
and does not take part is not asked: the terms are also the deposit and the qualification.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SIGNED_IN, SYSTEM, Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotFound
from marketplace.foundation.local_time import local_date
from marketplace.listings import priority_rules
from marketplace.listings.events import PriorityExercised, PriorityOffered
from marketplace.listings.intent_service import lose
from marketplace.listings.models import Intent, Listing
from marketplace.listings.notice_models import Priority
from marketplace.listings.notice_queries import holds
from marketplace.listings.priority_rules import PriorityState
from marketplace.listings.rules import IntentState


def claimants(session: Session, listing: Listing, winner: Intent) -> list[tuple[Priority, Intent]]:
    """Return the claimed rights whose holders take part as qualified buyers other than the winner.

    Each with the intent of its holder: an inventor's is the one that he registered himself.
    """
    rows = session.execute(
        select(Priority, Intent)
        .join(Intent, _belongs_to(Priority))
        .where(
            Priority.listing_id == listing.id,
            Priority.state == PriorityState.CLAIMED,
            Intent.listing_id == listing.id,
            Intent.state == IntentState.QUALIFIED,
            Intent.organisation_id != winner.organisation_id,
        )
        .order_by(Priority.id)
    )
    return [(priority, intent) for priority, intent in rows]


def offer(
    session: Session,
    listing: Listing,
    claimed: Sequence[tuple[Priority, Intent]],
    *,
    ends_on: date,
    now: datetime,
) -> None:
    """Ask those who claimed whether they take it at the price, until the publicity's last day."""
    assert listing.price_fen is not None
    for row, intent in claimed:
        row.state, row.answer_by = PriorityState.OFFERED, ends_on
        outbox.publish(
            session,
            PriorityOffered(
                priority_id=row.id,
                listing_id=listing.id,
                title=listing.title,
                price_fen=listing.price_fen,
                organisation_id=intent.organisation_id,
                answer_by=ends_on,
            ),
            now=now,
        )
        _note(session, listing, row, SYSTEM, "offer_at_price", PriorityState.CLAIMED, now=now)


def answer_offer(
    session: Session, *, actor: Actor, now: datetime, priority_id: int, takes: bool
) -> None:
    """Take the technology at the price found, or leave it to the buyer; as the holder only."""
    require(actor, SIGNED_IN)
    found = session.get(Priority, priority_id)
    if found is None or not holds(actor, found):
        raise NotFound()
    listing = lock(session, Listing, found.listing_id)
    row = lock(session, Priority, priority_id)
    others = session.scalars(
        select(Priority.name).where(
            Priority.listing_id == listing.id, Priority.state == PriorityState.EXERCISED
        )
    ).all()
    priority_rules.check_taking(
        row.state, today=local_date(now), answer_by=row.answer_by, taken_by=others, takes=takes
    )
    before = row.state
    row.state = PriorityState.EXERCISED if takes else PriorityState.WAIVED
    row.answered_at, row.answered_by_id = now, actor.user_id
    _note(session, listing, row, actor, "answer_offer", before, now=now)
    if takes:
        _tell_the_buyer(session, listing, row, now=now)
        return
    intent = _kept_intent(session, row)
    if intent is not None:
        lose(session, intent, actor=actor, now=now, reason="放弃按成交价受让，保证金无息退还")


def _tell_the_buyer(session: Session, listing: Listing, row: Priority, *, now: datetime) -> None:
    assert listing.buyer_id is not None
    assert listing.price_fen is not None
    outbox.publish(
        session,
        PriorityExercised(
            listing_id=listing.id,
            title=listing.title,
            holder=row.name,
            price_fen=listing.price_fen,
            seller_organisation_id=listing.organisation_id,
            former_buyer_organisation_id=listing.buyer_id,
        ),
        now=now,
    )


def settle_offers(session: Session, listing: Listing, *, now: datetime) -> Intent | None:
    """Close the offers of a locked listing; return the intent of who took it, if anybody did."""
    taken: Priority | None = None
    for row in session.scalars(
        select(Priority).where(
            Priority.listing_id == listing.id,
            Priority.state.in_((PriorityState.OFFERED, PriorityState.EXERCISED)),
        )
    ):
        if row.state is PriorityState.EXERCISED:
            taken = row
            continue
        row.state = PriorityState.LAPSED
        _note(session, listing, row, SYSTEM, "lapse_offer", PriorityState.OFFERED, now=now)
    return None if taken is None else _kept_intent(session, taken)


def _kept_intent(session: Session, row: Priority) -> Intent | None:
    return session.scalars(
        select(Intent)
        .where(
            Intent.listing_id == row.listing_id,
            Intent.state == IntentState.QUALIFIED,
            _belongs_to(row),
        )
        .order_by(Intent.id)
        .with_for_update()
    ).first()


def _belongs_to(row: Priority | type[Priority]) -> ColumnElement[bool]:
    return or_(Intent.organisation_id == row.organisation_id, Intent.user_id == row.user_id)


def _note(
    session: Session,
    listing: Listing,
    row: Priority,
    actor: Actor,
    action: str,
    before: PriorityState,
    *,
    now: datetime,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"listings.{action}",
        subject=f"listing:{listing.id}",
        now=now,
        before={"state": before},
        after={"state": row.state, "holder": row.name},
    )
