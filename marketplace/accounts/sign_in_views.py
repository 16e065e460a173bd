"""Pages of signing in: password, second step, forgotten password, the way out."""

from __future__ import annotations

from flask import flash, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import (
    passkey_queries,
    password_rules,
    password_service,
    session_service,
    sign_in,
    tries,
)
from marketplace.accounts import session_cookie as cookie
from marketplace.accounts.letter_rules import LetterKind
from marketplace.accounts.oidc import Provider
from marketplace.accounts.passkeys import KeyPurpose
from marketplace.accounts.sign_in import SecondStep, SignedIn
from marketplace.accounts.sign_in_forms import (
    CodeForm,
    ForgottenForm,
    KeyForm,
    ResetForm,
    SignInForm,
)
from marketplace.accounts.sign_in_rules import SignInPolicy
from marketplace.accounts.tokens import Vault, hash_password
from marketplace.accounts.tries import SignInRefused
from marketplace.accounts.views import blueprint, home
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.errors import RuleBroken

# Where the cookie keeps a sign-in that waits for its second step.
PENDING = "second_step"


@blueprint.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
@web.permits(PUBLIC)
def sign_in_page() -> ResponseReturnValue:
    """Sign in by e-mail and password; where there is a second factor it comes next."""
    if web.actor().signed_in:
        return redirect(web.local_next(home()), 303)
    form = SignInForm.load()
    if not form.validate_on_post():
        return _sign_in_form(form), form.status()
    outcome = _attempt(form)
    if isinstance(outcome, SignedIn):
        cookie.enter(outcome)
        return redirect(web.local_next(home()), 303)
    if isinstance(outcome, SecondStep):
        session.clear()
        session[PENDING] = outcome.token
        return redirect(url_for("accounts.second_step", next=web.local_next("") or None), 303)
    form.form_errors.append(outcome.message)
    return _refused(_sign_in_form(form), outcome)


def _attempt(form: SignInForm) -> SignedIn | SecondStep | SignInRefused:
    """Count the try, then make it: two transactions, so that it counts while it is made."""
    client = cookie.client()
    with web.transaction() as writing:
        knock = tries.knock(
            writing, now=cookie.wall_clock(), email=str(form.email.data), client=client
        )
    if isinstance(knock, SignInRefused):
        return knock
    with web.transaction() as writing:
        return sign_in.attempt(
            writing,
            now=cookie.wall_clock(),
            knock=knock,
            password=str(form.password.data),
            client=client,
        )


def _sign_in_form(form: SignInForm) -> str:
    provider = web.resource(Provider)
    return render_template("accounts/sign_in.html", form=form, provider=provider.label)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@web.permits(PUBLIC)
def second_step() -> ResponseReturnValue:
    """Finish a sign-in by a one-time code or a recovery code."""
    token = session.get(PENDING)
    if not isinstance(token, str):
        return redirect(url_for("accounts.sign_in", next=web.local_next("") or None), 303)
    form = CodeForm.load()
    if not form.validate_on_post():
        return _second_step(form, token), form.status()
    with web.transaction() as writing:
        outcome = sign_in.second_step(
            writing,
            now=cookie.wall_clock(),
            token=token,
            code=form.code.data,
            client=cookie.client(),
            vault=web.resource(Vault),
        )
    return _second_step_done(outcome, form, token)


@blueprint.route("/sign-in/passkey", methods=["POST"])
@web.permits(PUBLIC)
def sign_in_by_passkey() -> ResponseReturnValue:
    """Finish a sign-in by a passkey's answer instead of a code."""
    token = session.get(PENDING)
    if not isinstance(token, str):
        return redirect(url_for("accounts.sign_in", next=web.local_next("") or None), 303)
    sent = KeyForm.load()
    with web.transaction() as writing:
        outcome = sign_in.second_step(
            writing,
            now=cookie.wall_clock(),
            token=token,
            code="",
            client=cookie.client(),
            vault=web.resource(Vault),
            key=cookie.key_answer(sent.credential.data or "{}"),
        )
    return _second_step_done(outcome, CodeForm.fresh(), token)


def _second_step(form: CodeForm, token: str) -> str:
    user_id = passkey_queries.pending_user_id(web.session(), token)
    options = cookie.passkey_options(user_id, KeyPurpose.SIGN_IN) if user_id else ""
    return render_template("accounts/second_step.html", form=form, passkey_options=options)


