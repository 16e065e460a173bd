"""Use cases of pushes: an address is set up, tried, ended; messages are queued for it."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.outbound import check_url
from marketplace.notifications.models import Message
from marketplace.notifications.rules import READ, MessageKind
from marketplace.notifications.webhook_models import Delivery, Webhook
from marketplace.notifications.webhook_rules import MOST_LIVING, DeliveryState, WebhookState


def create_webhook(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    name: str,
    url: str,
    kinds: Collection[MessageKind],
) -> int:
    """Push the actor's messages of some kinds to an address from now on; return the id."""
    require(actor, READ)
    if actor.user_id is None or actor.organisation_id is None:
        raise NotAllowed("webhooks.no_organisation", "请先以一个单位的身份登录，再设置推送")
    if actor.through:
        raise NotAllowed("webhooks.by_token", "令牌不能用来设置推送，请登录后在网页上办理")
    if not kinds:
        raise RuleBroken("webhooks.kinds", "请至少勾选一类消息", "kinds")
    living = session.scalar(
        select(func.count())
        .select_from(Webhook)
        .where(Webhook.user_id == actor.user_id, Webhook.state == WebhookState.LIVING)
    )
    if (living or 0) >= MOST_LIVING:
        raise Conflict("webhooks.too_many", f"推送地址已有 {MOST_LIVING} 个；请先停用不用的")
    row = Webhook(
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        name=name.strip(),
        url=check_url(url, "url"),
        kinds=sorted(kind.value for kind in kinds),
        salt=secrets.token_hex(16),
        state=WebhookState.LIVING,
        created_at=now,
        ended_at=None,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="notifications.create_webhook",
        subject=f"webhook:{row.id}",
        now=now,
        after={"url": row.url, "kinds": row.kinds},
    )
    return row.id


def end_webhook(session: Session, *, actor: Actor, now: datetime, webhook_id: int) -> None:
    """Push nothing more to an address. Twice does nothing."""
    row = _own(session, actor, webhook_id)
    if row.state is WebhookState.ENDED:
        return
    before, row.state, row.ended_at = row.state, WebhookState.ENDED, now
    give_up(session, row.id)
    audit.record(
        session,
        actor=actor,
        action="notifications.end_webhook",
        subject=f"webhook:{row.id}",
        now=now,
        before={"state": before},
        after={"state": row.state},
    )


def resume_webhook(session: Session, *, actor: Actor, now: datetime, webhook_id: int) -> None:
    """Push again to an address that was stopped because nobody answered there."""
    row = _own(session, actor, webhook_id)
    if row.state is WebhookState.LIVING:
        return
    if row.state is WebhookState.ENDED:
        raise Conflict("webhooks.ended", "这个推送地址已停用；请新建一个")
    row.state, row.ended_at = WebhookState.LIVING, None
    audit.record(
        session,
        actor=actor,
        action="notifications.resume_webhook",
        subject=f"webhook:{row.id}",
        now=now,
        before={"state": WebhookState.FAILING},
        after={"state": row.state},
    )


def note_secret_shown(session: Session, *, actor: Actor, now: datetime, webhook_id: int) -> None:
    """Write down that the actor looked at the secret of an address."""
    row = _own(session, actor, webhook_id)
    audit.record(
        session,
        actor=actor,
        action="notifications.show_webhook_secret",
        subject=f"webhook:{row.id}",
        now=now,
    )


def try_webhook(session: Session, *, actor: Actor, now: datetime, webhook_id: int) -> None:
    """Queue a trial push without a message."""
    row = _own(session, actor, webhook_id)
    if row.state is not WebhookState.LIVING:
        raise Conflict("webhooks.not_living", "这个推送地址已停用，没有发送")
    waiting = select(Delivery.id).where(
        Delivery.webhook_id == row.id,
        Delivery.message_id.is_(None),
        Delivery.state == DeliveryState.QUEUED,
    )
    if session.scalar(waiting.limit(1)) is None:
        session.add(_delivery(row.id, None, now))


def push_again(session: Session, *, actor: Actor, now: datetime, delivery_id: int) -> int:
    """Try a push that was given up once more; return the id of its webhook."""
    delivery = session.get(Delivery, delivery_id, with_for_update=True)
    if delivery is None:
        raise NotFound()
    row = _own(session, actor, delivery.webhook_id)
    if row.state is not WebhookState.LIVING:
        raise Conflict("webhooks.not_living", "这个推送地址已停用，没有发送")
    if delivery.state is not DeliveryState.FAILED:
        raise Conflict(
            "webhooks.not_given_up",
            f"这条推送{delivery.state.label}，不用再推；只有没有送到、不再自动重试的才要再推一次",
        )
    delivery.state, delivery.next_try_at, delivery.tries = DeliveryState.QUEUED, now, 0
    return row.id


def queue(session: Session, messages: Sequence[Message], *, now: datetime) -> None:
    """Queue a push of each message to every address that its reader set up for its kind."""
    readers = {message.user_id for message in messages}
    hooks = session.scalars(
        select(Webhook).where(Webhook.user_id.in_(readers), Webhook.state == WebhookState.LIVING)
    ).all()
    session.add_all(
        _delivery(hook.id, message.id, now)
        for hook in hooks
        for message in messages
        if message.user_id == hook.user_id and message.kind.value in hook.kinds
    )


def give_up(session: Session, webhook_id: int) -> None:
    """Wait no longer for anything that is queued for an address that has ended."""
    session.execute(
        update(Delivery)
        .where(Delivery.webhook_id == webhook_id, Delivery.state == DeliveryState.QUEUED)
        .values(state=DeliveryState.FAILED)
    )


def _delivery(webhook_id: int, message_id: int | None, now: datetime) -> Delivery:
    return Delivery(
        webhook_id=webhook_id,
        message_id=message_id,
        state=DeliveryState.QUEUED,
        queued_at=now,
        next_try_at=now,
    )


def _own(session: Session, actor: Actor, webhook_id: int) -> Webhook:
    require(actor, READ)
    row = lock(session, Webhook, webhook_id)
    if row.user_id != actor.user_id:
        raise NotFound()
    return row
