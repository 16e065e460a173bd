"""Tables of passkeys (WebAuthn): a person's keys, and the challenges that were answered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id


class Passkey(Base):
    """A key on a person's device or token; what is kept of it opens nothing."""

    __tablename__ = "accounts_passkeys"

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"), index=True)
    # base64url, at most 1,023 bytes (WebAuthn level 2, 4): one key is one person's.
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    # Counted by the key itself: one that falls back is a copy.
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class UsedChallenge(Base):
    """A challenge that was answered: it counts once, and is forgotten when it has run out."""

    __tablename__ = "accounts_used_challenges"

    id: Mapped[Id]
    challenge_hash: Mapped[str] = mapped_column(String(64), unique=True)
    used_at: Mapped[datetime]
