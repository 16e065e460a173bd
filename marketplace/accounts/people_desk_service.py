"""Use cases of the operator's desk for people: accounts disabled and enabled, sessions ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.models import User
from marketplace.accounts.sign_in_models import KnownDevice, PendingSignIn, UserSession
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken


def disable(session: Session, *, actor: Actor, now: datetime, user_id: int, reason: str) -> None:
    """Disable a person's account; all sessions end at once (ASVS 7.4.2)."""
    require(actor, rules.LOOK_AFTER_PEOPLE)
    user = lock(session, User, user_id)
    if user_id == actor.user_id:
        raise NotAllowed("accounts.own_account", "不能停用自己的账号，请同事办理")
    if user.disabled:
        raise Conflict("accounts.disabled", "这个账号已经停用")
    if not reason.strip():
        raise RuleBroken("accounts.reason", "请写明停用的原因", "reason")
    user.disabled, user.disabled_reason = True, reason.strip()
    for model in (UserSession, PendingSignIn, KnownDevice):
        session.execute(delete(model).where(model.user_id == user_id))
    _note(session, actor, "accounts.disable", user_id, reason.strip(), now=now)


def enable(session: Session, *, actor: Actor, now: datetime, user_id: int) -> None:
    """Let a disabled person sign in again."""
    require(actor, rules.LOOK_AFTER_PEOPLE)
    user = lock(session, User, user_id)
    if not user.disabled:
        raise Conflict("accounts.not_disabled", "这个账号没有停用")
    user.disabled, user.disabled_reason = False, ""
    _note(session, actor, "accounts.enable", user_id, "", now=now)


def end_session_of(
    session: Session, *, actor: Actor, now: datetime, user_id: int, session_id: int
) -> None:
    """End one session of a person, as the operator (ASVS 7.4.5)."""
    require(actor, rules.LOOK_AFTER_PEOPLE)
    row = session.get(UserSession, session_id)
    if row is None or row.user_id != user_id:
        raise NotFound()
    session.delete(row)
    _note(session, actor, "accounts.end_session", user_id, "", now=now)


def _note(
    session: Session, actor: Actor, action: str, user_id: int, reason: str, *, now: datetime
) -> None:
    after = {"reason": reason} if reason else None
    audit.record(
        session, actor=actor, action=action, subject=f"user:{user_id}", now=now, after=after
    )
