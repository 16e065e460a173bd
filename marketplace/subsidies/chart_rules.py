"""Where the bars of a chart stand, drawn by the server; a table beside it has the figures. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 640
ROW = 56
BAR = 18
LABEL = 170


@dataclass(frozen=True)
class Pair:
    """Two bars of one row: before above, after below; ``y`` is the row's upper edge."""

    label: str
    y: int
    before: int
    after: int


def pairs(rows: Sequence[tuple[str, int, int]]) -> tuple[Pair, ...]:
    """Place (label, before, after) rows; a value above zero is at least a hair wide."""
    most = max((max(before, after) for _, before, after in rows), default=0)
    return tuple(
        Pair(label, place * ROW, _width(before, most), _width(after, most))
        for place, (label, before, after) in enumerate(rows)
    )


@dataclass(frozen=True)
class Bar:
    """One bar left or right of the middle: ``x`` is its left edge."""

    label: str
    y: int
    x: int
    width: int
    loss: bool


def diverging(rows: Sequence[tuple[str, int, bool]]) -> tuple[Bar, ...]:
    """Place (label, value, loss) rows: losses grow left of the middle, gains right of it."""
    most = max((value for _, value, _ in rows), default=0)
    half = (WIDTH - LABEL) // 2
    middle = LABEL + half
    placed = []
    for place, (label, value, loss) in enumerate(rows):
        width = max(2, value * half // most) if value else 0
        placed.append(
            Bar(label, place * (ROW // 2), middle - width if loss else middle, width, loss)
        )
    return tuple(placed)


def _width(value: int, most: int) -> int:
    return max(2, value * (WIDTH - LABEL) // most) if value else 0
