"""Use cases of membership: added, invited, joined, given roles; and the first set-up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.consent_rules import ConsentPurpose
from marketplace.accounts.consent_service import give_consent
from marketplace.accounts.events import (
    MemberChanged,
    MemberInvited,
)
from marketplace.accounts.models import JoiningLink, Membership, Organisation, User
from marketplace.accounts.organisation_service import OrganisationContent, establish
from marketplace.accounts.people_service import PersonContent, create_user, join, mail_address
from marketplace.accounts.rules import (
    OrganisationKind,
    OrganisationSubkind,
)
from marketplace.accounts.sign_in_models import UserSession
from marketplace.accounts.tokens import digest, new_token
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, Role, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken

INVITATION_LIFE = timedelta(days=7)
SETUP_LIFE = timedelta(days=2)


def add_member(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    person: PersonContent,
    roles: Iterable[Role],
) -> int:
    """Make a person a member with roles, as the operator does; return the user's id.

    A person already known by the e-mail address gets the membership and keeps the password.
    """
    require(actor, rules.VERIFY)
    organisation = lock(session, Organisation, organisation_id)
    chosen = frozenset(roles)
    rules.check_roles(chosen, organisation.kind, _subkinds(organisation))
    user = session.scalar(select(User).where(User.email == mail_address(person.email)))
    if user is None:
        user = create_user(session, person, now=now)
    join(session, organisation_id, user.id, chosen)
    _note_member(session, actor, organisation_id, user.id, chosen, now=now)
    return user.id


def invite(
    session: Session, *, actor: Actor, now: datetime, email: str, roles: Iterable[Role]
) -> str:
    """Invite a person to the actor's organisation; return the single-use token of the link.

    An earlier link to the same address that nobody has used ends with it.
    """
    require(actor, rules.MANAGE_MEMBERS)
    if actor.organisation_id is None:
        raise NotFound()
    organisation = lock(session, Organisation, actor.organisation_id)
    chosen = frozenset(roles)
    rules.check_roles(chosen, organisation.kind, _subkinds(organisation))
    # One open invitation for one address: a second click, or a new link, voids the one before.
    session.execute(
        delete(JoiningLink).where(
            JoiningLink.organisation_id == organisation.id,
            JoiningLink.email == mail_address(email),
            JoiningLink.used_at.is_(None),
        )
    )
    token = new_token()
    session.add(
        JoiningLink(
            token_hash=digest(token),
            organisation_id=organisation.id,
            email=mail_address(email),
            roles=sorted(role.value for role in chosen),
            created_at=now,
            expires_at=now + INVITATION_LIFE,
            used_at=None,
        )
    )
    audit.record(
        session,
        actor=actor,
        action="accounts.invite",
        subject=f"organisation:{organisation.id}",
        now=now,
        after={"email": mail_address(email), "roles": chosen},
    )
    outbox.publish(
        session,
        MemberInvited(organisation_id=organisation.id, email=mail_address(email)),
        now=now,
    )
    return token


def accept_invitation(session: Session, *, now: datetime, token: str, person: PersonContent) -> int:
    """Join by an invitation, once, as somebody new here; return the user's id."""
    link, organisation_id, roles = _invitation(session, token, now=now)
    known = session.scalar(select(User).where(User.email == link.email))
    if known is not None:
        raise Conflict(
            "accounts.known",
            "这个邮箱已有账号：请先用它登录，再打开这个链接加入",
        )
    invited = PersonContent(
        link.email, person.name, person.password_hash, person.title, person.phone
    )
    user = create_user(session, invited, now=now)
    join(session, organisation_id, user.id, roles)
    actor = Actor(user.id, organisation_id, roles, user.name)
    give_consent(session, actor=actor, now=now, user_id=user.id, purpose=ConsentPurpose.PLATFORM)
    _note_member(session, actor, organisation_id, user.id, roles, now=now)
    return user.id


def join_as_known(session: Session, *, actor: Actor, now: datetime, token: str) -> int:
    """Join one more organisation by an invitation to the actor's own address; return its id."""
    link, organisation_id, roles = _invitation(session, token, now=now)
    user = session.get(User, actor.user_id or 0)
    if user is None or user.email != link.email:
        raise NotAllowed(
            "accounts.other_address", f"邀请是发给 {link.email} 的，请用这个邮箱登录后再加入"
        )
    join(session, organisation_id, user.id, roles)
    _note_member(session, actor, organisation_id, user.id, roles, now=now)
    return organisation_id


def _invitation(
    session: Session, token: str, *, now: datetime
) -> tuple[JoiningLink, int, frozenset[Role]]:
    link = _use_link(session, token, now=now)
    if link.organisation_id is None:
        raise NotFound()
    return link, link.organisation_id, frozenset(Role(code) for code in link.roles)


