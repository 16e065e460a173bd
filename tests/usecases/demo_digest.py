"""Load the demo into a folder and print a digest of what it wrote, for a second process to compare.

Run as ``python -m tests.usecases.demo_digest FOLDER``.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from marketplace import wiring
from marketplace.foundation.db import Base
from marketplace.settings import Settings
from seed.demo import load

# Drawn at random on purpose: salts, names, codes, keys; and where the system clock has a say.
_RANDOM = {
    "password_hash", "stored_name", "check_code", "public_key", "locked_key", "sealed_share",
    "given", "ciphertext", "byte_count",
}  # fmt: skip
# What follows from something random, such as the links of a chain over it.
_DIGEST = re.compile("[0-9a-f]{64}")
_LEFT_OUT = {"foundation_demo_clock"}


def settings_for(folder: Path) -> Settings:
    """Return settings of a market that lives in the folder."""
    return Settings(data_dir=folder, secret_key="demo-test-" + "x" * 32)


def load_demo(folder: Path) -> wiring.Services:
    """Create the schema in a folder and load the demo into it."""
    settings = settings_for(folder)
    empty = wiring.build(settings)
    Base.metadata.create_all(empty.database.engine)
    empty.database.engine.dispose()
    load.load(settings)
    return wiring.build(settings)


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


if __name__ == "__main__":
    services = load_demo(Path(sys.argv[1]))
    with services.database.reading() as reading:
        json.dump(digests(reading), sys.stdout)
