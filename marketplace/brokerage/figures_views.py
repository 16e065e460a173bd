"""The page of figures: how deals go, for a broker, an agency, the operator."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.brokerage import figures_rules, queries
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import Role


@blueprint.route("/deals/figures")
@web.permits(figures_rules.MEASURE)
def figures() -> ResponseReturnValue:
    """Show funnel, chances, forecast, reasons of loss, fields and time of the visible deals."""
    actor = web.actor()
    if actor.has(Role.OPERATOR):
        scope = "全平台的撮合项目"
    elif actor.has(Role.AGENCY_HEAD):
        scope = f"{actor.organisation_name}的撮合项目"
    else:
        scope = "我负责的撮合项目"
    return render_template(
        "brokerage/figures.html",
        figures=queries.deal_figures(web.session(), actor, now=web.now()),
        scope=scope,
    )
