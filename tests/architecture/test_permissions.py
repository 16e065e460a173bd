"""Every route declares its permission, and the declared one is what it answers by."""

from __future__ import annotations

import inspect
import re

from flask import Flask

from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from tests.architecture import matrix
from tests.conftest import Browser

_PARAMETER = re.compile(r"<[^>]+>")


def _routes(app: Flask) -> list[tuple[str, str, str]]:
    return [
        (rule.endpoint, _PARAMETER.sub("1", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_every_route_declares_a_permission(app: Flask) -> None:
    missing = sorted(
        endpoint
        for endpoint, view in app.view_functions.items()
        if endpoint != "static" and web.permission_of(view) is None
    )
    assert not missing, f"routes without @web.permits: {missing}"


def test_a_visitor_is_turned_away_from_every_private_route(app: Flask, client: Browser) -> None:
    wrong = []
    for number, (endpoint, path, method) in enumerate(_routes(app)):
        if web.permission_of(app.view_functions[endpoint]) is PUBLIC:
            continue
        permission = web.permission_of(app.view_functions[endpoint])
        if permission is not None and permission.roles is None:
            continue
        # Each from an address of its own: who sends much from one is told to wait.
        answer = client.open(
            path,
            method=method,
            environ_base={"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250}"},
        )
        turned_away = answer.status_code == (401 if path.startswith("/api/") else 403) or (
            answer.status_code == 302 and "/sign-in" in answer.headers["Location"]
        )
        if not turned_away:
            wrong.append((endpoint, method, answer.status_code))
    assert not wrong, wrong


def test_changes_are_never_made_by_get(app: Flask) -> None:
    """A view that opens a transaction must be reached by a changing method."""
    changing = re.compile(r"web\.(act|submit|transaction)\(")

    wrong = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        source = inspect.getsource(inspect.unwrap(view))
        if changing.search(source) and not {"POST", "PUT", "DELETE"} & (rule.methods or set()):
            wrong.append(rule.endpoint)
    assert not wrong, wrong


def test_the_reviewed_matrix_is_the_one_of_the_routes(app: Flask) -> None:
    """A new route needs its row: run ``python -m tests.architecture.matrix``, then review it."""
    kept = {(row["method"], row["path"]): row["others"] for row in matrix.reviewed()}
    expected = matrix.written(matrix.rows(app), kept)
    assert matrix.FILE.read_text(encoding="utf-8") == expected


def test_every_row_of_the_matrix_was_reviewed() -> None:
    unsaid = [
        (row["method"], row["path"])
        for row in matrix.reviewed()
        if row["others"] not in matrix.OTHERS
        or (row["others"] == matrix.NONE) == matrix.has_object(row["path"])
    ]
    assert not unsaid, f"say in docs/permissions.csv what others get there: {unsaid}"


def test_no_change_is_guarded_by_the_right_to_read() -> None:
    """A right that some GET-only route asks for under a reading name opens no change."""
    reading = re.compile(r"\.(read|view|own|see|learn|watch)(_|$)")
    wrong = [
        (row["method"], row["path"], row["permission"])
        for row in matrix.reviewed()
        if row["method"] != "GET" and reading.search(row["permission"])
    ]
    assert not wrong, wrong
