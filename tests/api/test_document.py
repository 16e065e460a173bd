"""The OpenAPI document is one, and says of files what is true."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from marketplace.foundation.attachments import CONTENT_TYPES


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/v1/openapi.json").json
    return found


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_where_a_file_must_go_along_there_is_no_other_body(document: dict[str, Any]) -> None:
    attach = document["paths"]["/api/v1/achievements/{achievement_id}/files"]["post"]
    [(kind, body)] = attach["requestBody"]["content"].items()
    assert kind == "multipart/form-data"
    assert body["schema"]["required"] == ["attachments"]
    assert body["schema"]["properties"]["attachments"]["minItems"] == 1
    assert body["encoding"]["content"]["contentType"] == "application/json"


def test_where_a_file_may_go_along_json_alone_does_too(document: dict[str, Any]) -> None:
    save = document["paths"]["/api/v1/contracts/{contract_id}"]["put"]
    bodies = save["requestBody"]["content"]
    assert list(bodies) == ["application/json", "multipart/form-data"]
    parts = bodies["multipart/form-data"]["schema"]
    assert parts["properties"]["content"] == bodies["application/json"]["schema"]
    assert parts["required"] == ["content"]  # the version has to be said


def test_a_download_is_described_as_bytes(document: dict[str, Any]) -> None:
    fetch = document["paths"]["/api/v1/needs/{need_id}/files/{attachment_id}"]["get"]
    content = fetch["responses"]["200"]["content"]
    assert set(content) == set(CONTENT_TYPES)
    assert {part["schema"]["format"] for part in content.values()} == {"binary"}


def test_the_page_shows_how_files_are_sent(client: FlaskClient) -> None:
    page = client.get("/developers").get_data(as_text=True)
    assert "curl" in page
    assert "/files" in page
    assert "multipart/form-data" in page
