"""How far chances told beforehand came true, and a broker's own word against the measured one.

Pure. Each closed deal is judged by what the deals closed before it would have said of it: a chance
that was measured with the deal itself in it would always look right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from marketplace.brokerage.chance_rules import chances, wilson
from marketplace.brokerage.rules import TALKING, DealStage
from marketplace.foundation.errors import RuleBroken

BANDS: tuple[tuple[int, int], ...] = ((0, 10), (10, 20), (20, 40), (40, 60), (60, 80), (80, 100))
"""From and to, in per cent; the last one holds its upper end."""

FEW = 10
"""Below this many cases a band says little, and the page says so (platform rule)."""

CHART = (800, 240)
"""Width and height of the chart's ground, in its own units."""


@dataclass(frozen=True)
class Ending:
    """How a deal ended: signed, or lost from the stage it had reached."""

    lost_from: DealStage | None

    @property
    def signed(self) -> bool:
        """Tell whether it came to a signature."""
        return self.lost_from is None


@dataclass(frozen=True)
class Told:
    """A chance told beforehand, 0 to 1, and whether it came true."""

    share: float
    came_true: bool


@dataclass(frozen=True)
class Band:
    """What was told within a band, and what happened, with a 95 % interval; shares 0 to 1."""

    low_percent: int
    high_percent: int
    count: int
    true_count: int
    told: float
    happened: float
    low: float
    high: float

    @property
    def label(self) -> str:
        """Return the band as a reader sees it."""
        return f"{self.low_percent}–{self.high_percent}%"

    @property
    def few(self) -> bool:
        """Tell whether it rests on too few cases to be trusted."""
        return self.count < FEW


def told_beforehand(endings: Iterable[Ending]) -> list[Told]:
    """Return what was told of each stage that each deal passed, by the deals closed before it.

    ``endings`` come in the order in which the deals were closed.
    """
    lost_from = dict.fromkeys(DealStage, 0)
    signed_count = 0
    found: list[Told] = []
    for ending in endings:
        measured = chances(lost_from, signed_count)
        found += [Told(measured[stage].share, ending.signed) for stage in _passed(ending)]
        if ending.lost_from is None:
            signed_count += 1
        else:
            lost_from[ending.lost_from] += 1
    return found


def _passed(ending: Ending) -> Sequence[DealStage]:
    if ending.lost_from is None or ending.lost_from not in TALKING:
        return TALKING
    return TALKING[: TALKING.index(ending.lost_from) + 1]


def bands(told: Iterable[Told]) -> tuple[Band, ...]:
    """Sort what was told into bands; bands in which nothing was told are left out."""
    sorted_in: list[list[Told]] = [[] for _ in BANDS]
    for each in told:
        place = next(
            (n for n, (_, high) in enumerate(BANDS) if each.share * 100 < high), len(BANDS) - 1
        )
        sorted_in[place].append(each)
    return tuple(
        _band(low, high, members)
        for (low, high), members in zip(BANDS, sorted_in, strict=True)
        if members
    )


def _band(low_percent: int, high_percent: int, members: Sequence[Told]) -> Band:
    count = len(members)
    true_count = sum(each.came_true for each in members)
    low, high = wilson(true_count / count, count)
    return Band(
        low_percent,
        high_percent,
        count,
        true_count,
        sum(each.share for each in members) / count,
        true_count / count,
        low,
        high,
    )


def check_override(percent: int | None, reason: str) -> tuple[int, str]:
    """Return a broker's own chance and his reason; refuse certainty, and a word without reason."""
    if percent is None or not 1 <= percent <= 99:
        raise RuleBroken("chance.percent", "请填 1 到 99 之间的整数", "percent")
    words = reason.strip()
    if len(words) < 5:
        raise RuleBroken(
            "chance.reason", "请写明为什么与测算不同（至少 5 个字），以后对照结果时用得上", "reason"
        )
    return percent, words
