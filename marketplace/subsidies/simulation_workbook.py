"""Write a simulation as a workbook: a sheet of lines, and the contracts that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

import xlsxwriter

from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.subsidies.simulation_output import LINE_HEADS, Simulation, line_row, yuan_text
from marketplace.subsidies.simulation_parts import Part, parts
from marketplace.subsidies.simulation_rules import Line
from marketplace.subsidies.word_rules import Reason

# An .xlsx sheet ends after 1,048,576 rows; the next contracts stand in another sheet.
SHEET_ROWS = 1_000_000

_PART_HEADS = ("统一社会信用代码", "项目", "合同登记编号", "组", "基数（元）", "计入", "不计原因")


def write_workbook(out: BinaryIO, made: Simulation) -> None:
    """Write a workbook: a sheet of lines, and the contracts with their bases or their reasons."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(out, options) as book:
        money = book.add_format({"num_format": "#,##0.00"})
        bold = book.add_format({"bold": True})
        sheet = _sheet(book, "补助", LINE_HEADS, bold)
        for number, line in enumerate(made.lines, start=1):
            sheet.write_row(number, 0, line_row(made, line)[:-1])
            _write_yuan(sheet, number, 4, line.amount_fen, money)
        last = len(made.lines) + 1
        sheet.write(last, 0, "合计", bold)
        _write_yuan(sheet, last, 4, made.total_fen, money)
        for number, part in enumerate(parts(made.tables)):
            page, row = divmod(number, SHEET_ROWS)
            if row == 0:
                name = "合同" if page == 0 else f"合同{page + 1}"
                sheet = _sheet(book, name, _PART_HEADS, bold)
            _write_part(sheet, row + 1, made.lines, part, money)


def _write_part(
    sheet: Any,
    row: int,
    lines: Sequence[Line],
    part: Part,
    money: Any,
) -> None:
    line = lines[part.line]
    sheet.write_row(row, 0, (line.key, line.item.label, part.contract_no, part.group))
    _write_yuan(sheet, row, 4, Fen(part.base_fen), money)
    why = ("计入", "") if part.reason is None else ("不计", Reason(part.reason).label)
    sheet.write_row(row, 5, why)


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
