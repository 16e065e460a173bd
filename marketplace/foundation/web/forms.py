"""Forms: the shape of what people type, kept as typed when something is wrong."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import wtforms
from flask import request
from werkzeug.datastructures import MultiDict

from marketplace.foundation.errors import DomainError

AnyForm = TypeVar("AnyForm", bound="Form")

if TYPE_CHECKING:
    _FieldList = wtforms.FieldList[Any]
else:  # generic only in its type stubs
    _FieldList = wtforms.FieldList


class RowForm(wtforms.Form):
    """One row of a table inside a form; a row left wholly empty does not count."""

    def is_empty(self) -> bool:
        """Tell whether nothing was typed into this row."""
        return all(
            not any(str(entry).strip() for entry in field.raw_data or ())
            for field in self
            if not isinstance(field, wtforms.SelectField)
        )


class RowsField(_FieldList):
    """A table of sub-forms: what is filled in, and some empty rows to go on."""

    def __init__(
        self,
        label: str,
        row: type[RowForm],
        *,
        spare: int = 1,
        most: int = 50,
        hint: str = "",
        required: bool = False,
        **kwargs: Any,
    ) -> None:
        self.row = row
        self.spare = spare
        self.most = most
        self.required = required
        super().__init__(
            wtforms.FormField(row), label, description=hint, max_entries=most, **kwargs
        )

    def filled(self) -> list[dict[str, Any]]:
        """List the data of the rows in which something was typed, in order."""
        return [entry.form.data for entry in self.entries if not self._blank(entry)]

    def _blank(self, entry: Any) -> bool:
        return bool(entry.form.is_empty())

    def validate(self, form: wtforms.form.BaseForm, extra_validators: Sequence[Any] = ()) -> bool:
        self.errors = []
        right = True
        for entry in self.entries:
            if self._blank(entry):
                continue
            if not entry.validate(form):
                right = False
        if self.required and not self.filled():
            self.errors = [f"“{self.label.text}”至少要填一行"]
            return False
        if not right:
            self.errors = [f"“{self.label.text}”中有需要修改的行"]
        return right

    def offer_spare_rows(self, count: int | None = None) -> None:
        """Append empty rows for the page, up to the maximum."""
        for _ in range(self.spare if count is None else count):
            if len(self.entries) < self.most:
                self.append_entry()


class Form(wtforms.Form):
    """A page's form with its submission key and the version of what it edits."""

    submission_key = wtforms.HiddenField()
    version = wtforms.HiddenField()

    # A form that shares its page with others of the same field names tells its controls apart.
    id_prefix = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.id_prefix:
            for field in self:
                field.id = field.label.field_id = f"{self.id_prefix}-{field.id}"

    @classmethod
    def load(cls: type[AnyForm], **stored: Any) -> AnyForm:
        """Build the form from the request, or from stored values on the first visit."""
        if request.method == "POST":
            sent: MultiDict[str, Any] = MultiDict(request.form)
            for name, files in request.files.lists():
                sent.setlist(name, files)
            form = cls(formdata=sent)
        else:
            form = cls(data=stored)
        if not form.submission_key.data:
            form.submission_key.data = secrets.token_urlsafe(18)
        if request.method != "POST" and "version" in stored:
            form.version.data = str(stored["version"])
        form._grow()
        return form

    @classmethod
    def fresh(cls: type[AnyForm], **stored: Any) -> AnyForm:
        """Build the form from stored values, whatever the request carries.

        For a page with several forms: the others stay as they were when one is sent back.
        """
        form = cls(data=stored)
        form.submission_key.data = secrets.token_urlsafe(18)
        form._grow()
        return form

    def _grow(self) -> None:
        """Offer empty rows; an "add rows" button asks for more of one table."""
        for field in self:
            if isinstance(field, RowsField):
                asked = f"add_{field.name}" in request.form
                if request.method != "POST" or asked or not field.entries:
                    field.offer_spare_rows(3 if asked else None)

    def adding_rows(self) -> bool:
        """Tell whether the POST only asked for more rows of a table."""
        return any(
            f"add_{field.name}" in request.form for field in self if isinstance(field, RowsField)
        )

    def validate_on_post(self) -> bool:
        """Tell whether the form was sent and its shape is right."""
        return request.method == "POST" and not self.adding_rows() and self.validate()

    @property
    def version_number(self) -> int | None:
        """Return the version of the object the page was opened with."""
        text = self.version.data or ""
        return int(text) if text.isdigit() else None

    def take(self, refusal: DomainError) -> None:
        """Put a rule's refusal beside the fields it is about, the rest above the form."""
        for problem in refusal.problems:
            field = self._fields.get(problem.field or "")
            if field is None:
                self.form_errors.append(problem.message)
            else:
                field.errors = [*field.errors, problem.message]
        # The refused key was not used up: the corrected form may carry it again.

    def status(self) -> int:
        """Return the HTTP status for rendering the form: 200 fresh, 422 with problems."""
        return 422 if self.errors else 200
