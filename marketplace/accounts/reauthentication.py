"""The page between a sensitive form and its effect: password, and code, once more.

The form is carried on this page as hidden fields and sent to its own address again.
"""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.accounts import session_cookie, sign_in, sign_in_queries, sign_in_rules
from marketplace.accounts.session_cookie import wall_clock
from marketplace.accounts.sign_in_forms import ProofForm
from marketplace.accounts.tokens import Vault
from marketplace.foundation import web

# The proof itself, and what is made anew with each page.
_NOT_CARRIED = frozenset({"proof_password", "proof_code", "csrf_token"})


def ask() -> ResponseReturnValue | None:
    """Return None when the person has just proved who they are, else the page that asks."""
    living = session_cookie.open_session()
    if living is None or sign_in_rules.is_fresh(living.proved_at, now=wall_clock()):
        return None
    enrolled = sign_in_queries.second_factor(web.session(), living.actor.user_id or 0).enrolled
    sent = "proof_password" in request.form
    form = ProofForm.load() if sent else ProofForm.fresh()
    if sent and form.validate():
        with web.transaction() as session:
            refused = sign_in.prove_again(
                session,
                actor=living.actor,
                now=wall_clock(),
                session_id=living.id,
                password=str(form.proof_password.data),
                code=form.proof_code.data,
                client=session_cookie.client(),
                vault=web.resource(Vault),
            )
        if refused is None:
            return None
        form.form_errors.append(refused.message)
    carried = [
        (name, value)
        for name, values in request.form.lists()
        if name not in _NOT_CARRIED
        for value in values
    ]
    page = render_template(
        "accounts/prove.html",
        proof=form,
        carried=carried,
        action=request.full_path.rstrip("?"),
        enrolled=enrolled,
        minutes=int(sign_in_rules.FRESH_LIMIT.total_seconds() // 60),
    )
    return page, 403
