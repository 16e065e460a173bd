"""A brake for visitors: forms that one address sends without being signed in (ASVS 2.4.1).

Registration, objections and letters need no account; who floods them is told to wait.
"""

from __future__ import annotations

from flask import Flask, request

from marketplace.foundation import web
from marketplace.foundation.api import SendLimit


def install(app: Flask, limit: SendLimit) -> None:
    """Count what visitors send; whoever is signed in is known by name and is not braked."""

    @app.before_request
    def brake() -> None:
        sends = request.method == "POST" and not web.for_programs()
        if sends and not web.actor().signed_in:
            limit.count(f"address:{request.remote_addr}")
