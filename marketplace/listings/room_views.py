"""The bidding room: it works with plain forms and reloads; the stream only makes it quicker."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from flask import Response, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.db import Database
from marketplace.foundation.errors import DomainError, NotFound, RuleBroken
from marketplace.foundation.money import Fen, parse_yuan
from marketplace.listings import queries, record_queries, room_queries, rules, service
from marketplace.listings.bidding_forms import BidForm, LimitForm, SealForm
from marketplace.listings.bidding_rules import Mark
from marketplace.listings.views import blueprint
from marketplace.settings import Settings

_PARTS = {"head": "_head", "record": "_record", "box": "_bidbox"}


@blueprint.route("/listings/<int:listing_id>/room")
@web.permits(PUBLIC)
def room(listing_id: int) -> ResponseReturnValue:
    """Show the bidding room to bidders and onlookers; a finished session is replayed in it."""
    parts = _room(listing_id)
    return render_template("listings/room.html", **parts, form=None, asked=_asked(parts["room"]))


@blueprint.route("/listings/<int:listing_id>/room/live")
@web.permits(PUBLIC)
def room_live(listing_id: int) -> ResponseReturnValue:
    """Return a part of the room that changes: price and time, the record, or the bid box."""
    part = _PARTS.get(web.argument("part"), "_head")
    return render_template(f"listings/{part}.html", **_room(listing_id), form=None)


@blueprint.route("/listings/<int:listing_id>/room/news")
@web.permits(PUBLIC)
def room_news(listing_id: int) -> ResponseReturnValue:
    """Tell what the stream tells, for a browser that cannot listen to it."""
    queries.get_public(web.session(), listing_id)
    row = room_queries.find_session(web.session(), listing_id)
    attempt, _, entry = web.argument("after").partition("-")
    same = attempt == str(row.attempt) and entry.isdecimal() and len(entry) < 10
    told = record_queries.news(web.session(), row, after=int(entry) if same else 0, now=web.now())
    return jsonify(told)


@blueprint.route("/listings/<int:listing_id>/room/record.json")
@web.permits(PUBLIC)
def room_record(listing_id: int) -> ResponseReturnValue:
    """Hand out the published record, for the offline verifier."""
    listing = queries.get_public(web.session(), listing_id)
    attempt = _number("attempt")
    found = record_queries.document(web.session(), listing_id, attempt)
    answer = Response(json.dumps(found, ensure_ascii=False, indent=1), mimetype="application/json")
    name = f"{listing.number}-{found['entries'][0]['body']['attempt']}.json"
    answer.headers["Content-Disposition"] = f"attachment; filename={name}"
    return answer


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
    form = BidForm.fresh(plate=parts["room"].plate)
    return render_template("listings/confirm_bid.html", **parts, form=form, amount=amount)


@blueprint.route("/listings/<int:listing_id>/room/bids", methods=["POST"])
@web.permits(rules.TRY_TO_BID)
def bid(listing_id: int) -> ResponseReturnValue:
    """Place a bid; one that is refused leaves an audit row with its reason.

    A program that accepts JSON is answered with the mark, or with the problems, and no page.
    """
    form = BidForm.load()
    plain = request.accept_mimetypes.best == "application/json"
    status = 422
    if form.validate_on_post():
        try:
            mark = _place(listing_id, form)
        except DomainError as refusal:
            _refuse(listing_id, form, refusal, plain=plain)
            status = refusal.status
        else:
            if isinstance(mark, RuleBroken):
                _tell(form, mark)
            elif plain:
                return jsonify(number=mark.sequence, plate=mark.plate, fen=mark.amount_fen), 201
            else:
                return redirect(url_for("listings.room", listing_id=listing_id), 303)
    else:
        _note_shape(listing_id, form)
    if plain:
        return jsonify(problems=_said(form)), status
    return render_template("listings/room.html", **_room(listing_id), form=form), form.status()


@blueprint.route("/listings/<int:listing_id>/room/seal", methods=["POST"])
@web.permits(rules.TRY_TO_BID)
def seal(listing_id: int) -> ResponseReturnValue:
    """Show a sealed bid once more, and seal it when it is confirmed.

    The amount travels in the body of a request only: no address and no log holds it.
    """
    form = SealForm.load()
    if not form.validate_on_post():
        _note_shape(listing_id, form)
        return _sealing_page(listing_id, form)
    if not form.confirmed.data:
        shown = {**_room(listing_id), "form": form, "amount": form.amount_fen.data}
        return render_template("listings/confirm_seal.html", **shown)
    try:
        _seal(listing_id, form)
    except DomainError as refusal:
        _refuse(listing_id, form, refusal)
        return _sealing_page(listing_id, form)
    flash("报价已密封。回执在下面，截止后可以在公布的哈希里找到它。", "success")
    return redirect(url_for("listings.room", listing_id=listing_id), 303)


@blueprint.route("/listings/<int:listing_id>/room/limit", methods=["POST"])
@web.permits(rules.BID)
def set_limit(listing_id: int) -> ResponseReturnValue:
    """Give or change the reader's private limit."""
    form = LimitForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.set_limit(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                limit_fen=form.limit_fen.data,
            )
            return url_for("listings.room", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            flash("委托上限已保存，只有贵单位看得到。", "success")
            return done
    parts = {**_room(listing_id), "limit_form": form}
    return render_template("listings/room.html", **parts, form=form), form.status()


@blueprint.route("/listings/<int:listing_id>/room/limit/drop", methods=["POST"])
@web.permits(rules.BID)
def drop_limit(listing_id: int) -> ResponseReturnValue:
    """Take the private limit back."""
    page = url_for("listings.room", listing_id=listing_id)

    def act(session: Session) -> str:
        service.drop_limit(session, actor=web.actor(), now=web.now(), listing_id=listing_id)
        return page

    return web.act(act, back=page)


def _sealing_page(listing_id: int, form: SealForm) -> ResponseReturnValue:
    parts = {**_room(listing_id), "seal_form": form}
    return render_template("listings/room.html", **parts, form=form), 422


def _place(listing_id: int, form: BidForm) -> Mark | RuleBroken:
    asked = {
        "actor": web.actor(),
        "now": web.now(),
        "listing_id": listing_id,
        "amount_fen": form.amount_fen.data,
        "submission_key": request.form.get("submission_key", ""),
        "plate": form.plate.data,
    }
    with web.resource(Database).asking() as session:
        passed = service.price_passed(session, **asked)
    if passed is not None:
        web.write_with_others(
            partial(
                service.note_passed,
                passed=passed,
                actor=web.actor(),
                now=web.now(),
                typed=form.amount_fen.raw,
            )
        )
        return passed.refusal
    # The bid's own key makes it happen once: no second table of submissions stands in its way.
    with web.transaction() as session:
        return service.place_bid(session, **asked)


def _seal(listing_id: int, form: SealForm) -> None:
    with web.transaction() as session:
        service.submit_sealed_bid(
            session,
            actor=web.actor(),
            now=web.now(),
            listing_id=listing_id,
            amount_fen=form.amount_fen.data,
            submission_key=request.form.get("submission_key", ""),
            plate=form.plate.data,
        )


def _note_shape(listing_id: int, form: BidForm) -> None:
    """Note a bid whose form is wrong, such as an amount beyond all measure."""
    _note(listing_id, form, RuleBroken("bidding.form", "；".join(_said(form))))


def _said(form: BidForm) -> list[str]:
    return [str(error) for errors in form.errors.values() for error in errors]


def _refuse(listing_id: int, form: BidForm, refusal: DomainError, *, plain: bool = False) -> None:
    if isinstance(refusal, NotFound):
        raise refusal
    _note(listing_id, form, refusal)
    if refusal.status == 403 and not plain:
        raise refusal
    _tell(form, refusal)


def _tell(form: BidForm, refusal: DomainError) -> None:
    form.take(refusal)
    g.refusal = refusal


def _note(listing_id: int, form: BidForm, refusal: DomainError) -> None:
    web.write_with_others(
        partial(
            service.note_refused_bid,
            actor=web.actor(),
            now=web.now(),
            listing_id=listing_id,
            refusal=refusal,
            amount=form.amount_fen.raw,
        )
    )


def _asked(state: room_queries.Room) -> Fen | None:
    """Return the amount the steps + and - lead to, None for the least that may be bid."""
    try:
        amount = parse_yuan(web.argument("amount", longest=40))
    except RuleBroken:
        return None
    return amount if amount > state.minimum_fen else None


def _number(name: str) -> int | None:
    text = web.argument(name)
    return int(text) if text.isdecimal() and len(text) < 7 else None


def _room(listing_id: int) -> dict[str, Any]:
    session, actor, now = web.session(), web.actor(), web.now()
    listing = queries.get_public(session, listing_id)
    state = room_queries.room(
        session,
        actor,
        listing_id,
        now=now,
        attempt=_number("attempt"),
        step=_number("step"),
        all_lines=web.argument("all") == "1",
    )
    row = room_queries.find_session(session, listing_id, state.attempt)
    return {
        "listing": listing,
        "room": state,
        "opening": None if state.ascending else record_queries.opening(session, row, actor.user_id),
        "percent_left": state.percent_left(now),
        "mine": queries.own_intent(session, actor, listing_id),
        "manages": queries.manages(actor, listing),
        "operates": permits(actor, rules.OPERATE),
        "stream": web.resource(Settings).events_address(request.scheme, request.host),
        "limit_form": LimitForm.fresh(limit_fen=state.limit_fen),
        "seal_form": SealForm.fresh(plate=state.plate),
    }
