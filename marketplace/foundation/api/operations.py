"""Operations of the interface: who may, what comes in, one service call, what goes out.

A slice's ``api.py`` declares each operation once; the route, its checks and its description in the
OpenAPI document all come from that declaration.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import wtforms
from flask import Blueprint, Flask, Response, g, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from marketplace.foundation import web
from marketplace.foundation.access import Permission
from marketplace.foundation.api.idempotency import Outcome, once
from marketplace.foundation.api.scopes import Access, Scope
from marketplace.foundation.api.shapes import AnyQuery, model_of, problems_of, sent_as
from marketplace.foundation.db import Database
from marketplace.foundation.errors import DomainError, NotAllowed, NotFound, Problem, RuleBroken
from marketplace.foundation.words import Word

PREFIX = "/api/v1"
MAX_BODY = 512 * 1024
KEY_HEADER = "Idempotency-Key"
_LONGEST_KEY = 200
_OPERATION = "api_operation"


@dataclass(frozen=True)
class Operation:
    """One declared operation."""

    method: str
    path: str
    permission: Permission
    scope: Scope
    summary: str
    tag: str
    answer: type[BaseModel]
    query: type[BaseModel]
    form: type[wtforms.Form] | None
    versioned: bool
    status: int
    codes: Mapping[str, type[Word]] = field(default_factory=dict)

    @property
    def body(self) -> type[BaseModel] | None:
        """Return the shape of the body, None where there is none."""
        return None if self.form is None else model_of(self.form, versioned=self.versioned)


class PageQuery(BaseModel):
    """The query of a list: where to go on and how much to read."""

    model_config = ConfigDict(extra="forbid")

    after: str | None = Field(None, min_length=1, max_length=800, description="上一页返回的 next")
    limit: int = Field(20, ge=1, le=100, description="每页条数")


class Made(BaseModel):
    """What was made or changed."""

    id: int
    version: int | None = None


class Routes:
    """The operations of one slice, on a blueprint of their own."""

    def __init__(self, slice_name: str, import_name: str, *, tag: str) -> None:
        self.tag = tag
        self.blueprint = Blueprint(f"{slice_name}_api", import_name, url_prefix=PREFIX)

    def reads(
        self,
        path: str,
        *,
        permission: Permission,
        summary: str,
        answer: type[BaseModel],
        query: type[BaseModel] = AnyQuery,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a GET; the function takes the query and the path's ids, and returns a view."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            operation = Operation(
                "GET", path, permission, Scope.READ, summary, self.tag, answer, query, None,
                versioned=False, status=200,
            )  # fmt: skip

            def view(**ids: int) -> Response:
                _admit(operation)
                asked = _query(operation)
                return _response(Outcome(200, _text(operation, function(asked, **ids))))

            self._add(operation, function, view)
            return function

        return decorate

    def writes(
        self,
        path: str,
        *,
        permission: Permission,
        scope: Scope,
        summary: str,
        form: type[wtforms.Form] | None = None,
        method: str = "POST",
        versioned: bool = False,
        answer: type[BaseModel] = Made,
        status: int = 200,
        prepare: Callable[[Any], None] | None = None,
        on_refusal: Callable[..., None] | None = None,
        codes: Mapping[str, type[Word]] | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a change; the function takes session, form and ids, and makes one service call.

        It runs in one transaction, once for an idempotency key. ``prepare`` fills lists that the
        form's choices come from; ``codes`` names the words that stand in the path; ``on_refusal``
        keeps, in a transaction of its own, that the service refused.
        """

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            operation = Operation(
                method, path, permission, scope, summary, self.tag, answer, AnyQuery, form,
                versioned=versioned, status=status, codes=codes or {},
            )  # fmt: skip

            def view(**sent: Any) -> Response:
                access = _admit(operation)
                ids = _path(operation, sent)
                _query(operation)
                filled = _form(operation, prepare)
                carried_out = partial(
                    once,
                    web.resource(Database),
                    transaction=web.transaction,
                    token_id=access.token_id,
                    key=_key(),
                    request=b"\n".join(
                        (request.method.encode(), request.path.encode(), request.get_data())
                    ),
                    now=web.now(),
                    use_case=lambda session: Outcome(
                        operation.status, _text(operation, function(session, filled, **ids))
                    ),
                )
                try:
                    return _response(carried_out())
                except DomainError as refusal:
                    if on_refusal is not None:
                        with web.transaction() as session:
                            on_refusal(session, refusal, filled, **ids)
                    raise

            self._add(operation, function, view)
            return function

        return decorate

    def _add(
        self, operation: Operation, function: Callable[..., Any], view: Callable[..., Response]
    ) -> None:
        guarded = web.permits(operation.permission)(view)
        setattr(guarded, _OPERATION, operation)
        self.blueprint.add_url_rule(
            operation.path,
            endpoint=getattr(function, "__name__", "operation"),
            view_func=guarded,
            methods=[operation.method],
        )


