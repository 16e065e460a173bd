"""The way to an identity provider and back, for signing in and for linking one's account."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import identity_service, sign_in, sign_in_rules
from marketplace.accounts import session_cookie as cookie
from marketplace.accounts.letters import LetterPost
from marketplace.accounts.oidc import Provider
from marketplace.accounts.sign_in import SecondStep, SignedIn
from marketplace.accounts.sign_in_rules import Identity
from marketplace.accounts.sign_in_views import PENDING
from marketplace.accounts.views import blueprint, home
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, SIGNED_IN
from marketplace.foundation.errors import DomainError

_NEXT, _LINKING = "oidc_next", "oidc_linking"


@blueprint.route("/sign-in/oidc")
@web.permits(PUBLIC)
def depart() -> ResponseReturnValue:
    """Go to the identity provider."""
    if not web.actor().signed_in:
        session[_NEXT] = web.local_next(home())
    # The way back is a setting: what a request calls this host must not decide where codes go.
    return web.resource(Provider).depart(
        web.resource(LetterPost).site_url + url_for("accounts.arrive")
    )


@blueprint.route("/sign-in/oidc/return")
@web.permits(PUBLIC)
def arrive() -> ResponseReturnValue:
    """Come back from the provider: signed in, or with an account linked."""
    onward = session.get(_NEXT, home())
    try:
        identity = web.resource(Provider).arrive()
        if web.actor().signed_in:
            return _link(identity)
        return _sign_in(identity, onward)
    except DomainError as refusal:
        flash(refusal.message, "danger")
        target = "accounts.profile" if web.actor().signed_in else "accounts.sign_in"
        return redirect(url_for(target), 303)


def _sign_in(identity: Identity, onward: str) -> ResponseReturnValue:
    # A session opens by GET here as the standard has it; the state in the cookie guards it.
    with web.transaction() as writing:
        outcome = sign_in.attempt_by_identity(
            writing, now=cookie.wall_clock(), identity=identity, client=cookie.client()
        )
    if isinstance(outcome, SignedIn):
        cookie.enter(outcome)
        return redirect(onward, 303)
    if isinstance(outcome, SecondStep):
        session.clear()
        session[PENDING] = outcome.token
        return redirect(url_for("accounts.second_step", next=onward), 303)
    flash(outcome.message, "warning")
    return redirect(url_for("accounts.sign_in"), 303)


def _link(identity: Identity) -> ResponseReturnValue:
    asked = session.pop(_LINKING, None)
    fresh = isinstance(asked, str) and sign_in_rules.is_fresh(
        datetime.fromisoformat(asked), now=cookie.wall_clock()
    )
    if not fresh:
        flash("绑定没有完成：请从“单位与个人资料”重新开始", "warning")
        return redirect(url_for("accounts.profile"), 303)
    with web.transaction() as writing:
        identity_service.link_identity(
            writing, actor=web.actor(), now=cookie.wall_clock(), identity=identity
        )
    flash("统一身份已绑定，以后可以用它登录。", "success")
    return redirect(url_for("accounts.profile"), 303)


@blueprint.route("/account/identity/begin", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def begin_linking() -> ResponseReturnValue:
    """Allow the next return from the provider to link its account, for ten minutes."""
    session[_LINKING] = cookie.wall_clock().isoformat()
    return redirect(url_for("accounts.profile", linking=1), 303)


@blueprint.route("/account/identity/<int:identity_id>/unlink", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def unlink(identity_id: int) -> ResponseReturnValue:
    """Let go of a linked account."""

    def use_case(writing: Session) -> str:
        identity_service.unlink_identity(
            writing, actor=web.actor(), now=cookie.wall_clock(), identity_id=identity_id
        )
        return url_for("accounts.profile")

    return web.act(use_case, back=url_for("accounts.profile"))
