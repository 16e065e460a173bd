"""The page between a sensitive form and its effect: password, and code, once more.

A form without secrets is carried on this page as hidden fields and sent to its own address again.
A form with a secret is shown only after the proof, and is not carried.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.accounts import session_cookie, sign_in, sign_in_queries, sign_in_rules, tries
from marketplace.accounts.passkeys import KeyPurpose
from marketplace.accounts.session_cookie import passkey_options, wall_clock
from marketplace.accounts.session_service import OpenSession
from marketplace.accounts.sign_in_forms import ProofForm
from marketplace.accounts.tokens import Vault
from marketplace.accounts.tries import SignInRefused
from marketplace.foundation import web

# The proof itself, and what is made anew with each page.
_NOT_CARRIED = frozenset({"proof_password", "proof_code", "proof_credential", "csrf_token"})


def ask() -> ResponseReturnValue | None:
    """Return None when the person has just proved who they are, else the page that asks."""
    living = _stale_session()
    if living is None:
        return None
    form = _proof(living)
    if form is None:
        return None
    carried = [
        (name, value)
        for name, values in request.form.lists()
        if name not in _NOT_CARRIED
        for value in values
    ]
    return _page(living, form, carried), 403


def ask_before(form_at: str) -> ResponseReturnValue | None:
    """Return None when the person has just proved who they are, else the way to the proof.

    From there it goes on to ``form_at``. What a POST brought is not kept.
    """
    if _stale_session() is None:
        return None
    if request.method == "POST":
        flash("刚才没有提交：确认身份后请再输入一次口令，平台没有保存它。", "warning")
    return redirect(url_for("accounts.prove", next=form_at), 303)


def prove(goes_on_to: str) -> ResponseReturnValue:
    """Ask for the proof on a page of its own; afterwards, and when it is fresh, go on."""
    living = _stale_session()
    form = None if living is None else _proof(living)
    if living is None or form is None:
        return redirect(goes_on_to, 303)
    return _page(living, form, ()), form.status()


def _stale_session() -> OpenSession | None:
    living = session_cookie.open_session()
    if living is None or sign_in_rules.is_fresh(living.proved_at, now=wall_clock()):
        return None
    return living


def _proof(living: OpenSession) -> ProofForm | None:
    """Take the proof when one was sent; return None when it holds, else the form to show."""
    sent = "proof_password" in request.form
    form = ProofForm.load() if sent else ProofForm.fresh()
    if sent and form.validate():
        refused = _refusal(living, form)
        if refused is None:
            return None
        form.form_errors.append(refused.message)
    return form


def _refusal(living: OpenSession, form: ProofForm) -> SignInRefused | None:
    """Count the try, then make it; return what to tell when it failed."""
    client = session_cookie.client()
    with web.transaction() as session:
        knock = tries.knock_again(session, actor=living.actor, now=wall_clock(), client=client)
    if isinstance(knock, SignInRefused):
        return knock
    with web.transaction() as session:
        return sign_in.prove_again(
            session,
            actor=living.actor,
            now=wall_clock(),
            session_id=living.id,
            knock=knock,
            password=str(form.proof_password.data),
            code=form.proof_code.data,
            client=client,
            vault=web.resource(Vault),
            key=session_cookie.key_answer(form.proof_credential.data),
        )


def _page(living: OpenSession, form: ProofForm, carried: Sequence[tuple[str, str]]) -> str:
    user_id = living.actor.user_id or 0
    return render_template(
        "accounts/prove.html",
        proof=form,
        carried=carried,
        action=request.full_path.rstrip("?"),
        enrolled=sign_in_queries.second_factor(web.session(), user_id).enrolled,
        passkey_options=passkey_options(user_id, KeyPurpose.PROVE),
        minutes=int(sign_in_rules.FRESH_LIMIT.total_seconds() // 60),
    )
