"""Reads of organisations, members and sessions, as frozen views."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select, true
from sqlalchemy.orm import Session

from marketplace.accounts.models import Handover, JoiningLink, Membership, Organisation, User
from marketplace.accounts.rules import (
    VERIFY,
    District,
    OrganisationKind,
    OrganisationState,
    OrganisationSubkind,
    Scale,
)
from marketplace.accounts.sign_in_queries import waiting_resets
from marketplace.foundation.access import Actor, Role, permits
from marketplace.foundation.classifications import region_name
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.waiting import WaitingItem


@dataclass(frozen=True)
class OrganisationView:
    """An organisation as other slices and pages see it."""

    id: int
    uscc: str
    name: str
    short_name: str
    kind: OrganisationKind
    subkinds: tuple[OrganisationSubkind, ...]
    district: District | None
    region_code: str
    industry: str
    scale: Scale | None
    high_tech: bool
    address: str
    representative: str
    contact_name: str
    contact_phone: str
    contact_email: str
    introduction: str
    state: OrganisationState
    state_reason: str
    registered_at: datetime
    authorised_user_id: int | None
    version: int

    @property
    def verified(self) -> bool:
        """Tell whether the operator has verified it."""
        return self.state is OrganisationState.VERIFIED

    @property
    def suspended(self) -> bool:
        """Tell whether the operator has suspended it."""
        return self.state is OrganisationState.SUSPENDED

    @property
    def in_jinan(self) -> bool:
        """Tell whether it is registered in Jinan."""
        return self.district is not None

    @property
    def sme(self) -> bool:
        """Tell whether it is a micro, small or medium enterprise."""
        return self.scale in (Scale.MICRO, Scale.SMALL, Scale.MEDIUM)

    @property
    def place(self) -> str:
        """Return the name of its district, or of its region where that is outside of Jinan."""
        return self.district.label if self.district else region_name(self.region_code)

    def offers(self, subkind: OrganisationSubkind) -> bool:
        """Tell whether it is a service institution of that kind."""
        return subkind in self.subkinds


@dataclass(frozen=True)
class UserView:
    """A person, without secrets."""

    id: int
    name: str
    title: str
    email: str
    phone: str
    disabled: bool


@dataclass(frozen=True)
class MemberView:
    """A person within one organisation."""

    user_id: int
    name: str
    title: str
    email: str
    phone: str
    roles: frozenset[Role]


def _view(row: Organisation) -> OrganisationView:
    return OrganisationView(
        id=row.id,
        uscc=row.uscc,
        name=row.name,
        short_name=row.short_name,
        kind=row.kind,
        subkinds=tuple(OrganisationSubkind(code) for code in row.subkinds),
        district=row.district,
        region_code=row.region_code,
        industry=row.industry,
        scale=row.scale,
        high_tech=row.high_tech,
        address=row.address,
        representative=row.representative,
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        contact_email=row.contact_email,
        introduction=row.introduction,
        state=row.state,
        state_reason=row.state_reason,
        registered_at=row.registered_at,
        authorised_user_id=row.authorised_user_id,
        version=row.version,
    )


def _user_view(row: User) -> UserView:
    return UserView(row.id, row.name, row.title, row.email, row.phone, row.disabled)


def get_organisation(session: Session, organisation_id: int) -> OrganisationView:
    """Return one organisation or raise ``NotFound``."""
    row = session.get(Organisation, organisation_id)
    if row is None:
        raise NotFound()
    return _view(row)


def get_organisations(
    session: Session, organisation_ids: Iterable[int]
) -> dict[int, OrganisationView]:
    """Return several organisations by id in one query."""
    wanted = set(organisation_ids)
    if not wanted:
        return {}
    rows = session.scalars(select(Organisation).where(Organisation.id.in_(wanted)))
    return {row.id: _view(row) for row in rows}


def find_organisation_by_uscc(session: Session, uscc: str) -> OrganisationView | None:
    """Return the organisation with that code, or None."""
    row = session.scalar(select(Organisation).where(Organisation.uscc == uscc))
    return None if row is None else _view(row)


def organisation_ids_by_name(session: Session, names: Iterable[str]) -> dict[str, int]:
    """Return the ids of verified organisations by their exact names."""
    wanted = set(names)
    if not wanted:
        return {}
    rows = session.execute(
        select(Organisation.name, Organisation.id).where(
            Organisation.name.in_(wanted), Organisation.state == OrganisationState.VERIFIED
        )
    )
    return dict(rows.all())


def list_organisations(
    session: Session,
    *,
    kinds: Collection[OrganisationKind] = (),
    subkinds: Collection[OrganisationSubkind] = (),
    states: Collection[OrganisationState] = (OrganisationState.VERIFIED,),
) -> list[OrganisationView]:
    """List organisations by kind, subkind and state, by name."""
    statement = select(Organisation).order_by(Organisation.name)
    if kinds:
        statement = statement.where(Organisation.kind.in_(kinds))
    if states:
        statement = statement.where(Organisation.state.in_(states))
    views = [_view(row) for row in session.scalars(statement)]
    return [view for view in views if not subkinds or set(subkinds) & set(view.subkinds)]


def page_of_organisations(
    session: Session,
    *,
    kinds: Collection[OrganisationKind],
    district: District | None,
    name: str,
    after: str | None,
    size: int = 20,
) -> Page[OrganisationView]:
    """Read one page of verified organisations, newest first, by kind, district and part of name."""
    statement = select(Organisation).where(Organisation.state == OrganisationState.VERIFIED)
    if kinds:
        statement = statement.where(Organisation.kind.in_(kinds))
    if district is not None:
        statement = statement.where(Organisation.district == district)
    if name:
        statement = statement.where(Organisation.name.contains(name, autoescape=True))
    page = paginate(
        session,
        statement,
        keys=[Organisation.registered_at.desc(), Organisation.id.desc()],
        after=after,
        size=size,
    )
    return page.map(_view)


def count_organisations(session: Session, kinds: Collection[OrganisationKind]) -> int:
    """Count verified organisations of the given kinds."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Organisation)
            .where(Organisation.kind.in_(kinds), Organisation.state == OrganisationState.VERIFIED)
        )
        or 0
    )


