"""Use cases of signing in: attempts, sessions that can be listed and ended, passwords.

Sessions and lock-outs go by the machine's clock (``now`` here), also where a demo clock runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.models import Membership, SignInFailure, User, UserSession
from marketplace.accounts.queries import actor_for
from marketplace.accounts.tokens import digest, new_token, password_matches
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.errors import NotFound, RuleBroken


@dataclass(frozen=True)
class SignedIn:
    """A sign-in that worked: the session's token, for the cookie."""

    token: str
    user_id: int


@dataclass(frozen=True)
class SignInRefused:
    """A sign-in that did not, and what to tell the person; kept, therefore no exception."""

    message: str
    wait_seconds: int = 0


def attempt(
    session: Session, *, now: datetime, email: str, password: str, address: str, device: str
) -> SignedIn | SignInRefused:
    """Try to sign in; a failure is counted by account and address."""
    known_as = email.strip().lower()[:200]
    wait = rules.wait_before_sign_in(_failures(session, known_as, address, now=now), now=now)
    if wait:
        minutes = int(wait.total_seconds() // 60) + 1
        return SignInRefused(
            f"尝试次数过多，请 {minutes} 分钟后再试；忘记密码请联系本单位的机构管理员",
            int(wait.total_seconds()) + 1,
        )
    user = session.scalar(select(User).where(User.email == known_as))
    fits = password_matches(user.password_hash if user else None, password)
    if user is None or not fits or user.disabled:
        session.add(SignInFailure(email=known_as, address=address, failed_at=now))
        audit.record(
            session,
            actor=Actor(user.id if user else None, None, name=""),
            action="accounts.sign_in_failed",
            subject=f"user:{user.id if user else 0}",
            now=now,
            after={"address": address},
        )
        return SignInRefused("邮箱或密码不对，请检查大小写和输入法后再试")
    session.execute(
        delete(SignInFailure).where(
            SignInFailure.email == known_as, SignInFailure.address == address
        )
    )
    session.execute(
        delete(SignInFailure).where(SignInFailure.failed_at < now - rules.FAILURE_WINDOW)
    )
    token = open_session(session, now=now, user_id=user.id, address=address, device=device)
    return SignedIn(token, user.id)


def open_session(
    session: Session, *, now: datetime, user_id: int, address: str, device: str
) -> str:
    """Open a session for a person, acting for the first of their organisations."""
    organisation_id = session.scalar(
        select(Membership.organisation_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.id)
        .limit(1)
    )
    token = new_token()
    session.add(
        UserSession(
            token_hash=digest(token),
            user_id=user_id,
            organisation_id=organisation_id,
            opened_at=now,
            seen_at=now,
            address=address[:100],
            device=device[:200],
        )
    )
    audit.record(
        session,
        actor=Actor(user_id, organisation_id, name=""),
        action="accounts.sign_in",
        subject=f"user:{user_id}",
        now=now,
        after={"address": address},
    )
    return token


@dataclass(frozen=True)
class OpenSession:
    """A living session and the actor behind it."""

    id: int
    actor: Actor
    seen_at: datetime


def resume(session: Session, *, now: datetime, token: str) -> OpenSession | None:
    """Return the living session behind a cookie's token, or None."""
    row = session.scalar(select(UserSession).where(UserSession.token_hash == digest(token)))
    if row is None:
        return None
    actor = actor_for(session, row.user_id, row.organisation_id)
    if actor is None or not rules.session_alive(
        opened_at=row.opened_at, seen_at=row.seen_at, roles=actor.roles, now=now
    ):
        return None
    return OpenSession(row.id, actor, row.seen_at)


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


def change_password(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    session_id: int,
    present: str,
    new_hash: str,
) -> None:
    """Change the actor's password after the present one was shown; other sessions end."""
    user = session.get(User, actor.user_id or 0)
    if user is None:
        raise NotFound()
    if not password_matches(user.password_hash, present):
        raise RuleBroken("accounts.password", "现在的密码不对，请重新输入", "present")
    user.password_hash = new_hash
    end_other_sessions(session, actor=actor, now=now, this_id=session_id)
    _note(session, actor, "accounts.change_password", {}, now=now)


def _failures(session: Session, email: str, address: str, *, now: datetime) -> rules.Failures:
    recent = (
        SignInFailure.failed_at > now - rules.FAILURE_WINDOW,
        SignInFailure.address == address,
    )
    pair = session.scalar(
        select(func.count()).select_from(SignInFailure).where(*recent, SignInFailure.email == email)
    )
    total = session.scalar(select(func.count()).select_from(SignInFailure).where(*recent))
    last = session.scalar(select(func.max(SignInFailure.failed_at)).where(*recent))
    return rules.Failures(pair or 0, total or 0, last)


def _note(
    session: Session, actor: Actor, action: str, after: dict[str, int], *, now: datetime
) -> None:
    audit.record(
        session, actor=actor, action=action, subject=f"user:{actor.user_id}", now=now, after=after
    )
