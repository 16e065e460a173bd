"""The geometry of a radar chart: where its rings, spokes, labels and values lie.

Coordinates are for a view box 360 wide and 300 high. Every chart has its table beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 360, 300
_CENTRE_X, _CENTRE_Y, _RADIUS = 180.0, 152.0, 104.0
RINGS = (25, 50, 75, 100)


@dataclass(frozen=True)
class Spoke:
    """One axis: its end, its label with its place and anchor, and the value's point."""

    label: str
    value_text: str
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str
    value_x: float
    value_y: float


@dataclass(frozen=True)
class Radar:
    """All that the template draws; polygons are ``x,y`` pairs as SVG writes them."""

    spokes: tuple[Spoke, ...]
    rings: tuple[str, ...]
    shape: str
    low_shape: str
    high_shape: str


def radar(
    labels: Sequence[str],
    tenths: Sequence[int],
    lows: Sequence[int] = (),
    highs: Sequence[int] = (),
) -> Radar:
    """Lay out values in tenths of a point, 0–1000; ``lows`` and ``highs`` are their range."""
    count = len(labels)
    spokes = []
    for index, (label, value) in enumerate(zip(labels, tenths, strict=True)):
        x, y = _point(index, count, 1000)
        label_x, label_y = _point(index, count, 1160)
        value_x, value_y = _point(index, count, value)
        side = label_x - _CENTRE_X
        anchor = "middle" if abs(side) < 8 else "start" if side > 0 else "end"
        text = f"{value // 10}.{value % 10}"
        spokes.append(Spoke(label, text, x, y, label_x, label_y, anchor, value_x, value_y))
    return Radar(
        tuple(spokes),
        tuple(_polygon([ring * 10] * count) for ring in RINGS),
        _polygon(tenths),
        _polygon(lows) if lows else "",
        _polygon(highs) if highs else "",
    )


def _point(index: int, count: int, tenths: int) -> tuple[float, float]:
    angle = 2 * math.pi * index / count - math.pi / 2
    reach = _RADIUS * tenths / 1000
    return (
        round(_CENTRE_X + reach * math.cos(angle), 1),
        round(_CENTRE_Y + reach * math.sin(angle), 1),
    )


def _polygon(tenths: Sequence[int]) -> str:
    points = (_point(index, len(tenths), value) for index, value in enumerate(tenths))
    return " ".join(f"{x},{y}" for x, y in points)
