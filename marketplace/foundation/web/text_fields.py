"""Fields of text: trimmed, without control characters, bounded, and kept as typed.

What a field refuses and what a rule refuses end up in the same place, beside the field.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

import wtforms
from wtforms import validators

MAX_TEXT = 20_000


def _clean(text: str) -> str:
    """Drop control characters that no person typed on purpose; keep line breaks and tabs."""
    return "".join(
        c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")
    ).strip()


class Required(validators.DataRequired):
    """Ask for a value, with a message that says what is expected."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    def __call__(self, form: wtforms.form.BaseForm, field: wtforms.Field) -> None:
        if field.process_errors:
            raise validators.StopValidation()  # something was typed, and what is wrong is said
        if field.data is None or field.data in ("", [], ()):
            message = self.message or f"请填写“{field.label.text}”"
            raise validators.StopValidation(str(message))


def validators_of(required: bool, more: Iterable[Any]) -> list[Any]:
    """Return a field's checks, led by whether it may stay empty."""
    first: Any = Required() if required else validators.Optional()
    return [first, *more]


class _Longest:
    """Refuse text above a number of characters, and say both numbers."""

    def __init__(self, longest: int) -> None:
        self.longest = longest

    def __call__(self, form: wtforms.form.BaseForm, field: wtforms.Field) -> None:
        length = len(field.data or "")
        if length > self.longest:
            raise validators.ValidationError(
                f"最多 {self.longest:,} 个字，现在有 {length:,} 个；请删减或放进附件"
            )


def attributes_of(**attributes: Any) -> dict[str, Any]:
    """Return the attributes of an input that say something."""
    return {key: value for key, value in attributes.items() if value not in ("", None)}


class UnitField(wtforms.StringField):
    """A text field with a unit behind it."""

    unit = ""
    raw: str = ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw = valuelist[0].strip() if valuelist else ""
        self.data = self.parse(self.raw) if self.raw else None

    def parse(self, text: str) -> Any:
        return _clean(text)

    def _value(self) -> str:
        # What was typed stays as typed, also when it is wrong.
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else self.write(self.data)

    def write(self, value: Any) -> str:
        return str(value)


class TextField(UnitField):
    """One line of text; ``longest`` counts characters."""

    data: str  # empty when nothing was typed, never None

    def __init__(
        self,
        label: str,
        *,
        required: bool = False,
        longest: int = 200,
        hint: str = "",
        unit: str = "",
        placeholder: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            label,
            validators_of(required, [_Longest(longest)]),
            description=hint,
            render_kw=attributes_of(placeholder=placeholder, **kwargs.pop("render_kw", {})),
            **kwargs,
        )
        self.unit = unit

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is None:
            self.data = ""


class LongTextField(wtforms.TextAreaField):
    """Several lines of text; ``longest`` counts characters."""

    data: str  # empty when nothing was typed, never None

    def __init__(
        self,
        label: str,
        *,
        required: bool = False,
        longest: int = 5_000,
        hint: str = "",
        rows: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            label,
            validators_of(required, [_Longest(longest)]),
            description=hint,
            render_kw={"rows": rows, **kwargs.pop("render_kw", {})},
            **kwargs,
        )

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = _clean(valuelist[0].replace("\r\n", "\n")) if valuelist else ""


class PasswordField(wtforms.PasswordField):
    """A password, never sent back to the page."""

    def __init__(self, label: str, *, hint: str = "", autocomplete: str, **kwargs: Any) -> None:
        super().__init__(
            label,
            [Required(), _Longest(256)],
            description=hint,
            render_kw={"autocomplete": autocomplete},
            **kwargs,
        )
