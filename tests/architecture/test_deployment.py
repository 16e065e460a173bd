"""docker-compose.yml as a file, and settings that refuse what is only fit for trial."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from marketplace.settings import Settings
from tests.architecture.source import ROOT


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, parsed."""
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return parsed


def test_all_services_are_there_with_health_checks(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {
        "web",
        "worker",
        "events",
        "postgres",
        "clamd",
        "elasticsearch",
        "meilisearch",
        "mailpit",
    }
    assert all("healthcheck" in service for service in services.values())


def test_what_must_survive_lies_in_named_volumes(compose: dict[str, Any]) -> None:
    volumes = set(compose["volumes"])
    for name in ("web", "worker", "events", "postgres", "elasticsearch", "meilisearch"):
        mounted = {entry.split(":")[0] for entry in compose["services"][name]["volumes"]}
        assert mounted <= volumes, name
        assert mounted, name


def test_secrets_have_no_default(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"]
    assert environment["SECRET_KEY"].startswith("${SECRET_KEY:?")
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]
    assert environment["PRODUCTION"] == "true"


@pytest.mark.parametrize("secret", ["", "change-me", "secret", "short-but-not-listed"])
def test_production_refuses_default_secrets(secret: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="SECRET_KEY"):
        Settings(production=True, secret_key=secret, data_dir=tmp_path)


def test_production_refuses_a_default_database_password(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="default password"):
        Settings(
            production=True,
            secret_key="k" * 40,
            data_dir=tmp_path,
            database_url="postgresql://market:change-me@db/market",
        )


def test_outside_production_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first = Settings(data_dir=tmp_path).signing_key()
    assert len(first) >= 32
    assert Settings(data_dir=tmp_path).signing_key() == first
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_an_empty_variable_counts_as_unset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "DATABASE_URL", "SEARCH_URL"):
        monkeypatch.setenv(name, "")
    assert Settings(data_dir=tmp_path).port == 8000
