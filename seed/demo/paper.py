"""The demo's contract texts as small PDF files: one page, Chinese by a font that readers bring."""

from __future__ import annotations

import textwrap
import zlib
from datetime import date
from functools import cache
from importlib.resources import files

import cn2an
import yaml

from seed.demo.content import Contract

_FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H "
    b"/DescendantFonts [6 0 R] >>",
    b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo "
    b"<< /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 7 0 R >>",
    b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] "
    b"/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
)


def contract_paper(record: Contract, signed_on: date, amount_yuan: int) -> bytes:
    """Write the text of a contract as a PDF of its own; no two are byte for byte alike."""
    title, *duties = _clauses(record)
    items = [f"其中{label} {price} 元，不属于技术交易额。" for label, price in record.items]
    duties += [f"成交总额 {amount_yuan} 元。", *items, *_ending(record)]
    lines = [
        f"项目名称：{record.name}",
        f"合同标识 {record.key}，签订日期 {signed_on.isoformat()}",
        *(f"第{cn2an.an2cn(number)}条 {line}" for number, line in enumerate(duties, start=1)),
        "双方已盖章。本文本为虚构，仅供演示登记流程。",
    ]
    return write_paper(title, [part for line in lines for part in textwrap.wrap(line, 42)])


def receipt_paper(number: str, received_on: date, amount_yuan: str) -> bytes:
    """Write a bank slip as a PDF."""
    return write_paper(
        "客户回单（演示）",
        [f"回单号 {number}", f"入账日期 {received_on.isoformat()}", f"金额 {amount_yuan} 元"],
    )


@cache
def _wordings() -> dict[str, list[list[str]]]:
    text = files("seed.demo").joinpath("contract_clauses.yaml").read_text(encoding="utf-8")
    read: dict[str, list[list[str]]] = yaml.safe_load(text)
    return read


def _clauses(record: Contract) -> list[str]:
    """Return a title and the duties of its kind."""
    return _worded(record, record.clauses or record.subtype)


def _ending(record: Contract) -> list[str]:
    return _worded(record, "endings")


def _worded(record: Contract, kind: str) -> list[str]:
    """Return one of a kind's wordings; `like` names the contract whose wording is taken over."""
    wordings = _wordings()[kind]
    chosen = wordings[zlib.crc32(f"{record.like or record.key}{kind}".encode()) % len(wordings)]
    return [
        line.replace("{name}", record.like_name or record.name)
        .replace("{terms}", record.like_terms or record.terms)
        .replace("{months}", str(record.months))
        for line in chosen
    ]


def write_paper(title: str, lines: list[str]) -> bytes:
    """Write one A4 page with a title and lines of text."""
    drawn = [_text(title, 16, 760)]
    drawn += [_text(line, 11, 715 - 24 * row) for row, line in enumerate(lines)]
    page = b"BT\n" + b"\n".join(drawn) + b"\nET"
    bodies = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(page), page),
        *_FONT,
    )
    paper = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(paper))
        paper += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(paper)
    paper += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    paper += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    paper += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(bodies) + 1,
        start,
    )
    return bytes(paper)


def _text(line: str, size: int, height: int) -> bytes:
    glyphs = line.encode("utf-16-be").hex().upper().encode()
    return b"/F1 %d Tf 1 0 0 1 64 %d Tm <%s> Tj" % (size, height, glyphs)
