"""The bridge between Flask-Login's cookie and our session rows, which can be ended at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask, Request, g, session
from flask_login import LoginManager, UserMixin, login_user, logout_user

from marketplace.accounts import sign_in
from marketplace.accounts.sign_in import OpenSession
from marketplace.foundation import web
from marketplace.foundation.access import ANONYMOUS
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database

_TOUCH_EVERY = timedelta(minutes=1)


class SessionUser(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types
    """What Flask-Login keeps: the token of a session row, never a user's id."""

    def __init__(self, token: str) -> None:
        self.token = token

    def get_id(self) -> str:
        """Return the session's token."""
        return self.token


def wall_clock() -> datetime:
    """Return the machine's time; sessions live by it also where a demo clock runs."""
    return web.resource(SystemClock).now()


def open_session() -> OpenSession | None:
    """Return this request's living session."""
    found: OpenSession | None = g.get("open_session")
    return found


def remember(token: str) -> None:
    """Put a session's token into the cookie, in a cookie session started afresh."""
    session.clear()
    login_user(SessionUser(token))


def forget() -> None:
    """Take the token out of the cookie."""
    logout_user()
    session.clear()


def install(app: Flask) -> None:
    """Make every request know its actor."""
    manager = LoginManager()
    manager.session_protection = None  # bound to the row, not to the browser's headline
    manager.init_app(app)

    @manager.user_loader  # type: ignore[untyped-decorator]  # Flask-Login ships no types
    def load(token: str) -> SessionUser:
        return SessionUser(token)

    @manager.request_loader  # type: ignore[untyped-decorator]  # Flask-Login ships no types
    def no_other_way(_request: Request) -> None:
        return None

    @app.before_request
    def resume() -> None:
        g.actor = ANONYMOUS
        token = session.get("_user_id")
        if not isinstance(token, str):
            return
        moment = wall_clock()
        living = sign_in.resume(web.session(), now=moment, token=token)
        if living is None:
            forget()
            return
        g.open_session, g.actor = living, living.actor
        if moment - living.seen_at > _TOUCH_EVERY:
            with web.resource(Database).transaction() as writing:
                sign_in.touch(writing, now=moment, session_id=living.id)
