"""The OpenAPI 3.1 document, made from the declared operations and nothing else.

Its schemas are those that check what comes in and write what goes out.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from marketplace.foundation.api.bodies import CONTENT_PART
from marketplace.foundation.api.operations import KEY_HEADER, Operation, operations_of
from marketplace.foundation.attachments import CONTENT_TYPES
from marketplace.foundation.web.file_fields import MOST_FILES

_REF = "#/components/schemas/{model}"
_ID = re.compile(r"<(?:int:)?(\w+)>")
_PROBLEMS = {
    "401": "没有令牌，或令牌无效、过期、已撤销",
    "403": "身份、核验状态或令牌范围不允许",
    "404": "没有这项内容，或者不属于您的单位",
    "409": "情况已变化，或 Idempotency-Key 用于过别的请求",
    "413": "请求体太大：JSON 最多 512 KB，带文件的请求合计最多 60 MB",
    "422": "内容不合规则，errors 逐项说明",
    "429": "调用太频繁，Retry-After 给出等待秒数",
}
_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457 的问题说明",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "reference": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "message", "field"],
                "properties": {
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "field": {"type": ["string", "null"]},
                },
            },
        },
    },
}


def describe(app: Flask, *, title: str, version: str) -> dict[str, Any]:
    """Return the whole document as plain data."""
    operations = operations_of(app)
    models: list[tuple[Any, JsonSchemaMode]] = []
    for operation in operations:
        if operation.body is not None:
            models.append((operation.body, "validation"))
        if operation.answer is not None:
            models.append((operation.answer, "serialization"))
    models = list(dict.fromkeys(models))
    references, definitions = models_json_schema(models, ref_template=_REF)
    paths: dict[str, Any] = {}
    for operation in operations:
        path = "/api/v1" + _ID.sub(r"{\1}", operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _described(operation, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": _INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(o.tag for o in operations)],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**definitions.get("$defs", {}), "Problem": _PROBLEM_SCHEMA},
            "responses": {
                code: {
                    "description": words,
                    "content": {
                        "application/problem+json": {
                            "schema": {"$ref": "#/components/schemas/Problem"}
                        }
                    },
                    **(
                        {"headers": {"Retry-After": {"schema": {"type": "integer"}}}}
                        if code == "429"
                        else {}
                    ),
                }
                for code, words in _PROBLEMS.items()
            },
        },
    }


_INTRODUCTION = (
    "每个操作都经过与网页相同的规则和权限。"
    '金额用元的文本书写，如 "2600000.00"；日期写成 2026-11-20。'
    "写操作可带 Idempotency-Key：同一个键重发得到同一个答复，不会办理两次。"
    "文件放在 multipart/form-data 的各部分里，其余内容写成 JSON 放在 content 部分；"
    "比较两次请求是否相同，看 content 和各文件的摘要，不看分隔线。"
)


def _described(operation: Operation, references: Any) -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"enum": [word.value for word in operation.codes[name]], "type": "string"}
            if name in operation.codes
            else {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
        }
        for name in _ID.findall(operation.path)
    ]
    parameters += _query_parameters(operation)
    described: dict[str, Any] = {
        "summary": operation.summary,
        "tags": [operation.tag],
        "operationId": _operation_id(operation),
        "x-scope": operation.scope.value,
        "x-permission": operation.permission.name,
        "parameters": parameters,
        "responses": {
            str(operation.status): _answered(operation, references),
            **{code: {"$ref": f"#/components/responses/{code}"} for code in _PROBLEMS},
        },
    }
    if operation.method != "GET":
        parameters.append(
            {
                "name": KEY_HEADER,
                "in": "header",
                "required": False,
                "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]*$"},
            }
        )
    if operation.body is not None:
        described["requestBody"] = {
            "required": True,
            "content": _bodies(operation, references[operation.body, "validation"]),
        }
    return described


_BINARY = {"type": "string", "format": "binary"}


def _answered(operation: Operation, references: Any) -> dict[str, Any]:
    if operation.answer is not None:
        schema = references[operation.answer, "serialization"]
        return {"description": "办成", "content": {"application/json": {"schema": schema}}}
    return {
        "description": "文件内容",
        "headers": {
            "Content-Disposition": {
                "description": "attachment，文件名按 RFC 6266 编码",
                "schema": {"type": "string"},
            }
        },
        "content": {kind: {"schema": _BINARY} for kind in CONTENT_TYPES},
    }


def _bodies(operation: Operation, schema: dict[str, Any]) -> dict[str, Any]:
    """Describe the ways to send a body: as JSON, and where files go along, in parts."""
    plain = {"application/json": {"schema": schema}}
    if not operation.files:
        return plain
    assert operation.body is not None
    needed = [name for name, required in operation.files.items() if required]
    asks = any(part.is_required() for part in operation.body.model_fields.values())
    parts = {
        name: {"type": "array", "items": _BINARY, "maxItems": MOST_FILES, "minItems": int(required)}
        for name, required in operation.files.items()
    }
    multipart = {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {CONTENT_PART: schema, **parts},
                "required": [*([CONTENT_PART] if asks else []), *needed],
                "additionalProperties": False,
            },
            "encoding": {CONTENT_PART: {"contentType": "application/json"}},
        }
    }
    return multipart if needed else plain | multipart


def _operation_id(operation: Operation) -> str:
    return operation.method.lower() + re.sub(r"\W+", "_", _ID.sub("one", operation.path))


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    schema = operation.query.model_json_schema()
    definitions = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _flat(part, definitions),
        }
        for name, part in schema.get("properties", {}).items()
    ]


def _flat(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Write an optional value as its own type: a query argument is left out, never null."""
    for choice in part.get("anyOf", ()):
        if choice.get("type") != "null":
            return {**_flat(choice, definitions), "description": part.get("description", "")}
    if "$ref" in part:
        return dict(definitions[part["$ref"].rsplit("/", 1)[-1]])
    return {key: value for key, value in part.items() if key != "default"}
