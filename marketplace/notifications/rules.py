"""Kinds of messages, which of them come by mail, and how often a mail is tried; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.foundation.access import SIGNED_IN, Permission, Role
from marketplace.foundation.words import Word


class MessageKind(Word):
    """What a message is about; a person chooses by kind what comes by mail."""

    ACCOUNT = "account", "单位与成员"
    ACHIEVEMENT = "achievement", "成果"
    NEED = "need", "需求"
    ASSESSMENT = "assessment", "评估"
    LISTING = "listing", "挂牌与竞价"
    DEAL = "deal", "撮合"
    CONTRACT = "contract", "技术合同"
    CLAIM = "claim", "补助"
    PUBLICITY = "publicity", "公示与异议"
    PAYMENT = "payment", "款项"
    SERVICE = "service", "服务与活动"
    SEARCH = "search", "订阅"


# What waits for an answer or runs out comes by mail unless a person says otherwise.
MAILED_BY_DEFAULT = frozenset(
    {
        MessageKind.ACCOUNT,
        MessageKind.NEED,
        MessageKind.ASSESSMENT,
        MessageKind.LISTING,
        MessageKind.DEAL,
        MessageKind.CONTRACT,
        MessageKind.CLAIM,
        MessageKind.PAYMENT,
        MessageKind.SERVICE,
        MessageKind.SEARCH,
    }
)


class MailState(Word):
    """Where a mail stands."""

    QUEUED = "queued", "待发送", "run"
    SENT = "sent", "已发送", "ok"
    FAILED = "failed", "没有送出", "danger"
    SKIPPED = "skipped", "过时未发", "neutral"


READ = SIGNED_IN
WATCH_MAIL = Permission("notifications.watch_mail", frozenset({Role.OPERATOR}))

MAX_TRIES = 8
FIRST_WAIT = timedelta(seconds=30)
# A mail older than this tells no news; the inbox still has it.
GIVE_UP_AFTER = timedelta(days=3)
# While one worker speaks to the mail server no other takes the same mail.
LEASE = timedelta(minutes=2)
REPEAT_WINDOW = timedelta(days=1)


def next_try(tries: int, *, now: datetime) -> datetime:
    """Return when a mail is tried again after its ``tries``-th failure: 30 s, 60 s, 120 s, …"""
    wait: timedelta = FIRST_WAIT * 2 ** max(0, tries - 1)
    return now + wait


def given_up(tries: int, *, queued_at: datetime, now: datetime) -> bool:
    """Tell whether a mail that failed is not tried any more."""
    return tries >= MAX_TRIES or queued_at < oldest_news(now)


def oldest_news(now: datetime) -> datetime:
    """Return the moment before which a queued mail tells no news."""
    return now - GIVE_UP_AFTER


def mailed(kind: MessageKind, choice: bool | None) -> bool:
    """Tell whether a kind comes by mail: as chosen, else by default."""
    return kind in MAILED_BY_DEFAULT if choice is None else choice
