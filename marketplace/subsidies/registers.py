"""Read organisations and registered contracts from CSV files, strictly.

The first thing that is wrong stops the reading with the file, line, column and what was expected.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from stdnum.cn import uscc

from marketplace.contracts.rules import ContractType
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import FEN_PER_YUAN, MAX_FEN, Fen
from marketplace.subsidies.trace_rules import Dishonesty, Party, Period
from marketplace.subsidies.word_rules import PartyKind

ORGANISATION_COLUMNS = (
    "uscc",
    "name",
    "kind",
    "in_jinan",
    "sme",
    "agency_filed_from",
    "agency_filed_to",
    "dishonest_from",
    "dishonest_to",
)
CONTRACT_COLUMNS = (
    "contract_no",
    "type",
    "registered_on",
    "amount",
    "technology_amount",
    "tax_exempt_amount",
    "seller_uscc",
    "buyer_uscc",
    "agency_uscc",
    "registrar_uscc",
    "project_id",
    "activity_id",
    "fiscal_funds",
)

_AMOUNT = re.compile(r"\d{1,40}(?:\.\d{1,2})?", re.ASCII)
# GB 32100-2015: two signs and six digits of the region, then digits and capitals without I O S V Z.
_CODE = re.compile(r"\d{8}[0-9A-HJ-NPQRTUWXY]{10}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_KINDS = {kind.value: kind for kind in PartyKind}
_TYPES = {kind.value: kind for kind in ContractType}

Value = TypeVar("Value")

if TYPE_CHECKING:
    from _csv import Reader


class BadInput(RuleBroken):
    """A file that cannot be read, with the place: line and column count from 1, 0 is unknown."""

    def __init__(
        self, file: str, line: int, column: int, name: str, expected: str, found: str | None
    ) -> None:
        place = f"{file} 第 {line} 行" if line else file
        if column:
            place += f"第 {column} 列 {name}".rstrip()
        read = "" if found is None else f"，读到“{found[:60]}”"
        super().__init__("simulation.bad_input", f"{place}：应为{expected}{read}")


class _Row:
    """One line of a file, its cells read by column name."""

    def __init__(self, file: str, line: int, cells: list[str], places: dict[str, int]) -> None:
        self._file, self._line, self._cells, self._places = file, line, cells, places

    def refuse(self, column: str, expected: str) -> BadInput:
        """Build the refusal of one cell."""
        place = self._places[column]
        return BadInput(self._file, self._line, place + 1, column, expected, self._cells[place])

    def text(self, column: str) -> str:
        return self._cells[self._places[column]].strip()

    def filled(self, column: str, expected: str) -> str:
        value = self.text(column)
        if not value:
            raise self.refuse(column, expected)
        return value

    def one_of(self, column: str, values: dict[str, Value]) -> Value:
        try:
            return values[self.text(column)]
        except KeyError:
            raise self.refuse(column, "以下之一：" + "、".join(values)) from None

    def flag(self, column: str) -> bool:
        return self.one_of(column, {"0": False, "1": True})

    def amount(self, column: str) -> Fen:
        value = self.text(column)
        expected = "以元计的金额，不小于 0，最多两位小数，不带逗号"
        if not _AMOUNT.fullmatch(value):
            raise self.refuse(column, expected)
        yuan, _, rest = value.partition(".")
        fen = int(yuan) * FEN_PER_YUAN + int(rest.ljust(2, "0"))
        if fen > MAX_FEN:
            raise self.refuse(column, "不超过 1000 亿元的金额（以元计）")
        return Fen(fen)

    def amount_or_none(self, column: str) -> Fen | None:
        return self.amount(column) if self.text(column) else None

    def day(self, column: str) -> date:
        value = self.text(column)
        try:
            if not _DATE.fullmatch(value):
                raise ValueError(value)
            return date.fromisoformat(value)
        except ValueError:
            raise self.refuse(column, "存在的日期，写作 YYYY-MM-DD") from None

    def period(self, since_column: str, until_column: str) -> Period | None:
        """Read two dates; both empty is no period, one empty an open end."""
        since = self.day(since_column) if self.text(since_column) else None
        until = self.day(until_column) if self.text(until_column) else None
        if since is None and until is None:
            return None
        if since is not None and until is not None and until < since:
            raise self.refuse(until_column, f"不早于 {since_column}（{since}）的日期")
        return Period(since, until)


def read_organisations(path: Path) -> dict[str, Party]:
    """Read ORG.csv into parties by unified social credit code."""
    parties: dict[str, Party] = {}
    for row in _rows(path, ORGANISATION_COLUMNS):
        code = row.text("uscc")
        if not _is_uscc(code):
            raise row.refuse("uscc", "18 位统一社会信用代码，且校验位正确")
        if code in parties:
            raise row.refuse("uscc", "没有重复的统一社会信用代码")
        filing = row.period("agency_filed_from", "agency_filed_to")
        dishonest = row.period("dishonest_from", "dishonest_to")
        parties[code] = Party(
            key=code,
            name=row.text("name"),
            kind=row.one_of("kind", _KINDS),
            in_city=row.flag("in_jinan"),
            sme=row.flag("sme"),
            filings=(filing,) if filing else (),
            dishonesty=(Dishonesty(dishonest),) if dishonest else (),
        )
    return parties


def contract_columns(path: Path) -> list[str]:
    """Return the columns of CONTRACTS.csv as they stand in the file; refuse unknown or missing."""
    with _opened(path) as reader:
        return _header(path.name, reader, CONTRACT_COLUMNS)


def rewrite_contracts(
    path: Path, target: Path, parties: Mapping[str, Party], *, repeated: Collection[str]
) -> None:
    """Read CONTRACTS.csv row by row and write the same facts plainly, in the usual columns.

    Refuse the first row that is wrong; every party must stand among ``parties``. ``repeated``
    holds the numbers known to stand twice: only those are remembered, so that memory is bounded.
    """
    seen: set[str] = set()
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CONTRACT_COLUMNS)
        for row in _rows(path, CONTRACT_COLUMNS):
            number = row.filled("contract_no", "合同登记编号")
            if number in repeated:
                if number in seen:
                    raise row.refuse("contract_no", "没有重复的合同登记编号")
                seen.add(number)
            row.day("registered_on")
            for column in ("seller_uscc", "buyer_uscc"):
                _check_party(row, column, parties)
                row.filled(column, _KNOWN)
            row.one_of("type", _TYPES)
            row.amount("amount")
            row.amount_or_none("technology_amount")
            row.amount_or_none("tax_exempt_amount")
            _check_party(row, "agency_uscc", parties)
            _check_party(row, "registrar_uscc", parties)
            row.flag("fiscal_funds")
            writer.writerow([row.text(column) for column in CONTRACT_COLUMNS])


_KNOWN = "机构文件中已有的统一社会信用代码"


def _check_party(row: _Row, column: str, parties: Mapping[str, Party]) -> None:
    code = row.text(column)
    if code and code not in parties:
        raise row.refuse(
            column, _KNOWN if _is_uscc(code) else "18 位统一社会信用代码，且校验位正确"
        )


def _is_uscc(code: str) -> bool:
    # stdnum also accepts separators and small letters, which the code itself never has.
    return bool(_CODE.fullmatch(code)) and uscc.calc_check_digit(code) == code[-1]


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[_Row]:
    """Yield a file's rows with the line each begins on."""
    name = path.name
    with _opened(path) as reader:
        header = _header(name, reader, columns)
        places = {column: place for place, column in enumerate(header)}
        line = reader.line_num + 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as broken:
                # The row began here, however far an open quote has swallowed the file.
                raise BadInput(name, line, 0, "", _csv_problem(broken), None) from broken
            if cells:
                if len(cells) != len(header):
                    raise BadInput(name, line, 0, "", f"{len(header)} 列", f"{len(cells)} 列")
                yield _Row(name, line, cells, places)
            line = reader.line_num + 1


