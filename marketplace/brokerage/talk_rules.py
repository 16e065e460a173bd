"""Meetings and site visits of a deal: times proposed, one fixed, minutes with tasks. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word

MOST_SLOTS = 5
_LONGEST = timedelta(hours=12)


class TalkKind(Word):
    """How people meet."""

    OFFICE = "office", "面谈"
    SITE = "site", "现场考察"
    ONLINE = "online", "线上会议"


class TalkState(Word):
    """Where a meeting stands."""

    PROPOSED = "proposed", "等各方选时间", "neutral"
    FIXED = "fixed", "时间已定", "run"
    HELD = "held", "已有纪要", "ok"
    CANCELLED = "cancelled", "已取消", "neutral"


@dataclass(frozen=True)
class Slot:
    """A proposed time; both ends are aware moments."""

    starts_at: datetime
    ends_at: datetime


def check_proposal(topic: str, slots: Sequence[Slot], *, now: datetime) -> str:
    """Return the trimmed topic; refuse a proposal without a usable time."""
    problems: list[Problem] = []
    text = topic.strip()
    if len(text) < 2:
        problems.append(Problem("talk.topic", "请写明谈什么、看什么", "topic"))
    if not slots:
        problems.append(Problem("talk.no_slot", "请至少给出一个时间供对方选择", "slots"))
    if len(slots) > MOST_SLOTS:
        problems.append(Problem("talk.many_slots", f"最多给 {MOST_SLOTS} 个时间", "slots"))
    for slot in slots:
        if slot.starts_at <= now:
            problems.append(Problem("talk.past", "时间已经过去，请改成以后的时间", "slots"))
        if not timedelta(0) < slot.ends_at - slot.starts_at <= _LONGEST:
            problems.append(
                Problem("talk.order", "结束时间应在开始之后，一次不超过 12 小时", "slots")
            )
    if len({slot.starts_at for slot in slots}) != len(slots):
        problems.append(Problem("talk.same_slot", "同一个时间只写一行", "slots"))
    raise_if_any(problems)
    return text


def check_fix(state: TalkState, *, suits_others: bool, starts_at: datetime, now: datetime) -> None:
    """Refuse to fix a time that is over, that no other side has said yes to, or a second time."""
    if state is not TalkState.PROPOSED:
        raise Conflict("talk.state", f"这次会议{state.label}，不能再定时间；请刷新页面")
    if starts_at <= now:
        raise RuleBroken("talk.past", "这个时间已经过去，请选另一个或重新约时间")
    if not suits_others:
        raise RuleBroken("talk.nobody", "还没有别的一方说这个时间可以；请等对方选择")


def check_minutes(state: TalkState, text: str, *, starts_at: datetime | None, now: datetime) -> str:
    """Return the trimmed minutes; refuse them before the meeting, twice, and empty ones."""
    if state is not TalkState.FIXED:
        raise Conflict("talk.state", f"这次会议{state.label}，不能写纪要；请刷新页面")
    if starts_at is None or starts_at > now:
        raise RuleBroken("talk.not_yet", "会议还没有开始，开过以后再写纪要", "minutes")
    words = text.strip()
    if len(words) < 10:
        raise RuleBroken("talk.minutes", "请用至少 10 个字写明谈了什么、定了什么", "minutes")
    return words


def check_open(state: TalkState) -> None:
    """Refuse to change a meeting that is over."""
    if state not in (TalkState.PROPOSED, TalkState.FIXED):
        raise Conflict("talk.over", f"这次会议{state.label}，不能再改；请刷新页面")
