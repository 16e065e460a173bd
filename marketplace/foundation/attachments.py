"""Files that people attach: size, type by content, a stored name of our own, a digest.

A file belongs to a subject (``achievement:12``); who may see it is decided by the subject's slice.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import puremagic
from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.db import Base, Id
from marketplace.foundation.errors import NotFound, RuleBroken
from marketplace.foundation.words import Word

MAX_BYTES = 15 * 1024 * 1024
# Of an achievement or a need: what is read beside it. Proofs have bounds of their own.
MOST_KEPT = 30
_MAX_UNPACKED = 200 * 1024 * 1024
_MAX_MEMBERS = 5_000

# Ending → the content types under which its content may be recognised.
_CONTENT = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "txt": "text/plain",
}
_OFFICE_PART = {
    "docx": "word/document.xml",
    "xlsx": "xl/workbook.xml",
    "pptx": "ppt/presentation.xml",
}
CONTENT_TYPES = tuple(dict.fromkeys(_CONTENT.values()))
ACCEPTED = "、".join(ending.upper() for ending in _CONTENT if ending != "jpeg")


class FileVisibility(Word):
    """Who may open an attachment, from everybody to the owner alone."""

    PUBLIC = "public", "所有人"
    MEMBERS = "members", "已核验会员"
    AGREEMENT = "agreement", "签署保密协议后"
    OWNER = "owner", "仅本单位与经办机构"


class Attachment(Base):
    """One stored file."""

    __tablename__ = "foundation_attachments"
    __table_args__ = (Index("ix_attachments_subject", "subject"),)

    id: Mapped[Id]
    subject: Mapped[str]
    name: Mapped[str]
    stored_name: Mapped[str] = mapped_column(unique=True)
    content_type: Mapped[str]
    byte_count: Mapped[int]
    sha256: Mapped[str]
    visibility: Mapped[FileVisibility]
    uploaded_at: Mapped[datetime]
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("accounts_users.id"))


@dataclass(frozen=True)
class Upload:
    """A file as it came in: the name its sender gave it, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True)
class AttachmentView:
    """What a page shows of an attachment."""

    id: int
    subject: str
    name: str
    content_type: str
    byte_count: int
    sha256: str
    visibility: FileVisibility
    uploaded_at: datetime


class AttachmentStore:
    """A folder that holds attachments under names of our own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, content: bytes) -> str:
        """Keep the bytes and return the stored name."""
        stored_name = secrets.token_hex(16)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / stored_name).write_bytes(content)
        return stored_name

    def read(self, stored_name: str) -> bytes:
        """Return the bytes of a stored file; raise ``NotFound`` when it is gone."""
        try:
            return (self._folder / stored_name).read_bytes()
        except FileNotFoundError as gone:
            raise NotFound("attachments.gone", "文件已不在存储中，请联系交易中心") from gone


def check_upload(upload: Upload) -> str:
    """Return the content type of an acceptable file; refuse by size, ending and content."""
    field = "attachments"
    if len(upload.content) == 0:
        raise RuleBroken("attachments.empty", f"文件“{upload.name}”是空的，请重新选择", field)
    if len(upload.content) > MAX_BYTES:
        raise RuleBroken(
            "attachments.too_large",
            f"文件“{upload.name}”有 {len(upload.content) / 1024 / 1024:.1f} MB，"
            "上限是 15 MB；请压缩图片或拆成几个文件",
            field,
        )
    ending = upload.name.rsplit(".", 1)[-1].lower() if "." in upload.name else ""
    expected = _CONTENT.get(ending)
    if expected is None:
        raise RuleBroken(
            "attachments.kind",
            f"不接受“.{ending}”文件，请转换成以下格式之一：{ACCEPTED}",
            field,
        )
    if not _is(upload.content, ending):
        raise RuleBroken(
            "attachments.disguised",
            f"“{upload.name}”的内容不是 {ending.upper()} 格式，可能改过扩展名；"
            "请用原来的软件另存后再上传",
            field,
        )
    return expected


def _is_text(content: bytes) -> bool:
    """Tell whether bytes are text in UTF-8 or GB 18030, without control characters."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return all(c.isprintable() or c.isspace() for c in text)
    return False


def _is(content: bytes, ending: str) -> bool:
    if ending == "txt":
        return _is_text(content)
    if ending in _OFFICE_PART:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                members = archive.infolist()
                unpacked = sum(member.file_size for member in members)
                return (
                    len(members) <= _MAX_MEMBERS
                    and unpacked <= _MAX_UNPACKED
                    and _OFFICE_PART[ending] in {member.filename for member in members}
                )
        except zipfile.BadZipFile:
            return False
    try:
        found = puremagic.magic_string(content)
    except puremagic.PureError:
        return False
    types = {match.mime_type for match in found}
    return _CONTENT[ending] in types


def store(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    subject: str,
    upload: Upload,
    visibility: FileVisibility,
    store: AttachmentStore,
) -> int:
    """Check and keep an upload for a subject; return the attachment's id."""
    content_type = check_upload(upload)
    row = Attachment(
        subject=subject,
        name=upload.name.replace("/", "_").replace("\\", "_")[-200:],
        stored_name=store.write(upload.content),
        content_type=content_type,
        byte_count=len(upload.content),
        sha256=hashlib.sha256(upload.content).hexdigest(),
        visibility=visibility,
        uploaded_at=now,
        uploaded_by_id=actor.user_id,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="attachments.store",
        subject=subject,
        now=now,
        after={"attachment": row.id, "name": row.name, "sha256": row.sha256},
    )
    return row.id


def check_room(session: Session, *, subject: str, uploads: Sequence[Upload]) -> None:
    """Refuse uploads that would leave a subject with more than ``MOST_KEPT`` files.

    The caller has locked the subject, so that two who attach at once are counted one by one.
    """
    kept = len(of(session, subject))
    if kept + len(uploads) > MOST_KEPT:
        raise RuleBroken(
            "attachments.too_many",
            f"一共最多 {MOST_KEPT} 个附件，已有 {kept} 个，这次再传 {len(uploads)} 个就超过了；"
            "请先删除不用的，或合并成一个 PDF 再传",
            "attachments",
        )


def remove(
    session: Session, *, actor: Actor, now: datetime, subject: str, attachment_id: int
) -> None:
    """Take an attachment off its subject; the file itself stays for the audit."""
    row = session.get(Attachment, attachment_id)
    if row is None or row.subject != subject:
        raise NotFound()
    audit.record(
        session,
        actor=actor,
        action="attachments.remove",
        subject=subject,
        now=now,
        before={"attachment": row.id, "name": row.name, "sha256": row.sha256},
    )
    session.delete(row)


def of(session: Session, subject: str) -> list[AttachmentView]:
    """List a subject's attachments, oldest first."""
    rows = session.scalars(
        select(Attachment).where(Attachment.subject == subject).order_by(Attachment.id)
    )
    return [_view(row) for row in rows]


def content(
    session: Session, *, subject: str, attachment_id: int, store: AttachmentStore
) -> tuple[AttachmentView, bytes]:
    """Return one attachment of a subject with its bytes; the caller has checked who asks."""
    row = session.get(Attachment, attachment_id)
    if row is None or row.subject != subject:
        raise NotFound()
    return _view(row), store.read(row.stored_name)


def _view(row: Attachment) -> AttachmentView:
    return AttachmentView(
        row.id,
        row.subject,
        row.name,
        row.content_type,
        row.byte_count,
        row.sha256,
        row.visibility,
        row.uploaded_at,
    )
