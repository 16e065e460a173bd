"""The public pages of one achievement and one need, each with its matches."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.assessments import queries as assessments
from marketplace.discovery.finding import Finder, Wishes
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.views import blueprint, record_url
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.listings import queries as listings
from marketplace.needs import queries as needs
from marketplace.needs.rules import ANSWER
from marketplace.needs.term_rules import may_accept, may_drop


def finder() -> Finder:
    """Return what finds matches for this request's reader, as its URL wishes."""
    index = web.resource(SearchIndex)
    return Finder(index, web.session(), web.actor(), web.now(), Wishes.of(request.args))


@blueprint.route("/achievements/<int:achievement_id>")
@web.permits(PUBLIC)
def achievement(achievement_id: int) -> ResponseReturnValue:
    """Show an achievement as the reader may see it, with the needs that fit it."""
    session, actor = web.session(), web.actor()
    view = achievements.get_for(session, actor, achievement_id)
    found = finder().of_achievement(achievement_id, owner_id=view.organisation_id)
    return render_template(
        "discovery/achievement.html",
        view=view,
        owner=accounts.get_organisation(session, view.organisation_id),
        listing=listings.live_listing_of(session, achievement_id),
        valuation=assessments.latest_valuation(session, achievement_id),
        attached=achievements.readable_files(session, actor, achievement_id),
        history=achievements.history(session, view),
        found=found,
        record_url=record_url,
    )


@blueprint.route("/needs/<int:need_id>")
@web.permits(PUBLIC)
def need(need_id: int) -> ResponseReturnValue:
    """Show a need as the reader may see it, with the ten best achievements and why."""
    session, actor = web.session(), web.actor()
    view = needs.get_for(session, actor, need_id)
    owner = (
        accounts.get_organisation(session, view.organisation_id) if view.organisation_id else None
    )
    found = finder().of_need(
        need_id, indicators=view.content.indicators, owner_id=view.organisation_id
    )
    return render_template(
        "discovery/need.html",
        view=view,
        owner=owner,
        attached=needs.readable_files(session, actor, need_id),
        history=needs.history(session, view),
        answer_count=needs.answer_counts(session, [need_id]).get(need_id, 0),
        may_answer=permits(actor, ANSWER),
        found=found,
        may_accept=may_accept(actor, insider=view.insider, state=view.state),
        may_drop=may_drop(actor, insider=view.insider, state=view.state),
        record_url=record_url,
    )
