"""The match desk: what a broker may do with a pair, and the text that begins a talk. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.achievements.rules import AchievementContent, Comparison
from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen, scale
from marketplace.foundation.words import Word
from marketplace.needs.rules import NeedContent

WORK = Permission("discovery.work_desk", frozenset({Role.BROKER}))

LEAST_FIT = 30
"""From which fit on a pair is worth a broker's time (platform rule)."""

_LONGEST_SNOOZE = timedelta(days=365)
_LINES = 4
_LONGEST_PART = 120


class DeskState(Word):
    """What a broker has done with a pair."""

    SNOOZED = "snoozed", "推迟"
    DISMISSED = "dismissed", "不合适"
    PROPOSED = "proposed", "已提出对接"


class DismissReason(Word):
    """Why a broker lays a pair aside."""

    OTHER_TECHNOLOGY = "other_technology", "技术不对口"
    FIGURES = "figures", "指标达不到"
    TOO_EARLY = "too_early", "成熟度不够"
    PRICE = "price", "价格差太远"
    KNOWN = "known", "双方早已接触"
    NOT_MINE = "not_mine", "不是我的方向"
    OTHER = "other", "其他"


UNFITTING = frozenset(
    {
        DismissReason.OTHER_TECHNOLOGY,
        DismissReason.FIGURES,
        DismissReason.TOO_EARLY,
        DismissReason.PRICE,
    }
)
"""The reasons that say something about the match, and therefore teach the ranking."""


def check_snooze(until: date | None, *, today: date) -> date:
    """Return the day until which a pair rests; refuse one in the past or too far."""
    if until is None or until <= today:
        raise RuleBroken("desk.until", "请选择今天以后的日期", "until")
    if until - today > _LONGEST_SNOOZE:
        raise RuleBroken("desk.until_far", "最多推迟一年；不想再看到请选“不合适”的原因", "until")
    return until


def check_dismissal(reason: DismissReason, words: str) -> str:
    """Return the trimmed words; another reason than those of the list must be said."""
    text = words.strip()
    if reason is DismissReason.OTHER and len(text) < 4:
        raise RuleBroken("desk.words", "选“其他”时请写几个字说明原因（至少 4 个字）", "words")
    return text


@dataclass(frozen=True)
class Point:
    """One point of a match: ``tone`` yes, half or no; as ``matches.Check`` holds it."""

    tone: str
    label: str
    text: str


def draft(
    need: NeedContent,
    achievement: AchievementContent,
    points: Sequence[Point],
    *,
    buyer_name: str,
    seller_name: str,
) -> str:
    """Write the plain text with which a broker brings two sides together, to be edited.

    It says what is asked for, what is offered with its figures, and what is missing; it holds only
    what the two contents hand over, which are those that its reader may see.
    """
    asked = [f"需求：{buyer_name or '一家企业（匿名）'}，{need.title}。"]
    asked += [f"要解决：{_short(need.problem)}"] if need.problem else []
    asked += [
        f"· {line.name}要达到 {line.target}{line.unit}"
        + (f"，现在 {line.present}{line.unit}" if line.present else "")
        for line in need.indicators[:_LINES]
    ]
    if need.budget_max_fen is not None:
        asked.append(f"· 预算不超过 {_amount(need.budget_max_fen)}")
    offered = [f"成果：{seller_name}，{achievement.title}。"]
    offered += [f"做法：{_short(achievement.solution)}"] if achievement.solution else []
    offered += [_figure(line) for line in achievement.comparison[:_LINES]]
    if achievement.trl is not None:
        offered.append(f"· 成熟度 {achievement.trl} 级")
    if achievement.price_fen is not None:
        offered.append(f"· 期望价格 {_amount(achievement.price_fen)}")
    open_points = [f"· {each.label}：{each.text}" for each in points if each.tone != "yes"]
    missing = ["还要弄清：", *open_points[:_LINES]] if open_points else []
    end = ["如果愿意进一步了解，请在平台上答复，我来安排双方交流。"]
    return "\n\n".join("\n".join(part) for part in (asked, offered, missing, end) if part)


def _figure(line: Comparison) -> str:
    other = (
        f"（{line.alternative} {line.alternative_value}{line.unit}）" if line.alternative else ""
    )
    return f"· {line.indicator} {line.value}{line.unit}{other}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_PART else line[: _LONGEST_PART - 1] + "…"


def _amount(amount: Fen) -> str:
    figure, unit = scale(amount)
    return f"{figure} {unit}"
