"""Files into tables of text: Excel and CSV as people send them, refused where they mislead.

What a table cannot be read from unambiguously is named with its place: merged cells, formulas,
columns that shift. A line whose quotes do not close spoils only itself.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from marketplace.exchange.rules import (
    IGNORED,
    MAX_CELL,
    MAX_COLUMNS,
    MAX_ROWS,
    ImportKind,
    normal_header,
    recognise,
)
from marketplace.foundation.attachments import MAX_BYTES, Upload, check_upload
from marketplace.foundation.errors import DomainError, RuleBroken

_HEADER_WITHIN = 10
_QUOTE_SPAN = 60
_SHOWN = 5


@dataclass(frozen=True)
class TableRow:
    """One row of a file: its number there, its cells, and why it cannot be read, if so."""

    number: int
    cells: tuple[str, ...]
    broken: str = ""


@dataclass(frozen=True)
class Table:
    """A file's header and rows, and what to know about how it was read."""

    header: tuple[str, ...]
    rows: tuple[TableRow, ...]
    source: str


def read_table(upload: Upload, kind: ImportKind) -> Table:
    """Read an .xlsx or .csv file; refuse what is no table, too large, merged or computed."""
    ending = upload.name.rsplit(".", 1)[-1].lower() if "." in upload.name else ""
    if ending == "xlsx":
        try:
            check_upload(upload)
        except DomainError as refusal:
            raise RuleBroken(refusal.code, refusal.message, "file") from refusal
        return _read_workbook(upload, kind)
    if ending in ("csv", "txt"):
        _check_size(upload)
        return _read_csv(upload, kind)
    if ending in ("xls", "xlsm", "xlsb", "et"):
        raise _refuse("format", f"请把“.{ending}”另存为“Excel 工作簿（.xlsx）”再上传")
    raise _refuse("format", f"不接受“.{ending}”文件，请上传 .xlsx 或 .csv")


def _refuse(code: str, message: str) -> RuleBroken:
    return RuleBroken(f"exchange.{code}", message, "file")


def _check_size(upload: Upload) -> None:
    if not upload.content.strip():
        raise _refuse("empty", f"文件“{upload.name}”是空的，请重新选择")
    if len(upload.content) > MAX_BYTES:
        raise _refuse(
            "too_large",
            f"文件“{upload.name}”有 {len(upload.content) / 1024 / 1024:.1f} MB，上限是 15 MB；"
            "请拆成几个文件",
        )


def _check_count(count: int) -> None:
    if count > MAX_ROWS:
        raise _refuse(
            "too_many_rows",
            f"文件有 {count:,} 行，一次最多导入 {MAX_ROWS:,} 行；请拆成几个文件分别上传",
        )


# --- Excel -------------------------------------------------------------------------------------


# What the readers say of an archive that is damaged, or encrypted in a part (a RuntimeError).
_DAMAGED = (
    CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    RuntimeError,
    UnicodeDecodeError,
)


def _read_workbook(upload: Upload, kind: ImportKind) -> Table:
    try:
        return _read_sheet(upload, kind)
    except _DAMAGED as broken:
        raise _refuse(
            "broken", "这个 Excel 文件打不开，可能已损坏或加了密码；请另存后再上传"
        ) from broken


def _read_sheet(upload: Upload, kind: ImportKind) -> Table:
    book = CalamineWorkbook.from_filelike(io.BytesIO(upload.content))
    # A sheet's own height tells its size before any cell is unpacked into memory.
    sheets = [book.get_sheet_by_index(index) for index in range(len(book.sheet_names))]
    filled = [sheet for sheet in sheets if sheet.end is not None]
    if not filled:
        raise _refuse("empty", f"文件“{upload.name}”里没有内容，请重新选择")
    sheet = next((sheet for sheet in filled if _has_header(sheet, kind)), filled[0])
    # The last cell's place, counted from 0: the rows under the header are as many as its row.
    last_row, last_column = sheet.end or (0, 0)
    _check_count(last_row)
    if last_column >= MAX_COLUMNS:
        raise _refuse(
            "too_wide", f"工作表有 {last_column + 1} 列，最多 {MAX_COLUMNS} 列；请删去无关的列"
        )
    _refuse_merged(sheet)
    _refuse_formulas(upload.content, sheets.index(sheet), sheet.name)
    lines = [tuple(_text(cell) for cell in row) for row in sheet.to_python(skip_empty_area=False)]
    return _assemble(
        [(number, cells, "") for number, cells in enumerate(lines, 1)],
        kind,
        f"工作表“{sheet.name}”",
    )


