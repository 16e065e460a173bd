"""The field that takes files: each is scanned once, before a rule or a reader sees it."""

from __future__ import annotations

import hashlib
from typing import Any

import wtforms
from flask import current_app
from werkzeug.datastructures import FileStorage
from wtforms import validators

from marketplace.foundation import audit
from marketplace.foundation.attachments import MAX_BYTES
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.virus_scan import Scanner
from marketplace.foundation.web.requests import actor, now, transaction

# One byte more than anything accepts would do; a rule then says by how much it is too large.
READ_AT_MOST = MAX_BYTES * 2


MOST_FILES = 20


class FilesField(wtforms.MultipleFileField):
    """Files to attach; size, kind and content are checked by ``foundation.attachments``."""

    def __init__(
        self,
        label: str,
        *,
        required: bool = False,
        missing: str = "还没有选择文件",
        hint: str = "",
        accept: str = "",
        **kwargs: Any,
    ) -> None:
        shown = {"accept": accept} if accept else {}
        super().__init__(label, description=hint, render_kw=shown, **kwargs)
        self.required, self.missing = required, missing

    def uploads(self) -> list[FileStorage]:
        """List the files that were really chosen."""
        return [
            entry for entry in self.data or () if isinstance(entry, FileStorage) and entry.filename
        ]

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        """Ask for a file where one is needed, and let the scanner look at each.

        What is refused is said beside the field.
        """
        count = len(self.uploads())
        if self.required and count == 0:
            raise validators.StopValidation(self.missing)
        if count > MOST_FILES:
            raise validators.StopValidation(
                f"一次最多上传 {MOST_FILES} 个文件，这次有 {count} 个；请分几次上传"
            )
        scanner: Scanner | None = current_app.extensions.get("resources", {}).get(Scanner)
        if scanner is None or not scanner.asks:
            return
        for file in self.uploads():
            content = file.stream.read(READ_AT_MOST)
            file.stream.seek(0)
            try:
                scanner.check(file.filename or "", content)
            except RuleBroken as refused:
                if refused.code == "attachments.infected":
                    _note(file.filename or "", content)
                raise validators.StopValidation(refused.problems[0].message) from refused


def _note(name: str, content: bytes) -> None:
    """Keep who brought what; the file itself is kept nowhere."""
    with transaction() as session:
        audit.record(
            session,
            actor=actor(),
            action="attachments.infected",
            subject=f"user:{actor().user_id or 0}",
            now=now(),
            after={"name": name[:200], "sha256": hashlib.sha256(content).hexdigest()},
        )
