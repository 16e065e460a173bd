"""The one page of the workbench."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.foundation import web
from marketplace.foundation.calendar_files import Deadline, calendar_file
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


@blueprint.route("/workbench/calendar.ics")
@web.permits(rules.OPEN)
def calendar() -> ResponseReturnValue:
    """Send everything with a day that waits for the person as a calendar file."""
    waiting = web.resource(WaitingContributors).items(web.session(), web.actor(), now=web.now())
    found = [
        Deadline(
            f"{item.endpoint}-{'-'.join(str(v) for v in item.params.values())}"
            "@jinan-technology-market",
            item.what,
            item.due_on,
            url_for(item.endpoint, **item.params, _external=True),
            item.why,
        )
        for item in waiting
        if item.due_on is not None
    ]
    return web.send_calendar(calendar_file("待我办理", found, now=web.now()), "待我办理")