def _has_header(sheet: CalamineSheet, kind: ImportKind) -> bool:
    rows = sheet.to_python(skip_empty_area=False, nrows=_HEADER_WITHIN)
    return any(recognise(kind, [_text(cell) for cell in row]) for row in rows)


def _text(cell: Any) -> str:
    """Write a cell as text: whole numbers without a decimal point, days as ISO dates."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 10**15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if not any(cell.timetuple()[3:6]) else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else _clean(str(cell))


def _clean(text: str) -> str:
    """Drop control characters; a line break in a cell stays one."""
    if text.isprintable():
        return text.strip()[:MAX_CELL]
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u3000", " ")
    return "".join(c for c in plain if c == "\n" or c.isprintable()).strip()[:MAX_CELL]


def _cell_name(row: int, column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def _refuse_merged(sheet: CalamineSheet) -> None:
    ranges = sheet.merged_cell_ranges or []
    if not ranges:
        return
    names = [f"{_cell_name(*first)}:{_cell_name(*last)}" for first, last in sorted(ranges)[:_SHOWN]]
    more = f"等 {len(ranges)} 处" if len(ranges) > _SHOWN else ""
    raise _refuse(
        "merged",
        f"{'、'.join(names)}{more}是合并单元格，分不清内容属于哪一行；"
        "请选中后点“取消合并单元格”，把每一行填全再上传",
    )


# A tag ends where the next one begins, also in a file made to be slow to read.
_CELL_FORMULA = re.compile(rb"<c\b([^<>]*)>\s*<f[\s>/]")
_CELL_NAME = re.compile(rb'\br="([A-Z]+\d+)"')


def _refuse_formulas(content: bytes, index: int, name: str) -> None:
    """Refuse a sheet with formulas: what they show depends on who opens the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = _sheet_member(archive, index)
        tags = _CELL_FORMULA.findall(archive.read(member)) if member else []
    cells = [found.group(1) for found in map(_CELL_NAME.search, tags) if found]
    if cells:
        shown = "、".join(cell.decode() for cell in cells[:_SHOWN])
        more = f"等 {len(cells)} 处" if len(cells) > _SHOWN else ""
        raise _refuse(
            "formulas",
            f"工作表“{name}”的 {shown}{more}是公式，结果可能随环境变化；"
            "请复制后选择“粘贴为数值”，保存再上传",
        )


_RELATION = re.compile(rb"<Relationship\b([^<>]*)>")
_IDENTIFIER = re.compile(rb'\bId="([^"]+)"')
_TARGET = re.compile(rb'\bTarget="([^"]+)"')
_SHEET = re.compile(rb"<sheet\b([^<>]*)>")
_SHEET_RELATION = re.compile(rb'\br:id="([^"]+)"')


def _sheet_member(archive: zipfile.ZipFile, index: int) -> str | None:
    """Return the archive member of the sheet at an index, by the workbook's own relations."""
    names = set(archive.namelist())
    sheets = map(_SHEET_RELATION.search, _SHEET.findall(archive.read("xl/workbook.xml")))
    identifiers = [found.group(1) for found in sheets if found]
    relations = (
        archive.read("xl/_rels/workbook.xml.rels") if "xl/_rels/workbook.xml.rels" in names else b""
    )
    targets: dict[bytes, str] = {}
    for attributes in _RELATION.findall(relations):
        identifier, target_found = _IDENTIFIER.search(attributes), _TARGET.search(attributes)
        if identifier and target_found:
            targets[identifier.group(1)] = target_found.group(1).decode()
    if index >= len(identifiers) or identifiers[index] not in targets:
        return None
    target = targets[identifiers[index]]
    member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return member if member in names else None


# --- CSV ---------------------------------------------------------------------------------------


def _read_csv(upload: Upload, kind: ImportKind) -> Table:
    text, encoding = _decode(upload.content)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise _refuse("empty", f"文件“{upload.name}”是空的，请重新选择")
    separator = max(",\t;，", key=lambda mark: lines[0].count(mark))
    if '"' not in text:
        _check_count(len(lines) - 1)
    records = _records(lines, separator)
    _check_count(len(records) - 1)
    return _assemble(records, kind, f"CSV，{encoding} 编码")


