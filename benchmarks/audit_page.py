"""How long a page of the operator's audit takes: ``python -m benchmarks.audit_page [ROWS]``.

Fills a database with ROWS rows (a million by default), then reads the first page, a page deep
in the list and one of each filter. Every figure should be alike, whatever ROWS is.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from marketplace import wiring
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.audit_chain import ALGORITHM
from marketplace.foundation.db import Base, Database
from marketplace.oversight.audit_queries import AuditFilter, page_of_rows

assert wiring.BLUEPRINTS  # importing it imports every table
_START = datetime(2024, 1, 1, tzinfo=UTC)
_CHUNK = 50_000


def _rows(first: int, count: int) -> Iterator[dict[str, Any]]:
    for place in range(first, first + count):
        yield {
            "sequence": place,
            "happened_at": _START + timedelta(seconds=place),
            "user_id": place % 2_000 + 1,
            "organisation_id": place % 300 + 1,
            "actor_name": "某人",
            "action": f"tests.action_{place % 150}",
            "subject": f"deal:{place % 40_000}",
            "before": None,
            "after": {"number": place},
            "origin": "10.0.0.1",
            "algorithm": ALGORITHM,
            "previous": "0" * 64,
            "digest": f"{place:064d}",
        }


def main(total: int) -> None:
    """Fill, read, print."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/audit.db")
        Base.metadata.create_all(database.engine)
        for first in range(1, total + 1, _CHUNK):
            with database.engine.begin() as connection:
                connection.execute(
                    insert(AuditRow), list(_rows(first, min(_CHUNK, total + 1 - first)))
                )
        deep = _token_at(database, total // 2)
        for name, chosen, after in (
            ("first page", AuditFilter(), None),
            ("in the middle", AuditFilter(), deep),
            ("one person", AuditFilter(user_id=7), None),
            ("one organisation, in the middle", AuditFilter(organisation_id=7), deep),
            ("one action, in the middle", AuditFilter(action="tests.action_7"), deep),
            ("one object", AuditFilter(subject="deal:7"), None),
            ("one day", AuditFilter(since=_START.date(), until=_START.date()), None),
        ):
            begun = time.perf_counter()
            with database.reading() as session:
                page = page_of_rows(session, SYSTEM, chosen, after=after)
            print(f"{(time.perf_counter() - begun) * 1000:8.1f} ms  {len(page.items):3} {name}")


def _token_at(database: Database, place: int) -> str | None:
    """Return the token of the page that begins near a place."""
    day = (_START + timedelta(seconds=place)).date()
    with database.reading() as session:
        return page_of_rows(session, SYSTEM, AuditFilter(until=day), after=None).next_token


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
