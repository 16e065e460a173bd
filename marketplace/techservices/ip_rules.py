"""知识产权: filing, change, recordal, annual fee, watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.achievements.ip_rules import number_problem
from marketplace.achievements.rules import IPKind, IPRight
from marketplace.foundation.errors import Problem
from marketplace.techservices.rules import ServiceKind

# 专利法实施细则 (2024): an annual fee can still be paid, with a surcharge, for six months.
GRACE = timedelta(days=183)


@dataclass(frozen=True)
class IPDetails:
    """Which right it is about, and by when something must happen to it."""

    right_kind: IPKind
    right_title: str
    right_number: str = ""
    deadline_on: date | None = None


def check(kind: ServiceKind, details: IPDetails, *, today: date) -> list[Problem]:
    """List what is missing or cannot be: a number for everything but a filing, a day for a fee."""
    problems = []
    if not details.right_title.strip():
        problems.append(Problem("ip.title", "请写明权利或发明的名称", "right_title"))
    if kind is not ServiceKind.FILING and not details.right_number.strip():
        problems.append(Problem("ip.number", f"{kind.label}要写明申请号或专利号", "right_number"))
    wrong = number_problem(IPRight(details.right_kind, details.right_number))
    if wrong:
        problems.append(Problem("ip.number_wrong", wrong, "right_number"))
    if kind is ServiceKind.ANNUAL_FEE:
        if details.deadline_on is None:
            problems.append(Problem("ip.no_deadline", "请写明年费的缴纳期限", "deadline_on"))
        elif details.deadline_on + GRACE < today:
            problems.append(
                Problem(
                    "ip.lapsed",
                    "缴纳期限已过六个月补缴期，权利已经终止；请先向知识产权局核实能否恢复",
                    "deadline_on",
                )
            )
    return problems


def facts(details: IPDetails) -> list[tuple[str, str]]:
    """List the details for the page."""
    return [
        ("权利类型", details.right_kind.label),
        ("权利名称", details.right_title),
        ("申请号或专利号", details.right_number),
        ("期限", details.deadline_on.isoformat() if details.deadline_on else ""),
    ]
