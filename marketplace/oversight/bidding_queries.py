"""Reads for the signs that bidders act together: who bid from where, by whom, how."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Actor, require
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.errors import NotFound
from marketplace.listings import intent_queries, room_queries
from marketplace.oversight import rules
from marketplace.oversight.bidding_rules import Bidder, FoundSign, PlacedBid, signs

_BIDS = ("listings.bid", "listings.automatic_bid", "listings.seal_bid")


def bidding_signs(session: Session, actor: Actor, listing_id: int) -> list[FoundSign]:
    """Find the signs between the bidders of a listing's session; none before there is one."""
    require(actor, rules.WATCH)
    try:
        row = room_queries.find_session(session, listing_id)
    except NotFound:
        return []
    trail = session.scalars(
        select(AuditRow)
        .where(AuditRow.subject == f"bidding:{row.id}", AuditRow.action.in_(_BIDS))
        .order_by(AuditRow.sequence)
    ).all()
    intents = [i for i in intent_queries.intents(session, listing_id) if i.plate]
    houses = accounts.get_organisations(session, {intent.organisation_id for intent in intents})
    bidders = []
    for intent in intents:
        house = houses[intent.organisation_id]
        own = [entry for entry in trail if entry.organisation_id == house.id]
        named = (house.contact_name, house.contact_phone, house.address, house.representative)
        bidders.append(
            Bidder(
                plate=intent.plate or "",
                name=house.short_name,
                contacts=frozenset(text for text in named if text),
                origins=frozenset(entry.origin for entry in own if entry.origin != "platform"),
                user_ids=frozenset(entry.user_id for entry in own if entry.user_id is not None),
            )
        )
    placed = [
        PlacedBid(str(entry.after["plate"]), int(entry.after["amount_fen"]))
        for entry in trail
        if entry.after and "amount_fen" in entry.after
    ]
    return signs(bidders, placed, increment_fen=row.increment_fen)
