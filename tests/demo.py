"""The demo in a folder: loaded in this process or by the command, copied, and its rows digested."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from marketplace import wiring
from marketplace.foundation.clock import DemoClockRow, start_demo
from marketplace.foundation.db import Base, Database
from marketplace.settings import Settings
from seed.demo import load

# Drawn at random on purpose: salts, names, codes, keys; and where the system clock has a say.
_RANDOM = {
    "password_hash", "stored_name", "check_code", "public_key", "locked_key", "sealed_share",
    "given", "ciphertext", "byte_count", "indexed_at",
}  # fmt: skip
# What follows from something random, such as the links of a chain over it; codes of reports.
_DIGEST = re.compile('[0-9a-f]{64}|"[A-Za-z0-9_-]{24}"')
_LEFT_OUT = {"foundation_demo_clock"}


# The same in both loads, so that what is signed is the same too.
_KEY = "demo-test-" + "x" * 32


def settings_for(folder: Path) -> Settings:
    """Return settings of a market that lives in the folder."""
    return Settings(data_dir=folder, secret_key=_KEY)


def load_here(folder: Path) -> None:
    """Create the schema of the models in a folder and load the demo and its search index."""
    settings = settings_for(folder)
    empty = wiring.build(settings)
    Base.metadata.create_all(empty.database.engine)
    empty.database.engine.dispose()
    load.load(settings)
    services = wiring.build(settings)
    wiring.ensure_search_index(services)
    services.database.engine.dispose()


def load_by_command(folder: Path) -> None:
    """Let the command migrate, load and index, in a process with another order of hashing."""
    (folder / "secret_key").write_text(_KEY)
    own = {
        **os.environ,
        "DATA_DIR": str(folder),
        "DATABASE_URL": "",
        "SEARCH_URL": "",
        "PYTHONHASHSEED": "4711",
    }
    done = subprocess.run(
        [sys.executable, "-m", "marketplace.cli", "demo", "load"],
        env=own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def copy(loaded: Path, place: Path) -> None:
    """Copy a loaded folder; in the copy the first morning begins now."""
    shutil.copytree(loaded, place)
    database = Database(settings_for(place).database)
    with database.transaction() as session:
        session.execute(delete(DemoClockRow))
        start_demo(session)
    database.engine.dispose()


def digests(session: Session) -> dict[str, str]:
    """Return a digest of every table's rows."""
    return {
        table.name: _digest(session, table)
        for table in Base.metadata.sorted_tables
        if table.name not in _LEFT_OUT
    }


def _digest(session: Session, table: Table) -> str:
    columns = [column for column in table.columns if column.name not in _RANDOM]
    found = hashlib.sha256()
    for row in session.execute(select(*columns).order_by(*table.primary_key.columns)):
        written = json.dumps(list(row), default=_plain, ensure_ascii=False)
        found.update(_DIGEST.sub("#", written).encode())
    return found.hexdigest()


def _plain(value: Any) -> str:
    return str(value)
