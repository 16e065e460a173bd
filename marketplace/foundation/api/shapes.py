"""JSON in and out: a form's fields as a strict shape, and typed answers.

What a program sends has the very fields of the page's form and passes through that form: one
definition, one set of messages. Amounts are written in yuan as text (``"2600000.00"``), days as
``2026-11-20``; a field that the form calls ``price_fen`` is called ``price``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal

import wtforms
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    create_model,
)
from werkzeug.datastructures import MultiDict

from marketplace.foundation import web
from marketplace.foundation.errors import Problem
from marketplace.foundation.web.file_fields import FilesField
from marketplace.foundation.web.text_fields import Required
from marketplace.foundation.web.value_fields import EARLIEST, LATEST
from marketplace.foundation.words import Word

_YUAN = r"^[0-9]{1,13}(\.[0-9]{1,2})?$"
_DECIMAL = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$"
_PERCENT = r"^[0-9]{1,3}(\.[0-9]{1,4})?$"
_USCC = r"^[0-9A-Z]{18}$"
_LONGEST_CODE = 40
_MOST_CHOICES = 50

_STRICT = ConfigDict(extra="forbid", strict=True)


def _written(fen: int) -> str:
    sign, rest = ("-", -fen) if fen < 0 else ("", fen)
    return f"{sign}{rest // 100}.{rest % 100:02d}"


# What answers are made of.
Yuan = Annotated[
    int,
    PlainSerializer(_written, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2}$", "description": "金额，单位元"}
    ),
]
Moment = datetime
Days = date


class Answer(BaseModel):
    """What an operation returns; read from a view by attribute, never more than is named."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")


class AnyQuery(BaseModel):
    """The query of an operation that takes none."""

    model_config = ConfigDict(extra="forbid")


def json_name(field_name: str) -> str:
    """Return what a form's field is called in JSON."""
    return field_name.removesuffix("_fen")


def _fields(form: type[wtforms.Form]) -> Iterator[Any]:
    for field in form():
        if isinstance(field, FilesField) or field.name in ("submission_key", "version"):
            continue
        yield field


@cache
def file_fields(form: type[wtforms.Form]) -> tuple[FilesField, ...]:
    """List the fields of a form that take files."""
    return tuple(field for field in form() if isinstance(field, FilesField))


def _required(field: Any) -> bool:
    return any(isinstance(check, Required) for check in field.validators)


def _longest(field: Any) -> int:
    found = [check.longest for check in field.validators if hasattr(check, "longest")]
    return min(found, default=200)


def _text(field: Any) -> Any:
    least = 1 if _required(field) else 0
    return Annotated[str, StringConstraints(min_length=least, max_length=_longest(field))]


def _choice(field: Any) -> Any:
    codes = tuple(str(value) for value, *_ in field.choices or () if value != "")
    if codes:
        return Literal[codes]
    return Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_CODE)]


def _pattern(pattern: str) -> Any:
    return Annotated[str, StringConstraints(pattern=pattern)]


def _listed(kind: Any) -> Any:
    return list[kind]


def _type(field: Any) -> tuple[Any, Any]:
    """Return a field's type and its default; ``...`` where it must be given."""
    needed = _required(field)
    if isinstance(field, web.RowsField):
        row: Any = Annotated[_listed(model_of(field.row)), Field(max_length=field.most)]
        return row, ... if field.required else Field(default_factory=list)
    if isinstance(field, web.FlagField):
        return (Literal[True], ...) if needed else (bool, False)
    if isinstance(field, web.ChoicesField):
        chosen: Any = Annotated[_listed(_choice(field)), Field(max_length=_MOST_CHOICES)]
        return chosen, ... if needed else Field(default_factory=list)
    if isinstance(field, web.LongTextField | web.TextField):
        return _text(field), ... if needed else ""
    found: Any = _scalar(field)
    return (found, ...) if needed else (found | None, None)


def _scalar(field: Any) -> Any:
    if isinstance(field, web.YuanField):
        return _pattern(_YUAN)
    if isinstance(field, web.IntField):
        return Annotated[int, Field(ge=field.least, le=field.most)]
    if isinstance(field, web.PercentField):
        return _pattern(_PERCENT)
    if isinstance(field, web.DecimalField):
        return _pattern(_DECIMAL)
    if isinstance(field, web.DateField):
        return Annotated[date, Field(ge=EARLIEST, le=LATEST)]
    if isinstance(field, web.UsccField):
        return _pattern(_USCC)
    if isinstance(field, web.ChoiceField):
        return _choice(field)
    return Annotated[str, StringConstraints(max_length=_LONGEST_CODE)]


