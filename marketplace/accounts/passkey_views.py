"""The page of one's own passkeys: the list, a new one, a new name, a removal."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import passkey_queries, passkey_service, sign_in_queries
from marketplace.accounts import session_cookie as cookie
from marketplace.accounts.passkeys import RelyingParty
from marketplace.accounts.sign_in_forms import KeyNameForm, NewKeyForm
from marketplace.accounts.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.errors import NotFound


@blueprint.route("/account/passkeys")
@web.permits(SIGNED_IN)
def passkeys() -> ResponseReturnValue:
    """List one's own passkeys and offer to make another."""
    return _page(NewKeyForm.fresh())


@blueprint.route("/account/passkeys", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def add_passkey() -> ResponseReturnValue:
    """Keep a passkey that the browser has just made."""
    form = NewKeyForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            passkey_service.add(
                session,
                actor=web.actor(),
                now=cookie.wall_clock(),
                name=form.name.data,
                sent=form.credential.data,
                party=web.resource(RelyingParty),
            )
            return url_for("accounts.passkeys")

        done = web.submit(form, use_case)
        if done is not None:
            flash("通行密钥已登记，下次登录可以用它代替动态口令。", "success")
            return done
    return _page(form)


@blueprint.route("/account/passkeys/<int:passkey_id>/name", methods=["GET", "POST"])
@web.permits(SIGNED_IN)
def rename_passkey(passkey_id: int) -> ResponseReturnValue:
    """Call one of one's own passkeys by another name."""
    own = passkey_queries.passkeys_of(web.session(), web.actor().user_id or 0)
    key = next((each for each in own if each.id == passkey_id), None)
    if key is None:
        raise NotFound()
    form = KeyNameForm.load(name=key.name)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            passkey_service.rename(
                session,
                actor=web.actor(),
                now=cookie.wall_clock(),
                passkey_id=passkey_id,
                name=form.name.data,
            )
            return url_for("accounts.passkeys")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("accounts/passkey_name.html", form=form, key=key), form.status()


@blueprint.route("/account/passkeys/<int:passkey_id>/remove", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Remove one of one's own passkeys."""

    def use_case(session: Session) -> str:
        passkey_service.remove(
            session, actor=web.actor(), now=cookie.wall_clock(), passkey_id=passkey_id
        )
        flash("通行密钥已删除，不能再用它登录。", "success")
        return url_for("accounts.passkeys")

    return web.act(use_case, back=url_for("accounts.passkeys"))


def _page(form: NewKeyForm) -> ResponseReturnValue:
    user_id = web.actor().user_id or 0
    keys = passkey_queries.passkeys_of(web.session(), user_id)
    person = sign_in_queries.get_person(web.session(), user_id)
    enrolled = person.second_factor.enrolled
    party = web.resource(RelyingParty)
    page = render_template(
        "accounts/passkeys.html",
        form=form,
        keys=keys,
        enrolled=enrolled,
        origin=party.origin,
        options=party.registration(
            user_id=user_id,
            email=person.email,
            name=person.name,
            known=tuple(key.credential_id for key in keys),
            now=cookie.wall_clock(),
        )
        if enrolled
        else "",
    )
    return page, form.status()
