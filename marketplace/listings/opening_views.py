"""Sealed bidding: the seller chooses the kind, officers set passphrases, score and open."""

from __future__ import annotations

import wtforms
from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.errors import NotFound
from marketplace.listings import (
    officer_queries,
    queries,
    record_queries,
    room_queries,
    rules,
    service,
)
from marketplace.listings.bidding_forms import BiddingForm, PassphraseForm, VoidForm
from marketplace.listings.record_queries import Opening
from marketplace.listings.views import blueprint


@blueprint.route("/my/listings/<int:listing_id>/bidding", methods=["GET", "POST"])
@web.permits(rules.APPLY)
def choose_bidding(listing_id: int) -> ResponseReturnValue:
    """Choose how bids are given."""
    listing = queries.get_for(web.session(), web.actor(), listing_id)
    form = BiddingForm.load(
        kind=listing.bidding_kind,
        criteria=[{"name": c.name, "weight": c.weight} for c in listing.criteria],
    )
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.choose_bidding(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                kind=form.kind.data,
                criteria=form.chosen(),
            )
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template("listings/choose_bidding.html", listing=listing, form=form)
    return page, form.status()


@blueprint.route("/listings/opening-key", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
@web.sensitive_with_secret("listings.opening_key")
def opening_key() -> ResponseReturnValue:
    """Set the officer's own opening passphrase."""
    form = PassphraseForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.make_key(
                session, actor=web.actor(), now=web.now(), passphrase=form.passphrase.data or ""
            )
            return url_for("listings.opening_key")

        done = web.submit(form, act)
        if done is not None:
            flash("开标口令已设置，从下一场密封竞价起使用。请离线保存：忘了无法找回。", "success")
            return done
    page = render_template(
        "listings/opening_key.html",
        form=form,
        officers=officer_queries.officers(web.session(), web.actor(), now=web.now()),
    )
    return page, form.status()


@blueprint.route("/listings/<int:listing_id>/opening")
@web.permits(rules.OPERATE)
@web.sensitive_with_secret("listings.opening")
def opening(listing_id: int) -> ResponseReturnValue:
    """Show how far the opening of a sealed session has come."""
    return _page(listing_id)


@blueprint.route("/listings/<int:listing_id>/opening/scores", methods=["POST"])
@web.permits(rules.OPERATE)
def score_bids(listing_id: int) -> ResponseReturnValue:
    """Take the committee's scores."""
    form = _score_form(_opening(listing_id))
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.record_scores(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                scores=_scores(form, _opening(listing_id)),
            )
            return url_for("listings.opening", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(listing_id, scores=form)


@blueprint.route("/listings/<int:listing_id>/opening/share", methods=["POST"])
@web.permits(rules.OPERATE)
@web.sensitive_with_secret("listings.opening")
def give_share(listing_id: int) -> ResponseReturnValue:
    """Take an officer's passphrase; with enough of them the bids are opened."""
    _opening(listing_id)
    form = PassphraseForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.give_opening_share(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                passphrase=form.passphrase.data or "",
            )
            return url_for("listings.opening", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(listing_id, share=form)


@blueprint.route("/listings/<int:listing_id>/opening/void", methods=["POST"])
@web.permits(rules.OPERATE)
@web.sensitive
def void_unopened(listing_id: int) -> ResponseReturnValue:
    """Void a session that cannot be opened."""
    _opening(listing_id)
    form = VoidForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.void_unopened(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                reason=form.reason.data,
            )
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(listing_id, void=form)


def _opening(listing_id: int) -> Opening:
    session = web.session()
    queries.get_for(session, web.actor(), listing_id)
    row = room_queries.find_session(session, listing_id)
    if row.free_ends_at is not None:
        raise NotFound()
    return record_queries.opening(session, row, web.actor().user_id)


def _page(
    listing_id: int,
    scores: web.Form | None = None,
    share: PassphraseForm | None = None,
    void: VoidForm | None = None,
) -> ResponseReturnValue:
    found = _opening(listing_id)
    session = web.session()
    wrong = next((form for form in (scores, share, void) if form is not None and form.errors), None)
    page = render_template(
        "listings/opening.html",
        listing=queries.get_for(session, web.actor(), listing_id),
        room=room_queries.room(session, web.actor(), listing_id, now=web.now()),
        opening=found,
        officers=officer_queries.share_holders(session, listing_id),
        score_form=scores or _score_form(found, fresh=True),
        share_form=share or PassphraseForm.fresh(),
        void_form=void or VoidForm.fresh(),
        form=wrong,
    )
    return page, 422 if wrong else 200


def _field(plate: str, position: int) -> str:
    return f"score_{plate}_{position}"


def _score_form(found: Opening, *, fresh: bool = False) -> web.Form:
    """Make the form with one field for each plate and criterion."""
    fields: dict[str, wtforms.Field] = {
        _field(plate, position): web.IntField(
            f"{plate} 号，{criterion.name}", required=True, least=0, most=100
        )
        for plate in found.plates
        for position, criterion in enumerate(found.criteria)
    }
    made: type[web.Form] = type("ScoreForm", (web.Form,), fields)
    return made.fresh() if fresh or request.method != "POST" else made.load()


def _scores(form: web.Form, found: Opening) -> dict[str, list[int]]:
    return {
        plate: [form[_field(plate, position)].data for position in range(len(found.criteria))]
        for plate in found.plates
    }
