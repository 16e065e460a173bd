"""Forms: the shape of what people type, kept as typed when something is wrong.

Fields turn text into typed values once: yuan into fen, days into dates, codes into words. What a
field refuses and what a rule refuses end up in the same place, beside the field.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

import wtforms
from flask import request
from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, ValidationError
from werkzeug.datastructures import MultiDict
from wtforms import validators

from marketplace.foundation.errors import DomainError, RuleBroken
from marketplace.foundation.money import Fen, format_yuan, parse_yuan
from marketplace.foundation.words import Word

MAX_TEXT = 20_000
EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)

AnyForm = TypeVar("AnyForm", bound="Form")
Choices = type[Word] | Sequence[tuple[str, str]]


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


def _validators(required: bool, more: Iterable[Any]) -> list[Any]:
    first: Any = Required() if required else validators.Optional()
    return [first, *more]


class _UnitField(wtforms.StringField):
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


class TextField(_UnitField):
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
            _validators(required, [_Longest(longest)]),
            description=hint,
            render_kw=_attributes(placeholder=placeholder, **kwargs.pop("render_kw", {})),
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
            _validators(required, [_Longest(longest)]),
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


def _attributes(**attributes: Any) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if value not in ("", None)}


class _ParsedField(_UnitField):
    """A text field whose text becomes a value; what does not is refused in words."""

    data: Any  # the parsed value, None when nothing was typed or it was refused

    def __init__(
        self, label: str, *, required: bool = False, hint: str = "", **kwargs: Any
    ) -> None:
        extra = kwargs.pop("checks", ())
        super().__init__(label, _validators(required, extra), description=hint, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except RuleBroken as refusal:
            self.data = None
            raise ValueError(refusal.problems[0].message) from refusal


class YuanField(_ParsedField):
    """An amount typed in yuan; its data is exact ``Fen``."""

    unit = "元"

    def parse(self, text: str) -> Fen:
        return parse_yuan(text)

    def write(self, value: Fen) -> str:
        return format_yuan(value)


class IntField(_ParsedField):
    """A whole number between ``least`` and ``most``."""

    def __init__(
        self, label: str, *, least: int = 0, most: int = 10**9, unit: str = "", **kwargs: Any
    ) -> None:
        super().__init__(label, **kwargs)
        self.least, self.most, self.unit = least, most, unit

    def parse(self, text: str) -> int:
        plain = unicodedata.normalize("NFKC", text).replace(",", "")
        try:
            number = int(plain)
        except ValueError as broken:
            raise RuleBroken("forms.integer", "这里要填整数，例如 12") from broken
        if not self.least <= number <= self.most:
            raise RuleBroken("forms.range", f"应在 {self.least:,} 到 {self.most:,} 之间")
        return number


class DecimalField(_ParsedField):
    """An exact decimal number, such as a measured value."""

    def __init__(self, label: str, *, unit: str = "", **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.unit = unit

    def parse(self, text: str) -> Decimal:
        plain = unicodedata.normalize("NFKC", text).replace(",", "")
        try:
            number = Decimal(plain)
        except InvalidOperation as broken:
            raise RuleBroken("forms.number", "这里要填数字，例如 12.5") from broken
        if not number.is_finite() or abs(number) > Decimal(10) ** 15:
            raise RuleBroken("forms.number", "数字过大，请检查单位")
        return number


class PercentField(DecimalField):
    """A share between 0 and 100, with at most four decimals; its data is a Decimal of percent."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, unit="%", **kwargs)

    def parse(self, text: str) -> Decimal:
        number = super().parse(text.removesuffix("%"))
        if not 0 <= number <= 100:
            raise RuleBroken("forms.percent", "百分比应在 0 到 100 之间")
        if number != number.quantize(Decimal("0.0001")):
            raise RuleBroken("forms.percent", "百分比最多四位小数")
        return number


