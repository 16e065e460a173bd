"""Use cases of sessions: resumed, kept alive, listed, switched, ended.

Sessions go by the machine's clock (``now`` here), also where a demo clock runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from marketplace.accounts import sign_in_rules as rules
from marketplace.accounts.models import Membership, Organisation, User
from marketplace.accounts.password_rules import password_expired
from marketplace.accounts.queries import ACTOR_COLUMNS, actor_from
from marketplace.accounts.sign_in_models import UserSession
from marketplace.accounts.sign_in_rules import Duty, SignInPolicy
from marketplace.accounts.tokens import digest, new_token
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.errors import NotFound

_SESSION_COLUMNS = (
    UserSession.id,
    UserSession.user_id,
    UserSession.organisation_id,
    UserSession.opened_at,
    UserSession.seen_at,
    UserSession.proved_at,
    UserSession.second_factor,
)


@dataclass(frozen=True)
class OpenSession:
    """A living session and the actor behind it.

    While a ``duty`` is open the actor holds no role: nothing can be done before it but the duty.
    """

    id: int
    actor: Actor
    seen_at: datetime
    proved_at: datetime
    second_factor: bool
    duty: Duty | None = None


def resume(
    session: Session, *, now: datetime, token: str, policy: SignInPolicy
) -> OpenSession | None:
    """Return the living session behind a cookie's token, or None.

    One statement: it stands before every page that a person who is signed in opens.
    """
    rows = session.execute(
        select(*_SESSION_COLUMNS, User.password_changed_at, *ACTOR_COLUMNS)
        .join(User, User.id == UserSession.user_id)
        .outerjoin(
            Membership,
            and_(
                Membership.user_id == UserSession.user_id,
                Membership.organisation_id == UserSession.organisation_id,
            ),
        )
        .outerjoin(Organisation, Organisation.id == Membership.organisation_id)
        .where(UserSession.token_hash == digest(token), ~User.disabled)
    ).all()
    if not rows:
        return None
    row = rows[0]
    actor = actor_from(
        row.user_id, row.organisation_id, [each[-len(ACTOR_COLUMNS) :] for each in rows]
    )
    if actor is None or not rules.session_alive(
        opened_at=row.opened_at, seen_at=row.seen_at, roles=actor.roles, now=now
    ):
        return None
    duty = _duty(row, actor, policy, now=now)
    if duty is not None:
        actor = replace(actor, roles=frozenset(), verified=False)
    return OpenSession(row.id, actor, row.seen_at, row.proved_at, row.second_factor, duty)


def _duty(row: Any, actor: Actor, policy: SignInPolicy, *, now: datetime) -> Duty | None:
    if password_expired(row.password_changed_at, profile=policy.passwords, now=now):
        return Duty.RENEW_PASSWORD
    if rules.needs_second_factor(actor.roles, policy) and not row.second_factor:
        return Duty.ENROL
    return None


def touch(session: Session, *, now: datetime, session_id: int) -> None:
    """Note that a session is in use; it changes nothing that anybody would audit."""
    row = session.get(UserSession, session_id)
    if row is not None:
        row.seen_at = now


def end_session(session: Session, *, actor: Actor, now: datetime, session_id: int) -> None:
    """End one of the actor's own sessions at once."""
    row = session.get(UserSession, session_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound()
    session.delete(row)
    _note(session, actor, "accounts.end_session", {"session": session_id}, now=now)


def end_other_sessions(session: Session, *, actor: Actor, now: datetime, this_id: int) -> None:
    """End all of the actor's sessions but the present one."""
    session.execute(
        delete(UserSession).where(UserSession.user_id == actor.user_id, UserSession.id != this_id)
    )
    _note(session, actor, "accounts.end_other_sessions", {}, now=now)


def switch_organisation(
    session: Session, *, actor: Actor, now: datetime, session_id: int, organisation_id: int
) -> str:
    """Act for another of the person's organisations, in a session with a new token."""
    row = session.get(UserSession, session_id)
    belongs = session.scalar(
        select(Membership.id)
        .where(Membership.user_id == actor.user_id, Membership.organisation_id == organisation_id)
        .limit(1)
    )
    if row is None or row.user_id != actor.user_id or belongs is None:
        raise NotFound()
    token = new_token()
    row.organisation_id, row.token_hash = organisation_id, digest(token)
    _note(
        session, actor, "accounts.switch_organisation", {"organisation": organisation_id}, now=now
    )
    return token


def strengthen(session: Session, *, actor: Actor, session_id: int) -> str:
    """Note that a second factor was shown in a session; return its new token."""
    row = session.get(UserSession, session_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound()
    token = new_token()
    row.second_factor, row.token_hash = True, digest(token)
    return token


def _note(
    session: Session, actor: Actor, action: str, after: dict[str, int], *, now: datetime
) -> None:
    audit.record(
        session, actor=actor, action=action, subject=f"user:{actor.user_id}", now=now, after=after
    )
