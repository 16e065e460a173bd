"""Uploads: size, ending and content; stored under a name of our own."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from marketplace.foundation import attachments
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import (
    MAX_BYTES,
    AttachmentStore,
    FileVisibility,
    Upload,
    check_upload,
)
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotFound, RuleBroken
from tests.world import World

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def _office(part: str, *, size: int = 10) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "0" * size)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("说明书.pdf", PDF),
        ("照片.PNG", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\0" * 40),
        ("方案.docx", _office("word/document.xml")),
        ("清单.xlsx", _office("xl/workbook.xml")),
    ],
)
def test_what_it_says_it_is(name: str, content: bytes) -> None:
    assert check_upload(Upload(name, content))


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("大.pdf", PDF + b"0" * (16 * 1024 * 1024), "attachments.too_large"),
        ("说明.pdf", b"MZ\x90\x00\x03" + b"\0" * 200, "attachments.disguised"),
        ("程序.exe", b"MZ\x90\x00\x03" + b"\0" * 200, "attachments.kind"),
        ("页面.html", b"<script>alert(1)</script>", "attachments.kind"),
        ("无扩展名", PDF, "attachments.kind"),
        ("空.pdf", b"", "attachments.empty"),
        ("假.docx", _office("xl/workbook.xml"), "attachments.disguised"),
        ("炸弹.xlsx", _office("xl/workbook.xml", size=210 * 1024 * 1024), "attachments.disguised"),
    ],
)
def test_what_it_is_not_is_refused_with_its_reason(name: str, content: bytes, code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        check_upload(Upload(name, content))
    assert refused.value.code == code
    assert refused.value.problems[0].field == "attachments"


def test_the_limit_itself_is_accepted() -> None:
    assert check_upload(Upload("满.pdf", PDF.ljust(MAX_BYTES, b"\n")))


def test_stored_under_a_name_of_our_own_and_only_with_its_subject(
    database: Database, world: World, now: datetime, tmp_path: Path
) -> None:
    actor = world.actor(Role.OFFICER)
    store = AttachmentStore(tmp_path / "files")
    with database.transaction() as session:
        stored = attachments.store(
            session,
            actor=actor,
            now=now,
            subject="achievement:1",
            upload=Upload("../../etc/说明书.pdf", PDF),
            visibility=FileVisibility.OWNER,
            store=store,
        )
    (file,) = (tmp_path / "files").iterdir()
    assert len(file.name) == 32
    with database.reading() as session:
        view, content = attachments.content(
            session, subject="achievement:1", attachment_id=stored, store=store
        )
        assert content == PDF
        assert "/" not in view.name
        with pytest.raises(NotFound):
            attachments.content(session, subject="achievement:2", attachment_id=stored, store=store)
