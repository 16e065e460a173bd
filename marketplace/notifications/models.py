"""The tables of messages, of mails on their way and of what people want by mail."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json
from marketplace.notifications.rules import MailState, MessageKind


class Message(Base):
    """One message in one person's inbox; ``key`` names the event that it tells of."""

    __tablename__ = "notifications_messages"
    __table_args__ = (
        Index("ix_notifications_inbox", "user_id", "created_at"),
        Index("ix_notifications_unread", "user_id", "read_at"),
        Index("ix_notifications_key", "user_id", "key"),
    )

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    kind: Mapped[MessageKind]
    title: Mapped[str]
    text: Mapped[str]
    endpoint: Mapped[str]
    params: Mapped[Json]
    key: Mapped[str]
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Mail(Base):
    """One message on its way to one address."""

    __tablename__ = "notifications_mails"
    __table_args__ = (Index("ix_notifications_mail_due", "state", "next_try_at"),)

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(ForeignKey("notifications_messages.id"), unique=True)
    address: Mapped[str]
    state: Mapped[MailState]
    queued_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="")


class Preference(Base):
    """Whether a person wants a kind of message by mail, where that was chosen."""

    __tablename__ = "notifications_preferences"
    __table_args__ = (UniqueConstraint("user_id", "kind"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    kind: Mapped[MessageKind]
    by_mail: Mapped[bool]
