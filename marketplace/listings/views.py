"""The public hall and what buyers do there: listings, intents."""

from __future__ import annotations

from typing import Any, TypeVar

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.achievements.queries import AchievementView
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.errors import NotFound
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.foundation.words import Word
from marketplace.listings import certificate_queries, notice_queries, queries, rules, service
from marketplace.listings.forms import IntentForm
from marketplace.listings.queries import HallFilter
from marketplace.listings.rules import PricingMode
from marketplace.listings.trial_rules import TrialState

blueprint = Blueprint("listings", __name__, template_folder="templates")

AnyWord = TypeVar("AnyWord", bound=Word)


def chosen_word(name: str, word: type[AnyWord]) -> AnyWord | None:
    """Return the query argument as a member of a word, None when it is none."""
    value = web.argument(name)
    return next((member for member in word if member.value == value), None)


@blueprint.route("/listings")
@web.permits(PUBLIC)
def hall() -> ResponseReturnValue:
    """Show the trading hall."""
    session = web.session()
    group = web.argument("group") if web.argument("group") in queries.GROUPS else ""
    sort = web.argument("sort") if web.argument("sort") in queries.SORTS else "newest"
    chosen = HallFilter(
        group=group,
        pricing_mode=chosen_word("pricing", PricingMode),
        trading_mode=chosen_word("mode", TradingMode),
        field=chosen_word("field", TechnologyField),
        sort=sort,
    )
    kept: dict[str, Any] = {
        "pricing": chosen.pricing_mode.value if chosen.pricing_mode else None,
        "mode": chosen.trading_mode.value if chosen.trading_mode else None,
        "field": chosen.field.value if chosen.field else None,
        "sort": sort if sort != "newest" else None,
    }
    counts = queries.group_counts(session)
    tabs = [("全部", url_for("listings.hall", **kept), group == "", sum(counts.values()))]
    tabs += [
        (label, url_for("listings.hall", group=key, **kept), group == key, counts[key])
        for key, (label, _states) in queries.GROUPS.items()
    ]
    return render_template(
        "listings/hall.html",
        page=queries.hall(session, chosen, after=web.argument("after") or None),
        chosen=chosen,
        kept={**kept, "group": group or None},
        tabs=tabs,
        sorts=queries.SORTS,
        pricing_modes=list(PricingMode),
        trading_modes=list(TradingMode),
        fields=list(TechnologyField),
        sells=permits(web.actor(), rules.APPLY),
        operates=permits(web.actor(), rules.OPERATE),
    )


@blueprint.route("/listings/<int:listing_id>")
@web.permits(PUBLIC)
def show(listing_id: int) -> ResponseReturnValue:
    """Show one listing to the public."""
    session, actor = web.session(), web.actor()
    listing = queries.get_public(session, listing_id)
    mine = queries.own_intent(session, actor, listing_id)
    trial = notice_queries.trial_of(session, listing_id)
    return render_template(
        "listings/show.html",
        listing=listing,
        achievement=achievement_for(listing.achievement_id),
        mine=mine,
        manages=queries.manages(actor, listing),
        may_intend=listing.open_for_intents(web.now())
        and actor.organisation_id != listing.organisation_id,
        intent_count=queries.intent_count(session, listing_id),
        versions=notice_queries.versions(session, listing_id),
        priorities=notice_queries.priorities(session, listing_id),
        checks=notice_queries.checks(session, listing_id),
        certificate=certificate_queries.of_listing(session, listing_id),
        trial=trial,
        may_end_trial=trial is not None
        and trial.state is TrialState.RUNNING
        and listing.buyer_id == actor.organisation_id
        and permits(actor, rules.INTEND),
    )


@blueprint.route("/listings/<int:listing_id>/intent", methods=["GET", "POST"])
@web.permits(rules.INTEND)
def intend(listing_id: int) -> ResponseReturnValue:
    """Take a buyer's intent."""
    listing = queries.get_public(web.session(), listing_id)
    form = IntentForm.load(offer_fen=listing.base_price_fen)
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.register_intent(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                content=form.content(),
            )
            return url_for("listings.show", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            flash("受让意向已登记，交易中心确认资格后通知您交保证金。", "success")
            return done
    return render_template("listings/intend.html", listing=listing, form=form), form.status()


@blueprint.route("/listings/intents/<int:intent_id>/withdraw", methods=["POST"])
@web.permits(rules.INTEND)
def withdraw_intent(intent_id: int) -> ResponseReturnValue:
    """Take an intent back."""
    intent = queries.get_intent(web.session(), web.actor(), intent_id)
    page = url_for("listings.show", listing_id=intent.listing_id)

    def act(session: Session) -> str:
        service.withdraw_intent(session, actor=web.actor(), now=web.now(), intent_id=intent_id)
        return page

    return web.act(act, back=page)


@blueprint.route("/my/intents")
@web.permits(rules.INTEND)
def own_intents() -> ResponseReturnValue:
    """List the intents of the actor's enterprise."""
    page = queries.own_intents(web.session(), web.actor(), after=web.argument("after") or None)
    return render_template("listings/own_intents.html", page=page)


def achievement_for(achievement_id: int) -> AchievementView | None:
    """Return what the actor may see of a listing's achievement, None when that is nothing."""
    try:
        return achievements.get_for(web.session(), web.actor(), achievement_id)
    except NotFound:
        return None
