"""The table of access tokens: what a program shows instead of a session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json

_USER = "accounts_users.id"


class AccessToken(Base):
    """A token of one person for one organisation; only its hash is kept."""

    __tablename__ = "accounts_access_tokens"
    __table_args__ = (Index("ix_accounts_access_tokens_owner", "organisation_id", "user_id", "id"),)

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    # The last characters of the token, by which its owner tells it from others.
    ending: Mapped[str] = mapped_column(String(8))
    name: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    scopes: Mapped[Json]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
