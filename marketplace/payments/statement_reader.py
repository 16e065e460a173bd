"""Read a bank's statement file, CSV or Excel, into rows of text; the rules judge them."""

from __future__ import annotations

import csv
import io
import zipfile

from python_calamine import CalamineError, CalamineWorkbook

from marketplace.foundation.errors import RuleBroken
from marketplace.payments.statement_rules import COLUMNS, MOST_ROWS

_MOST_BYTES = 5 * 1024 * 1024
_LOOK_FOR_HEAD = 20


def read_table(name: str, content: bytes) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the head and the rows with their numbers, as a spreadsheet counts them.

    Banks write lines above the head: it is the first row that names a column we know.
    """
    if len(content) > _MOST_BYTES:
        raise RuleBroken("statement.size", "文件超过 5 MB，请按日期分段导出", "file")
    rows = _sheet(content) if name.lower().endswith((".xlsx", ".xls")) else _csv(content)
    number = next(
        (n for n, row in enumerate(rows[:_LOOK_FOR_HEAD]) if COLUMNS[0] in map(str.strip, row)),
        None,
    )
    if number is None:
        raise RuleBroken("statement.head", f"没有找到表头；需要的列是 {'、'.join(COLUMNS)}", "file")
    head = [cell.strip() for cell in rows[number]]
    found = [
        (number + offset, dict(zip(head, (cell.strip() for cell in row), strict=False)))
        for offset, row in enumerate(rows[number + 1 :], 2)
        if any(cell.strip() for cell in row)
    ]
    if len(found) > MOST_ROWS:
        raise RuleBroken("statement.rows", f"一次最多导入 {MOST_ROWS:,} 行，请分段导出", "file")
    return head, found


def _csv(content: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return list(csv.reader(io.StringIO(text, newline="")))
        except csv.Error as broken:
            raise _unreadable() from broken
    raise _unreadable()


def _sheet(content: bytes) -> list[list[str]]:
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, zipfile.BadZipFile, ValueError, IndexError, OSError) as broken:
        raise _unreadable() from broken
    return [[_text(cell) for cell in row] for row in rows]


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _unreadable() -> RuleBroken:
    return RuleBroken(
        "statement.unreadable", "读不出这个文件；请从网银导出 CSV 或 Excel 格式的流水", "file"
    )
