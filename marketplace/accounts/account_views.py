"""Pages of one's own account: data, password, second factor, sessions, whom one acts for."""

from __future__ import annotations

import io

import segno
from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import (
    password_rules,
    password_service,
    queries,
    reauthentication,
    second_factor_service,
    session_service,
    sign_in_queries,
    sign_in_rules,
    tries,
)
from marketplace.accounts import session_cookie as cookie
from marketplace.accounts.oidc import Provider
from marketplace.accounts.sign_in_forms import (
    ContactForm,
    FirstCodeForm,
    NewAddressForm,
    PasswordForm,
)
from marketplace.accounts.sign_in_rules import SignInPolicy, SignInStep
from marketplace.accounts.tokens import Vault, hash_password, new_recovery_codes
from marketplace.accounts.tries import SignInRefused
from marketplace.accounts.views import blueprint, home
from marketplace.foundation import web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.errors import DomainError, NotFound, RuleBroken


@blueprint.route("/account", methods=["GET", "POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def profile() -> ResponseReturnValue:
    """Show one's own data and organisations; a POST changes name, title and telephone."""
    user = queries.get_user(web.session(), web.actor().user_id or 0)
    form = ContactForm.load(name=user.name, title=user.title, phone=user.phone)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            password_service.change_contact(
                session,
                actor=web.actor(),
                now=web.now(),
                name=form.name.data,
                title=form.title.data,
                phone=form.phone.data,
            )
            return url_for("accounts.profile")

        done = web.submit(form, use_case)
        if done is not None:
            flash("个人资料已保存。", "success")
            return done
    return _profile(contact=form), form.status()


@blueprint.route("/account/proof", methods=["GET", "POST"])
@web.permits(SIGNED_IN)
def prove() -> ResponseReturnValue:
    """Ask who it is once more, before a form that takes a secret is shown."""
    return reauthentication.prove(web.local_next(url_for("accounts.profile")))


@blueprint.route("/account/email", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def change_address() -> ResponseReturnValue:
    """Ask for another sign-in address; it counts once the link sent there was opened."""
    form = NewAddressForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            password_service.ask_new_address(
                session,
                actor=web.actor(),
                now=cookie.wall_clock(),
                email=str(form.email.data),
                address=cookie.client().address,
            )
            return url_for("accounts.profile")

        done = web.submit(form, use_case)
        if done is not None:
            flash(f"确认链接已发往 {form.email.data}，打开后即更换。", "success")
            return done
    return _profile(address=form), form.status()


def _profile(contact: ContactForm | None = None, address: NewAddressForm | None = None) -> str:
    user = queries.get_user(web.session(), web.actor().user_id or 0)
    stored = {"name": user.name, "title": user.title, "phone": user.phone}
    return render_template(
        "accounts/profile.html",
        contact=contact or ContactForm.fresh(**stored),
        address=address or NewAddressForm.fresh(),
        user=user,
        organisations=queries.organisations_of(web.session(), user.id),
        second_factor=sign_in_queries.second_factor(web.session(), user.id),
        provider=web.resource(Provider).label,
        linked=sign_in_queries.external_identities(web.session(), user.id),
    )


@blueprint.route("/account/password", methods=["GET", "POST"])
@web.permits(SIGNED_IN)
def password() -> ResponseReturnValue:
    """Change the password; the present one is asked for here and nowhere else."""
    form = PasswordForm.load()
    living = cookie.open_session()
    if living is not None and form.validate_on_post():
        done = _change_password(form, living.id)
        if done is not None:
            return done
    profile = web.resource(SignInPolicy).passwords
    page = render_template("accounts/password.html", form=form, profile=profile)
    return page, form.status()


def _change_password(form: PasswordForm, session_id: int) -> ResponseReturnValue | None:
    """Change the password; what is typed as the present one counts as a try at the door."""
    actor = web.actor()
    with web.transaction() as session:
        knock = tries.knock_again(
            session, actor=actor, now=cookie.wall_clock(), client=cookie.client()
        )
    if isinstance(knock, SignInRefused):
        form.take(RuleBroken("accounts.waiting", knock.message, "present"))
        return None

    def use_case(session: Session) -> str:
        chosen = str(form.password.data)
        password_rules.check_password(
            chosen,
            names=[actor.name, actor.organisation_name],
            profile=web.resource(SignInPolicy).passwords,
        )
        password_service.change_password(
            session,
            actor=actor,
            now=cookie.wall_clock(),
            session_id=session_id,
            present=str(form.present.data),
            password=chosen,
            new_hash=hash_password(chosen),
        )
        return url_for("accounts.profile")

    done = web.submit(form, use_case)
    with web.transaction() as session:
        # A session is no place to guess passwords in: only what was wrong stays counted.
        if web.refused("accounts.password"):
            tries.note_failure(
                session,
                actor.user_id or 0,
                cookie.client().address,
                SignInStep.PASSWORD,
                now=cookie.wall_clock(),
            )
        else:
            tries.take_back(session, knock)
    if done is not None:
        flash("密码已修改，其他设备上的登录已退出。", "success")
    return done


@blueprint.route("/account/second-factor")
@web.permits(SIGNED_IN)
def second_factor() -> ResponseReturnValue:
    """Show how the second factor stands: off, waiting for its first code, or on."""
    return _second_factor(FirstCodeForm.fresh())


def _second_factor(form: FirstCodeForm) -> str:
    user_id = web.actor().user_id or 0
    living = cookie.open_session()
    return render_template(
        "accounts/second_factor.html",
        form=form,
        state=sign_in_queries.second_factor(web.session(), user_id),
        enrolment=sign_in_queries.enrolment(web.session(), user_id, vault=web.resource(Vault)),
        required=_required(user_id),
        lenient=not web.resource(SignInPolicy).second_factor_required,
        is_duty=living is not None and living.duty is not None,
        roles=sorted(role.label for role in sign_in_rules.SECOND_FACTOR_ROLES),
    )


def _required(user_id: int) -> bool:
    held = queries.roles_held(web.session(), user_id)
    return sign_in_rules.needs_second_factor(held, web.resource(SignInPolicy))


@blueprint.route("/account/second-factor/code.svg")
@web.permits(SIGNED_IN)
def second_factor_code() -> ResponseReturnValue:
    """Draw the QR code of a second factor that waits for its first code."""
    waiting = sign_in_queries.enrolment(
        web.session(), web.actor().user_id or 0, vault=web.resource(Vault)
    )
    if waiting is None:
        raise NotFound()
    drawn = io.BytesIO()
    segno.make(waiting.uri, error="m").save(
        drawn, kind="svg", scale=5, border=4, dark="#000", light="#fff", xmldecl=False
    )
    return Response(
        drawn.getvalue(), content_type="image/svg+xml", headers={"Cache-Control": "no-store"}
    )


@blueprint.route("/account/second-factor/begin", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def begin_second_factor() -> ResponseReturnValue:
    """Make a new secret, to be confirmed by its first code."""

    def use_case(session: Session) -> str:
        second_factor_service.begin_enrolment(
            session, actor=web.actor(), now=cookie.wall_clock(), vault=web.resource(Vault)
        )
        return url_for("accounts.second_factor")

    return web.act(use_case, back=url_for("accounts.second_factor"))


@blueprint.route("/account/second-factor/confirm", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def confirm_second_factor() -> ResponseReturnValue:
    """Turn the second factor on and show the recovery codes, once."""
    form = FirstCodeForm.load()
    living = cookie.open_session()
    if living is None or not form.validate_on_post():
        return _second_factor(form), 422
    codes = new_recovery_codes()
    try:
        with web.transaction() as session:
            second_factor_service.confirm_enrolment(
                session,
                actor=web.actor(),
                now=cookie.wall_clock(),
                code=form.code.data,
                recovery=codes,
                vault=web.resource(Vault),
            )
            token = session_service.strengthen(session, actor=web.actor(), session_id=living.id)
    except DomainError as refusal:
        form.take(refusal)
        return _second_factor(form), 422
    cookie.remember(token)
    return _recovery_codes(codes.shown)


def _recovery_codes(shown: tuple[str, ...]) -> str:
    return render_template("accounts/recovery_codes.html", codes=shown, onward=home())


@blueprint.route("/account/second-factor/recovery-codes", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def renew_recovery_codes() -> ResponseReturnValue:
    """Replace the recovery codes and show the new ones, once."""
    codes = new_recovery_codes()
    with web.transaction() as session:
        second_factor_service.renew_recovery_codes(
            session, actor=web.actor(), now=cookie.wall_clock(), recovery=codes
        )
    return _recovery_codes(codes.shown)


@blueprint.route("/account/second-factor/remove", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def remove_second_factor() -> ResponseReturnValue:
    """Turn the second factor off, where no role asks for it."""

    def use_case(session: Session) -> str:
        second_factor_service.remove(
            session,
            actor=web.actor(),
            now=cookie.wall_clock(),
            required=_required(web.actor().user_id or 0),
        )
        flash("动态口令已停用，恢复码随之作废。", "success")
        return url_for("accounts.second_factor")

    return web.act(use_case, back=url_for("accounts.second_factor"))


@blueprint.route("/account/sessions")
@web.permits(SIGNED_IN)
def sessions() -> ResponseReturnValue:
    """List one's own sessions."""
    living = cookie.open_session()
    listed = sign_in_queries.open_sessions(
        web.session(), web.actor().user_id or 0, this_id=living.id if living else None
    )
    return render_template("accounts/sessions.html", sessions=listed)


@blueprint.route("/account/sessions/<int:session_id>/end", methods=["POST"])
@web.permits(SIGNED_IN)
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions."""

    def use_case(session: Session) -> str:
        session_service.end_session(
            session, actor=web.actor(), now=web.now(), session_id=session_id
        )
        return url_for("accounts.sessions")

    return web.act(use_case, back=url_for("accounts.sessions"))


@blueprint.route("/account/sessions/end-others", methods=["POST"])
@web.permits(SIGNED_IN)
def end_other_sessions() -> ResponseReturnValue:
    """End all of one's own sessions but this one."""
    living = cookie.open_session()
    if living is None:
        raise NotFound()

    def use_case(session: Session) -> str:
        session_service.end_other_sessions(
            session, actor=web.actor(), now=web.now(), this_id=living.id
        )
        return url_for("accounts.sessions")

    return web.act(use_case, back=url_for("accounts.sessions"))


@blueprint.route("/account/act-for/<int:organisation_id>", methods=["POST"])
@web.permits(SIGNED_IN)
def act_for(organisation_id: int) -> ResponseReturnValue:
    """Act for another of one's own organisations."""
    living = cookie.open_session()
    if living is None:
        raise NotFound()
    with web.transaction() as session:
        token = session_service.switch_organisation(
            session,
            actor=web.actor(),
            now=web.now(),
            session_id=living.id,
            organisation_id=organisation_id,
        )
    cookie.remember(token)
    return redirect(home(), 303)
