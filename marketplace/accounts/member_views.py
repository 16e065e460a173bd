"""Pages of an organisation's members: invited, given roles, their open work handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries, rules, service
from marketplace.accounts.forms import HandoverForm, InvitationForm, RolesForm
from marketplace.accounts.letters import LetterPost
from marketplace.accounts.queries import MemberView
from marketplace.accounts.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import Role
from marketplace.foundation.errors import DomainError, NotFound
from marketplace.foundation.handover import Handovers


@blueprint.route("/organisation/members", methods=["GET", "POST"])
@web.permits(rules.MANAGE_MEMBERS)
@web.sensitive
def members() -> ResponseReturnValue:
    """List members and invite new ones; the link is shown once."""
    view = queries.get_organisation(web.session(), web.actor().organisation_id or 0)
    form = InvitationForm.load()
    possible = rules.roles_of(view.kind, view.subkinds)
    form.roles.offer([(role.value, role.label) for role in Role if role in possible])
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
    page = render_template(
        "accounts/members.html",
        form=form,
        view=view,
        people=people,
        link=link,
        handovers=queries.handovers(web.session(), view.id),
    )
    return page, form.status()


@blueprint.route("/organisation/members/<int:user_id>", methods=["GET", "POST"])
@web.permits(rules.MANAGE_MEMBERS)
@web.sensitive
def member(user_id: int) -> ResponseReturnValue:
    """Change the roles of a member, or end the membership."""
    person = _own_member(user_id)
    form = _roles_form(person, RolesForm.load)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.set_roles(
                session,
                actor=web.actor(),
                now=web.now(),
                user_id=user_id,
                roles=[Role(code) for code in form.roles.data or ()],
                open_work=_open_work(session, user_id),
            )
            return url_for("accounts.members")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _member(person, form), form.status()


def _open_work(session: Session, user_id: int) -> dict[str, int]:
    return web.resource(Handovers).open_work(
        session, organisation_id=web.actor().organisation_id or 0, user_id=user_id
    )


def _own_member(user_id: int) -> MemberView:
    listed = queries.members(web.session(), web.actor().organisation_id or 0, include_disabled=True)
    found = next((person for person in listed if person.user_id == user_id), None)
    if found is None:
        raise NotFound()
    return found


def _member(person: MemberView, form: RolesForm, handing: HandoverForm | None = None) -> str:
    handing = handing or HandoverForm.fresh()
    colleagues = [
        entry
        for entry in queries.members(web.session(), web.actor().organisation_id or 0)
        if entry.user_id != person.user_id
    ]
    handing.taker.offer([("", "请选择"), *_names(colleagues)])
    return render_template(
        "accounts/member.html",
        form=form,
        person=person,
        handing=handing,
        colleagues=colleagues,
        open_work=_open_work(web.session(), person.user_id),
    )


def _names(people: Iterable[MemberView]) -> list[tuple[str, str]]:
    return [
        (
            str(person.user_id),
            f"{person.name}（{'、'.join(sorted(role.label for role in person.roles))}）",
        )
        for person in people
    ]


@blueprint.route("/organisation/members/<int:user_id>/hand-over", methods=["POST"])
@web.permits(rules.MANAGE_MEMBERS)
@web.sensitive
def hand_over(user_id: int) -> ResponseReturnValue:
    """Give a member's open work to a colleague, and let the member leave if so chosen."""
    person = _own_member(user_id)
    form = HandoverForm.load()
    form.taker.offer(_names(queries.members(web.session(), web.actor().organisation_id or 0)))
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            counts = service.hand_over(
                session,
                actor=web.actor(),
                now=web.now(),
                giver_id=user_id,
                taker_id=int(form.taker.data),
                leaving=bool(form.leaving.data),
                works=web.resource(Handovers),
            )
            went = "、".join(f"{words} {count} 项" for words, count in counts.items())
            flash(f"已移交：{went or '没有未办完的事'}。", "success")
            return url_for("accounts.members")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _member(person, _roles_form(person, RolesForm.fresh), form), form.status()


def _roles_form(person: MemberView, build: Callable[..., RolesForm]) -> RolesForm:
    view = queries.get_organisation(web.session(), web.actor().organisation_id or 0)
    form = build(roles=list(person.roles))
    possible = rules.roles_of(view.kind, view.subkinds)
    form.roles.offer([(role.value, role.label) for role in Role if role in possible])
    return form
