"""Pages of registration, of one's own organisation and its members."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import (
    queries,
    service,
    session_cookie,
    sign_in,
    sign_in_queries,
)
from marketplace.accounts.forms import (
    JoinForm,
    RegistrationForm,
    SetupForm,
)
from marketplace.accounts.password_rules import PasswordProfile
from marketplace.accounts.queries import LinkView
from marketplace.accounts.rules import OrganisationKind
from marketplace.accounts.service import OrganisationContent
from marketplace.accounts.sign_in_rules import SignInPolicy
from marketplace.accounts.tokens import digest
from marketplace.foundation import web
from marketplace.foundation.access import ANONYMOUS, PUBLIC
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.errors import NotFound

blueprint = Blueprint("accounts", __name__, template_folder="templates")


def home() -> str:
    """Return where a person arrives after signing in."""
    return url_for("workbench.show")


def _enter(user_id: int) -> None:
    """Open a session for somebody who has just registered or joined."""
    with web.transaction() as session:
        signed_in = sign_in.enter(
            session,
            now=session_cookie.wall_clock(),
            user_id=user_id,
            client=session_cookie.client(),
        )
    session_cookie.enter(signed_in)


def _profile() -> PasswordProfile:
    return web.resource(SignInPolicy).passwords


@blueprint.route("/register", methods=["GET", "POST"])
@web.permits(PUBLIC)
def register() -> ResponseReturnValue:
    """Register an organisation and its first member."""
    form = RegistrationForm.load()
    if form.validate_on_post():
        made: list[int] = []

        def use_case(session: Session) -> str:
            organisation = form.to_organisation()
            email = str(form.email.data)
            person = form.to_person(
                email, names=[organisation.name, organisation.short_name], profile=_profile()
            )
            organisation_id, user_id = service.register(
                session, now=web.now(), organisation=organisation, person=person
            )
            newcomer = queries.actor_for(session, user_id, organisation_id)
            for kind, uploads in form.chosen().items():
                service.add_papers(
                    session,
                    actor=newcomer or ANONYMOUS,
                    now=web.now(),
                    organisation_id=organisation_id,
                    kind=kind,
                    uploads=uploads,
                    store=web.resource(AttachmentStore),
                )
            made.append(user_id)
            return home()

        done = web.submit(form, use_case)
        if done is not None:
            if made:
                _enter(made[0])
                flash("单位已登记，交易中心将在 2 个工作日内核验；现在就可以起草内容。", "success")
            return done
    return render_template("accounts/register.html", form=form), form.status()


@blueprint.route("/setup/<token>", methods=["GET", "POST"])
@web.permits(PUBLIC)
def setup(token: str) -> ResponseReturnValue:
    """Set up the operator by the one-time link of the first start."""
    link = queries.find_link(web.session(), digest(token), now=web.now())
    if link is None or link.organisation_id is not None:
        raise NotFound()
    form = SetupForm.load()
    if link.usable and form.validate_on_post():
        made: list[int] = []

        def use_case(session: Session) -> str:
            name = str(form.name.data)
            email = str(form.email.data)
            user_id = service.complete_setup(
                session,
                now=web.now(),
                token=token,
                organisation=OrganisationContent(
                    uscc=str(form.uscc.data),
                    name=name,
                    short_name=name,
                    kind=OrganisationKind.OPERATOR,
                ),
                person=form.to_person(email, names=[name], profile=_profile()),
            )
            made.append(user_id)
            return home()

        done = web.submit(form, use_case)
        if done is not None:
            if made:
                _enter(made[0])
            return done
    return render_template("accounts/setup.html", form=form, link=link), form.status()


@blueprint.route("/join/<token>", methods=["GET", "POST"])
@web.permits(PUBLIC)
def join(token: str) -> ResponseReturnValue:
    """Join an organisation by an invitation."""
    link = queries.find_link(web.session(), digest(token), now=web.now())
    if link is None or link.organisation_id is None:
        raise NotFound()
    known = sign_in_queries.find_user_id(web.session(), link.email)
    if known is not None:
        return _join_as_known(token, link, is_self=known == web.actor().user_id)
    form = JoinForm.load()
    if link.usable and form.validate_on_post():
        made: list[int] = []

        def use_case(session: Session) -> str:
            person = form.to_person(link.email, names=[link.organisation_name], profile=_profile())
            user_id = service.accept_invitation(session, now=web.now(), token=token, person=person)
            made.append(user_id)
            return home()

        done = web.submit(form, use_case)
        if done is not None:
            if made:
                _enter(made[0])
            return done
    return render_template("accounts/join.html", form=form, link=link), form.status()


def _join_as_known(token: str, link: LinkView, *, is_self: bool) -> ResponseReturnValue:
    """Let somebody with an account join one more organisation, signed in as who was invited."""
    form = web.Form.load()
    if link.usable and is_self and form.validate_on_post():

        def use_case(session: Session) -> str:
            service.join_as_known(session, actor=web.actor(), now=web.now(), token=token)
            flash(f"已加入{link.organisation_name}，可以在右上角切换身份。", "success")
            return home()

        done = web.submit(form, use_case)
        if done is not None:
            return done
    page = render_template("accounts/join_known.html", form=form, link=link, is_self=is_self)
    return page, form.status()
