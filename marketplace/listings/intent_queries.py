"""Reads of intents, for their buyers, for the seller and for the operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen
from marketplace.listings import rules
from marketplace.listings.models import Intent, Listing
from marketplace.listings.qualification_rules import CheckItem
from marketplace.listings.rules import IntentState, ListingState
from marketplace.payments import queries as payments
from marketplace.payments.rules import PaymentState


@dataclass(frozen=True)
class IntentView:
    """An intent for its buyer, the seller and the operator; never for other buyers."""

    id: int
    listing_id: int
    listing_number: str
    listing_title: str
    listing_state: ListingState
    organisation_id: int
    buyer_name: str
    state: IntentState
    offer_fen: Fen
    plan: str
    related_party: bool
    relation: str
    registered_at: datetime
    reason: str
    payment_id: int | None
    payment_state: PaymentState | None
    plate: str | None
    checks: tuple[tuple[CheckItem, str], ...]


def intents(session: Session, listing_id: int) -> list[IntentView]:
    """List the intents of a listing with names, for its seller and the operator."""
    rows = session.scalars(
        select(Intent).where(Intent.listing_id == listing_id).order_by(Intent.id)
    )
    return _intent_views(session, list(rows))


def intent_count(session: Session, listing_id: int) -> int:
    """Count the intents of a listing that were not taken back."""
    count = session.scalar(
        select(func.count())
        .select_from(Intent)
        .where(Intent.listing_id == listing_id, Intent.state != IntentState.WITHDRAWN)
    )
    return count or 0


def own_intents(
    session: Session, actor: Actor, *, after: str | None = None, size: int = 20
) -> Page[IntentView]:
    """Read one page of the intents of the actor's organisation, the newest first."""
    page = paginate(
        session,
        select(Intent).where(Intent.organisation_id == (actor.organisation_id or 0)),
        keys=[Intent.id.desc()],
        after=after,
        size=size,
    )
    views = {view.id: view for view in _intent_views(session, page.items)}
    return page.map(lambda row: views[row.id])


def own_intent(session: Session, actor: Actor, listing_id: int) -> IntentView | None:
    """Return what the actor's organisation registered for a listing last, or None."""
    if actor.organisation_id is None:
        return None
    row = session.scalar(
        select(Intent)
        .where(Intent.listing_id == listing_id, Intent.organisation_id == actor.organisation_id)
        .order_by(Intent.id.desc())
        .limit(1)
    )
    return None if row is None else _intent_views(session, [row])[0]


def get_intent(session: Session, actor: Actor, intent_id: int) -> IntentView:
    """Return an intent for its buyer, the seller or the operator, else raise ``NotFound``."""
    row = session.get(Intent, intent_id)
    if row is None:
        raise NotFound()
    listing = session.get_one(Listing, row.listing_id)
    sells = actor.signed_in and listing.organisation_id == actor.organisation_id
    buys = row.organisation_id == actor.organisation_id and actor.signed_in
    if not (buys or sells or permits(actor, rules.OPERATE)):
        raise NotFound()
    return _intent_views(session, [row])[0]


def _intent_views(session: Session, rows: Sequence[Intent]) -> list[IntentView]:
    names = accounts.get_organisations(session, (row.organisation_id for row in rows))
    listings = {
        row.id: row
        for row in session.scalars(
            select(Listing).where(Listing.id.in_({row.listing_id for row in rows}))
        )
    }
    paid = payments.states_of(session, (row.payment_id for row in rows if row.payment_id))
    return [
        IntentView(
            id=row.id,
            listing_id=row.listing_id,
            listing_number=listings[row.listing_id].number or "",
            listing_title=listings[row.listing_id].title,
            listing_state=listings[row.listing_id].state,
            organisation_id=row.organisation_id,
            buyer_name=names[row.organisation_id].name,
            state=row.state,
            offer_fen=row.offer_fen,
            plan=row.plan,
            related_party=row.related_party,
            relation=row.relation,
            registered_at=row.registered_at,
            reason=row.reason,
            payment_id=row.payment_id,
            payment_state=paid.get(row.payment_id) if row.payment_id else None,
            plate=row.plate,
            checks=tuple((CheckItem(c["item"]), c["found"]) for c in row.checks),
        )
        for row in rows
    ]
