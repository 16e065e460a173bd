"""Reads of access tokens: the one behind a request, and the lists of owners and heads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.access_token_models import AccessToken
from marketplace.accounts.access_token_rules import TokenState, state_of
from marketplace.accounts.models import User
from marketplace.accounts.queries import actor_for
from marketplace.accounts.tokens import digest
from marketplace.foundation.access import Actor
from marketplace.foundation.api.scopes import Access, Scope


@dataclass(frozen=True)
class TokenView:
    """A token in a list; the secret itself is nowhere."""

    id: int
    name: str
    ending: str
    owner: str
    owner_id: int
    organisation_id: int
    scopes: tuple[Scope, ...]
    state: TokenState
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class Bearer:
    """A living token with the actor it acts as."""

    access: Access
    actor: Actor
    used_at: datetime | None


def find_bearer(session: Session, token: str, *, now: datetime) -> Bearer | None:
    """Return who a token acts as; None when it, the membership or the account has ended."""
    row = session.scalar(select(AccessToken).where(AccessToken.token_hash == digest(token)))
    if row is None:
        return None
    state = state_of(expires_at=row.expires_at, revoked_at=row.revoked_at, now=now)
    actor = actor_for(session, row.user_id, row.organisation_id)
    if state is not TokenState.LIVING or actor is None:
        return None
    access = Access(row.id, row.name, frozenset(Scope(code) for code in row.scopes))
    through = f"令牌 {row.id}：{row.name}"
    return Bearer(access, replace(actor, through=through), row.used_at)


def tokens_of(
    session: Session, *, organisation_id: int | None, user_id: int | None = None, now: datetime
) -> list[TokenView]:
    """List the tokens of an organisation (None: of all), the newest first; of one person if given.

    At most 200: what is older has long expired.
    """
    statement = select(AccessToken, User.name).join(User, User.id == AccessToken.user_id)
    if organisation_id is not None:
        statement = statement.where(AccessToken.organisation_id == organisation_id)
    if user_id is not None:
        statement = statement.where(AccessToken.user_id == user_id)
    return [
        TokenView(
            id=row.id,
            name=row.name,
            ending=row.ending,
            owner=owner,
            owner_id=row.user_id,
            organisation_id=row.organisation_id,
            scopes=tuple(Scope(code) for code in row.scopes),
            state=state_of(expires_at=row.expires_at, revoked_at=row.revoked_at, now=now),
            created_at=row.created_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )
        for row, owner in session.execute(statement.order_by(AccessToken.id.desc()).limit(200))
    ]
