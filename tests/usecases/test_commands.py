"""The operator's commands on a database of their own."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from marketplace import wiring
from marketplace.accounts import sign_in_queries
from marketplace.app import create_app
from marketplace.cli import main
from marketplace.discovery.indexing import SearchIndex
from marketplace.foundation import audit, audit_chain
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.audit import AuditHead, AuditRow
from marketplace.foundation.audit_chain import GENESIS
from marketplace.foundation.clock import SystemClock
from marketplace.oversight import head_service
from marketplace.settings import Settings
from search import dense
from tests.search.test_dense import Latent
from tests.world import World


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
    assert _call("audit", "verify").output.strip() == (
        "0 rows, the chain holds and meets every published head."
    )
    assert folder.exists()


def _write_audit(services: wiring.Services) -> None:
    for number in range(3):
        with services.database.transaction() as session:
            audit.record(
                session,
                actor=SYSTEM,
                action="tests.change",
                subject=f"thing:{number}",
                now=SystemClock().now(),
            )


def test_audit_verify_names_a_changed_row_and_fails(folder: Path) -> None:
    _call("db", "upgrade")
    services = wiring.build(Settings())
    _write_audit(services)
    assert _call("audit", "verify").exit_code == 0
    with services.database.engine.begin() as connection:
        connection.execute(
            text("UPDATE foundation_audit_rows SET subject = 'thing:9' WHERE sequence = 2")
        )
    result = _call("audit", "verify")
    assert result.exit_code == 1
    assert "row 2: changed" in result.output


def test_audit_verify_finds_a_chain_that_was_made_anew(folder: Path) -> None:
    _call("db", "upgrade")
    services = wiring.build(Settings())
    _write_audit(services)
    with services.database.transaction() as session:
        place, digest = audit.head(session)
        head_service.publish_head(session, SystemClock().now())
    assert _call("audit", "verify", "--head", f"{place}:{digest}").exit_code == 0
    assert _call("audit", "verify", "--head", "nonsense").exit_code == 2
    # Whoever holds the database can compute every digest again; what was published stays.
    with services.database.transaction() as session:
        previous = GENESIS
        for row in session.scalars(select(AuditRow).order_by(AuditRow.sequence)):
            row.actor_name, row.previous = "别人", previous
            (link,) = audit.links(session, first=row.sequence, last=row.sequence)
            assert link.entry is not None
            entry = replace(link.entry, actor_name="别人")
            row.digest = previous = audit_chain.digest_of(entry, row.previous)
            session.flush()
        session.get_one(AuditHead, 1).digest = previous
    result = _call("audit", "verify")
    assert result.exit_code == 1
    assert f"row {place} was published as {digest}" in result.output
    with services.database.transaction() as session:
        session.execute(text("DELETE FROM oversight_daily_heads"))
    assert _call("audit", "verify").exit_code == 0
    assert _call("audit", "verify", "--head", f"{place}:{digest}").exit_code == 1


def test_the_audit_is_exported_as_the_chain_holds_it(folder: Path, tmp_path: Path) -> None:
    _call("db", "upgrade")
    services = wiring.build(Settings())
    _write_audit(services)
    result = _call("audit", "export", str(tmp_path / "rows.jsonl"), "--first", "2")
    assert "2 rows." in result.output
    lines = (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    links = [audit_chain.read_link(line) for line in lines]
    with services.database.reading() as session:
        start = (1, audit.digest_at(session, 1) or "")
        assert audit_chain.walk(links, start=start, head=audit.head(session)) == (2, None)


def test_a_reset_link_is_printed_for_a_known_address_only(folder: Path) -> None:
    _call("db", "upgrade")
    services = wiring.build(Settings())
    world = World(services.database, services.clock.now())
    person = world.actor(Role.OFFICER)
    with services.database.reading() as session:
        email = sign_in_queries.get_person(session, person.user_id or 0).email
    unknown = _call("account", "reset-link", "nobody@test.example")
    assert unknown.exit_code == 1
    assert "no account signs in with this address" in unknown.output
    made = _call("account", "reset-link", email)
    assert made.exit_code == 0
    path = urlsplit(made.output.strip()).path
    client = create_app(services).test_client()
    assert client.get(path).status_code == 200
    with services.database.reading() as session:
        assert "accounts.make_reset_link" in {
            row.action for row in session.scalars(select(AuditRow))
        }
    assert client.get(f"{path}x").status_code != 200


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


def test_doctor_names_a_missing_seal_in_production(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _call("db", "upgrade")
    assert "SEAL_PKCS12" not in _call("doctor").output
    monkeypatch.setenv("PRODUCTION", "1")
    monkeypatch.setenv("SECRET_KEY", "k" * 40)
    monkeypatch.setenv("SITE_URL", "https://market.example")
    result = _call("doctor")
    assert result.exit_code == 1
    assert "SEAL_PKCS12 is not set" in result.output
