"""What a call brings: JSON, or JSON beside files in the parts of a multipart body.

In a multipart body the part ``content`` holds the JSON that is the whole body elsewhere, and files
stand in parts that are named as the fields of the page's form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import wtforms
from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from marketplace.foundation.api.shapes import file_fields, problems_of, sent_as
from marketplace.foundation.errors import Problem, RuleBroken

MAX_BODY = 512 * 1024
CONTENT_PART = "content"
_MULTIPART = "multipart/form-data"

Parts = Sequence[tuple[str, FileStorage]]


@dataclass(frozen=True)
class Body:
    """What was sent and fits: the filled form, and what makes it this body and no other."""

    form: Any
    fingerprint: bytes


def read_body(
    form: type[wtforms.Form] | None,
    shape: type[BaseModel] | None,
    prepare: Callable[[Any], None] | None,
) -> Body:
    """Read the request into the form of its page; refuse what fits neither shape nor form.

    ``prepare`` fills lists that the form's choices come from.
    """
    if form is None or shape is None:
        if _bounded(request.get_data()).strip() not in (b"", b"{}"):
            raise RuleBroken("api.body", "这个操作不带请求体，请去掉后再发送")
        return Body(None, b"")
    files: Parts = ()
    if file_fields(form) and request.mimetype == _MULTIPART:
        content, files = _parts(form)
    else:
        content = _bounded(request.get_data())
    payload = _payload(shape, content)
    sent: MultiDict[str, Any] = sent_as(form, payload)
    for name, file in files:
        sent.add(name, file)
    filled = form(sent)
    if prepare is not None:
        prepare(filled)
    if not filled.validate():
        raise RuleBroken.of(problems_of(filled))
    return Body(filled, _fingerprint(payload, files))


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_BODY:
        raise RequestEntityTooLarge()
    return content


def _parts(form: type[wtforms.Form]) -> tuple[bytes, Parts]:
    """Return the JSON and the files of a multipart body; refuse parts that have no meaning."""
    fields = {field.name for field in file_fields(form)}
    unknown = [name for name in request.form if name != CONTENT_PART]
    unknown += [name for name in request.files if name not in fields]
    if unknown:
        raise RuleBroken.of([Problem("shape.extra_forbidden", _NO_SUCH, name) for name in unknown])
    contents = request.form.getlist(CONTENT_PART)
    if len(contents) > 1:
        raise RuleBroken("shape.repeated", f"{CONTENT_PART} 只能给一次", CONTENT_PART)
    files = tuple(request.files.items(multi=True))
    return _bounded(contents[0].encode() if contents else b"{}"), files


def _payload(shape: type[BaseModel], content: bytes) -> dict[str, Any]:
    try:
        return shape.model_validate_json(content).model_dump(mode="json")
    except ValidationError as wrong:
        raise refusal(wrong) from wrong


def _fingerprint(payload: dict[str, Any], files: Parts) -> bytes:
    """Return what the same call sends again: the boundary of a multipart body differs each time."""
    return b"\n".join([json.dumps(payload, sort_keys=True).encode(), *_digests(files)])


def _digests(files: Parts) -> Iterator[bytes]:
    for name, file in files:
        digest = hashlib.sha256(file.stream.read()).hexdigest()
        file.stream.seek(0)
        yield json.dumps([name, file.filename, digest]).encode()


_NO_SUCH = "没有这一项，请检查名称"
_WORDS = {
    "missing": "缺少这一项",
    "extra_forbidden": _NO_SUCH,
    "json_invalid": "请求体不是合法的 JSON",
    "string_too_long": "文字太长",
    "string_too_short": "不能为空",
    "literal_error": "不在可选的代码之中",
    "string_pattern_mismatch": "写法不对，请对照接口文档",
}


def refusal(wrong: ValidationError) -> RuleBroken:
    """Say in words what does not fit a shape, each with the place where it stands."""
    problems: Sequence[Problem] = [
        Problem(
            f"shape.{error['type']}",
            _WORDS.get(error["type"], "类型或范围不对，请对照接口文档"),
            ".".join(str(part) for part in error["loc"])[:200] or None,
        )
        for error in wrong.errors(include_url=False, include_context=False, include_input=False)
    ]
    return RuleBroken.of(problems[:100])
