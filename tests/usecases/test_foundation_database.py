"""How the product opens SQLite, which other tests make quicker, and what a lost server does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from marketplace.foundation import db
from marketplace.foundation.db import Database
from tests.postgres import Cluster


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)],
    ids=["readers beside a writer", "on the disk before it is answered", "no dangling reference"],
)
def test_a_database_is_opened_as_the_product_promises(
    tmp_path: Path, pragma: str, value: object
) -> None:
    opened = Database(f"sqlite:///{tmp_path / 'product.db'}")
    with opened.engine.connect() as connection:
        assert connection.scalar(text(f"PRAGMA {pragma}")) == value
    opened.engine.dispose()


@pytest.fixture
def severed(cluster: Cluster) -> Iterator[Database]:
    """A database whose pooled connections the server has just ended."""
    opened, other = Database(cluster.url()), Database(cluster.url())
    own = text("SELECT pg_backend_pid()")
    with opened.reading() as first, opened.reading() as second:
        pooled = [first.scalar(own), second.scalar(own)]
    with other.reading() as session:
        for number in pooled:
            assert session.scalar(text(f"SELECT pg_terminate_backend({number}, 5000)"))
    other.engine.dispose()
    yield opened
    opened.engine.dispose()


def test_a_rested_connection_is_asked_before_it_is_used(
    severed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "RESTED_SECONDS", 0)
    assert severed.answers()


def test_the_first_error_of_a_lost_server_is_the_last(severed: Database) -> None:
    with pytest.raises(OperationalError), severed.reading() as session:
        session.execute(text("SELECT 1"))
    assert severed.answers()
