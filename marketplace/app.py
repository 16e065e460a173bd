"""The web application: settings and services in, blueprints registered, nothing else."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

from flask import Flask, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from marketplace import wiring
from marketplace.accounts import access_token_access, session_cookie, visitor_access
from marketplace.accounts import queries as accounts_queries
from marketplace.foundation import web
from marketplace.foundation.api import CallLimit, SendLimit
from marketplace.lent_blocks import BLOCKS
from marketplace.wiring import Services

MAX_REQUEST_BYTES = 60 * 1024 * 1024
MAX_TEXT_BYTES = 8 * 1024 * 1024


def create_app(services: Services) -> Flask:
    """Build the application around services that were wired before."""
    settings = services.settings
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=settings.signing_key(),
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_TEXT_BYTES,
        MAX_FORM_PARTS=5_000,
        SESSION_COOKIE_NAME="__Host-session" if settings.production else "session",
        SESSION_COOKIE_SECURE=settings.production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        WTF_CSRF_TIME_LIMIT=None,  # a long form must not expire while it is being filled in
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]  # the documented way to wrap it
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    web.install(app, services.resources)
    # Before anything reads a form, as the check of its token does.
    web.bound_text(app, MAX_TEXT_BYTES)
    csrf = CSRFProtect(app)
    session_cookie.install(app)
    access_token_access.install(app, services.resources[CallLimit])
    visitor_access.install(app, services.resources[SendLimit])
    web.register_errors(app)
    web.register_filters(app)
    web.register_figures(app)
    web.register_headers(
        app,
        production=settings.production,
        streams=lambda: settings.events_address(request.scheme, request.host),
    )
    for blueprint in wiring.blueprints(services):
        app.register_blueprint(blueprint)
    for routes in wiring.API_ROUTES:
        # No cookie counts there (see session_cookie), so there is nothing to forge.
        csrf.exempt(routes.blueprint)
        app.register_blueprint(routes.blueprint)
    _give_context(app, services)
    return app


def _give_context(app: Flask, services: Services) -> None:
    """Hand every page what its frame shows."""
    known = set(app.view_functions)
    navigation = [(label, endpoint) for label, endpoint in wiring.NAVIGATION if endpoint in known]
    htmx = Path(app.static_folder or "") / "vendor" / "htmx.min.js"
    htmx_url = "/static/vendor/htmx.min.js" if htmx.exists() else None
    app.jinja_env.globals.update(
        endpoint_exists=known.__contains__,
        navigation=navigation,
        htmx_url=htmx_url,
        submission_key=lambda: secrets.token_urlsafe(18),
        **BLOCKS,
    )

    @app.context_processor
    def frame() -> dict[str, object]:
        now = web.now()
        actor = web.actor()
        return {
            "actor": actor,
            "now": now,
            "display_type": request.cookies.get("display_type", "normal"),
            "identities": _identities(actor.user_id, actor.organisation_id),
            "unread_count": wiring.unread_count(web.session(), actor),
            "demo_clock": wiring.demo_clock(services, web.session(), now),
        }

    def _identities(user_id: int | None, present: int | None) -> list[dict[str, object]]:
        if user_id is None:
            return []
        owned = accounts_queries.organisations_of(web.session(), user_id)
        if len(owned) < 2:
            return []
        return [
            {"organisation_id": view.id, "label": view.short_name, "current": view.id == present}
            for view in owned
        ]
