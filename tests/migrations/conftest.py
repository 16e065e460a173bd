"""A database without any table, for migrations to fill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace.foundation.db import Database
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
