"""The yearly statistics of registered contracts as the ministry's form asks for them. Pure.

Bands, shares and the places of a chart; every share is floored to a tenth of a per cent, and the
rows of a table sum up to its total.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.foundation.words import Word


class Aspect(Word):
    """By what a year's contracts are broken down."""

    TYPE = "type", "合同类型"
    SUBTYPE = "subtype", "合同种类"
    FIELD = "field", "技术领域"
    IP_KIND = "ip_kind", "知识产权类型"
    BAND = "band", "成交规模"
    SELLER_PLACE = "seller_place", "卖方地区"
    BUYER_PLACE = "buyer_place", "买方地区"
    SELLER_NATURE = "seller_nature", "卖方性质"
    BUYER_NATURE = "buyer_nature", "买方性质"
    BUYER_SCALE = "buyer_scale", "买方规模"
    PLAN = "plan", "计划来源"
    OBJECTIVE = "objective", "社会经济目标"
    INDUSTRY = "industry", "国民经济行业"
    PAYMENT = "payment", "支付方式"


class Band(Word):
    """How large a contract's amount is; the lower bound belongs to the band."""

    TINY = "tiny", "10 万元以下"
    SMALL = "small", "10–50 万元"
    MIDDLE = "middle", "50–100 万元"
    LARGE = "large", "100–500 万元"
    MAJOR = "major", "500–1000 万元"
    GREAT = "great", "1000 万–1 亿元"
    GIANT = "giant", "1 亿元以上"


LOWER_BOUNDS: tuple[tuple[Fen, Band], ...] = tuple(
    (Fen(yuan * FEN_PER_YUAN), band)
    for yuan, band in (
        (100_000_000, Band.GIANT),
        (10_000_000, Band.GREAT),
        (5_000_000, Band.MAJOR),
        (1_000_000, Band.LARGE),
        (500_000, Band.MIDDLE),
        (100_000, Band.SMALL),
        (0, Band.TINY),
    )
)


@dataclass(frozen=True)
class Line:
    """One row of a table: contracts, their amounts, the share of the year's amount in per mille."""

    label: str
    count: int
    amount_fen: Fen
    technology_fen: Fen
    per_mille: int

    @property
    def share_text(self) -> str:
        """Write the share with one decimal."""
        return f"{self.per_mille // 10}.{self.per_mille % 10} %"


@dataclass(frozen=True)
class Table:
    """A year's contracts broken down by one aspect."""

    aspect: Aspect
    lines: tuple[Line, ...]

    @property
    def most_per_mille(self) -> int:
        """Return the largest share, against which bars are drawn."""
        return max((line.per_mille for line in self.lines), default=0)


def make_table(
    aspect: Aspect, rows: Iterable[tuple[str, int, int, int]], *, ordered: bool = False
) -> Table:
    """Make a table of (label, count, amount, technology amount); rows of one label are joined.

    The largest amount stands first, or the given order where it means something.
    """
    sums: dict[str, list[int]] = {}
    for label, *values in rows:
        known = sums.setdefault(label, [0, 0, 0])
        for position, value in enumerate(values):
            known[position] += value
    total = sum(values[1] for values in sums.values())
    lines = [
        Line(label, n, Fen(amount), Fen(technology), amount * 1000 // total if total else 0)
        for label, (n, amount, technology) in sums.items()
    ]
    if not ordered:
        lines.sort(key=lambda line: (-line.amount_fen, line.label))
    return Table(aspect, tuple(lines))


@dataclass(frozen=True)
class Column:
    """One column of a chart, placed on a ground of ``CHART_WIDTH`` by ``CHART_HEIGHT``."""

    label: str
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """Return where the label stands."""
        return self.x + self.width // 2


CHART_WIDTH = 720
CHART_HEIGHT = 160


def chart(values: Sequence[tuple[str, int]]) -> list[Column]:
    """Place the columns of a chart; a value above zero is at least a hair high."""
    if not values:
        return []
    most = max(value for _label, value in values)
    slot = CHART_WIDTH // len(values)
    width = slot * 3 // 5
    columns = []
    for position, (label, value) in enumerate(values):
        height = value * CHART_HEIGHT // most if most > 0 else 0
        height = max(height, 2) if value > 0 else 0
        columns.append(
            Column(
                label,
                position * slot + (slot - width) // 2,
                CHART_HEIGHT - height,
                width,
                height,
            )
        )
    return columns