def _second_step_done(
    outcome: SignedIn | SignInRefused, form: CodeForm, token: str
) -> ResponseReturnValue:
    if isinstance(outcome, SignedIn):
        cookie.enter(outcome)
        return redirect(web.local_next(home()), 303)
    if outcome.over:
        session.pop(PENDING, None)
        flash(outcome.message, "warning")
        return redirect(url_for("accounts.sign_in", next=web.local_next("") or None), 303)
    form.form_errors.append(outcome.message)
    return _refused(_second_step(form, token), outcome)


def _refused(page: str, outcome: SignInRefused) -> ResponseReturnValue:
    if outcome.wait_seconds:
        return page, 429, {"Retry-After": str(outcome.wait_seconds)}
    return page, 422


@blueprint.route("/sign-out", methods=["POST"])
@web.permits(PUBLIC)
def sign_out() -> ResponseReturnValue:
    """End the present session."""
    living = cookie.open_session()
    if living is not None:
        with web.transaction() as writing:
            session_service.end_session(
                writing, actor=web.actor(), now=web.now(), session_id=living.id
            )
    cookie.forget()
    return redirect(url_for("discovery.home"), 303)


@blueprint.route("/password/forgotten", methods=["GET", "POST"])
@web.permits(PUBLIC)
def forgotten() -> ResponseReturnValue:
    """Ask for a reset link; the answer is the same whether the address is known or not."""
    form = ForgottenForm.load()
    waits: list[int] = []
    if form.validate_on_post():

        def use_case(writing: Session) -> str:
            wait_seconds = password_service.ask_password_reset(
                writing,
                now=cookie.wall_clock(),
                email=str(form.email.data),
                address=cookie.client().address,
            )
            if wait_seconds:
                waits.append(wait_seconds)
                raise RuleBroken("accounts.too_often", "申请过于频繁，请一小时后再试")
            return url_for("accounts.forgotten", sent=1)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    if waits:
        page = render_template("accounts/forgotten.html", form=form, sent=False)
        return page, 429, {"Retry-After": str(waits[0])}
    sent = bool(web.argument("sent")) and not form.errors
    return render_template("accounts/forgotten.html", form=form, sent=sent), form.status()


@blueprint.route("/password/reset/<token>", methods=["GET", "POST"])
@web.permits(PUBLIC)
def reset(token: str) -> ResponseReturnValue:
    """Set a new password by a mailed link; the sign-in that follows is a whole one."""
    vault = web.resource(Vault)
    link = password_service.find_open_link(
        web.session(),
        token=token,
        kind=LetterKind.PASSWORD_RESET,
        vault=vault,
        now=cookie.wall_clock(),
    )
    form = ResetForm.load()
    if link is not None and form.validate_on_post():
        password = str(form.password.data)

        def use_case(writing: Session) -> str:
            password_service.reset_password(
                writing,
                now=cookie.wall_clock(),
                token=token,
                judge=lambda names: password_rules.check_password(
                    password, names=names, profile=web.resource(SignInPolicy).passwords
                ),
                new_hash=hash_password(password),
                vault=vault,
            )
            return url_for("accounts.sign_in")

        done = web.submit(form, use_case)
        if done is not None:
            cookie.forget()
            flash("密码已重设，所有设备上的登录都已退出。请用新密码登录。", "success")
            return done
    page = render_template("accounts/reset.html", form=form, link=link)
    return page, form.status() if link is not None else 410, {"Cache-Control": "no-store"}


@blueprint.route("/account/email/<token>", methods=["GET", "POST"])
@web.permits(PUBLIC)
def new_address(token: str) -> ResponseReturnValue:
    """Confirm a new sign-in address by the link that went there."""
    vault = web.resource(Vault)
    link = password_service.find_open_link(
        web.session(),
        token=token,
        kind=LetterKind.NEW_ADDRESS,
        vault=vault,
        now=cookie.wall_clock(),
    )
    form = web.Form.load()
    if link is not None and form.validate_on_post():

        def use_case(writing: Session) -> str:
            password_service.confirm_new_address(
                writing, now=cookie.wall_clock(), token=token, vault=vault
            )
            return url_for("accounts.profile")

        done = web.submit(form, use_case)
        if done is not None:
            flash("登录邮箱已更换，以后请用新邮箱登录。", "success")
            return done
    page = render_template("accounts/new_address.html", form=form, link=link)
    return page, form.status() if link is not None else 410, {"Cache-Control": "no-store"}
