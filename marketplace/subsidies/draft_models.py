"""Tables of drafts: documents that the bureau tries out, in every edition that was saved."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id

_USER = "accounts_users.id"


class PolicyDraft(Base):
    """A draft by its name; what it says stands in its editions."""

    __tablename__ = "subsidies_policy_drafts"
    __table_args__ = (CheckConstraint("edition >= 1", name="edition_positive"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    # The number of the latest edition; who saves names the one they had before them.
    edition: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(index=True)


class PolicyDraftEdition(Base):
    """One saved text of a draft, which is never changed."""

    __tablename__ = "subsidies_policy_draft_editions"
    __table_args__ = (UniqueConstraint("draft_id", "number"),)

    id: Mapped[Id]
    draft_id: Mapped[int] = mapped_column(ForeignKey("subsidies_policy_drafts.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(default="")
    saved_at: Mapped[datetime]
    saved_by_id: Mapped[int | None] = mapped_column(ForeignKey(_USER))