def awaiting_verification(session: Session) -> list[OrganisationView]:
    """List organisations that wait for the operator, the longest wait first."""
    rows = session.scalars(
        select(Organisation)
        .where(Organisation.state == OrganisationState.REGISTERED)
        .order_by(Organisation.registered_at)
    )
    return [_view(row) for row in rows]


def get_user(session: Session, user_id: int) -> UserView:
    """Return one person or raise ``NotFound``."""
    row = session.get(User, user_id)
    if row is None:
        raise NotFound()
    return _user_view(row)


def get_users(session: Session, user_ids: Iterable[int]) -> dict[int, UserView]:
    """Return several people by id in one query."""
    wanted = set(user_ids)
    if not wanted:
        return {}
    return {
        row.id: _user_view(row) for row in session.scalars(select(User).where(User.id.in_(wanted)))
    }


def members(
    session: Session,
    organisation_id: int,
    role: Role | None = None,
    *,
    include_disabled: bool = False,
) -> list[MemberView]:
    """List an organisation's active members with all their roles, by name."""
    rows = session.execute(
        select(User, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.organisation_id == organisation_id)
        .where(User.disabled.is_(False) if not include_disabled else true())
        .order_by(User.name, User.id)
    )
    people: dict[int, tuple[User, set[Role]]] = {}
    for user, held in rows:
        people.setdefault(user.id, (user, set()))[1].add(held)
    return [
        MemberView(user.id, user.name, user.title, user.email, user.phone, frozenset(roles))
        for user, roles in people.values()
        if role is None or role in roles
    ]


@dataclass(frozen=True)
class HandoverView:
    """Open work that went from one member to another."""

    giver_name: str
    taker_name: str
    handed_at: datetime
    counts: dict[str, int]


def handovers(session: Session, organisation_id: int, *, limit: int = 20) -> list[HandoverView]:
    """List an organisation's latest hand-overs, the newest first."""
    rows = session.scalars(
        select(Handover)
        .where(Handover.organisation_id == organisation_id)
        .order_by(Handover.handed_at.desc(), Handover.id.desc())
        .limit(limit)
    ).all()
    people = get_users(session, {i for row in rows for i in (row.giver_id, row.taker_id)})
    return [
        HandoverView(
            people[row.giver_id].name, people[row.taker_id].name, row.handed_at, row.counts
        )
        for row in rows
    ]


