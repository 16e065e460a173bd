"""Reads of passkeys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.passkey_models import Passkey
from marketplace.accounts.sign_in_models import PendingSignIn
from marketplace.accounts.tokens import digest


@dataclass(frozen=True)
class PasskeyView:
    """One of a person's keys as its owner sees it."""

    id: int
    name: str
    credential_id: str
    created_at: datetime
    last_used_at: datetime | None


def passkeys_of(session: Session, user_id: int) -> list[PasskeyView]:
    """List a person's keys, oldest first."""
    rows = session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id))
    return [
        PasskeyView(row.id, row.name, row.credential_id, row.created_at, row.last_used_at)
        for row in rows
    ]


def pending_user_id(session: Session, token: str) -> int | None:
    """Return who stands between the password and the second step, or None."""
    return session.scalar(
        select(PendingSignIn.user_id).where(PendingSignIn.token_hash == digest(token))
    )
