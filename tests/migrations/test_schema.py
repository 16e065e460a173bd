"""Migrations: one head, up and down and up again, and the models say the same as the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from marketplace.foundation.db import Base, Database
from marketplace.migrations import schema
from tests.postgres import Cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path, worker_id: str) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        opened = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        opened = Database(cluster.create(f"migrations_{worker_id}_{tmp_path.name}".lower()))
    yield opened
    opened.engine.dispose()


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(schema.configuration()).get_heads()) == 1


def test_up_down_and_up_again(empty: Database) -> None:
    assert not schema.is_current(empty)
    schema.upgrade(empty)
    assert schema.is_current(empty)
    tables = set(inspect(empty.engine).get_table_names())
    assert tables == {*Base.metadata.tables, "alembic_version"}
    schema.downgrade(empty, "base")
    assert set(inspect(empty.engine).get_table_names()) == {"alembic_version"}
    schema.upgrade(empty)
    assert set(inspect(empty.engine).get_table_names()) == tables


def test_models_and_schema_agree(empty: Database) -> None:
    schema.upgrade(empty)
    assert schema.differences(empty) == []
