"""What presses a person on a deal today, and how much. Pure."""

from __future__ import annotations

from marketplace.brokerage.rules import DealStage
from marketplace.foundation.words import Word


class Pressing(Word):
    """Why a deal is on somebody's list today."""

    OVERDUE = "overdue", "已超期", "danger"
    DUE_TODAY = "due_today", "今天到期", "warn"
    ASKED = "asked", "企业等答复", "warn"
    STALE = "stale", "久未联系", "warn"
    NO_NEXT = "no_next", "没有下一步", "warn"
    WAITING = "waiting", "等对方", "neutral"
    COMING = "coming", "以后到期", "neutral"


URGENCY: dict[Pressing, float] = {
    Pressing.OVERDUE: 4.0,
    Pressing.DUE_TODAY: 3.0,
    Pressing.ASKED: 2.5,
    Pressing.STALE: 2.0,
    Pressing.NO_NEXT: 1.5,
    Pressing.WAITING: 1.0,
    Pressing.COMING: 1.0,
}
"""What the expected worth of a deal is multiplied by to order the list (platform rule)."""

NOW = (
    Pressing.OVERDUE,
    Pressing.DUE_TODAY,
    Pressing.ASKED,
    Pressing.STALE,
    Pressing.NO_NEXT,
)
"""What asks for something to be done today; the rest is only shown."""

WAITS_FOR: dict[DealStage, str] = {
    DealStage.CONFIDENTIALITY: "等买方接受保密协议",
    DealStage.SIGNED: "等登记机构登记技术合同",
    DealStage.REGISTERED: "等买方付款",
}
"""Whose turn it is where the deal does not go on by its leader."""


class CallOutcome(Word):
    """Whether somebody answered the telephone."""

    REACHED = "reached", "已通话"
    MISSED = "missed", "没接通"


AFTER_CALL = {CallOutcome.REACHED: "回访", CallOutcome.MISSED: "再打电话"}
"""The next step that is set when a call is logged without one."""

FOLLOW_UP = "继续跟进"
"""The next step that is set when only its day was chosen."""
