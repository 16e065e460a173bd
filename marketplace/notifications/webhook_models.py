"""The tables of addresses to which messages are pushed, of the pushes and of their attempts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.foundation.db import Base, Id, Json
from marketplace.notifications.webhook_rules import DeliveryState, WebhookState


class Webhook(Base):
    """One address of one person's system; its secret follows from ``salt`` and the site's key."""

    __tablename__ = "notifications_webhooks"
    __table_args__ = (Index("ix_notifications_webhook_owner", "user_id", "state"),)

    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts_users.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("accounts_organisations.id"))
    name: Mapped[str]
    url: Mapped[str]
    kinds: Mapped[Json]
    salt: Mapped[str]
    state: Mapped[WebhookState]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Delivery(Base):
    """One push of one message; without a message it is a trial."""

    __tablename__ = "notifications_deliveries"
    __table_args__ = (
        Index("ix_notifications_delivery_due", "state", "next_try_at"),
        Index("ix_notifications_delivery_webhook", "webhook_id", "id"),
    )

    id: Mapped[Id]
    webhook_id: Mapped[int] = mapped_column(ForeignKey("notifications_webhooks.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("notifications_messages.id"))
    state: Mapped[DeliveryState]
    queued_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)


class Attempt(Base):
    """What became of one try: the status that was answered, or why nobody answered."""

    __tablename__ = "notifications_attempts"

    id: Mapped[Id]
    delivery_id: Mapped[int] = mapped_column(ForeignKey("notifications_deliveries.id"), index=True)
    tried_at: Mapped[datetime]
    status: Mapped[int | None]
    answer: Mapped[str]
