"""Pages that belong to no slice of the trade."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template
from flask.typing import ResponseReturnValue

from marketplace.foundation import api, web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Database
from marketplace.foundation.parameters import Parameter, parameters_on
from marketplace.foundation.processing import records

blueprint = Blueprint("site", __name__)

_YEAR = 365 * 24 * 3600


@blueprint.route("/healthz")
@web.permits(PUBLIC)
def health() -> ResponseReturnValue:
    """Say that the process answers."""
    return jsonify(status="ok")


@blueprint.route("/readyz")
@web.permits(PUBLIC)
def ready() -> ResponseReturnValue:
    """Say whether the database answers, so that requests may be sent here."""
    if not web.resource(Database).answers():
        return jsonify(status="unavailable", database="down"), 503
    return jsonify(status="ok", database="up")


@blueprint.route("/display")
@web.permits(PUBLIC)
def display() -> Response:
    """Switch between normal and large type; a preference of the browser, stored in its cookie."""
    response = redirect(web.local_next("/"), 303)
    chosen = "large" if web.argument("type") == "large" else "normal"
    response.set_cookie("display_type", chosen, max_age=_YEAR, httponly=True, samesite="Lax")
    assert isinstance(response, Response)
    return response


@blueprint.route("/components")
@web.permits(PUBLIC)
def components() -> ResponseReturnValue:
    """Show every component of the design system."""
    return render_template("site/components.html")


@blueprint.route("/help", endpoint="help")
@web.permits(PUBLIC)
def help_page() -> ResponseReturnValue:
    """Explain how to get things done, role by role."""
    return render_template("site/help.html")


@blueprint.route("/about")
@web.permits(PUBLIC)
def about() -> ResponseReturnValue:
    """Say what the platform is and on which documents it rests."""
    return render_template("site/about.html")


@blueprint.route("/accessibility")
@web.permits(PUBLIC)
def accessibility() -> ResponseReturnValue:
    """State what the pages do for people who see, hear or move differently, and what they lack."""
    return render_template("site/accessibility.html")


@blueprint.route("/site-map", endpoint="map")
@web.permits(PUBLIC)
def site_map() -> ResponseReturnValue:
    """List the pages."""
    return render_template("site/map.html")


@blueprint.route("/rules")
@web.permits(PUBLIC)
def rules() -> ResponseReturnValue:
    """Show every dated rule of trading and whether it is law or the platform's own."""
    listed = [(entry, _in_words(entry)) for entry in parameters_on(local_date(web.now()))]
    return render_template("site/rules.html", listed=listed)


@blueprint.route("/privacy")
@web.permits(PUBLIC)
def privacy() -> ResponseReturnValue:
    """Say which personal data are kept, for what, and who sees them."""
    return render_template("site/privacy.html", records=records())


_UNITS = {
    "workdays": "个工作日",
    "days": "天",
    "minutes": "分钟",
    "count": "次",
    "per_mille": "‰",
    "years": "年",
    "yuan": "元",
}


def _in_words(parameter: Parameter) -> str:
    """Write a parameter's value with the unit that its key ends with."""
    if parameter.key.endswith("start_minutes"):
        return f"{parameter.value // 60}:{parameter.value % 60:02d}"
    if parameter.key.endswith("per_mille") and parameter.value % 10 == 0:
        return f"{parameter.value // 10} %"
    unit = next((u for ending, u in _UNITS.items() if parameter.key.endswith(ending)), "")
    return f"{parameter.value:,} {unit}"


def _described() -> dict[str, Any]:
    return api.describe(current_app, title="济南科技成果转化平台接口", version="1")


@blueprint.route("/api/v1/openapi.json")
@web.permits(PUBLIC)
def openapi() -> ResponseReturnValue:
    """Hand out the OpenAPI document of the programming interface."""
    return jsonify(_described())


@blueprint.route("/developers")
@web.permits(PUBLIC)
def api_documentation() -> ResponseReturnValue:
    """Describe the programming interface, operation by operation."""
    described = _described()
    operations: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            operations.setdefault(operation["tags"][0], []).append((method, path, operation))
    return render_template(
        "site/api.html",
        operations=operations,
        schemas=described["components"]["schemas"],
        problems=described["components"]["responses"],
        scopes=list(api.Scope),
    )
