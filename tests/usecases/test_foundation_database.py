"""How the product opens SQLite, which the other tests make quicker."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from marketplace.foundation.db import Database


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
