"""Saved searches: who may keep them, how often they tell, when they are looked at next. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.clock import LOCAL, local_date
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.words import Word

# A search shows nothing that its keeper could not find by hand, so nobody needs to be verified.
SUBSCRIBE = Permission("discovery.subscribe", frozenset(Role), verified=False)

NAME_MAX = 60
MOST_KEPT = 50
# A message names so many of them and counts the rest.
MOST_NAMED = 8

# Digests go out when the working day begins.
_MORNING = time(8, 0)
_MONDAY = 0
# What is told at once is also looked at without a cause: an engine may have been away.
_AT_LEAST = timedelta(minutes=10)


class Frequency(Word):
    """How often a saved search tells what is new."""

    IMMEDIATE = "immediate", "立即"
    DAILY = "daily", "每日"
    WEEKLY = "weekly", "每周"


def next_look(frequency: Frequency, now: datetime) -> datetime:
    """Return when a search is looked at after a look at ``now``: the next morning or Monday."""
    if frequency is Frequency.IMMEDIATE:
        return now + _AT_LEAST
    morning = datetime.combine(local_date(now), _MORNING, tzinfo=LOCAL)
    if frequency is Frequency.WEEKLY:
        morning += timedelta(days=(_MONDAY - morning.weekday()) % 7)
    step = timedelta(days=1 if frequency is Frequency.DAILY else 7)
    return morning if morning > now else morning + step


def check_name(name: str) -> str:
    """Return the name as it is kept; refuse an empty or overlong one."""
    kept = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if not kept:
        raise RuleBroken(
            "discovery.name", "请给这个订阅起一个名字，以后在“我的订阅”里认得出", "name"
        )
    if len(kept) > NAME_MAX:
        raise RuleBroken(
            "discovery.name", f"名字最多 {NAME_MAX} 个字，现在有 {len(kept)} 个", "name"
        )
    return kept


def check_room(kept: int) -> None:
    """Refuse one more search than a person may keep."""
    if kept >= MOST_KEPT:
        raise Conflict(
            "discovery.too_many",
            f"您已有 {kept} 个订阅，最多 {MOST_KEPT} 个；请先在“我的订阅”里删去不用的",
        )


def headline(name: str, count: int) -> str:
    """Return the title of a message about new results."""
    return f"“{name}”有 {count} 条新内容"


def digest(titles: list[str]) -> str:
    """Return the text of a message: the first few new results by title, the rest by number."""
    lines = [f"{number}. {title}" for number, title in enumerate(titles[:MOST_NAMED], 1)]
    if len(titles) > MOST_NAMED:
        lines.append(f"还有 {len(titles) - MOST_NAMED} 条，打开订阅查看。")
    return "\n".join([*lines, "不想再收到，可以在“我的订阅”里暂停或删除。"])
