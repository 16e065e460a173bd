"""Opening a page changes nothing; a download leaves its trace in the audit and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from sqlalchemy import inspect, text

from marketplace.foundation.db import Database
from tests.walking import Walk, sign_in

ROLES = ("officer", "broker", "operator")
# When a session was seen last is noted by every request.
_SEEN = {"accounts_sessions"}
_AUDIT = {"foundation_audit_rows", "foundation_audit_head"}


def _contents(database: Database) -> dict[str, str]:
    """Return a digest of all rows of each table."""
    tables = set(inspect(database.engine).get_table_names()) - _SEEN
    with database.reading() as session:
        return {
            name: hashlib.sha256(
                repr(session.execute(text(f'SELECT * FROM "{name}"')).all()).encode()
            ).hexdigest()
            for name in tables
        }


def _changed(before: dict[str, str], database: Database) -> set[str]:
    after = _contents(database)
    return {name for name, digest in after.items() if before[name] != digest}


@pytest.mark.parametrize("role", ROLES)
def test_reading_changes_nothing_but_the_trace_of_a_download(
    role: str, walks: dict[str, Walk], demo_site: Any
) -> None:
    database = demo_site.services.database
    client = demo_site.client()
    sign_in(client, role)
    before = _contents(database)
    for address in walks[role].pages.values():
        client.get(address)
    assert _changed(before, database) == set()
    for address in walks[role].downloads.values():
        client.get(address)
    assert _changed(before, database) == _AUDIT
