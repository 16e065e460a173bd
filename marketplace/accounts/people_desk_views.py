"""The operator's desk for people: accounts found by address, sessions, resets by two persons."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import (
    people_desk_service,
    queries,
    rules,
    second_factor_service,
    sign_in_queries,
)
from marketplace.accounts.session_cookie import wall_clock
from marketplace.accounts.sign_in_forms import FindPersonForm, IdentityCheckForm, ReasonForm
from marketplace.accounts.views import blueprint
from marketplace.foundation import audit, web
from marketplace.foundation.audit_actions import action_words


@blueprint.route("/desk/people", methods=["GET", "POST"])
@web.permits(rules.LOOK_AFTER_PEOPLE)
def people() -> ResponseReturnValue:
    """Find a person by the exact address; list resets that wait for a second person."""
    form = FindPersonForm.load()
    if form.validate_on_post():
        found = sign_in_queries.find_user_id(web.session(), str(form.email.data))
        if found is not None:
            return redirect(url_for("accounts.person", user_id=found), 303)
        form.email.errors = [*form.email.errors, "没有用这个邮箱登录的账号，请核对后再找"]
    page = render_template(
        "accounts/people.html", form=form, resets=sign_in_queries.waiting_resets(web.session())
    )
    return page, form.status()


@blueprint.route("/desk/people/<int:user_id>")
@web.permits(rules.LOOK_AFTER_PEOPLE)
def person(user_id: int) -> ResponseReturnValue:
    """Show a person's account: organisations, second factor, sessions, what was done to it."""
    return _person(user_id)


@blueprint.route("/desk/people/<int:user_id>/phone", methods=["POST"])
@web.permits(rules.LOOK_AFTER_PEOPLE)
def reveal_phone(user_id: int) -> ResponseReturnValue:
    """Show a person's whole telephone number for a reason; that is noted."""
    sign_in_queries.get_person(web.session(), user_id)
    form = web.UnmaskForm.load()
    whole = web.unmasked(form, permission=rules.LOOK_AFTER_PEOPLE, subject=f"user:{user_id}")
    return _person(user_id, whole=whole, unmask=form)


def _person(user_id: int, *, whole: bool = False, **sent: web.Form) -> ResponseReturnValue:
    session = web.session()
    forms: dict[str, web.Form] = {
        "disabling": ReasonForm.fresh(),
        "resetting": IdentityCheckForm.fresh(),
        "unmask": web.UnmaskForm.fresh(),
    }
    forms.update(sent)
    wrong = next((form for form in sent.values() if form.errors), None)
    page = render_template(
        "accounts/person.html",
        person=sign_in_queries.get_person(session, user_id),
        organisations=queries.organisations_of(session, user_id),
        sessions=sign_in_queries.open_sessions(session, user_id, this_id=None),
        reset=next(
            (row for row in sign_in_queries.waiting_resets(session) if row.user_id == user_id),
            None,
        ),
        whole=whole,
        history=audit.history(session, f"user:{user_id}")[-20:],
        action_words=action_words(),
        bound=forms,
        form=wrong,
        is_self=user_id == web.actor().user_id,
    )
    return page, 422 if wrong else 200


@blueprint.route("/desk/people/<int:user_id>/disable", methods=["POST"])
@web.permits(rules.LOOK_AFTER_PEOPLE)
@web.sensitive
def disable_person(user_id: int) -> ResponseReturnValue:
    """Disable an account with a reason; all its sessions end at once."""
    form = ReasonForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            people_desk_service.disable(
                session,
                actor=web.actor(),
                now=web.now(),
                user_id=user_id,
                reason=form.reason.data,
            )
            return url_for("accounts.person", user_id=user_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _person(user_id, disabling=form)


@blueprint.route("/desk/people/<int:user_id>/enable", methods=["POST"])
@web.permits(rules.LOOK_AFTER_PEOPLE)
@web.sensitive
def enable_person(user_id: int) -> ResponseReturnValue:
    """Let a disabled person sign in again."""
    back = url_for("accounts.person", user_id=user_id)

    def use_case(session: Session) -> str:
        people_desk_service.enable(session, actor=web.actor(), now=web.now(), user_id=user_id)
        return back

    return web.act(use_case, back=back)


@blueprint.route("/desk/people/<int:user_id>/sessions/<int:session_id>/end", methods=["POST"])
@web.permits(rules.LOOK_AFTER_PEOPLE)
def end_session_of(user_id: int, session_id: int) -> ResponseReturnValue:
    """End one session of a person."""
    back = url_for("accounts.person", user_id=user_id)

    def use_case(session: Session) -> str:
        people_desk_service.end_session_of(
            session, actor=web.actor(), now=web.now(), user_id=user_id, session_id=session_id
        )
        return back

    return web.act(use_case, back=back)


@blueprint.route("/desk/people/<int:user_id>/reset-second-factor", methods=["POST"])
@web.permits(rules.LOOK_AFTER_PEOPLE)
@web.sensitive
def ask_factor_reset(user_id: int) -> ResponseReturnValue:
    """Ask to remove a lost second factor; a second operator carries it out."""
    form = IdentityCheckForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            second_factor_service.ask_reset(
                session,
                actor=web.actor(),
                now=wall_clock(),
                user_id=user_id,
                reason=form.reason.data,
            )
            return url_for("accounts.people")

        done = web.submit(form, use_case)
        if done is not None:
            flash("已提交，请另一位同事在“账号管理”里确认。", "success")
            return done
    return _person(user_id, resetting=form)


@blueprint.route("/desk/factor-resets/<int:reset_id>/grant", methods=["POST"])
@web.permits(rules.LOOK_AFTER_PEOPLE)
@web.sensitive
def grant_factor_reset(reset_id: int) -> ResponseReturnValue:
    """Carry a reset out, as the second person."""
    return _decide(reset_id, grant=True)


@blueprint.route("/desk/factor-resets/<int:reset_id>/refuse", methods=["POST"])
@web.permits(rules.LOOK_AFTER_PEOPLE)
def refuse_factor_reset(reset_id: int) -> ResponseReturnValue:
    """Refuse a reset, or take it back."""
    return _decide(reset_id, grant=False)


def _decide(reset_id: int, *, grant: bool) -> ResponseReturnValue:
    def use_case(session: Session) -> str:
        second_factor_service.decide_reset(
            session, actor=web.actor(), now=wall_clock(), reset_id=reset_id, grant=grant
        )
        return url_for("accounts.people")

    return web.act(use_case, back=url_for("accounts.people"))
