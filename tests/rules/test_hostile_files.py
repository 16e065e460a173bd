"""Files of others, damaged at random: read or refused in words, never an unforeseen failure."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.contracts.text_reading import read_text
from marketplace.exchange.rules import ImportKind
from marketplace.exchange.tables import read_table
from marketplace.foundation.attachments import Upload
from marketplace.foundation.audit_chain import GENESIS
from marketplace.foundation.errors import RuleBroken
from marketplace.oversight import verify
from marketplace.payments import statement_reader, statement_rules
from marketplace.payments.statement_rules import COLUMNS
from tests.import_files import patent_row, results_csv, workbook
from tests.rules.test_contracts_texts import word_file


def _manifest(**changed: Any) -> bytes:
    place = {"sequence": 0, "digest": GENESIS}
    stated = {
        "format": verify.FORMAT,
        "deal": 1,
        "files": {},
        "start": place,
        "head": place,
        "linked": False,
        **changed,
    }
    return json.dumps(stated).encode()


def _package(manifest: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", manifest)
    return packed.getvalue()


def _statement() -> bytes:
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, COLUMNS)
    sheet.write_row(1, 0, ["BR20240315", "2024-03-15", "1000.00", "甲公司", "保证金"])
    book.close()
    return packed.getvalue()


PACKAGE = _package(_manifest())
WORKBOOK = workbook([patent_row(1)]).content
TABLE = results_csv(["多弧离子镀膜"]).content
STATEMENT = _statement()
STATEMENT_TEXT = (",".join(COLUMNS) + "\nBR20240315,2024-03-15,1000,甲公司,保证金\n").encode()


@st.composite
def _damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Overwrite some bytes of a good file, or cut it off."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.sampled_from((len(content), len(content) // 2)))])


def test_the_good_files_are_read() -> None:
    assert verify.check(io.BytesIO(PACKAGE)).deal == 1
    for name, content in (("a.xlsx", WORKBOOK), ("a.csv", TABLE)):
        assert read_table(Upload(name, content), ImportKind.ACHIEVEMENTS).rows
    for name, content in (("a.xlsx", STATEMENT), ("a.csv", STATEMENT_TEXT)):
        assert statement_reader.read_table(name, content)[1]


def _checked(content: bytes) -> str:
    """Return the number of the deal, or the refusal's words."""
    try:
        return str(verify.check(io.BytesIO(content)).deal)
    except (ValueError, verify.PackageBroken) as refusal:
        return str(refusal)


@settings(max_examples=300, deadline=None)
@given(_damaged(PACKAGE))
def test_a_damaged_package_is_checked_or_refused(content: bytes) -> None:
    assert _checked(content)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from(("deal", "files", "start", "head", "linked")), _JSON)
def test_a_package_that_states_nonsense_is_refused(name: str, value: Any) -> None:
    assert _checked(_package(_manifest(**{name: value})))


def test_a_number_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="证据包"):
        verify.check(io.BytesIO(_package(_manifest(deal=float("inf")))))


def _imported(name: str, content: bytes) -> list[str]:
    """Return all cells, or the refusal's words."""
    try:
        table = read_table(Upload(name, content), ImportKind.ACHIEVEMENTS)
    except RuleBroken as refusal:
        return [refusal.message]
    return [cell for row in table.rows for cell in row.cells]


@settings(max_examples=200, deadline=None)
@given(_damaged(WORKBOOK) | st.binary(max_size=200))
def test_a_damaged_workbook_is_read_or_refused(content: bytes) -> None:
    assert all(isinstance(said, str) for said in _imported("a.xlsx", content))


@settings(deadline=None)
@given(_damaged(TABLE) | st.binary(max_size=200))
def test_a_damaged_table_is_read_or_refused(content: bytes) -> None:
    assert all(isinstance(said, str) for said in _imported("a.csv", content))


def _statement_read(name: str, content: bytes) -> list[str]:
    """Return the head and each row's amount, or the refusals' words."""
    try:
        head, rows = statement_reader.read_table(name, content)
    except RuleBroken as refusal:
        return [refusal.message]
    return [*head, *(_row_read(row) for _number, row in rows)]


def _row_read(row: dict[str, str]) -> str:
    try:
        return f"{statement_rules.read_row(row).amount_fen} 分"
    except RuleBroken as refusal:
        return refusal.message


@settings(max_examples=200, deadline=None)
@given(_damaged(STATEMENT))
def test_a_damaged_statement_book_is_read_or_refused(content: bytes) -> None:
    assert _statement_read("a.xlsx", content)


@settings(deadline=None)
@given(_damaged(STATEMENT_TEXT) | st.binary(max_size=200))
def test_a_damaged_statement_text_is_read_or_refused(content: bytes) -> None:
    assert _statement_read("a.csv", content)


@given(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=40)))
def test_whatever_a_row_of_a_statement_holds_is_read_or_refused(row: dict[str, str]) -> None:
    assert _row_read(row)


def _entities() -> str:
    """Write a document type whose last entity is a hundred million words, and one of a file."""
    steps = zip("abcdefgh", "bcdefghi", strict=True)
    grown = "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in steps)
    return (
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "哈哈">{grown}'
        '<!ENTITY z SYSTEM "file:///etc/passwd">]>'
    )


def _with_entities(content: bytes, part: str, text: str) -> bytes:
    """Put a document type with entities before a part of an office file, and use them in a text."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as whole,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for name in whole.namelist():
            inner = whole.read(name)
            if name == part:
                words = inner.decode().split("?>", 1)[-1].replace(text, f"{text}&i;&z;", 1)
                inner = (_entities() + words).encode()
            made.writestr(name, inner)
    return packed.getvalue()


def test_entities_in_a_word_file_are_not_expanded() -> None:
    hostile = _with_entities(word_file("技术开发合同"), "word/document.xml", "技术开发合同")
    found = read_text(Upload("合同.docx", hostile))
    assert "哈哈" not in found.body
    assert "root:" not in found.body


def test_entities_in_a_workbook_are_not_expanded() -> None:
    hostile = _with_entities(WORKBOOK, "xl/sharedStrings.xml", "<si><t>")
    said = "".join(_imported("a.xlsx", hostile))
    assert "哈哈" not in said
    assert "root:" not in said
