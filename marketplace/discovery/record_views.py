"""The public pages of one achievement and one need, each with its matches."""

from __future__ import annotations

from dataclasses import replace

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.assessments import queries as assessments
from marketplace.discovery import matches, queries
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.matches import MatchList, MatchView
from marketplace.discovery.rules import Verdict
from marketplace.discovery.views import blueprint, record_url
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.listings import queries as listings
from marketplace.needs import queries as needs
from marketplace.needs.rules import ANSWER


@blueprint.route("/achievements/<int:achievement_id>")
@web.permits(PUBLIC)
def achievement(achievement_id: int) -> ResponseReturnValue:
    """Show an achievement as the reader may see it, with the needs that fit it."""
    session, actor = web.session(), web.actor()
    view = achievements.get_for(session, actor, achievement_id)
    found = matches.of_achievement(
        web.resource(SearchIndex),
        achievement_id,
        actor=actor,
        now=web.now(),
        owner_id=view.organisation_id,
    )
    verdicts = queries.verdicts_on_achievement(session, actor, achievement_id)
    return render_template(
        "discovery/achievement.html",
        view=view,
        owner=accounts.get_organisation(session, view.organisation_id),
        listing=listings.live_listing_of(session, achievement_id),
        valuation=assessments.latest_valuation(session, achievement_id),
        attached=achievements.readable_files(session, actor, achievement_id),
        history=achievements.history(session, view),
        found=_judged(found, verdicts, "need"),
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
    found = matches.of_need(
        web.resource(SearchIndex),
        need_id,
        actor=actor,
        now=web.now(),
        indicators=view.content.indicators,
        owner_id=view.organisation_id,
    )
    verdicts = queries.verdicts_on_need(session, actor, need_id)
    return render_template(
        "discovery/need.html",
        view=view,
        owner=owner,
        attached=needs.readable_files(session, actor, need_id),
        history=needs.history(session, view),
        answer_count=needs.answer_counts(session, [need_id]).get(need_id, 0),
        may_answer=permits(actor, ANSWER),
        found=_judged(found, verdicts, "achievement"),
        record_url=record_url,
    )


def _judged(found: MatchList, verdicts: dict[int, Verdict], kind: str) -> MatchList:
    """Put the reader's own verdicts on the matches."""

    def judged(match: MatchView) -> MatchView:
        other = match.achievement_id if kind == "achievement" else match.need_id
        return replace(match, verdict=verdicts.get(other))

    return replace(found, matches=tuple(judged(match) for match in found.matches))
