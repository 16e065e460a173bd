"""Which messages are pushed to a member's own system, how they are signed and tried again. Pure.

The form follows the Standard Webhooks specification (webhook-id, webhook-timestamp and
webhook-signature; HMAC-SHA256 over id, time and body).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from marketplace.foundation.words import Word

MOST_LIVING = 5
# The first try, then after each of these: a system that is down over a night misses nothing.
WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
)
# While one courier speaks to a system no other takes the same delivery.
LEASE = timedelta(minutes=1)
SECRET_PREFIX = "whsec_"  # noqa: S105 -- the mark by which libraries know a secret


class WebhookState(Word):
    """Whether messages are pushed to an address."""

    LIVING = "living", "推送中", "ok"
    FAILING = "failing", "多次送不到，已停", "danger"
    ENDED = "ended", "已停用", "neutral"


class DeliveryState(Word):
    """Where one push stands."""

    QUEUED = "queued", "待送", "run"
    DELIVERED = "delivered", "已送达", "ok"
    FAILED = "failed", "没有送到", "danger"


def next_try(tries: int, *, now: datetime) -> datetime | None:
    """Return when a push is tried again after its ``tries``-th failure, or None: given up."""
    return now + WAITS[tries - 1] if tries <= len(WAITS) else None


def is_success(status: int) -> bool:
    """Tell whether a system took a push: any 2xx; a redirection is none."""
    return 200 <= status < 300


def signature(secret: str, *, delivery: str, timestamp: int, body: bytes) -> str:
    """Sign a push with a secret that begins with ``whsec_``."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{delivery}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
