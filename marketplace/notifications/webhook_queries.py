"""Reads of one's own push addresses, their pushes and the attempts of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.notifications.models import Message
from marketplace.notifications.rules import MessageKind
from marketplace.notifications.webhook_models import Attempt, Delivery, Webhook
from marketplace.notifications.webhook_rules import DeliveryState, WebhookState


@dataclass(frozen=True)
class WebhookView:
    """A push address as its owner sees it; ``salt`` opens nothing without the site's key."""

    id: int
    name: str
    url: str
    kinds: tuple[MessageKind, ...]
    salt: str
    state: WebhookState
    created_at: datetime


@dataclass(frozen=True)
class AttemptView:
    """One try: the status that was answered, or None and why."""

    tried_at: datetime
    status: int | None
    answer: str


@dataclass(frozen=True)
class DeliveryView:
    """One push with its attempts, the first first."""

    id: int
    title: str
    state: DeliveryState
    queued_at: datetime
    next_try_at: datetime
    attempts: tuple[AttemptView, ...]


def webhooks_of(session: Session, actor: Actor) -> list[WebhookView]:
    """List the actor's addresses, the newest first; at most 50."""
    rows = session.scalars(
        select(Webhook)
        .where(Webhook.user_id == actor.user_id)
        .order_by(Webhook.id.desc())
        .limit(50)
    )
    return [_view(row) for row in rows]


def get_webhook(session: Session, actor: Actor, webhook_id: int) -> WebhookView:
    """Return one of the actor's addresses, else raise ``NotFound``."""
    row = session.get(Webhook, webhook_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound()
    return _view(row)


def deliveries_of(
    session: Session, webhook_id: int, *, after: str | None = None, size: int = 20
) -> Page[DeliveryView]:
    """Read one page of the pushes to an address, the newest first, with their attempts."""
    page = paginate(
        session,
        select(Delivery).where(Delivery.webhook_id == webhook_id),
        keys=[Delivery.id.desc()],
        after=after,
        size=size,
    )
    ids = [row.id for row in page.items]
    attempts: dict[int, list[AttemptView]] = {}
    for attempt in session.scalars(
        select(Attempt).where(Attempt.delivery_id.in_(ids)).order_by(Attempt.id)
    ):
        attempts.setdefault(attempt.delivery_id, []).append(
            AttemptView(attempt.tried_at, attempt.status, attempt.answer)
        )
    told = select(Message.id, Message.title).where(
        Message.id.in_([row.message_id for row in page.items if row.message_id])
    )
    titles: dict[int, str] = dict(session.execute(told).all())
    return page.map(
        lambda row: DeliveryView(
            id=row.id,
            title=titles.get(row.message_id or 0, "测试推送"),
            state=row.state,
            queued_at=row.queued_at,
            next_try_at=row.next_try_at,
            attempts=tuple(attempts.get(row.id, ())),
        )
    )


def _view(row: Webhook) -> WebhookView:
    return WebhookView(
        id=row.id,
        name=row.name,
        url=row.url,
        kinds=tuple(kind for kind in MessageKind if kind.value in row.kinds),
        salt=row.salt,
        state=row.state,
        created_at=row.created_at,
    )
