"""Words of the statistics, targets and how a figure stands against them; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.access import PUBLIC, Permission, Role
from marketplace.foundation.words import Word


class Measure(Word):
    """What is counted, one fact for one thing."""

    ACHIEVEMENT_PUBLISHED = "achievement_published", "发布成果"
    ACHIEVEMENT_ASSESSED = "achievement_assessed", "申请评估的成果"
    ACHIEVEMENT_VALUED = "achievement_valued", "评估报告备案"
    ACHIEVEMENT_LISTED = "achievement_listed", "挂牌成果"
    NEED_OPENED = "need_opened", "公开需求"
    INTENT_REGISTERED = "intent_registered", "受让意向"
    LISTING_AWARDED = "listing_awarded", "挂牌成交"
    DEAL_OPENED = "deal_opened", "撮合项目"
    DEAL_LOST = "deal_lost", "未成的撮合"
    CLAIM_PAID = "claim_paid", "支付的补助"
    SERVICE_CONFIRMED = "service_confirmed", "办结的服务委托"


class Side(Word):
    """From whose side a contract is counted for a district."""

    SELLER = "seller", "输出（卖方所在地）"
    BUYER = "buyer", "吸纳（买方所在地）"


SEE_BOARD = PUBLIC
SEE_DESK = Permission("statistics.desk", frozenset({Role.OPERATOR, Role.BUREAU_REVIEWER}))

# The measures of the operator's monthly funnel, in the order of the way.
FUNNEL = (
    Measure.ACHIEVEMENT_PUBLISHED,
    Measure.NEED_OPENED,
    Measure.ACHIEVEMENT_ASSESSED,
    Measure.ACHIEVEMENT_LISTED,
    Measure.INTENT_REGISTERED,
    Measure.LISTING_AWARDED,
    Measure.DEAL_OPENED,
)


@dataclass(frozen=True)
class Standing:
    """A live figure against a target; both in the target's unit, amounts in fen."""

    value: int
    target: int

    @property
    def per_mille(self) -> int:
        """Return how much of the target is reached, rounded down; above 1000 when passed."""
        return 0 if self.target <= 0 else self.value * 1000 // self.target

    @property
    def percent_text(self) -> str:
        """Write the share with one decimal, ``79.7 %``."""
        return f"{self.per_mille // 10}.{self.per_mille % 10} %"

    @property
    def reached(self) -> bool:
        """Tell whether the target is met."""
        return self.value >= self.target


def counted_year(due_on: date, today: date) -> int:
    """Return the year in which a yearly target is counted: its own, or this year before it."""
    return min(due_on.year, today.year)


def chosen_year(asked: str, today: date, *, first: int) -> int:
    """Return the year a reader asked for, or this year; never one without data or to come."""
    year = int(asked) if asked.isdigit() and len(asked) == 4 else today.year
    return year if first <= year <= today.year else today.year


@dataclass(frozen=True)
class Share:
    """One line of a breakdown: a count, an amount in fen, and its bar against the largest."""

    label: str
    count: int
    amount_fen: int
    percent: int


def with_bars(lines: Sequence[tuple[str, int, int]]) -> list[Share]:
    """Give each (label, count, amount) its bar, the largest amount first, 100 the longest."""
    most = max((amount for _label, _count, amount in lines), default=0)
    shares = [
        Share(label, count, amount, amount * 100 // most if most else 0)
        for label, count, amount in lines
    ]
    return sorted(shares, key=lambda share: (-share.amount_fen, share.label))


@dataclass(frozen=True)
class Column:
    """One column of a chart; a slot is ``SLOT`` wide, the chart ``CHART_HEIGHT`` high."""

    label: str
    x: int
    y: int
    width: int
    height: int


CHART_HEIGHT = 160
SLOT = 60
_COLUMN = 36


def columns(values: Sequence[tuple[str, int]]) -> list[Column]:
    """Place the columns of a chart; a value above zero is at least a hair high."""
    most = max((value for _label, value in values), default=0)
    placed = []
    for position, (label, value) in enumerate(values):
        height = value * CHART_HEIGHT // most if most else 0
        if value > 0:
            height = max(height, 2)
        placed.append(
            Column(
                label,
                position * SLOT + (SLOT - _COLUMN) // 2,
                CHART_HEIGHT - height,
                _COLUMN,
                height,
            )
        )
    return placed
