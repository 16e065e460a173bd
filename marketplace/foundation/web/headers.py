"""Headers of every response: no inline script or style, no framing, no sniffing."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response

from marketplace.foundation.web.requests import actor

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
)


def register_headers(app: Flask, *, production: bool, streams: Callable[[], str]) -> None:
    """Add the security headers to every response; a download keeps its stricter policy.

    ``streams`` returns the one address beside our own that a page may listen to, "" for none.
    """

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.setdefault(
            "Content-Security-Policy",
            "; ".join((*_POLICY, f"connect-src 'self' {streams()}".rstrip())),
        )
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if production:
            response.headers.setdefault(
                "Strict-Transport-Security", "max-age=31536000; includeSubDomains"
            )
        if actor().signed_in:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