def users_with_role(session: Session, role: Role, organisation_id: int | None = None) -> list[int]:
    """List the ids of active people who hold a role, in one organisation or anywhere."""
    statement = (
        select(Membership.user_id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.role == role, User.disabled.is_(False))
        .distinct()
        .order_by(Membership.user_id)
    )
    if organisation_id is not None:
        statement = statement.where(Membership.organisation_id == organisation_id)
    return list(session.scalars(statement))


# What an actor is made of, one row for each role; see ``actor_from``.
ACTOR_COLUMNS = (User.name, Organisation.name, Organisation.state, Membership.role)


def actor_for(session: Session, user_id: int, organisation_id: int | None) -> Actor | None:
    """Build the actor of a person acting for an organisation; None when the right has ended."""
    rows = session.execute(
        select(*ACTOR_COLUMNS)
        .select_from(User)
        .outerjoin(
            Membership,
            and_(Membership.user_id == User.id, Membership.organisation_id == organisation_id),
        )
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(User.id == user_id, ~User.disabled)
    ).all()
    return actor_from(user_id, organisation_id, [tuple(row) for row in rows])


def actor_from(
    user_id: int, organisation_id: int | None, rows: Sequence[tuple[Any, ...]]
) -> Actor | None:
    """Build an actor from rows of ``ACTOR_COLUMNS``; None when the right has ended."""
    if not rows:
        return None
    name, organisation_name, state, role = rows[0]
    if organisation_id is None:
        return Actor(user_id, None, frozenset(), name)
    if role is None:
        return None
    return Actor(
        user_id=user_id,
        organisation_id=organisation_id,
        roles=frozenset(role for *_, role in rows),
        name=name,
        organisation_name=organisation_name,
        verified=state is OrganisationState.VERIFIED,
        suspended=state is OrganisationState.SUSPENDED,
    )


def roles_held(session: Session, user_id: int) -> frozenset[Role]:
    """Return all roles a person holds, for whichever organisation."""
    return frozenset(session.scalars(select(Membership.role).where(Membership.user_id == user_id)))


def organisations_of(session: Session, user_id: int) -> list[OrganisationView]:
    """List the organisations a person can act for."""
    rows = session.scalars(
        select(Organisation)
        .where(
            Organisation.id.in_(
                select(Membership.organisation_id).where(Membership.user_id == user_id)
            )
        )
        .order_by(Organisation.id)
    )
    return [_view(row) for row in rows]


def any_account(session: Session) -> bool:
    """Tell whether anybody can sign in."""
    return session.scalar(select(User.id).limit(1)) is not None


@dataclass(frozen=True)
class LinkView:
    """What a joining link offers to the person who opens it."""

    organisation_id: int | None
    organisation_name: str
    email: str
    roles: frozenset[Role]
    usable: bool


def find_link(session: Session, token_hash: str, *, now: datetime) -> LinkView | None:
    """Return what a joining link offers, or None when there is no such link."""
    link = session.scalar(select(JoiningLink).where(JoiningLink.token_hash == token_hash))
    if link is None:
        return None
    name = ""
    if link.organisation_id is not None:
        name = session.get_one(Organisation, link.organisation_id).name
    return LinkView(
        link.organisation_id,
        name,
        link.email,
        frozenset(Role(code) for code in link.roles),
        link.used_at is None and link.expires_at > now,
    )


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """Offer the operator the organisations to verify and the resets that want a second person."""
    if not permits(actor, VERIFY):
        return []
    resets = [
        WaitingItem(
            what=f"确认重置动态口令：{reset.user_name}",
            why=f"{reset.asked_by_name}已核实身份，须由第二人确认",
            endpoint="accounts.people",
            act="确认",
        )
        for reset in waiting_resets(session)
        if actor.user_id not in (reset.asked_by_id, reset.user_id)
    ]
    return resets + [
        WaitingItem(
            what=f"核验机构：{view.name}",
            why=f"{view.kind.label}，{local_date(view.registered_at).isoformat()} 申请入驻",
            endpoint="accounts.verification",
            params={"organisation_id": view.id},
            act="核验",
        )
        for view in awaiting_verification(session)
    ]
