"""What answers say of a stored file; its bytes have an address of their own."""

from __future__ import annotations

from marketplace.foundation.api.shapes import Answer, Moment
from marketplace.foundation.attachments import FileVisibility


class FileLine(Answer):
    """One stored file that the caller may open."""

    id: int
    name: str
    content_type: str
    byte_count: int
    sha256: str
    visibility: FileVisibility
    uploaded_at: Moment


class FileList(Answer):
    """The files of one object, oldest first."""

    items: list[FileLine]