@contextmanager
def _opened(path: Path) -> Iterator[Reader]:
    """Open a CSV file, strictly; a byte-order mark is passed over."""
    name = path.name
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield csv.reader(file, strict=True)
    except UnicodeDecodeError as broken:
        line, column = _place_of(path)
        expected = "UTF-8 编码的文字（用 Excel 时请另存为“CSV UTF-8”）"
        raise BadInput(name, line, column, "", expected, None) from broken
    except csv.Error as broken:
        raise BadInput(name, 1, 0, "", _csv_problem(broken), None) from broken
    except FileNotFoundError as missing:
        raise BadInput(name, 0, 0, "", "可以读取的文件，现在没有这个文件", None) from missing
    except OSError as missing:
        raise BadInput(name, 0, 0, "", "可以读取的文件", missing.strerror) from missing


def _header(name: str, reader: Reader, columns: tuple[str, ...]) -> list[str]:
    header = [cell.strip() for cell in next(reader, [])]
    for place, column in enumerate(header):
        if column not in columns:
            expected = "以下列名之一：" + "、".join(columns)
            raise BadInput(name, 1, place + 1, column or "（空）", expected, column)
        if column in header[:place]:
            raise BadInput(name, 1, place + 1, column, "只出现一次的列名", column)
    missing = [column for column in columns if column not in header]
    if missing:
        raise BadInput(name, 1, 0, "", f"有 {'、'.join(missing)} 列", None)
    return header


def _csv_problem(broken: csv.Error) -> str:
    """Say what the csv module expected."""
    written = str(broken)
    if "field larger" in written:
        return f"每格不超过 {csv.field_size_limit():,} 个字符，或者引号没有成对"
    if "end of data" in written:
        return "成对的引号：这一行有引号没有结束"
    return "格式正确的 CSV：引号成对，结束的引号后面是逗号或换行"


def _place_of(path: Path) -> tuple[int, int]:
    """Find the line and column of the first bytes that are not UTF-8.

    The decoder itself counts within its buffer only.
    """
    with path.open("rb") as file:
        for line, content in enumerate(file, start=1):
            try:
                content.decode("utf-8")
            except UnicodeDecodeError as broken:
                return line, content[: broken.start].count(b",") + 1
    return 1, 1
