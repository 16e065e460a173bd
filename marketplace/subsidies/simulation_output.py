"""Simulate a year from two files and write the answer as JSON, as a table or as a workbook."""

from __future__ import annotations

import json
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import xlsxwriter

from marketplace.foundation.money import FEN_PER_YUAN, Fen, format_yuan
from marketplace.subsidies.registers import read_organisations
from marketplace.subsidies.simulation_rules import Line, Plan
from marketplace.subsidies.simulation_tables import Tables, opened
from marketplace.subsidies.trace_rules import Party
from marketplace.subsidies.word_rules import Reason

# An .xlsx sheet ends after 1,048,576 rows; the next contracts stand in another sheet.
SHEET_ROWS = 1_000_000

_LINE_HEADS = ("统一社会信用代码", "名称", "项目", "文件", "金额（元）")
_PART_HEADS = ("统一社会信用代码", "项目", "合同登记编号", "组", "基数（元）", "计入", "不计原因")


@dataclass(frozen=True)
class Simulation:
    """A year's lines, by code and item; ``firsts`` are the places of their first contracts."""

    plan: Plan
    parties: dict[str, Party]
    lines: tuple[Line, ...]
    firsts: tuple[int, ...]
    tables: Tables

    @property
    def total_fen(self) -> Fen:
        """Return what all lines make together."""
        return Fen(sum(line.amount_fen for line in self.lines))


@contextmanager
def simulated(plan: Plan, organisations: Path, contracts: Path) -> Iterator[Simulation]:
    """Simulate a plan's year; bad input raises ``BadInput`` before anything is yielded."""
    parties = read_organisations(organisations)
    with opened(plan) as tables:
        tables.load(contracts, parties)
        verdicts = tables.judge()
        countings = {
            item: [plan.counting(item, verdict) for verdict in listed]
            for item, listed in verdicts.items()
        }
        found = [
            (line, firsts[line.item])
            for party, sums, firsts in tables.sums(parties)
            for line in plan.lines_of(party, sums, countings)
        ]
        found.sort(key=lambda pair: (pair[0].key, str(pair[0].item)))
        lines = tuple(line for line, _ in found)
        places = {key: place for place, key in enumerate(parties)}
        tables.prepare_parts(lines, verdicts, places)
        yield Simulation(plan, parties, lines, tuple(first for _, first in found), tables)


def write_json(out: BinaryIO, made: Simulation) -> None:
    """Write one JSON object; the contracts come from the tables and are never held in memory."""
    heads = [
        ("]}," if number else "")
        + json.dumps(
            {
                "uscc": line.key,
                "item": line.item.value,
                "policy": line.policy.id,
                "amount": yuan_text(line.amount_fen),
                "contracts": [],
            }
        ).removesuffix("]}")
        for number, line in enumerate(made.lines)
    ]
    total = yuan_text(made.total_fen)
    out.write(f'{{"year": {made.plan.year}, "total": "{total}", "lines": [\n'.encode())
    if heads:
        with made.tables.write_parts(heads, made.firsts).open("rb") as parts:
            shutil.copyfileobj(parts, out, 1 << 20)
        out.write(b"]}\n")
    out.write(b"]}\n")


def write_table(out: TextIO, made: Simulation) -> None:
    """Write a line of text for each line, its columns under each other, and the total."""
    rows = [_LINE_HEADS, *(_line_row(made, line) for line in made.lines)]
    rows.append(("合计", "", "", "", format_yuan(made.total_fen)))
    widths = [max(_width(row[place]) for row in rows) for place in range(len(_LINE_HEADS))]
    for row in rows:
        cells = [cell + " " * (widths[place] - _width(cell)) for place, cell in enumerate(row[:-1])]
        amount = " " * (widths[-1] - _width(row[-1])) + row[-1]
        out.write("  ".join([*cells, amount]) + "\n")


def write_workbook(out: BinaryIO, made: Simulation) -> None:
    """Write a workbook: a sheet of lines, and the contracts with their bases or their reasons."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        money = book.add_format({"num_format": "#,##0.00"})
        bold = book.add_format({"bold": True})
        sheet = _sheet(book, "补助", _LINE_HEADS, bold)
        for number, line in enumerate(made.lines, start=1):
            sheet.write_row(number, 0, _line_row(made, line)[:-1])
            _write_yuan(sheet, number, 4, line.amount_fen, money)
        last = len(made.lines) + 1
        sheet.write(last, 0, "合计", bold)
        _write_yuan(sheet, last, 4, made.total_fen, money)
        for number, part in enumerate(made.tables.parts()):
            page, row = divmod(number, SHEET_ROWS)
            if row == 0:
                name = "合同" if page == 0 else f"合同{page + 1}"
                sheet = _sheet(book, name, _PART_HEADS, bold)
            _write_part(sheet, row + 1, made.lines, part, money)


def _write_part(
    sheet: Any,
    row: int,
    lines: Sequence[Line],
    part: tuple[int, str, str, int, str | None],
    money: Any,
) -> None:
    at, contract_no, group, base, reason = part
    line = lines[at]
    sheet.write_row(row, 0, (line.key, line.item.label, contract_no, group))
    _write_yuan(sheet, row, 4, Fen(base), money)
    sheet.write_row(row, 5, ("计入", "") if reason is None else ("不计", Reason(reason).label))


def _write_yuan(sheet: Any, row: int, column: int, fen: Fen, money: Any) -> None:
    # A cell holds a double: exact to the fen up to 15 digits, beyond that the figure is text.
    if fen < 10**15:
        sheet.write_number(row, column, fen / FEN_PER_YUAN, money)
    else:
        sheet.write_string(row, column, yuan_text(fen))


def _sheet(book: Any, name: str, heads: Sequence[str], bold: Any) -> Any:
    sheet = book.add_worksheet(name)
    sheet.set_column(0, len(heads) - 1, 22)
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, heads, bold)
    return sheet


def _line_row(made: Simulation, line: Line) -> tuple[str, ...]:
    return (
        line.key,
        made.parties[line.key].name,
        line.item.label,
        f"{line.policy.document_no} {line.policy.id}",
        format_yuan(line.amount_fen),
    )


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def yuan_text(fen: Fen) -> str:
    """Write fen as yuan with two decimals and no separators."""
    yuan, rest = divmod(fen, FEN_PER_YUAN)
    return f"{yuan}.{rest:02d}"
