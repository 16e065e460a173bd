"""The bridge between cookies and our rows: the session, the known device, and open duties."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import (
    Flask,
    Request,
    Response,
    after_this_request,
    current_app,
    flash,
    g,
    redirect,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, login_user, logout_user

from marketplace.accounts import session_service
from marketplace.accounts.passkey_queries import passkeys_of
from marketplace.accounts.passkeys import KeyPurpose, RelyingParty
from marketplace.accounts.session_service import OpenSession
from marketplace.accounts.sign_in import KeyAnswer, SignedIn
from marketplace.accounts.sign_in_rules import DEVICE_LIFE, Duty, SignInPolicy
from marketplace.accounts.tries import Client
from marketplace.foundation import web
from marketplace.foundation.access import ANONYMOUS
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database

_TOUCH_EVERY = timedelta(minutes=1)
# The page on which each duty is done, and what is said on the way there.
_DUTIES = {
    Duty.ENROL: (
        "accounts.second_factor",
        "您担任的角色必须启用动态口令。启用后才能继续办理，约需 2 分钟。",
    ),
    Duty.RENEW_PASSWORD: (
        "accounts.password",
        "密码已使用满 90 天，按等级保护要求必须更换。更换后才能继续办理。",
    ),
}
# What stays open while a duty is: the duties' own pages, the way out, and what helps.
_OPEN = frozenset(
    {
        "static",
        "accounts.sign_out",
        "accounts.password",
        "accounts.second_factor",
        "accounts.second_factor_code",
        "accounts.begin_second_factor",
        "accounts.confirm_second_factor",
        "site.help",
        "site.display",
        "site.accessibility",
        "site.health",
    }
)


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


def client() -> Client:
    """Return from where this request comes."""
    return Client(
        address=request.remote_addr or "",
        device=request.user_agent.string,
        device_token=request.cookies.get(_device_cookie(), "")[:100],
    )


def passkey_options(user_id: int, purpose: KeyPurpose) -> str:
    """Return what the browser asks a person's passkeys with; empty where there is none."""
    known = tuple(key.credential_id for key in passkeys_of(web.session(), user_id))
    if not known:
        return ""
    return web.resource(RelyingParty).authentication(
        user_id=user_id, known=known, purpose=purpose, now=wall_clock()
    )


def key_answer(sent: str) -> KeyAnswer | None:
    """Return what a passkey answered, for this site; None where none did."""
    return KeyAnswer(sent, web.resource(RelyingParty)) if sent else None


def remember(token: str) -> None:
    """Put a session's token into the cookie, in a cookie session started afresh."""
    session.clear()
    login_user(SessionUser(token))


def enter(signed_in: SignedIn) -> None:
    """Remember a sign-in that is complete, and the device as one that is known."""
    remember(signed_in.token)
    if not signed_in.device_token:
        return

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            _device_cookie(),
            signed_in.device_token,
            max_age=DEVICE_LIFE,
            secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
            httponly=True,
            samesite="Lax",
        )
        return response


def _device_cookie() -> str:
    return "__Host-device" if current_app.config["SESSION_COOKIE_SECURE"] else "device"


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
    def resume() -> ResponseReturnValue | None:
        g.actor = ANONYMOUS
        if web.for_programs():
            return None  # a cookie opens pages only: no other site can make a browser call for it
        token = session.get("_user_id")
        if not isinstance(token, str):
            return None
        moment = wall_clock()
        with web.resource(Database).asking() as asking:
            living = session_service.resume(
                asking, now=moment, token=token, policy=web.resource(SignInPolicy)
            )
        if living is None:
            forget()
            return None
        g.open_session, g.actor = living, living.actor
        if moment - living.seen_at > _TOUCH_EVERY:
            with web.resource(Database).transaction() as writing:
                session_service.touch(writing, now=moment, session_id=living.id)
        return _to_duty(living)


def _to_duty(living: OpenSession) -> ResponseReturnValue | None:
    """Lead to the page of an open duty; elsewhere the actor holds no role until it is done."""
    if living.duty is None or request.endpoint in _OPEN or request.endpoint is None:
        return None
    endpoint, words = _DUTIES[living.duty]
    flash(words, "warning")
    return redirect(url_for(endpoint), 303)
