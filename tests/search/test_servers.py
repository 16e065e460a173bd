"""A program that cannot be had is named with its reason, and red where it is demanded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import beside
from tests.search import servers
from tests.search.elasticsearch import node


def test_what_is_not_demanded_is_skipped_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "untried", {})
    monkeypatch.setenv("REQUIRE_ENGINES", "meilisearch")
    with pytest.raises(pytest.skip.Exception, match="no java"):
        beside.leave_out("elasticsearch", "no java")
    assert beside.untried == {"elasticsearch": "no java"}


def test_what_is_demanded_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_ENGINES", "elasticsearch,meilisearch")
    with pytest.raises(pytest.fail.Exception, match="no java"):
        beside.leave_out("elasticsearch", "no java")


def test_a_missing_program_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(node, "CACHE", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(beside.Missing, match="default-jdk-headless"):
        node.home()
    (tmp_path / "java").touch(0o755)
    with pytest.raises(beside.Missing, match="maven"):
        node.home()


def test_a_server_of_somebody_elses_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MEILISEARCH_URL", raising=False)
    with pytest.raises(beside.Missing, match="MEILISEARCH_URL"):
        servers.given("MEILISEARCH_URL")
    monkeypatch.setenv("MEILISEARCH_URL", "http://127.0.0.1:7700/")
    assert servers.given("MEILISEARCH_URL") == "http://127.0.0.1:7700"
