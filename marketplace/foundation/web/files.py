"""Files on their way in and out: uploads read within bounds, downloads that no browser runs.

What not everybody may see leaves a row in the audit before it leaves the house: when the row
cannot be written nothing is sent.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.datastructures import FileStorage

from marketplace.foundation import audit
from marketplace.foundation.attachments import (
    AttachmentView,
    FileVisibility,
    Upload,
)
from marketplace.foundation.web.file_fields import READ_AT_MOST
from marketplace.foundation.web.permissions import permission_of
from marketplace.foundation.web.requests import actor, now, transaction

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def read_uploads(files: Iterable[FileStorage]) -> list[Upload]:
    """Read uploads, each one byte past the limit at most, so that the rule can name its size."""
    return [Upload(file.filename or "", file.stream.read(READ_AT_MOST)) for file in files]


def send_attachment(view: AttachmentView, content: bytes) -> Response:
    """Send a stored file as a download that is never shown inside the site."""
    if view.visibility is not FileVisibility.PUBLIC:
        _note("attachments.download", view.subject, {"attachment": view.id, "sha256": view.sha256})
    return _download(content, view.name, view.content_type)


def send_marked(view: AttachmentView, name: str, content: bytes) -> Response:
    """Send a stored file in the form that was made for its reader."""
    made_pdf = name.lower().endswith(".pdf")
    return _download(content, name, "application/pdf" if made_pdf else view.content_type)


def send_calendar(content: bytes, name: str) -> Response:
    """Send a calendar file as a download."""
    return _download(content, f"{name}.ics", "text/calendar; charset=utf-8")


def send_table(
    name: str, header: Sequence[str], rows: Iterable[Sequence[Any]], *, widths: Sequence[int] = ()
) -> Response:
    """Send rows as an Excel file; text that looks like a formula stays text."""
    return _export(build_table(header, rows, widths=widths), f"{name}.xlsx", XLSX)


@dataclass(frozen=True)
class Sheet:
    """One sheet of an Excel file; a file's sheets need different names."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Any]]
    widths: Sequence[int] = ()


def send_book(name: str, sheets: Sequence[Sheet]) -> Response:
    """Send sheets as one Excel file; text that looks like a formula stays text."""
    return _export(build_book(sheets), f"{name}.xlsx", XLSX)


def build_table(
    header: Sequence[str], rows: Iterable[Sequence[Any]], *, widths: Sequence[int] = ()
) -> bytes:
    """Build an Excel file of rows; text that looks like a formula stays text."""
    return build_book([Sheet("Sheet1", header, rows, widths)])


def build_book(sheets: Sequence[Sheet]) -> bytes:
    """Build an Excel file of several sheets; text that looks like a formula stays text."""
    buffer = io.BytesIO()
    # Loaded with the first book: it would slow every start.
    book = import_module("xlsxwriter").Workbook(
        buffer,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    bold = book.add_format({"bold": True})
    for made in sheets:
        sheet = book.add_worksheet(made.name)
        sheet.freeze_panes(1, 0)
        for column, title in enumerate(made.header):
            sheet.write_string(0, column, title, bold)
            width = made.widths[column] if column < len(made.widths) else 18
            sheet.set_column(column, column, width)
        for line, row in enumerate(made.rows, start=1):
            for column, value in enumerate(row):
                if isinstance(value, (int, float)) and not isinstance(value, bool):
                    sheet.write_number(line, column, value)
                elif value is not None:
                    sheet.write_string(line, column, str(value))
    book.close()
    return buffer.getvalue()


def send_text(name: str, text: str) -> Response:
    """Send a plain text file in UTF-8."""
    return _export(text.encode(), f"{name}.txt", "text/plain; charset=utf-8")


def send_word(content: bytes, name: str) -> Response:
    """Send a Word document that the platform wrote as a download."""
    return _export(content, f"{name}.docx", DOCX)


def send_pdf(content: bytes, name: str) -> Response:
    """Send a document that the platform wrote as a download."""
    return _export(content, f"{name}.pdf", "application/pdf")


def send_archive(content: bytes, name: str) -> Response:
    """Send a ZIP archive that the platform made as a download."""
    return _export(content, f"{name}.zip", "application/zip")


def send_json(content: bytes, name: str) -> Response:
    """Send a JSON document that the platform made as a download."""
    return _export(content, f"{name}.json", "application/json; charset=utf-8")


def _export(content: bytes, name: str, content_type: str) -> Response:
    permission = permission_of(current_app.view_functions[request.endpoint or ""])
    if permission is None or permission.roles is not None:
        _note("exports.send", f"export:{request.endpoint}", {"name": name, "path": request.path})
    return _download(content, name, content_type)


def _note(action: str, subject: str, after: dict[str, Any]) -> None:
    with transaction() as session:
        audit.record(session, actor=actor(), action=action, subject=subject, now=now(), after=after)


def _download(content: bytes, name: str, content_type: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