def _decode(content: bytes) -> tuple[str, str]:
    """Decode by byte-order mark, then as UTF-8, then as GB18030, which Excel writes in Chinese."""
    for mark, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16")):
        if content.startswith(mark):
            try:
                return content.decode("utf-16"), name
            except UnicodeDecodeError as broken:
                raise _refuse("encoding", _UNREADABLE) from broken
    if b"\0" in content:
        raise _refuse("encoding", "这不是文本文件；如果是 Excel 文件，请保留 .xlsx 扩展名上传")
    for codec, name in (("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")):
        try:
            return content.decode(codec), name
        except UnicodeDecodeError:
            continue
    raise _refuse("encoding", _UNREADABLE)


_UNREADABLE = "认不出文件的文字编码；请在 Excel 中另存为“CSV UTF-8（逗号分隔）”再上传"


def _records(lines: Sequence[str], separator: str) -> list[tuple[int, tuple[str, ...], str]]:
    """Split lines into records; a quote that never closes breaks its own line only."""
    records: list[tuple[int, tuple[str, ...], str]] = []
    width = len(next(csv.reader([lines[0]], delimiter=separator), []))
    at = 0
    while at < len(lines):
        joined, cells = _one_record(lines, at, separator, width)
        if cells is None:
            broken = "引号不成对，分不清各列；请检查这一行的引号"
            records.append((at + 1, tuple(_clean(c) for c in lines[at].split(separator)), broken))
            at += 1
            continue
        records.append((at + 1, tuple(_clean(cell) for cell in cells), ""))
        at += joined
    return records


def _one_record(
    lines: Sequence[str], at: int, separator: str, width: int
) -> tuple[int, list[str] | None]:
    """Read the record that begins at a line; return how many lines it takes, and its cells.

    None where its quotes do not close, or would close only by swallowing whole other rows.
    """
    for length in range(1, _QUOTE_SPAN + 1):
        if at + length > len(lines):
            break
        part = "\n".join(lines[at : at + length])
        if part.count('"') % 2:
            continue
        try:
            found = list(csv.reader(io.StringIO(part), delimiter=separator, strict=True))
        except csv.Error:
            # Quotes inside an unquoted or badly quoted cell: read it as it stands.
            found = list(csv.reader(io.StringIO(part), delimiter=separator))
        if len(found) == 1:
            inner = lines[at + 1 : at + length - 1]
            swallowed = length > 1 and (
                len(found[0]) != width or any(_is_row(line, separator, width) for line in inner)
            )
            return (1, None) if swallowed else (length, found[0])
        if not found:
            return length, []
        break
    return 1, None


def _is_row(line: str, separator: str, width: int) -> bool:
    """Tell whether a line by itself is a whole row of the table."""
    if width < 2 or line.count('"') % 2:
        return False
    return len(next(csv.reader([line], delimiter=separator), [])) == width


# --- both --------------------------------------------------------------------------------------


def _assemble(
    records: Sequence[tuple[int, tuple[str, ...], str]], kind: ImportKind, source: str
) -> Table:
    """Find the header among the first lines and cut the rows to its width."""
    candidates = [
        (len(recognise(kind, cells)), -position)
        for position, (_, cells, _) in enumerate(records[:_HEADER_WITHIN])
    ]
    best, place = max(candidates, default=(0, 0))
    place = -place if best else 0
    header = list(records[place][1])
    while header and not header[-1]:
        header.pop()
    if not header:
        raise _refuse("empty", "文件的第一行没有列名，请补上表头再上传")
    rows = []
    for number, cells, broken in records[place + 1 :]:
        if not any(cells) and not broken:
            continue
        surplus = [cell for cell in cells[len(header) :] if cell]
        if surplus and not broken:
            broken = f"比表头多出 {len(surplus)} 格，可能有逗号没有加引号，分不清各列"
        padded = (*cells, *[""] * (len(header) - len(cells)))[: len(header)]
        rows.append(TableRow(number, tuple(padded), broken))
    if not rows:
        raise _refuse("no_rows", "只有表头，没有数据行；请填好再上传")
    return Table(tuple(header), tuple(rows), source)


def unknown_columns(table: Table, mapping: dict[str, int]) -> list[str]:
    """List the columns that are not used, without running numbers."""
    used = set(mapping.values())
    return [
        text
        for position, text in enumerate(table.header)
        if position not in used and text and normal_header(text) not in IGNORED
    ]
