"""The IP rights of a listing: in force when it is announced and again when it is signed.

专利法第五十一条: while an open licence stands, no exclusive or sole licence may be granted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.achievements import ip_rules
from marketplace.achievements.rules import IPRight, LegalStatus
from marketplace.foundation.errors import Problem, raise_if_any
from marketplace.foundation.trade import TradingMode
from marketplace.foundation.words import Word


class CheckMoment(Word):
    """When the rights of a listing are looked at."""

    LISTING = "listing", "公告前"
    SIGNING = "signing", "签约前"


EXCLUSIVE = frozenset(
    {TradingMode.TRANSFER, TradingMode.LICENCE_EXCLUSIVE, TradingMode.LICENCE_SOLE}
)
"""Modes after which nobody else may be given the right."""

_PATENT_ONLY = frozenset({LegalStatus.GRANTED})


@dataclass(frozen=True)
class RightFinding:
    """What was found of one right on a day; ``problem`` is empty when it may be traded."""

    title: str
    number: str
    kind: str
    status: str
    open_licensed: bool
    problem: str


def look_at(rights: Sequence[IPRight], mode: TradingMode, *, on: date) -> list[RightFinding]:
    """Look at every right as its record stands on a day, for one trading mode."""
    return [
        RightFinding(
            right.title or "未写名称",
            right.number,
            right.kind.label if right.kind else "待核实",
            right.legal_status.label,
            right.open_licensed,
            _problem(right, mode, on),
        )
        for right in rights
    ]


def _problem(right: IPRight, mode: TradingMode, on: date) -> str:
    if ip_rules.is_over(right, on):
        return "已失效或已过保护期，不能交易"
    if right.legal_status is LegalStatus.UNKNOWN:
        return "法律状态待核实，请先在成果中更新"
    if right.open_licensed and mode in EXCLUSIVE:
        return f"已声明开放许可，不能再{mode.label}；请先撤回开放许可声明，或改为普通许可"
    if mode is TradingMode.OPEN_LICENCE and right.legal_status not in _PATENT_ONLY:
        return "开放许可只适用于已授权的专利"
    return ""


def check(findings: Sequence[RightFinding], moment: CheckMoment) -> None:
    """Refuse to go on while a right cannot be traded; each one is named with its reason."""
    raise_if_any(
        Problem(
            "listings.right",
            f"{moment.label}核对知识产权：{found.title}{found.number and f'（{found.number}）'}，"
            f"{found.problem}",
        )
        for found in findings
        if found.problem
    )
