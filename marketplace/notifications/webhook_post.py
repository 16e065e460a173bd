"""Pushes on their way to members' systems, each attempt kept.

Sent outside any transaction and beside the worker's rounds, so that a slow system holds up nobody.
A push is claimed for a while, sent, and marked; who crashes in between sends it twice, and the
receiver knows it by its id.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.db import Database
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.outbound import Answer, Outbound, Refused
from marketplace.notifications import service, webhook_rules, webhook_service
from marketplace.notifications.models import Message
from marketplace.notifications.rules import MessageKind
from marketplace.notifications.webhook_models import Attempt, Delivery, Webhook
from marketplace.notifications.webhook_rules import DeliveryState, WebhookState

log = structlog.get_logger()

_AT_ONCE = 8
_ANSWER_KEPT = 300


class Secrets:
    """The secret of each address, drawn from the site's signing key: no table holds one."""

    def __init__(self, signing_key: str) -> None:
        drawn = HKDF(hashes.SHA256(), 32, salt=None, info=b"marketplace webhook")
        self._key = drawn.derive(signing_key.encode())

    def of(self, webhook_id: int, salt: str) -> str:
        """Return the secret with which the pushes to an address are signed."""
        proof = hmac.new(self._key, f"{webhook_id}:{salt}".encode(), hashlib.sha256).digest()
        return webhook_rules.SECRET_PREFIX + base64.b64encode(proof).decode()


class Clock(Protocol):
    """The machine's clock: receivers compare the time of signing with their own."""

    def now(self) -> datetime:
        """Return the present moment."""
        ...


@dataclass(frozen=True)
class Push:
    """One push as it leaves; ``name`` is the id by which a receiver knows it again."""

    delivery_id: int
    url: str
    secret: str
    body: bytes

    @property
    def name(self) -> str:
        """Return the id of the push, the same in every attempt."""
        return f"msg_{self.delivery_id}"


class WebhookPost:
    """Deliver queued pushes, each batch claimed, sent, then marked."""

    def __init__(
        self, outbound: Outbound, keys: Secrets, *, machine_clock: Clock, site_url: str
    ) -> None:
        self._outbound = outbound
        self._keys = keys
        self._machine_clock = machine_clock
        self._site_url = site_url.rstrip("/")

    def deliver_due(self, database: Database, *, now: datetime) -> int:
        """Send one batch of what is due, side by side; return how many pushes were tried."""
        with database.reading() as session:
            if session.scalar(_due(now).with_only_columns(Delivery.id).limit(1)) is None:
                return 0
        with database.transaction() as session:
            batch = self._claim(session, now=now)
        if batch:
            with ThreadPoolExecutor(len(batch)) as pool:
                answers = list(pool.map(self._send, batch))
            with database.transaction() as session:
                for push, answer in zip(batch, answers, strict=True):
                    _mark(session, push.delivery_id, answer, now=now)
        return len(batch)

    def _claim(self, session: Session, *, now: datetime) -> list[Push]:
        rows = session.scalars(_due(now).limit(_AT_ONCE).with_for_update(skip_locked=True)).all()
        batch = []
        for row in rows:
            hook = session.get_one(Webhook, row.webhook_id)
            if not _still_allowed(session, hook, now=now):
                continue
            row.next_try_at = now + webhook_rules.LEASE
            message = session.get(Message, row.message_id) if row.message_id else None
            secret = self._keys.of(hook.id, hook.salt)
            batch.append(Push(row.id, hook.url, secret, self._body(message, row.queued_at)))
        return batch

    def _body(self, message: Message | None, queued_at: datetime) -> bytes:
        told: dict[str, object] = {"title": "测试推送", "text": "收到这一条，推送就设置好了。"}
        if message is not None:
            told = {
                "title": message.title,
                "text": message.text,
                "page": message.endpoint,
                "parameters": message.params,
                "link": f"{self._site_url}/inbox/{message.id}",
            }
        whole = {
            "type": message.kind.value if message else "test",
            "timestamp": queued_at.astimezone(UTC).isoformat(),
            "data": told,
        }
        return json.dumps(whole, ensure_ascii=False).encode()

    def _send(self, push: Push) -> Answer | str:
        """Send one push; return the answer, or why there is none."""
        timestamp = int(self._machine_clock.now().timestamp())
        signed = webhook_rules.signature(
            push.secret, delivery=push.name, timestamp=timestamp, body=push.body
        )
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "jinan-technology-market",
            "webhook-id": push.name,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signed,
        }
        try:
            return self._outbound.post(push.url, push.body, headers)
        except (Refused, RuleBroken) as refusal:
            return str(refusal)
        except (OSError, http.client.HTTPException) as failure:
            return f"没有连上：{failure!r}"


def _due(now: datetime) -> Select[Delivery]:
    return (
        select(Delivery)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(
            Delivery.state == DeliveryState.QUEUED,
            Delivery.next_try_at <= now,
            Webhook.state == WebhookState.LIVING,
        )
        .order_by(Delivery.next_try_at, Delivery.id)
    )


def _still_allowed(session: Session, hook: Webhook, *, now: datetime) -> bool:
    """End an address whose owner no longer acts for the organisation; tell whether he does."""
    if hook.state is not WebhookState.LIVING:
        return False
    if accounts.actor_for(session, hook.user_id, hook.organisation_id) is not None:
        return True
    _stop(session, hook, WebhookState.ENDED, now=now)
    webhook_service.give_up(session, hook.id)
    return False


def _mark(session: Session, delivery_id: int, answer: Answer | str, *, now: datetime) -> None:
    delivery = session.get_one(Delivery, delivery_id)
    delivery.tries += 1
    status = answer.status if isinstance(answer, Answer) else None
    said = answer.text if isinstance(answer, Answer) else answer
    session.add(
        Attempt(delivery_id=delivery_id, tried_at=now, status=status, answer=said[:_ANSWER_KEPT])
    )
    if status is not None and webhook_rules.is_success(status):
        delivery.state = DeliveryState.DELIVERED
        return
    again = webhook_rules.next_try(delivery.tries, now=now)
    # A trial answers the person who waits for it, once.
    if again is not None and delivery.message_id is not None:
        delivery.next_try_at = again
        return
    delivery.state = DeliveryState.FAILED
    hook = session.get_one(Webhook, delivery.webhook_id)
    if delivery.message_id is None or hook.state is not WebhookState.LIVING:
        return
    _stop(session, hook, WebhookState.FAILING, now=now)
    service.tell(
        session,
        now=now,
        user_ids=[hook.user_id],
        news=service.News(
            kind=MessageKind.ACCOUNT,
            title=f"推送“{hook.name}”已停：多次送不到",
            text=f"一天里 {delivery.tries} 次都没有送到 {hook.url}，最后一次：{said[:100]}。"
            "修好后在推送页恢复；停下期间的消息在消息列表里。",
            endpoint="notifications.webhook",
            params={"webhook_id": hook.id},
            key=f"webhook:{hook.id}:failing:{delivery.id}",
        ),
    )


def _stop(session: Session, hook: Webhook, state: WebhookState, *, now: datetime) -> None:
    before, hook.state, hook.ended_at = hook.state, state, now
    log.info("webhook.stopped", webhook=hook.id, state=state.value)
    audit.record(
        session,
        actor=SYSTEM,
        action="notifications.stop_webhook",
        subject=f"webhook:{hook.id}",
        now=now,
        before={"state": before},
        after={"state": state},
    )
