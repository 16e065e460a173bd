"""How long a token lives, how many there are, and when one counts no more. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.words import Word

PREFIX = "jtm_"
MOST_DAYS = 366
MOST_LIVING = 20
NAME_LONGEST = 60


class TokenState(Word):
    """Whether a token opens anything."""

    LIVING = "living", "有效", "ok"
    EXPIRED = "expired", "已过期", "neutral"
    REVOKED = "revoked", "已撤销", "danger"


def state_of(*, expires_at: datetime, revoked_at: datetime | None, now: datetime) -> TokenState:
    """Return whether a token opens anything at a moment."""
    if revoked_at is not None:
        return TokenState.REVOKED
    return TokenState.LIVING if now < expires_at else TokenState.EXPIRED


def expiry(now: datetime, days: int) -> datetime:
    """Return when a token ends; a year and a day at most."""
    if not 1 <= days <= MOST_DAYS:
        raise RuleBroken(
            "tokens.days", f"有效期应在 1 到 {MOST_DAYS} 天之间；到期前可以新建一个换上", "days"
        )
    return now + timedelta(days=days)


def check_new(name: str, scopes: Collection[object], living_count: int) -> None:
    """Refuse a token without a name or scope, and one too many."""
    if not name.strip() or len(name) > NAME_LONGEST:
        raise RuleBroken(
            "tokens.name", f"请写明给哪个系统用，1 到 {NAME_LONGEST} 个字，以后凭它分辨", "name"
        )
    if not scopes:
        raise RuleBroken("tokens.scopes", "请至少勾选一个范围，令牌只能办勾选的事", "scopes")
    if living_count >= MOST_LIVING:
        raise Conflict(
            "tokens.too_many", f"有效的令牌已有 {MOST_LIVING} 个；请先撤销不用的，再新建"
        )
