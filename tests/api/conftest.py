"""Programs that call the interface with tokens."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from marketplace.accounts import access_token_service
from marketplace.foundation.access import Actor
from marketplace.foundation.api import Scope
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database

File = tuple[str, bytes]


class Program:
    """A caller with one token."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client = client
        self.token = token

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Call an operation below ``/api/v1``."""
        more = {} if body is None else {"json": body}
        return self._open(method, path, headers, **more)

    def _open(self, method: str, path: str, headers: dict[str, str], **more: Any) -> TestResponse:
        sent = {"Authorization": f"Bearer {self.token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(f"/api/v1{path}", method=method, headers=sent, **more)

    def send(
        self, path: str, *files: File, method: str = "POST", content: Any = None, **headers: str
    ) -> TestResponse:
        """Send files, and the rest as JSON, in the parts of a multipart body."""
        parts = {"content": json.dumps(content)} if content is not None else {}
        sent = [(io.BytesIO(held), name) for name, held in files]
        return self._open(
            method,
            path,
            headers,
            data={**parts, "attachments": sent},
            content_type="multipart/form-data",
        )

    def get(self, path: str) -> TestResponse:
        """Read."""
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Change."""
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str) -> TestResponse:
        """Replace."""
        return self.call("PUT", path, body, **headers)


MakeProgram = Callable[..., Program]


@pytest.fixture
def program(app: Flask, sqlite_database: Database) -> MakeProgram:
    """Make a program that acts as a member, with all scopes unless told otherwise."""

    def make(actor: Actor, *scopes: Scope, days: int = 30) -> Program:
        with sqlite_database.transaction() as session:
            made = access_token_service.create_token(
                session,
                actor=actor,
                now=SystemClock().now(),
                name="同步程序",
                scopes=scopes or tuple(Scope),
                days=days,
            )
        return Program(app.test_client(), made.token)

    return make
