"""The public page of an expert: name, owner, fields, and the achievements that name him."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.accounts import queries as accounts
from marketplace.achievements import expert_queries
from marketplace.achievements import queries as achievements
from marketplace.discovery.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.errors import NotFound


@blueprint.route("/experts/<int:user_id>")
@web.permits(PUBLIC)
def expert(user_id: int) -> ResponseReturnValue:
    """Show an expert as published achievements name him; nobody else has such a page."""
    session = web.session()
    view = expert_queries.find_expert(session, user_id)
    if view is None:
        raise NotFound()
    rows = achievements.rows_of(session, [work.achievement_id for work in view.works])
    return render_template(
        "discovery/expert.html",
        view=view,
        owner=accounts.get_organisation(session, view.organisation_id),
        works=[rows[work.achievement_id] for work in view.works],
    )
