"""Migrations: one head, up and down and up again, and the models say the same as the schema."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, inspect, text

from marketplace.foundation.db import Base, Database
from marketplace.migrations import revision, schema

_MOMENT = datetime(2024, 3, 1, tzinfo=UTC)


def test_there_is_one_head_and_the_start_knows_it() -> None:
    heads = ScriptDirectory.from_config(schema.configuration()).get_heads()
    assert heads == [revision.newest()]


def test_up_down_and_up_again(empty: Database) -> None:
    assert not revision.is_current(empty)
    schema.upgrade(empty, "0001")
    assert not revision.is_current(empty)
    schema.upgrade(empty)
    assert revision.is_current(empty)
    tables = set(inspect(empty.engine).get_table_names())
    assert tables == {*Base.metadata.tables, "alembic_version"}
    schema.downgrade(empty, "base")
    assert set(inspect(empty.engine).get_table_names()) == {"alembic_version"}
    schema.upgrade(empty)
    assert set(inspect(empty.engine).get_table_names()) == tables


def test_models_and_schema_agree(empty: Database) -> None:
    schema.upgrade(empty)
    assert schema.differences(empty) == []


def _filled(table: Table, **values: Any) -> dict[str, Any]:
    """Return a row with the values given and something for every other column that needs it."""
    plain = {
        int: 1,
        str: "x",
        bool: False,
        date: date(2024, 3, 1),
        datetime: _MOMENT,
        object: {},
        dict: {},
    }
    row = dict(values)
    for column in table.columns:
        if column.name not in row and not column.nullable:
            row[column.name] = plain[column.type.python_type]
    return row


def test_rows_that_stand_there_go_up_and_down(empty: Database) -> None:
    """Tables that others refer to are rebuilt with their rows, on SQLite by copying them."""
    schema.upgrade(empty, "0003")
    known = MetaData()
    known.reflect(empty.engine)
    rows: list[tuple[str, dict[str, Any]]] = [
        ("accounts_organisations", {"uscc": "9" * 18}),
        ("subsidies_contract_facts", {"contract_id": 1}),
        ("subsidies_rounds", {"closes_on": date(2024, 3, 2)}),
        ("subsidies_claims", {"status": "district_review", "due_on": date(2024, 3, 9)}),
        ("subsidies_claim_lines", {}),
        ("subsidies_reviews", {"score": 80}),
        ("integrity_records", {"ends_on": date(2024, 3, 2)}),
    ]
    with empty.engine.begin() as connection:
        for name, values in rows:
            table = known.tables[name]
            connection.execute(table.insert(), _filled(table, id=1, **values))
    schema.upgrade(empty)
    with empty.engine.begin() as connection:
        opened = connection.execute(text("SELECT items, expert_count FROM subsidies_rounds")).one()
        assert "agency" in str(opened.items)
        assert opened.expert_count == 1
        assert connection.scalar(text("SELECT seat FROM subsidies_reviews")) == 1
        assert (
            str(connection.scalar(text("SELECT remind_on FROM subsidies_claims"))) == "2024-03-09"
        )
        assert connection.scalar(text("SELECT count(*) FROM subsidies_claim_lines")) == 1
    schema.downgrade(empty, "0003")
    with empty.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM subsidies_claim_lines")) == 1
        if connection.dialect.name == "sqlite":
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_a_migration_that_breaks_a_reference_is_undone(tmp_path: Path, mocker: Any) -> None:
    opened = Database(f"sqlite:///{tmp_path / 'broken.db'}")
    schema.upgrade(opened)

    def orphan(config: Any, _revision: str) -> None:
        table = MetaData()
        connection = config.attributes["connection"]
        table.reflect(connection, only=["subsidies_claim_lines"], resolve_fks=False)
        lines = table.tables["subsidies_claim_lines"]
        connection.execute(lines.insert(), _filled(lines, id=1))

    mocker.patch("marketplace.migrations.schema.command.upgrade", orphan)
    with pytest.raises(RuntimeError, match="broke references"):
        schema.upgrade(opened)
    with opened.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM subsidies_claim_lines")) == 0
    opened.engine.dispose()