@cache
def model_of(form: type[wtforms.Form], *, versioned: bool = False) -> type[BaseModel]:
    """Return the strict shape of a form's JSON; ``versioned`` asks for what the caller has read."""
    shapes: dict[str, Any] = {}
    for field in _fields(form):
        kind, default = _type(field)
        label = field.label.text
        if field.description:
            label = f"{label}（{field.description}）"
        shapes[json_name(field.name)] = (Annotated[kind, Field(description=label)], default)
    if versioned:
        number = Annotated[int, Field(ge=1, le=2**31 - 1, description="读取时得到的版本号")]
        shapes["version"] = (number, ...)
    made: type[BaseModel] = create_model(form.__name__, __config__=_STRICT, **shapes)
    return made


def sent_as(form: type[wtforms.Form], payload: Mapping[str, Any]) -> MultiDict[str, Any]:
    """Return a checked payload as the browser would have sent the form."""
    sent: MultiDict[str, Any] = MultiDict()
    if "version" in payload:
        sent["version"] = str(payload["version"])
    for field in _fields(form):
        _put(sent, field, field.name, payload.get(json_name(field.name)))
    return sent


def _put(sent: MultiDict[str, Any], field: Any, name: str, value: Any) -> None:
    if value is None or value is False:
        return
    if isinstance(field, web.RowsField):
        inner = {inside.name: inside for inside in _fields(field.row)}
        for number, row in enumerate(value):
            for inside_name, inside in inner.items():
                _put(
                    sent, inside, f"{name}-{number}-{inside_name}", row.get(json_name(inside_name))
                )
    elif isinstance(value, list):
        for entry in value:
            sent.add(name, str(entry))
    else:
        sent.add(name, "y" if value is True else str(value))


def problems_of(form: wtforms.Form) -> list[Problem]:
    """List what a form refuses, each with the JSON name of its field."""
    found = [Problem("form.invalid", str(message)) for message in form.form_errors]
    for field in form:
        if isinstance(field, web.RowsField):
            found += _row_problems(field)
        for message in field.errors:
            found.append(Problem("form.invalid", str(message), json_name(field.name)))
    return found


def _row_problems(rows: web.RowsField) -> Iterator[Problem]:
    for number, entry in enumerate(rows.entries):
        for inside in entry.form:
            for message in inside.errors:
                where = f"{json_name(rows.short_name)}.{number}.{json_name(inside.short_name)}"
                yield Problem("form.invalid", str(message), where)


def payload_of(form: type[wtforms.Form], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form's stored values as the JSON that would send them again."""
    return {json_name(field.name): _plain(field, stored.get(field.name)) for field in _fields(form)}


def _plain(field: Any, value: Any) -> Any:
    if isinstance(field, web.RowsField):
        return [payload_of(field.row, row) for row in value or ()]
    if isinstance(field, web.ChoicesField):
        return [_code(entry) for entry in value or ()]
    if isinstance(field, web.FlagField):
        return bool(value)
    if value in (None, ""):
        return "" if isinstance(field, web.LongTextField | web.TextField) else None
    if isinstance(field, web.YuanField):
        return _written(value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date):
        return value.isoformat()
    return _code(value) if not isinstance(value, int) else value


def _code(value: Any) -> str:
    return value.value if isinstance(value, Word) else str(value)


def shaped_as(form: type[wtforms.Form]) -> WithJsonSchema:
    """Return the schema of an answer's part that has the shape of a form, to annotate it with."""
    schema = loosened(model_of(form).model_json_schema(ref_template="#/components/schemas/{model}"))
    return WithJsonSchema(schema)


def loosened(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a shape as answers keep it: what is stored may be older than today's limits."""
    inner = schema.pop("$defs", {})
    for name, part in schema.get("properties", {}).items():
        schema["properties"][name] = _inlined(part, inner)
    schema["required"] = sorted(schema.get("properties", {}))
    return schema


_LIMITS = ("minLength", "maxLength", "pattern", "maxItems", "minimum", "maximum", "default")


def _inlined(part: Any, inner: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(entry, inner) for entry in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        part = inner[part["$ref"].rsplit("/", 1)[-1]]
    kept = {key: _inlined(value, inner) for key, value in part.items() if key not in _LIMITS}
    if "const" in kept:  # a box that must be ticked may stand unticked in a draft
        kept = {"type": "boolean", "description": kept.get("description", "")}
    kept.pop("required", None)
    return kept
