"""The bridge between the Authorization header and our rows: who calls ``/api/v1``, how often."""

from __future__ import annotations

from flask import Flask, g, request

from marketplace.accounts import access_token_queries, access_token_service
from marketplace.accounts.session_cookie import wall_clock
from marketplace.foundation import web
from marketplace.foundation.api import CallLimit
from marketplace.foundation.errors import NotAllowed

_SCHEME = "bearer "
_LONGEST = 200


def install(app: Flask, limit: CallLimit) -> None:
    """Make every call of the interface know its actor, and brake callers that flood it."""

    @app.before_request
    def admit() -> None:
        if not web.for_programs():
            return
        # Counted before the token is looked at, so that guessing is braked too.
        address = f"address:{request.remote_addr}"
        limit.check(address)
        header = request.headers.get("Authorization", "")
        if not header:
            limit.count(address)
            return
        token = header[len(_SCHEME) :].strip()
        known = header.lower().startswith(_SCHEME) and 0 < len(token) <= _LONGEST
        moment = wall_clock()
        bearer = (
            access_token_queries.find_bearer(web.session(), token, now=moment) if known else None
        )
        if bearer is None:
            limit.count(address)
            raise NotAllowed("access.sign_in", "令牌无效、已过期或已撤销；请新建一个再试")
        limit.count(f"token:{bearer.access.token_id}")
        g.actor, g.access = bearer.actor, bearer.access
        if not access_token_service.used_lately(bearer.used_at, moment):
            with web.transaction() as writing:
                access_token_service.note_use(writing, now=moment, token_id=bearer.access.token_id)