def create_setup_link(session: Session, *, now: datetime) -> str:
    """Make the one-time link by which the first operator is set up; refuse once anybody exists."""
    if session.scalar(select(User.id).limit(1)) is not None:
        raise Conflict("accounts.set_up", "平台已有账号，初始化链接不再可用")
    session.execute(delete(JoiningLink).where(JoiningLink.organisation_id.is_(None)))
    token = new_token()
    session.add(
        JoiningLink(
            token_hash=digest(token),
            organisation_id=None,
            roles=[],
            created_at=now,
            expires_at=now + SETUP_LIFE,
            used_at=None,
        )
    )
    audit.record(
        session, actor=SYSTEM, action="accounts.create_setup_link", subject="platform:1", now=now
    )
    return token


def complete_setup(
    session: Session,
    *,
    now: datetime,
    token: str,
    organisation: OrganisationContent,
    person: PersonContent,
) -> int:
    """Set up the operator with its first member, by the one-time link; return the user's id."""
    link = _use_link(session, token, now=now)
    if link.organisation_id is not None:
        raise NotFound()
    if organisation.kind is not OrganisationKind.OPERATOR:
        raise RuleBroken("accounts.kind", "初始化只创建交易中心", "kind")
    organisation_id = establish(session, actor=SYSTEM, now=now, organisation=organisation)
    return add_member(
        session,
        actor=SYSTEM,
        now=now,
        organisation_id=organisation_id,
        person=person,
        roles={Role.ORG_ADMIN, Role.OPERATOR},
    )


def end_membership(session: Session, *, actor: Actor, now: datetime, user_id: int) -> None:
    """End a membership; the last administrator cannot leave. Sessions end with the rights."""
    set_roles(session, actor=actor, now=now, user_id=user_id, roles=())


def set_roles(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    user_id: int,
    roles: Iterable[Role],
    open_work: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Give a member of the actor's organisation exactly these roles; none ends the membership.

    The last administrator can neither leave nor be taken the role. Nobody leaves with open work:
    it is handed over first. Sessions end with the rights.
    """
    require(actor, rules.MANAGE_MEMBERS)
    if actor.organisation_id is None:
        raise NotFound()
    organisation = lock(session, Organisation, actor.organisation_id)
    held = list(
        session.scalars(
            select(Membership).where(
                Membership.organisation_id == organisation.id, Membership.user_id == user_id
            )
        )
    )
    if not held:
        raise NotFound()
    chosen = frozenset(roles)
    if chosen:
        rules.check_roles(chosen, organisation.kind, _subkinds(organisation))
    elif open_work:
        listed = "、".join(f"{words} {count} 项" for words, count in open_work.items())
        raise RuleBroken(
            "accounts.open_work", f"这位成员还有没办完的：{listed}；请先移交给同事", "roles"
        )
    if Role.ORG_ADMIN not in chosen and not _other_admin(session, organisation.id, user_id):
        raise RuleBroken(
            "accounts.last_admin", "单位至少要有一名机构管理员，请先指定另一位管理员", "roles"
        )
    before = {"roles": [row.role for row in held]}
    for row in held:
        if row.role not in chosen:
            session.delete(row)
    join(session, organisation.id, user_id, chosen)
    if not chosen:
        session.execute(
            delete(UserSession).where(
                UserSession.user_id == user_id, UserSession.organisation_id == organisation.id
            )
        )
    _note_member(session, actor, organisation.id, user_id, chosen, now=now, before=before)


def _other_admin(session: Session, organisation_id: int, user_id: int) -> bool:
    other = session.scalar(
        select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.organisation_id == organisation_id,
            Membership.role == Role.ORG_ADMIN,
            Membership.user_id != user_id,
            User.disabled.is_(False),
        )
        .limit(1)
    )
    return other is not None


def _note_member(
    session: Session,
    actor: Actor,
    organisation_id: int,
    user_id: int,
    roles: Iterable[Role],
    *,
    now: datetime,
    before: dict[str, list[Role]] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        action="accounts.set_roles",
        subject=f"organisation:{organisation_id}",
        now=now,
        before=before,
        after={"user": user_id, "roles": frozenset(roles)},
    )
    outbox.publish(
        session, MemberChanged(organisation_id=organisation_id, user_id=user_id), now=now
    )


def _use_link(session: Session, token: str, *, now: datetime) -> JoiningLink:
    link = session.scalar(
        select(JoiningLink).where(JoiningLink.token_hash == digest(token)).with_for_update()
    )
    if link is None or link.used_at is not None or link.expires_at <= now:
        raise Conflict("accounts.link", "这个链接已经用过或已过期；请让发出链接的人重新发送一次")
    link.used_at = now
    return link


def _subkinds(organisation: Organisation) -> tuple[OrganisationSubkind, ...]:
    return tuple(OrganisationSubkind(code) for code in organisation.subkinds)
