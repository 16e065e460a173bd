"""Read the plain text out of an uploaded contract: PDF by pypdf, Word by python-docx, TXT as it is.

Never refuses: a scan, a locked or a broken file has no text, and the reason is kept for the page.
What is read is bounded in pages, characters and time, whatever the file says of itself.
"""

from __future__ import annotations

import io
import time
import zlib
from collections.abc import Iterator
from zipfile import BadZipFile

from docx import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph
from pypdf import PdfReader
from pypdf.errors import PyPdfError

from marketplace.contracts.text_rules import MAX_CHARACTERS, ReadText
from marketplace.foundation.attachments import Upload

_MAX_PAGES = 200
_MAX_SECONDS = 8.0
_SCAN = "文件里没有文字，可能是扫描件；请登记员直接看原件"
_BROKEN = "文件打不开，没有读出文字；请登记员直接看原件"


def read_text(upload: Upload) -> ReadText:
    """Return the text of an upload, or why there is none; the kind goes by the file's ending."""
    ending = upload.name.rsplit(".", 1)[-1].lower()
    try:
        if ending == "pdf":
            return _from_pdf(upload.content)
        if ending == "docx":
            return _gathered(_docx_lines(upload.content))
        if ending == "txt":
            return _gathered(iter(decode(upload.content).splitlines()))
    except (
        PyPdfError,
        PackageNotFoundError,
        BadZipFile,
        zlib.error,
        ArithmeticError,
        AttributeError,
        LookupError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
    ):
        # What a hostile or damaged file makes the readers raise is as wide as this.
        return ReadText("", _BROKEN)
    return ReadText("", "这种文件不读取文字；合同正文请上传 PDF、DOCX 或 TXT")


def decode(content: bytes) -> str:
    """Decode a text file as UTF-8 or, as Chinese editors still write, as GB 18030."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _from_pdf(content: bytes) -> ReadText:
    reader = PdfReader(io.BytesIO(content))
    if reader.is_encrypted and not reader.decrypt(""):
        return ReadText("", "文件有打开密码，没有读出文字；请上传没有密码的文件")
    return _gathered(_pdf_lines(reader))


def _pdf_lines(reader: PdfReader) -> Iterator[str]:
    # The time is looked at between pages: a page has no end of its own, the file has.
    deadline = time.monotonic() + _MAX_SECONDS
    for number, page in enumerate(reader.pages):
        if number >= _MAX_PAGES or time.monotonic() > deadline:
            return
        yield from page.extract_text().splitlines()


def _docx_lines(content: bytes) -> Iterator[str]:
    for block in Document(io.BytesIO(content)).iter_inner_content():
        if isinstance(block, Paragraph):
            yield block.text
        elif isinstance(block, Table):
            for row in block.rows:
                yield " ".join(cell.text for cell in row.cells)


def _gathered(lines: Iterator[str]) -> ReadText:
    kept: list[str] = []
    length = 0
    for line in lines:
        kept.append(line.strip())
        length += len(line)
        if length > MAX_CHARACTERS:
            break
    # NUL and lone surrogates are no text, and no database takes them.
    text = "\n".join(kept).replace("\0", "").encode("utf-8", "ignore").decode("utf-8").strip()
    return ReadText(text[:MAX_CHARACTERS], "" if text else _SCAN)
