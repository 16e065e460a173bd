"""From a refusal to a page, in one place: what is wrong, why, and what to do next.

A program is told the same as a problem of RFC 9457.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

import structlog
from flask import Flask, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from marketplace.foundation.errors import DomainError, Problem, TooMany
from marketplace.foundation.web.requests import actor, carried_out_before

log = structlog.get_logger()

_WORDS = {
    400: ("请求不完整", "页面发送的内容不完整，请返回上一页刷新后再试"),
    404: ("没有找到这个页面", "它可能已被撤下或改了地址；可以从检索或首页重新开始"),
    405: ("不能这样打开", "这个地址只接受表单提交，请从原来的页面办理"),
    413: ("发送的内容太大", "单个文件不超过 15 MB，一次提交不超过 60 MB；请压缩或分次上传"),
    415: ("内容类型不对", "请按接口文档的类型发送"),
    429: ("操作太频繁", "请稍等一会儿再试"),
    500: ("系统出错了", "您填写的内容没有提交成功；请稍后再试，仍不行请把下面的编号告诉我们"),
}


def register_errors(app: Flask) -> None:
    """Map every refusal and failure to a page with its HTTP status."""

    @app.errorhandler(DomainError)
    def refused(refusal: DomainError) -> ResponseReturnValue:
        if for_programs():
            return _told(refusal)
        if refusal.code == "access.sign_in" and request.method == "GET":
            return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")))
        done = carried_out_before()
        if done is not None:
            return redirect(done, 303)
        title = {403: "这件事您不能办理", 404: "没有找到", 409: "情况已经变化"}.get(
            refusal.status, "没有办成"
        )
        page = _page(refusal.status, title, refusal.message)
        return _to_wait(page, refusal)

    @app.errorhandler(CSRFError)
    def expired(_error: CSRFError) -> ResponseReturnValue:
        return _page(
            400, "页面已过期", "为了安全，页面打开过久要重新确认；请返回上一页，刷新后再提交"
        )

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        code = error.code or 500
        if code in (301, 302, 303, 304, 307, 308):
            return error
        title, message = _WORDS.get(code, ("没有办成", "请返回上一页再试"))
        page = _page(code, title, message)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            page.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return page

    @app.errorhandler(Exception)
    def failed(_error: Exception) -> ResponseReturnValue:
        reference = secrets.token_hex(4).upper()
        log.exception(
            "request.failed",
            reference=reference,
            path=request.path,
            method=request.method,
            user=actor().user_id,
        )
        title, message = _WORDS[500]
        return _page(500, title, message, reference=reference)


def for_programs() -> bool:
    """Tell whether the request is a program's: it is answered with JSON and never with a page."""
    return request.path.startswith("/api/")


_TITLES = {
    401: "需要令牌",
    403: "不能办理",
    404: "没有找到",
    409: "情况已经变化",
    422: "内容不合规则",
    429: "操作太频繁",
}


def _told(refusal: DomainError) -> Response:
    status = 401 if refusal.code == "access.sign_in" else refusal.status
    title = _TITLES.get(status, "没有办成")
    told = _problem(status, title, refusal.message, refusal.code, refusal.problems)
    if status == 401:
        told.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(refusal, TooMany):
        told.headers["Retry-After"] = str(refusal.retry_after)
    return told


def _problem(
    status: int,
    title: str,
    detail: str,
    code: str,
    problems: Sequence[Problem] = (),
    reference: str = "",
) -> Response:
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": [
            {"code": problem.code, "message": problem.message, "field": problem.field}
            for problem in problems
        ],
        **({"reference": reference} if reference else {}),
    }
    return Response(
        json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json"
    )


def _to_wait(page: Response, refusal: DomainError) -> Response:
    if isinstance(refusal, TooMany):
        page.headers["Retry-After"] = str(refusal.retry_after)
    return page


def _page(status: int, title: str, message: str, reference: str = "") -> Response:
    if for_programs():
        return _problem(status, title, message, f"http.{status}", reference=reference)
    page = render_template(
        "site/error.html", status=status, title=title, message=message, reference=reference
    )
    return Response(page, status)
