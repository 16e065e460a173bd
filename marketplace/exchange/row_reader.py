"""Reads the rows of one import into contents, by its columns. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.exchange.row_rules import ReadRow, read_achievement, read_need
from marketplace.exchange.rules import ImportKind, unit_of
from marketplace.exchange.tables import TableRow


@dataclass(frozen=True)
class Reader:
    """Reads the rows of one import into contents."""

    kind: ImportKind
    header: Sequence[str]
    mapping: Mapping[str, int]
    organisation_id: int
    organisation_name: str
    today: date

    def read(self, row: TableRow) -> ReadRow:
        """Read one row; a broken one is refused with what broke it."""
        values = {key: row.cells[at] for key, at in self.mapping.items()}
        if row.broken:
            title = values.get("title") or values.get("problem", "")
            return ReadRow(title[:60], refused=row.broken)
        money = "price" if self.kind is ImportKind.ACHIEVEMENTS else "budget"
        unit = unit_of(self.header[self.mapping[money]]) if money in self.mapping else "元"
        if self.kind is ImportKind.NEEDS:
            return read_need(values, today=self.today, unit=unit)
        return read_achievement(
            values,
            organisation_id=self.organisation_id,
            organisation_name=self.organisation_name,
            today=self.today,
            unit=unit,
        )
