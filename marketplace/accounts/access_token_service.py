"""Use cases of access tokens: made, shown once, revoked by the owner or the organisation's head.

Tokens go by the machine's clock (``now`` here), also where a demo clock runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from marketplace.accounts import access_token_rules as rules
from marketplace.accounts.access_token_models import AccessToken
from marketplace.accounts.rules import MANAGE_MEMBERS
from marketplace.accounts.tokens import digest, new_token
from marketplace.foundation import audit
from marketplace.foundation.access import SIGNED_IN, SYSTEM, Actor, permits, require
from marketplace.foundation.api.scopes import Scope
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotAllowed, NotFound

_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class NewToken:
    """A fresh token, to be shown once."""

    id: int
    token: str
    expires_at: datetime


def create_token(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    name: str,
    scopes: Iterable[Scope],
    days: int,
    secret: str = "",
) -> NewToken:
    """Make a token that acts as its owner for the present organisation, within its scopes.

    With the same ``secret`` a second time (a double click) the token stays the one that was made.
    """
    require(actor, SIGNED_IN)
    if actor.user_id is None or actor.organisation_id is None:
        raise NotAllowed("tokens.no_organisation", "请先以一个单位的身份登录，再新建令牌")
    if actor.through:
        raise NotAllowed("tokens.by_token", "令牌不能用来新建令牌，请登录后在网页上办理")
    token = rules.PREFIX + (secret or new_token())
    made = session.scalar(
        select(AccessToken).where(
            AccessToken.token_hash == digest(token), AccessToken.user_id == actor.user_id
        )
    )
    if made is not None:
        return NewToken(made.id, token, made.expires_at)
    chosen = sorted(set(scopes))
    living = session.scalar(
        select(func.count())
        .select_from(AccessToken)
        .where(
            AccessToken.user_id == actor.user_id,
            AccessToken.organisation_id == actor.organisation_id,
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > now,
        )
    )
    rules.check_new(name, chosen, living or 0)
    row = AccessToken(
        token_hash=digest(token),
        ending=token[-4:],
        name=name.strip(),
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        scopes=[scope.value for scope in chosen],
        created_at=now,
        expires_at=rules.expiry(now, days),
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="accounts.create_token",
        subject=f"token:{row.id}",
        now=now,
        after={"name": row.name, "scopes": row.scopes, "expires_at": row.expires_at},
    )
    return NewToken(row.id, token, row.expires_at)


def revoke_token(session: Session, *, actor: Actor, now: datetime, token_id: int) -> None:
    """End a token at once; its owner may, and the head of its organisation. Twice does nothing."""
    row = lock(session, AccessToken, token_id)
    if actor is not SYSTEM:
        require(actor, SIGNED_IN)
        own = row.user_id == actor.user_id and row.organisation_id == actor.organisation_id
        heads = row.organisation_id == actor.organisation_id and permits(actor, MANAGE_MEMBERS)
        if not (own or heads):
            raise NotFound()
    if row.revoked_at is not None:
        return
    row.revoked_at, row.revoked_by_id = now, actor.user_id
    audit.record(
        session,
        actor=actor,
        action="accounts.revoke_token",
        subject=f"token:{row.id}",
        now=now,
        before={"name": row.name},
    )


def note_use(session: Session, *, now: datetime, token_id: int) -> None:
    """Keep when a token was used last, to the minute."""
    session.execute(
        update(AccessToken)
        .where(
            AccessToken.id == token_id,
            (AccessToken.used_at.is_(None)) | (AccessToken.used_at < now - _TOUCH_EVERY),
        )
        .values(used_at=now)
    )


def used_lately(used_at: datetime | None, now: datetime) -> bool:
    """Tell whether a use need not be noted again yet."""
    return used_at is not None and now - used_at <= _TOUCH_EVERY
