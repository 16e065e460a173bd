"""Pages of registration, sign-in, members, own data and the public list of institutions."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries, rules, service, session_cookie, sign_in
from marketplace.accounts.forms import (
    InvitationForm,
    OrganisationFields,
    PasswordForm,
    PersonForm,
    RegistrationForm,
    RolesForm,
    SetupForm,
    SignInForm,
)
from marketplace.accounts.rules import District, OrganisationKind
from marketplace.accounts.service import OrganisationContent
from marketplace.accounts.sign_in import SignedIn
from marketplace.accounts.tokens import digest, hash_password
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, SIGNED_IN, Role
from marketplace.foundation.errors import DomainError, NotFound

blueprint = Blueprint("accounts", __name__, template_folder="templates")


def _home() -> str:
    return url_for("workbench.show")


def _enter(user_id: int) -> None:
    """Open a session for somebody who has just proved who they are."""
    with web.transaction() as session:
        token = sign_in.open_session(
            session,
            now=session_cookie.wall_clock(),
            user_id=user_id,
            address=request.remote_addr or "",
            device=request.user_agent.string,
        )
    session_cookie.remember(token)


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
            person = form.to_person(email, names=[organisation.name, organisation.short_name])
            _organisation_id, user_id = service.register(
                session, now=web.now(), organisation=organisation, person=person
            )
            made.append(user_id)
            return _home()

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
                person=form.to_person(email, names=[name]),
            )
            made.append(user_id)
            return _home()

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
            person = form.to_person(link.email, names=[link.organisation_name])
            user_id = service.accept_invitation(session, now=web.now(), token=token, person=person)
            made.append(user_id)
            return _home()

        done = web.submit(form, use_case)
        if done is not None:
            if made:
                _enter(made[0])
            return done
    return render_template("accounts/join.html", form=form, link=link), form.status()


@blueprint.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
@web.permits(PUBLIC)
def sign_in_page() -> ResponseReturnValue:
    """Sign in by e-mail and password."""
    if web.actor().signed_in:
        return redirect(web.local_next(_home()), 303)
    form = SignInForm.load()
    if not form.validate_on_post():
        return render_template("accounts/sign_in.html", form=form), form.status()
    with web.transaction() as session:
        outcome = sign_in.attempt(
            session,
            now=session_cookie.wall_clock(),
            email=str(form.email.data),
            password=str(form.password.data),
            address=request.remote_addr or "",
            device=request.user_agent.string,
        )
    if isinstance(outcome, SignedIn):
        session_cookie.remember(outcome.token)
        return redirect(web.local_next(_home()), 303)
    form.form_errors.append(outcome.message)
    page = render_template("accounts/sign_in.html", form=form)
    if outcome.wait_seconds:
        return page, 429, {"Retry-After": str(outcome.wait_seconds)}
    return page, 422


@blueprint.route("/sign-out", methods=["POST"])
@web.permits(PUBLIC)
def sign_out() -> ResponseReturnValue:
    """End the present session."""
    living = session_cookie.open_session()
    if living is not None:
        with web.transaction() as session:
            sign_in.end_session(session, actor=web.actor(), now=web.now(), session_id=living.id)
    session_cookie.forget()
    return redirect(url_for("discovery.home"), 303)


@blueprint.route("/account", methods=["GET", "POST"])
@web.permits(SIGNED_IN)
def profile() -> ResponseReturnValue:
    """Show one's own data and organisations; change the password."""
    form = PasswordForm.load()
    living = session_cookie.open_session()
    actor = web.actor()
    if living is not None and form.validate_on_post():

        def use_case(session: Session) -> str:
            password = str(form.password.data)
            rules.check_password(password, names=[actor.name, actor.organisation_name])
            sign_in.change_password(
                session,
                actor=actor,
                now=web.now(),
                session_id=living.id,
                present=str(form.present.data),
                new_hash=hash_password(password),
            )
            return url_for("accounts.profile")

        done = web.submit(form, use_case)
        if done is not None:
            flash("密码已修改，其他设备上的登录已退出。", "success")
            return done
    user = queries.get_user(web.session(), actor.user_id or 0)
    organisations = queries.organisations_of(web.session(), user.id)
    page = render_template(
        "accounts/profile.html", form=form, user=user, organisations=organisations
    )
    return page, form.status()


@blueprint.route("/account/sessions")
@web.permits(SIGNED_IN)
def sessions() -> ResponseReturnValue:
    """List one's own sessions."""
    living = session_cookie.open_session()
    listed = queries.open_sessions(
        web.session(), web.actor().user_id or 0, this_id=living.id if living else None
    )
    return render_template("accounts/sessions.html", sessions=listed)


@blueprint.route("/account/sessions/<int:session_id>/end", methods=["POST"])
@web.permits(SIGNED_IN)
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's own sessions."""

    def use_case(session: Session) -> str:
        sign_in.end_session(session, actor=web.actor(), now=web.now(), session_id=session_id)
        return url_for("accounts.sessions")

    return web.act(use_case, back=url_for("accounts.sessions"))


@blueprint.route("/account/act-for/<int:organisation_id>", methods=["POST"])
@web.permits(SIGNED_IN)
def act_for(organisation_id: int) -> ResponseReturnValue:
    """Act for another of one's own organisations."""
    living = session_cookie.open_session()
    if living is None:
        raise NotFound()
    with web.transaction() as session:
        token = sign_in.switch_organisation(
            session,
            actor=web.actor(),
            now=web.now(),
            session_id=living.id,
            organisation_id=organisation_id,
        )
    session_cookie.remember(token)
    return redirect(_home(), 303)


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
            link = url_for("accounts.join", token=token, _external=True)
        except DomainError as refusal:
            form.take(refusal)
    people = queries.members(web.session(), view.id)
    page = render_template("accounts/members.html", form=form, view=view, people=people, link=link)
    return page, form.status()


@blueprint.route("/organisation/members/<int:user_id>", methods=["GET", "POST"])
@web.permits(rules.MANAGE_MEMBERS)
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


@blueprint.route("/institutions")
@web.permits(PUBLIC)
def institutions() -> ResponseReturnValue:
    """List verified institutions by kind, district and name."""
    kind = next((k for k in OrganisationKind if k.value == web.argument("kind")), None)
    district = next((d for d in District if d.value == web.argument("district")), None)
    name = web.argument("name", longest=60)
    page = queries.page_of_organisations(
        web.session(),
        kinds=[kind] if kind else list(rules.SELF_REGISTERED),
        district=district,
        name=name,
        after=web.argument("after", longest=400) or None,
    )
    return render_template(
        "accounts/institutions.html",
        page=page,
        kind=kind,
        kinds=rules.SELF_REGISTERED,
        district=district,
        districts=list(District),
        name=name,
    )


@blueprint.route("/institutions/<int:organisation_id>")
@web.permits(PUBLIC)
def institution(organisation_id: int) -> ResponseReturnValue:
    """Show one verified institution."""
    view = queries.get_organisation(web.session(), organisation_id)
    if not view.verified:
        raise NotFound()
    return render_template("accounts/institution.html", view=view)
