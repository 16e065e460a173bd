"""The bidding room: it works with plain forms and reloads; polling only makes it quicker."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen, parse_yuan
from marketplace.listings import queries, room_queries, rules, service
from marketplace.listings.bidding_rules import Phase
from marketplace.listings.forms import BidForm
from marketplace.listings.views import blueprint


@blueprint.route("/listings/<int:listing_id>/room")
@web.permits(PUBLIC)
def room(listing_id: int) -> ResponseReturnValue:
    """Show the bidding room to bidders and onlookers."""
    parts = _room(listing_id)
    return render_template("listings/room.html", **parts, form=None, asked=_asked(parts["room"]))


@blueprint.route("/listings/<int:listing_id>/room/live")
@web.permits(PUBLIC)
def room_live(listing_id: int) -> ResponseReturnValue:
    """Return a part of the room that changes: price and time, or the record.

    The status 286 tells htmx to stop asking when the session is over.
    """
    part = "_record" if web.argument("part") == "record" else "_head"
    parts = _room(listing_id)
    over = parts["room"].phase is Phase.OVER
    return render_template(f"listings/{part}.html", **parts), 286 if over else 200


@blueprint.route("/listings/<int:listing_id>/room/confirm")
@web.permits(rules.BID)
def confirm_bid(listing_id: int) -> ResponseReturnValue:
    """Show an amount once more, in figures and capitals, before it is bid."""
    parts = _room(listing_id)
    try:
        amount = parse_yuan(web.argument("amount", longest=40))
    except RuleBroken as refusal:
        flash(refusal.message, "danger")
        return redirect(url_for("listings.room", listing_id=listing_id), 303)
    return render_template(
        "listings/confirm_bid.html", **parts, form=BidForm.fresh(), amount=amount
    )


@blueprint.route("/listings/<int:listing_id>/room/bids", methods=["POST"])
@web.permits(rules.BID)
def bid(listing_id: int) -> ResponseReturnValue:
    """Place a bid."""
    form = BidForm.load()
    if form.validate_on_post():
        key = form.submission_key.data or ""

        def act(session: Session) -> str:
            service.place_bid(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                amount_fen=form.amount_fen.data,
                submission_key=key if request.form.get("submission_key") else "",
            )
            return url_for("listings.room", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return render_template("listings/room.html", **_room(listing_id), form=form), form.status()


def _asked(state: room_queries.Room) -> Fen | None:
    """Return the amount the steps + and - lead to, None for the least that may be bid."""
    try:
        amount = parse_yuan(web.argument("amount", longest=40))
    except RuleBroken:
        return None
    return amount if amount > state.minimum_fen else None


def _room(listing_id: int) -> dict[str, Any]:
    session, actor, now = web.session(), web.actor(), web.now()
    listing = queries.get_public(session, listing_id)
    state = room_queries.room(session, actor, listing_id, now=now)
    return {
        "listing": listing,
        "room": state,
        "percent_left": state.percent_left(now),
        "mine": queries.own_intent(session, actor, listing_id),
        "manages": queries.manages(actor, listing),
    }