class DateField(_ParsedField):
    """A calendar day, ``2026-11-20``."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, render_kw={"type": "date"}, **kwargs)

    def parse(self, text: str) -> date:
        plain = unicodedata.normalize("NFKC", text).replace("/", "-").replace(".", "-")
        for separator in "年月":
            plain = plain.replace(separator, "-")
        try:
            year, month, day = (int(part) for part in plain.removesuffix("日").split("-"))
            found = date(year, month, day)
        except ValueError as broken:
            raise RuleBroken("forms.date", "日期不存在或写法不对，应写成 2026-11-20") from broken
        if not EARLIEST <= found <= LATEST:
            raise RuleBroken("forms.date", "日期不合理，请检查年份")
        return found

    def write(self, value: date) -> str:
        return value.isoformat()


class ClockField(_ParsedField):
    """A time of day, ``14:30``; its data is a ``time``."""

    def __init__(self, label: str, *, placeholder: str = "", **kwargs: Any) -> None:
        super().__init__(label, render_kw=_attributes(placeholder=placeholder), **kwargs)

    def parse(self, text: str) -> time:
        plain = unicodedata.normalize("NFKC", text)
        try:
            return datetime.strptime(plain, "%H:%M").time()  # noqa: DTZ007 -- a time of day only
        except ValueError as broken:
            raise RuleBroken("forms.clock", "时间应写成 14:30") from broken

    def write(self, value: time) -> str:
        return value.strftime("%H:%M")


class UsccField(_ParsedField):
    """A unified social credit code, checked by its check digit (GB 32100-2015)."""

    def parse(self, text: str) -> str:
        compact = unicodedata.normalize("NFKC", text).replace(" ", "").replace("-", "").upper()
        if len(compact) != 18:
            raise RuleBroken("uscc.length", f"统一社会信用代码应为 18 位，现在是 {len(compact)} 位")
        try:
            return str(uscc.validate(compact))
        except InvalidChecksum as wrong:
            raise RuleBroken(
                "uscc.check_digit", "统一社会信用代码的校验位不对，请对照营业执照逐位核对"
            ) from wrong
        except ValidationError as wrong:
            raise RuleBroken(
                "uscc.form", "统一社会信用代码含有不允许的字符（没有字母 I、O、S、V、Z）"
            ) from wrong


def _listed(choices: Choices) -> tuple[type[Word] | None, list[tuple[str, str]]]:
    if isinstance(choices, type):
        return choices, choices.pairs()
    return None, list(choices)


def _member(word: type[Word] | None, value: Any) -> Any:
    """Return the word for a code; an unknown code stays text, for the check to refuse."""
    if word is None:
        return str(value)
    return next((member for member in word if member.value == str(value)), str(value))


class ChoiceField(wtforms.SelectField):
    """One of a Word's members (its data is the member) or of (value, label) pairs."""

    def __init__(
        self,
        label: str,
        choices: Choices,
        *,
        required: bool = False,
        hint: str = "",
        empty: str = "请选择",
        radio: bool = False,
        **kwargs: Any,
    ) -> None:
        self.word, listed = _listed(choices)
        self.radio = radio
        if not radio:
            listed = [("", empty), *listed]
        super().__init__(
            label,
            _validators(required, []),
            choices=listed,
            coerce=self._coerce,
            description=hint,
            validate_choice=False,
            **kwargs,
        )

    def _coerce(self, value: Any) -> Any:
        return None if value in ("", None) else _member(self.word, value)

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        if self.data is None:
            return
        known = {str(choice[0]) for choice in self.iter_choices()}
        if str(self.data) not in known:
            raise validators.StopValidation("请从列表中选择一项")


class ChoicesField(wtforms.SelectMultipleField):
    """Any number of a Word's members or of (value, label) pairs, as check boxes."""

    def __init__(
        self,
        label: str,
        choices: Choices,
        *,
        required: bool = False,
        hint: str = "",
        **kwargs: Any,
    ) -> None:
        self.word, listed = _listed(choices)
        super().__init__(
            label,
            _validators(required, []),
            choices=listed,
            coerce=self._coerce,
            description=hint,
            validate_choice=False,
            **kwargs,
        )

    def _coerce(self, value: Any) -> Any:
        return _member(self.word, value)

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        known = {str(choice[0]) for choice in self.iter_choices()}
        if any(str(value) not in known for value in self.data or ()):
            raise validators.StopValidation("请只从列表中选择")


class FlagField(wtforms.BooleanField):
    """A single check box; ``required`` asks that it be ticked, as a declaration is."""

    def __init__(
        self,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        message: str = "",
        **kwargs: Any,
    ) -> None:
        checks = [Required(message or f"请确认：{label}")] if required else []
        super().__init__(label, checks, description=hint, **kwargs)

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        if any(isinstance(check, Required) for check in self.validators) and not self.data:
            raise validators.StopValidation(f"请勾选“{self.label.text}”")


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
