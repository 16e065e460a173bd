"""Headers of every response: no inline script or style, no framing, no sniffing."""

from __future__ import annotations

from flask import Flask, Response

from marketplace.foundation.web.requests import actor

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)


def register_headers(app: Flask, *, production: bool) -> None:
    """Add the security headers to every response; a download keeps its stricter policy."""

    @app.after_request
    def secure(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _POLICY)
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
