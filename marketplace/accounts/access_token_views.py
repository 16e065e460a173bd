"""Pages of access tokens: one's own, and all of the organisation for its head."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import access_token_queries as queries
from marketplace.accounts import access_token_service as service
from marketplace.accounts.forms import TokenForm
from marketplace.accounts.rules import MANAGE_MEMBERS
from marketplace.accounts.session_cookie import wall_clock
from marketplace.accounts.tokens import Vault
from marketplace.accounts.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import SIGNED_IN, permits
from marketplace.foundation.errors import DomainError


@blueprint.route("/account/tokens", methods=["GET", "POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def tokens() -> ResponseReturnValue:
    """List tokens and make new ones; the secret is shown once."""
    actor, moment = web.actor(), wall_clock()
    form = TokenForm.load(days=90)
    made = None
    if form.validate_on_post():
        try:
            with web.transaction() as session:
                made = service.create_token(
                    session,
                    actor=actor,
                    now=moment,
                    name=form.name.data,
                    scopes=form.scopes.data or (),
                    days=form.days.data,
                    secret=_secret(form),
                )
            form = TokenForm.fresh(days=90)
        except DomainError as refusal:
            form.take(refusal)
    heads = permits(actor, MANAGE_MEMBERS)
    listed = queries.tokens_of(
        web.session(),
        organisation_id=actor.organisation_id or 0,
        user_id=None if heads else actor.user_id,
        now=moment,
    )
    page = render_template("accounts/tokens.html", form=form, tokens=listed, made=made, heads=heads)
    return page, form.status()


def _secret(form: TokenForm) -> str:
    key = form.submission_key.data or ""
    return web.resource(Vault).access_token(web.actor().user_id, key) if key else ""


@blueprint.route("/account/tokens/<int:token_id>/revoke", methods=["POST"])
@web.permits(SIGNED_IN)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End a token at once."""

    def use_case(session: Session) -> str:
        service.revoke_token(session, actor=web.actor(), now=wall_clock(), token_id=token_id)
        return url_for("accounts.tokens")

    return web.act(use_case, back=url_for("accounts.tokens"))
