"""Pages of registration, of one's own organisation and its members."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries, rules, service, session_cookie, sign_in
from marketplace.accounts.forms import (
    InvitationForm,
    OrganisationFields,
    PersonForm,
    RegistrationForm,
    RolesForm,
    SetupForm,
)
from marketplace.accounts.letters import LetterPost
from marketplace.accounts.password_rules import PasswordProfile
from marketplace.accounts.rules import OrganisationKind
from marketplace.accounts.service import OrganisationContent
from marketplace.accounts.sign_in_rules import SignInPolicy
from marketplace.accounts.tokens import digest
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, Role
from marketplace.foundation.errors import DomainError, NotFound

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
            _organisation_id, user_id = service.register(
                session, now=web.now(), organisation=organisation, person=person
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
    form = PersonForm.load()
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


@blueprint.route("/organisation", methods=["GET", "POST"])
@web.permits(rules.MANAGE_MEMBERS)
def organisation() -> ResponseReturnValue:
    """Show and change one's own organisation."""
    view = queries.get_organisation(web.session(), web.actor().organisation_id or 0)
    form = OrganisationFields.load(
        name=view.name,
        short_name=view.short_name,
        district=view.district,
        industry=view.industry,
        scale=view.scale,
        high_tech=view.high_tech,
        address=view.address,
        representative=view.representative,
        contact_name=view.contact_name,
        contact_phone=view.contact_phone,
        contact_email=view.contact_email,
        introduction=view.introduction,
        version=view.version,
    )
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.update_organisation(
                session,
                actor=web.actor(),
                now=web.now(),
                organisation_id=view.id,
                content=form.to_content(view.uscc, view.kind, view.subkinds),
                version=form.version_number,
            )
            return url_for("accounts.organisation")

        done = web.submit(form, use_case)
        if done is not None:
            flash("单位资料已保存。", "success")
            return done
    return render_template("accounts/organisation.html", form=form, view=view), form.status()


@blueprint.route("/organisation/members", methods=["GET", "POST"])
@web.permits(rules.MANAGE_MEMBERS)
@web.sensitive
def members() -> ResponseReturnValue:
    """List members and invite new ones; the link is shown once."""
    view = queries.get_organisation(web.session(), web.actor().organisation_id or 0)
    form = InvitationForm.load()
    possible = rules.roles_of(view.kind, view.subkinds)
    form.roles.choices = [(role.value, role.label) for role in Role if role in possible]
    link = ""
    if form.validate_on_post():
        try:
            with web.transaction() as session:
                token = service.invite(
                    session,
                    actor=web.actor(),
                    now=web.now(),
                    email=str(form.email.data),
                    roles=[Role(code) for code in form.roles.data or ()],
                )
            link = web.resource(LetterPost).site_url + url_for("accounts.join", token=token)
        except DomainError as refusal:
            form.take(refusal)
    people = queries.members(web.session(), view.id)
    page = render_template("accounts/members.html", form=form, view=view, people=people, link=link)
    return page, form.status()


@blueprint.route("/organisation/members/<int:user_id>", methods=["GET", "POST"])
@web.permits(rules.MANAGE_MEMBERS)
@web.sensitive
def member(user_id: int) -> ResponseReturnValue:
    """Change the roles of a member, or end the membership."""
    view = queries.get_organisation(web.session(), web.actor().organisation_id or 0)
    person = next(
        (entry for entry in queries.members(web.session(), view.id) if entry.user_id == user_id),
        None,
    )
    if person is None:
        raise NotFound()
    form = RolesForm.load(roles=list(person.roles))
    possible = rules.roles_of(view.kind, view.subkinds)
    form.roles.choices = [(role.value, role.label) for role in Role if role in possible]
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.set_roles(
                session,
                actor=web.actor(),
                now=web.now(),
                user_id=user_id,
                roles=[Role(code) for code in form.roles.data or ()],
            )
            return url_for("accounts.members")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("accounts/member.html", form=form, person=person), form.status()
