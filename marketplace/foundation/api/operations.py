"""Operations of the interface: who may, what comes in, one service call, what goes out.

A slice's ``api.py`` declares each operation once; the route, its checks and its description in the
OpenAPI document all come from that declaration.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any

import wtforms
from flask import Blueprint, Flask, Response, current_app, g, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marketplace.foundation import web
from marketplace.foundation.access import Permission
from marketplace.foundation.api.bodies import read_body, refusal
from marketplace.foundation.api.idempotency import Outcome, once
from marketplace.foundation.api.scopes import Access, Scope
from marketplace.foundation.api.shapes import AnyQuery, file_fields, model_of
from marketplace.foundation.db import Database
from marketplace.foundation.errors import DomainError, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.words import Word

PREFIX = "/api/v1"
KEY_HEADER = "Idempotency-Key"
_LONGEST_KEY = 200
_OPERATION = "api_operation"


@dataclass(frozen=True)
class Operation:
    """One declared operation; one without an answer sends a file."""

    method: str
    path: str
    permission: Permission
    scope: Scope
    summary: str
    tag: str
    answer: type[BaseModel] | None
    query: type[BaseModel]
    form: type[wtforms.Form] | None
    versioned: bool
    status: int
    codes: Mapping[str, type[Word]] = field(default_factory=dict)

    @property
    def body(self) -> type[BaseModel] | None:
        """Return the shape of the body, None where there is none."""
        return None if self.form is None else model_of(self.form, versioned=self.versioned)

    @property
    def files(self) -> Mapping[str, bool]:
        """Return the parts that take files, and whether each must hold one."""
        fields = () if self.form is None else file_fields(self.form)
        return {field.name: field.required for field in fields}


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

            @wraps(function)
            def view(**ids: int) -> Response:
                _admit(operation)
                asked = _query(operation)
                return _response(Outcome(200, _text(operation, function(asked, **ids))))

            self._add(operation, function, view)
            return function

        return decorate

    def sends(
        self, path: str, *, permission: Permission, summary: str
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a download; the function takes the path's ids and sends what the page sends."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            operation = Operation(
                "GET", path, permission, Scope.READ, summary, self.tag, None, AnyQuery, None,
                versioned=False, status=200,
            )  # fmt: skip

            @wraps(function)
            def view(**ids: int) -> Response:
                _admit(operation)
                _query(operation)
                return current_app.make_response(function(**ids))

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

            @wraps(function)
            def view(**sent: Any) -> Response:
                access = _admit(operation)
                ids = _path(operation, sent)
                _query(operation)
                body = read_body(operation.form, operation.body, prepare)
                carried_out = partial(
                    once,
                    web.resource(Database),
                    transaction=web.transaction,
                    token_id=access.token_id,
                    key=_key(),
                    request=b"\n".join(
                        (request.method.encode(), request.path.encode(), body.fingerprint)
                    ),
                    now=web.now(),
                    use_case=lambda session: Outcome(
                        operation.status, _text(operation, function(session, body.form, **ids))
                    ),
                )
                try:
                    return _response(carried_out())
                except DomainError as refused:
                    if on_refusal is not None:
                        with web.transaction() as session:
                            on_refusal(session, refused, body.form, **ids)
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
        raise refusal(wrong) from wrong


def _text(operation: Operation, result: Any) -> str:
    assert operation.answer is not None
    answer = operation.answer.model_validate(result, from_attributes=True)
    return json.dumps(answer.model_dump(mode="json"), ensure_ascii=False)


def _response(outcome: Outcome) -> Response:
    response = Response(outcome.body, outcome.status, mimetype="application/json")
    if outcome.repeated:
        response.headers["Idempotency-Replayed"] = "true"
    response.headers["Cache-Control"] = "no-store"
    return response
