"""A brake for visitors: forms that one address sends without being signed in (ASVS 2.4.1).

Registration, objections and letters need no account; who floods them is told to wait.
"""

from __future__ import annotations

from flask import Flask, request

from marketplace.foundation import web
from marketplace.foundation.api import SendLimit


def install(app: Flask, limit: SendLimit) -> None:
    """Count what visitors send to forms that are open to them; who is signed in has a name."""

    @app.before_request
    def brake() -> None:
        if request.method == "POST" and not web.actor().signed_in and _open_to_visitors(app):
            limit.count(f"address:{request.remote_addr}")


def _open_to_visitors(app: Flask) -> bool:
    view = app.view_functions.get(request.endpoint or "")
    permission = web.permission_of(view) if view is not None else None
    return permission is not None and permission.roles is None
