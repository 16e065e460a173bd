"""Use cases of organisations and members; passwords and sessions are in ``sign_in``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.events import (
    MemberChanged,
    MemberInvited,
    OrganisationChanged,
    OrganisationRegistered,
    OrganisationRejected,
    OrganisationVerified,
)
from marketplace.accounts.models import JoiningLink, Membership, Organisation, User, UserSession
from marketplace.accounts.rules import (
    District,
    OrganisationKind,
    OrganisationState,
    OrganisationSubkind,
    Scale,
)
from marketplace.accounts.tokens import digest, new_token
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import ANONYMOUS, SYSTEM, Actor, Role, require, require_own
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken

INVITATION_LIFE = timedelta(days=7)
SETUP_LIFE = timedelta(days=2)


@dataclass(frozen=True)
class OrganisationContent:
    """What an organisation says of itself."""

    uscc: str
    name: str
    short_name: str
    kind: OrganisationKind
    subkinds: tuple[OrganisationSubkind, ...] = ()
    district: District | None = None
    region_code: str = "370100"
    industry: str = ""
    scale: Scale | None = None
    high_tech: bool = False
    address: str = ""
    representative: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    introduction: str = ""


@dataclass(frozen=True)
class PersonContent:
    """Who a person is; the password arrives hashed."""

    email: str
    name: str
    password_hash: str
    title: str = ""
    phone: str = ""


def register(
    session: Session, *, now: datetime, organisation: OrganisationContent, person: PersonContent
) -> tuple[int, int]:
    """Register an organisation with its first member; return both ids.

    Refuses kinds that the operator makes itself, a code or an e-mail address already known.
    """
    if organisation.kind not in rules.SELF_REGISTERED:
        raise RuleBroken("accounts.kind", "这类机构由交易中心开通，请联系 0531-0000 1600", "kind")
    made = _create_organisation(session, organisation, now=now)
    user = _create_user(session, person, now=now)
    _join(session, made.id, user.id, rules.first_roles(made.kind, organisation.subkinds))
    audit.record(
        session,
        actor=ANONYMOUS,
        action="accounts.register",
        subject=f"organisation:{made.id}",
        now=now,
        after={"uscc": made.uscc, "name": made.name, "kind": made.kind, "user": user.id},
    )
    outbox.publish(session, OrganisationRegistered(organisation_id=made.id), now=now)
    return made.id, user.id


def establish(
    session: Session, *, actor: Actor, now: datetime, organisation: OrganisationContent
) -> int:
    """Create a verified organisation of any kind, as the operator or the set-up does."""
    require(actor, rules.VERIFY)
    made = _create_organisation(session, organisation, now=now)
    made.state = OrganisationState.VERIFIED
    made.verified_at = now
    audit.record(
        session,
        actor=actor,
        action="accounts.establish",
        subject=f"organisation:{made.id}",
        now=now,
        after={"uscc": made.uscc, "name": made.name, "kind": made.kind},
    )
    outbox.publish(session, OrganisationVerified(organisation_id=made.id), now=now)
    return made.id


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
    user = session.scalar(select(User).where(User.email == _address(person.email)))
    if user is None:
        user = _create_user(session, person, now=now)
    _join(session, organisation_id, user.id, chosen)
    _note_member(session, actor, organisation_id, user.id, chosen, now=now)
    return user.id


def verify(session: Session, *, actor: Actor, now: datetime, organisation_id: int) -> None:
    """Confirm, as the operator, that an organisation is who it says it is."""
    require(actor, rules.VERIFY)
    organisation = lock(session, Organisation, organisation_id)
    if organisation.state is OrganisationState.VERIFIED:
        raise Conflict("accounts.verified", "这家机构已经核验通过，不需要再次办理")
    _set_state(session, actor, organisation, OrganisationState.VERIFIED, "", now=now)
    organisation.verified_at = now
    outbox.publish(session, OrganisationVerified(organisation_id=organisation_id), now=now)


def reject(
    session: Session, *, actor: Actor, now: datetime, organisation_id: int, reason: str
) -> None:
    """Refuse, as the operator, to verify an organisation; the reason goes to its members."""
    require(actor, rules.VERIFY)
    organisation = lock(session, Organisation, organisation_id)
    if organisation.state is not OrganisationState.REGISTERED:
        raise Conflict("accounts.not_waiting", "这家机构已不在待核验状态，请刷新后再看")
    if not reason.strip():
        raise RuleBroken("accounts.reason", "请写明不通过的原因和补正办法，对方据此修改", "reason")
    _set_state(session, actor, organisation, OrganisationState.REJECTED, reason, now=now)
    outbox.publish(
        session, OrganisationRejected(organisation_id=organisation_id, reason=reason), now=now
    )


def update_organisation(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    content: OrganisationContent,
    version: int | None,
) -> None:
    """Change what an organisation says of itself; kind and code stay.

    A rejected organisation goes back to the operator's queue.
    """
    require(actor, rules.MANAGE_MEMBERS)
    require_own(actor, organisation_id)
    row = lock(session, Organisation, organisation_id)
    if version is not None and version != row.version:
        raise Conflict(
            "accounts.stale",
            "这些资料在您打开页面后已被同事修改；您填写的内容仍在下面，请核对后再保存",
        )
    before = {"name": row.name, "address": row.address, "state": row.state}
    row.name, row.short_name = content.name, content.short_name or content.name
    row.district, row.region_code = content.district, content.region_code
    row.industry, row.scale, row.high_tech = content.industry, content.scale, content.high_tech
    row.address, row.representative = content.address, content.representative
    row.contact_name, row.contact_phone = content.contact_name, content.contact_phone
    row.contact_email, row.introduction = content.contact_email, content.introduction
    row.version += 1
    if row.state is OrganisationState.REJECTED:
        row.state, row.state_reason = OrganisationState.REGISTERED, ""
        outbox.publish(session, OrganisationRegistered(organisation_id=row.id), now=now)
    audit.record(
        session,
        actor=actor,
        action="accounts.update",
        subject=f"organisation:{row.id}",
        now=now,
        before=before,
        after={"name": row.name, "address": row.address, "state": row.state},
    )
    outbox.publish(session, OrganisationChanged(organisation_id=row.id), now=now)


def invite(
    session: Session, *, actor: Actor, now: datetime, email: str, roles: Iterable[Role]
) -> str:
    """Invite a person to the actor's organisation; return the single-use token of the link."""
    require(actor, rules.MANAGE_MEMBERS)
    if actor.organisation_id is None:
        raise NotFound()
    organisation = lock(session, Organisation, actor.organisation_id)
    chosen = frozenset(roles)
    rules.check_roles(chosen, organisation.kind, _subkinds(organisation))
    token = new_token()
    session.add(
        JoiningLink(
            token_hash=digest(token),
            organisation_id=organisation.id,
            email=_address(email),
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
        after={"email": _address(email), "roles": chosen},
    )
    outbox.publish(
        session,
        MemberInvited(organisation_id=organisation.id, email=_address(email)),
        now=now,
    )
    return token


def accept_invitation(session: Session, *, now: datetime, token: str, person: PersonContent) -> int:
    """Join by an invitation, once; return the user's id."""
    link = _use_link(session, token, now=now)
    if link.organisation_id is None:
        raise NotFound()
    roles = frozenset(Role(code) for code in link.roles)
    known = session.scalar(select(User).where(User.email == link.email))
    if known is not None:
        raise Conflict(
            "accounts.known",
            "这个邮箱已有账号；请先登录，再由管理员直接为您增加角色",
        )
    invited = PersonContent(
        link.email, person.name, person.password_hash, person.title, person.phone
    )
    user = _create_user(session, invited, now=now)
    _join(session, link.organisation_id, user.id, roles)
    actor = Actor(user.id, link.organisation_id, roles, user.name)
    _note_member(session, actor, link.organisation_id, user.id, roles, now=now)
    return user.id


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


def set_roles(
    session: Session, *, actor: Actor, now: datetime, user_id: int, roles: Iterable[Role]
) -> None:
    """Give a member of the actor's organisation exactly these roles; none ends the membership.

    The last administrator can neither leave nor be taken the role. Sessions end with the rights.
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
    if Role.ORG_ADMIN not in chosen and not _other_admin(session, organisation.id, user_id):
        raise RuleBroken(
            "accounts.last_admin", "单位至少要有一名机构管理员，请先指定另一位管理员", "roles"
        )
    before = {"roles": [row.role for row in held]}
    for row in held:
        if row.role not in chosen:
            session.delete(row)
    _join(session, organisation.id, user_id, chosen)
    if not chosen:
        session.execute(
            delete(UserSession).where(
                UserSession.user_id == user_id, UserSession.organisation_id == organisation.id
            )
        )
    _note_member(session, actor, organisation.id, user_id, chosen, now=now, before=before)


def _subkinds(organisation: Organisation) -> tuple[OrganisationSubkind, ...]:
    return tuple(OrganisationSubkind(code) for code in organisation.subkinds)


def _address(email: str) -> str:
    return email.strip().lower()


def _create_organisation(
    session: Session, content: OrganisationContent, *, now: datetime
) -> Organisation:
    rules.check_subkinds(content.kind, content.subkinds)
    if session.scalar(select(Organisation.id).where(Organisation.uscc == content.uscc)):
        raise Conflict(
            "accounts.uscc_known",
            "这个统一社会信用代码已经入驻；请联系本单位的机构管理员邀请您加入",
            "uscc",
        )
    row = Organisation(
        uscc=content.uscc,
        name=content.name,
        short_name=content.short_name or content.name,
        kind=content.kind,
        subkinds=[subkind.value for subkind in content.subkinds],
        district=content.district,
        region_code=content.region_code,
        industry=content.industry,
        scale=content.scale,
        high_tech=content.high_tech,
        address=content.address,
        representative=content.representative,
        contact_name=content.contact_name,
        contact_phone=content.contact_phone,
        contact_email=content.contact_email,
        introduction=content.introduction,
        state=OrganisationState.REGISTERED,
        registered_at=now,
        verified_at=None,
    )
    session.add(row)
    session.flush()
    return row


def _create_user(session: Session, person: PersonContent, *, now: datetime) -> User:
    email = _address(person.email)
    if session.scalar(select(User.id).where(User.email == email)):
        raise Conflict(
            "accounts.email_known", "这个邮箱已有账号，请直接登录，或换一个邮箱", "email"
        )
    user = User(
        email=email,
        name=person.name,
        title=person.title,
        phone=person.phone,
        password_hash=person.password_hash,
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def _join(session: Session, organisation_id: int, user_id: int, roles: Iterable[Role]) -> None:
    held = set(
        session.scalars(
            select(Membership.role).where(
                Membership.organisation_id == organisation_id, Membership.user_id == user_id
            )
        )
    )
    for role in sorted(set(roles) - held):
        session.add(Membership(organisation_id=organisation_id, user_id=user_id, role=role))
    session.flush()


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


def _set_state(
    session: Session,
    actor: Actor,
    organisation: Organisation,
    state: OrganisationState,
    reason: str,
    *,
    now: datetime,
) -> None:
    before = organisation.state
    organisation.state, organisation.state_reason = state, reason
    organisation.version += 1
    audit.record(
        session,
        actor=actor,
        action=f"accounts.{state.value}",
        subject=f"organisation:{organisation.id}",
        now=now,
        before={"state": before},
        after={"state": state, "reason": reason},
    )


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
