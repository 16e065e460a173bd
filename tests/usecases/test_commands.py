"""The operator's commands on a database of their own."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from marketplace import wiring
from marketplace.cli import main
from marketplace.discovery.indexing import SearchIndex
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import SystemClock
from marketplace.settings import Settings
from search import dense
from tests.search.test_dense import Latent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that the commands use."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("SEARCH_URL", raising=False)
    return tmp_path / "data"


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_fresh_database_is_upgraded_and_found_well(folder: Path) -> None:
    assert "schema is not current" in _call("doctor").output
    assert _call("db", "upgrade").exit_code == 0
    assert _call("audit", "verify").output.strip() == "0 rows, the chain holds."
    assert folder.exists()


def test_audit_verify_names_a_changed_row_and_fails(folder: Path) -> None:
    _call("db", "upgrade")
    services = wiring.build(Settings())
    for number in range(3):
        with services.database.transaction() as session:
            audit.record(
                session,
                actor=SYSTEM,
                action="tests.change",
                subject=f"thing:{number}",
                now=SystemClock().now(),
            )
    assert _call("audit", "verify").exit_code == 0
    with services.database.engine.begin() as connection:
        connection.execute(
            text("UPDATE foundation_audit_rows SET subject = 'thing:9' WHERE sequence = 2")
        )
    result = _call("audit", "verify")
    assert result.exit_code == 1
    assert "row 2: changed" in result.output


def test_a_backup_is_a_whole_database(folder: Path, tmp_path: Path) -> None:
    _call("db", "upgrade")
    (folder / "attachments").mkdir()
    (folder / "attachments" / "abc").write_bytes(b"content")
    result = _call("backup", str(tmp_path / "copies"))
    assert result.exit_code == 0, result.output
    (copy,) = (tmp_path / "copies").iterdir()
    assert (copy / "attachments" / "abc").read_bytes() == b"content"
    with sqlite3.connect(copy / "market.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM accounts_users").fetchone() == (0,)


def test_run_says_when_the_port_is_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mocker: object
) -> None:
    monkeypatch.setattr("marketplace.cli.port_is_free", lambda _settings: False)
    result = _call("run")
    assert result.exit_code == 1
    assert "is taken" in result.output


def test_a_dense_encoder_is_plugged_in_by_a_setting(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _call("db", "upgrade")
    monkeypatch.setenv("SEARCH_ENCODER", "tests.search.test_dense:Latent")
    services = wiring.build(Settings())
    index: SearchIndex = services.resources[SearchIndex]
    made = index.rebuild(now=services.clock.now())
    assert dense.identity(Latent()) in made.generation
    assert (folder / "search-vectors" / made.generation).exists()
    assert index.problems(now=services.clock.now()) == []
    assert wiring.build(Settings(search_encoder="")).resources[SearchIndex].engine.health().ok


def test_doctor_names_an_encoder_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _call("db", "upgrade")
    _call("search", "rebuild")
    monkeypatch.setenv("SEARCH_ENCODER", "json:loads")
    said = _call("doctor").output
    assert "found by words only: json:loads gave no encoder" in said
