"""Contracts' texts: read from files, cut into clauses, compared with each other."""

from __future__ import annotations

import io
import zipfile

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st

from marketplace.contracts.text_reading import read_text
from marketplace.contracts.text_rules import (
    MARK_COUNT,
    MAX_CHARACTERS,
    clauses,
    differing,
    likeness_per_mille,
    marks,
    shingles,
)
from marketplace.foundation.attachments import Upload, check_upload
from marketplace.foundation.errors import RuleBroken
from seed.demo.paper import write_paper
from tests.dealing import PDF

LINES = ["第一条 甲方委托乙方研究开发。", "第二条 报酬二十万元。"]


def word_file(*lines: str, table: tuple[str, ...] = ()) -> bytes:
    document = Document()
    for line in lines:
        document.add_paragraph(line)
    if table:
        cells = document.add_table(rows=1, cols=len(table)).rows[0].cells
        for cell, words in zip(cells, table, strict=True):
            cell.text = words
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_pdf_word_and_text_files_give_their_words() -> None:
    pdf = read_text(Upload("合同.pdf", write_paper("技术开发合同", LINES)))
    assert pdf.body.splitlines() == ["技术开发合同", *LINES]
    word = read_text(Upload("合同.DOCX", word_file(*LINES, table=("签约", "60%"))))
    assert word.body.splitlines() == [*LINES, "签约 60%"]
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        text = read_text(Upload("合同.txt", "\n".join(LINES).encode(encoding)))
        assert (text.body.splitlines(), text.problem) == (LINES, "")


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (Upload("扫描.pdf", PDF), "没有读出文字"),
        (Upload("空白.pdf", write_paper("", [])), "扫描件"),
        (Upload("坏.pdf", b"%PDF-1.7\n" + b"\x00\xff" * 500), "打不开"),
        (Upload("坏.docx", b"PK\x03\x04" + b"\0" * 60), "打不开"),
        (Upload("坏.docx", word_file("x")[:900]), "打不开"),
        (Upload("图.png", b"\x89PNG"), "PDF、DOCX 或 TXT"),
    ],
)
def test_what_has_no_words_says_why_and_stops_nothing(upload: Upload, words: str) -> None:
    found = read_text(upload)
    assert found.body == ""
    assert words in found.problem


def test_a_word_file_that_is_a_bomb_or_asks_for_entities_gives_nothing() -> None:
    evil = (
        '<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        "<w:body><w:p><w:r><w:t>甲&a;乙</w:t></w:r></w:p></w:body></w:document>"
    )
    source = zipfile.ZipFile(io.BytesIO(word_file("x")))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for member in source.infolist():
            content = source.read(member)
            archive.writestr(member, evil if member.filename == "word/document.xml" else content)
    found = read_text(Upload("合同.docx", buffer.getvalue()))
    assert "root" not in found.body


def test_a_text_is_cut_at_its_limit() -> None:
    long = read_text(Upload("长.txt", ("字" * 1_000 + "\n").encode() * 1_000))
    assert len(long.body) == MAX_CHARACTERS


@pytest.mark.parametrize("content", [b"\0\0\0", b"MZ\x90\x00\x03", b"\x81\xff\xfe", b"ab\x07c"])
def test_a_text_file_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check_upload(Upload("合同.txt", content))
    assert refusal.value.code == "attachments.disguised"
    assert check_upload(Upload("合同.txt", "甲方\r\n\t乙方".encode("gb18030"))) == "text/plain"


def test_clauses_carry_the_number_they_stand_under() -> None:
    found = clauses(
        "技术合同\n第一条 甲方委托乙方。乙方接受\n委托；\n2.1 报酬二十万元。\n（三）附件。"
    )
    assert [(clause.number, clause.words) for clause in found] == [
        ("", "技术合同"),
        ("第一条", "甲方委托乙方。"),
        ("第一条", "乙方接受委托；"),
        ("2.1", "报酬二十万元。"),
        ("（三）", "附件。"),
    ]


@given(st.text(max_size=300))
def test_cutting_loses_no_letter(text: str) -> None:
    kept = "".join(clause.number + clause.words for clause in clauses(text))

    def letters(words: str) -> str:
        return "".join(c for c in words if c.isalpha())

    assert letters(kept) == letters(text)


@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_is_mutual_and_whole_for_the_same_letters(one: str, other: str) -> None:
    a, b = shingles(one), shingles(other)
    assert likeness_per_mille(a, b) == likeness_per_mille(b, a) <= 1000
    assert likeness_per_mille(a, a) == (1000 if a else 0)
    spaced = " ".join(one) + "。"
    assert shingles(spaced) == a


def test_a_changed_amount_changes_little_and_is_shown() -> None:
    body = "\n".join(
        f"第{n}条 甲方应在第{n}个月向乙方提交第{n}批试样和检验记录。" for n in range(1, 30)
    )
    other = body.replace("第7批试样", "第7批样件")
    alike = likeness_per_mille(shingles(body), shingles(other))
    assert 900 <= alike < 1000
    assert differing(other, body) == ["甲方应在第7个月向乙方提交第7批样件和检验记录。"]
    assert differing(body, body) == []
    shared = set(marks(body)) & set(marks(other))
    assert len(shared) > MARK_COUNT // 2
