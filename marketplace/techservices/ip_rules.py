"""知识产权: filing, change, recordal, annual fee, watch."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from marketplace.achievements.ip_rules import last_day, number_key, number_problem
from marketplace.achievements.rules import IPKind, IPRight
from marketplace.foundation.errors import Problem
from marketplace.techservices.rules import ServiceKind

# 专利法实施细则 (2024): an annual fee can still be paid, with a surcharge, for six months.
GRACE = timedelta(days=183)


def next_fee_on(right: IPRight, today: date) -> date | None:
    """Return by when a granted patent's next annual fee is to be paid; None when it is over.

    The fee of each year is paid before the anniversary of the filing (专利法实施细则): who files on
    a 29 February pays by the 28th in other years.
    """
    if right.filed_on is None:
        return None
    due = _anniversary(right.filed_on, today.year)
    if due < today:
        due = _anniversary(right.filed_on, today.year + 1)
    ends = last_day(right)
    return None if ends is not None and due >= ends else due


def _anniversary(filed_on: date, year: int) -> date:
    try:
        return filed_on.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


@dataclass(frozen=True)
class AnnualFee:
    """One patent whose annual fee comes due."""

    achievement_id: int
    right: IPRight
    due_on: date


def fees_due(
    patents: Iterable[tuple[int, IPRight]],
    ordered: Container[tuple[str, date]],
    *,
    today: date,
    within_days: int,
) -> list[AnnualFee]:
    """List the fees that come due soon, each right once; what is ordered already is left out.

    ``ordered`` holds (key of the number, deadline) of the orders that take care of a fee.
    """
    found: dict[str, AnnualFee] = {}
    for achievement_id, right in patents:
        due = next_fee_on(right, today)
        key = number_key(right.number)
        if due is None or key in found or (due - today).days > within_days:
            continue
        if (key, due) not in ordered:
            found[key] = AnnualFee(achievement_id, right, due)
    return sorted(found.values(), key=lambda fee: (fee.due_on, fee.right.number))


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
