"""Where a database's schema stands, told without loading Alembic, as every start asks it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import inspect, text

from marketplace.foundation.db import Database


@cache
def newest() -> str:
    """Return the newest revision: the number before the first `_` of the last file."""
    files = (Path(__file__).parent / "versions").glob("[0-9]*_*.py")
    return max(file.name.split("_")[0] for file in files)


def is_current(database: Database) -> bool:
    """Tell whether a database stands at the newest revision."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        stored = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return bool(stored == newest())
