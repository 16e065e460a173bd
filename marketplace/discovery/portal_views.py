"""The home page, on the blueprint of discovery."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.discovery import portal_queries
from marketplace.discovery.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC

# Shown under the search field so that an empty field does not stop anybody.
_WORDS = ("低温脱硝", "激光雷达", "秸秆", "手术导航")


@blueprint.route("/", endpoint="home")
@web.permits(PUBLIC)
def home() -> ResponseReturnValue:
    """Show what the platform holds now and where to begin."""
    return render_template(
        "discovery/home.html",
        portal=portal_queries.portal(web.session(), now=web.now()),
        words=_WORDS,
    )
