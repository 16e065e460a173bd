"""Use cases of accounts at an identity provider: linked to a person, and let go again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.sign_in_models import ExternalIdentity
from marketplace.accounts.sign_in_rules import Identity
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.errors import Conflict, NotFound


def link_identity(session: Session, *, actor: Actor, now: datetime, identity: Identity) -> None:
    """Let an account at the provider sign the actor in; one that serves another is refused."""
    if actor.user_id is None:
        raise NotFound()
    row = session.scalar(
        select(ExternalIdentity).where(
            ExternalIdentity.issuer == identity.issuer,
            ExternalIdentity.subject == identity.subject,
        )
    )
    if row is not None and row.user_id != actor.user_id:
        raise Conflict("accounts.identity_known", "这个统一身份已绑定另一个账号，不能再绑定")
    if row is None:
        session.add(
            ExternalIdentity(
                user_id=actor.user_id,
                issuer=identity.issuer,
                subject=identity.subject,
                linked_at=now,
            )
        )
        _note(session, actor, "accounts.link_identity", identity.issuer, now=now)


def unlink_identity(session: Session, *, actor: Actor, now: datetime, identity_id: int) -> None:
    """Let go of an account at the provider; the password stays."""
    row = session.get(ExternalIdentity, identity_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound()
    session.delete(row)
    _note(session, actor, "accounts.unlink_identity", row.issuer, now=now)


def _note(session: Session, actor: Actor, action: str, issuer: str, *, now: datetime) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"user:{actor.user_id}",
        now=now,
        after={"issuer": issuer},
    )
