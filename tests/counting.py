"""Count what a database holds, so that a test can say that a click added nothing."""

from __future__ import annotations

from sqlalchemy import inspect, text

from marketplace.foundation.db import Database

# Rows that a click may add without creating anything.
_TRACES = (
    "foundation_submissions", "foundation_audit_", "foundation_outbox_", "foundation_sequences",
    "accounts_sessions", "accounts_sign_in_failures", "accounts_known_devices",
)  # fmt: skip


class Counter:
    """Counts the rows of the domain's tables, and the changes that the audit chain knows."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = [
            name
            for name in inspect(database.engine).get_table_names()
            if not name.startswith(_TRACES)
        ]

    def rows(self) -> dict[str, int]:
        """Return how many rows each table has."""
        with self._database.reading() as session:
            return {
                name: session.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0
                for name in self._tables
            }

    def changes(self) -> int:
        """Return how many changes the audit chain knows."""
        with self._database.reading() as session:
            return session.scalar(text("SELECT count(*) FROM foundation_audit_rows")) or 0
