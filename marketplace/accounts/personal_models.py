"""Tables of personal data: what people have agreed to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.accounts.consent_rules import ConsentPurpose
from marketplace.foundation.db import Base, Id


class Consent(Base):
    """One consent of one person: to what, in which words, towards whom, and until when."""

    __tablename__ = "accounts_consents"
    __table_args__ = (
        Index("ix_accounts_consents_user", "user_id", "purpose", "recipient"),
        CheckConstraint("withdrawn_at IS NULL OR withdrawn_at >= given_at", name="in_order"),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    purpose: Mapped[ConsentPurpose]
    # Whom the data go to (``user:12``, ``organisation:3``); empty where it is the platform.
    recipient: Mapped[str] = mapped_column(default="")
    version: Mapped[str]
    text_digest: Mapped[str] = mapped_column(String(64))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
