"""The one page of the workbench."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from marketplace.foundation import web
from marketplace.foundation.waiting import WaitingContributors
from marketplace.workbench import queries, rules

blueprint = Blueprint("workbench", __name__, template_folder="templates")


@blueprint.route("/workbench")
@web.permits(rules.OPEN)
def show() -> ResponseReturnValue:
    """Show what waits for the person who is signed in."""
    bench = queries.workbench(
        web.session(), web.actor(), web.resource(WaitingContributors), now=web.now()
    )
    return render_template("workbench/show.html", bench=bench)