def operations_of(app: Flask) -> list[Operation]:
    """List all declared operations by path."""
    found = [
        operation
        for view in app.view_functions.values()
        if isinstance(operation := getattr(view, _OPERATION, None), Operation)
    ]
    return sorted(found, key=lambda operation: (operation.path, operation.method))


def _admit(operation: Operation) -> Access:
    access: Access | None = g.get("access")
    if access is None:
        raise NotAllowed("access.sign_in", "请在 Authorization 头中带上有效的令牌")
    if operation.scope not in access.scopes:
        raise NotAllowed(
            "api.scope",
            f"这个令牌不含“{operation.scope.label}”范围；请用有此范围的令牌，或新建一个",
        )
    return access


def key_or_new() -> str:
    """Return the call's idempotency key, or one that nobody else has."""
    return _key() or secrets.token_urlsafe(18)


def _key() -> str:
    key = request.headers.get(KEY_HEADER, "")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        raise RuleBroken("api.key", f"{KEY_HEADER} 最多 {_LONGEST_KEY} 个可见字符", KEY_HEADER)
    return key


def _path(operation: Operation, sent: Mapping[str, Any]) -> dict[str, Any]:
    ids = dict(sent)
    for name, word in operation.codes.items():
        found = next((member for member in word if member.value == sent[name]), None)
        if found is None:
            raise NotFound()
        ids[name] = found
    return ids


def _query(operation: Operation) -> BaseModel:
    repeated = [name for name in request.args if len(request.args.getlist(name)) > 1]
    if repeated:
        raise RuleBroken("api.query", "查询参数重复，每个只能给一次", repeated[0])
    try:
        return operation.query.model_validate(request.args.to_dict())
    except ValidationError as wrong:
        raise _refusal(wrong) from wrong


def _form(operation: Operation, prepare: Callable[[Any], None] | None) -> Any:
    sent = request.get_data()
    if len(sent) > MAX_BODY:
        raise RequestEntityTooLarge()
    if operation.form is None:
        if sent.strip() not in (b"", b"{}"):
            raise RuleBroken("api.body", "这个操作不带请求体，请去掉后再发送")
        return None
    body = operation.body
    assert body is not None
    try:
        payload = body.model_validate_json(sent).model_dump(mode="json")
    except ValidationError as wrong:
        raise _refusal(wrong) from wrong
    form = operation.form(sent_as(operation.form, payload))
    if prepare is not None:
        prepare(form)
    if not form.validate():
        raise RuleBroken.of(problems_of(form))
    return form


_WORDS = {
    "missing": "缺少这一项",
    "extra_forbidden": "没有这一项，请检查名称",
    "json_invalid": "请求体不是合法的 JSON",
    "string_too_long": "文字太长",
    "string_too_short": "不能为空",
    "literal_error": "不在可选的代码之中",
    "string_pattern_mismatch": "写法不对，请对照接口文档",
}


def _refusal(wrong: ValidationError) -> RuleBroken:
    problems: Sequence[Problem] = [
        Problem(
            f"shape.{error['type']}",
            _WORDS.get(error["type"], "类型或范围不对，请对照接口文档"),
            ".".join(str(part) for part in error["loc"])[:200] or None,
        )
        for error in wrong.errors(include_url=False, include_context=False, include_input=False)
    ]
    return RuleBroken.of(problems[:100])


def _text(operation: Operation, result: Any) -> str:
    answer = operation.answer.model_validate(result, from_attributes=True)
    return json.dumps(answer.model_dump(mode="json"), ensure_ascii=False)


def _response(outcome: Outcome) -> Response:
    response = Response(outcome.body, outcome.status, mimetype="application/json")
    if outcome.repeated:
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["Cache-Control"] = "no-store"
    return response
