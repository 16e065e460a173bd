"""What time alone brings about: terms that end, sessions that close, entries that go stale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from marketplace.foundation.db import Database

log = structlog.get_logger()


@dataclass(frozen=True)
class DueTask:
    """A slice's timed work.

    ``run(session, now)`` does one batch of what is due and returns how much it did.
    ``next_due(session, now)`` returns the earliest moment after ``now`` at which something falls
    due for somebody, or None; housekeeping, for which nobody waits, has no such function.
    """

    name: str
    next_due: Callable[[Session, datetime], datetime | None] | None
    run: Callable[[Session, datetime], int]


class DueTasks:
    """All slices' timed work, wired once."""

    def __init__(self, tasks: Sequence[DueTask]) -> None:
        self._tasks = tuple(tasks)

    def next_due(self, session: Session, *, now: datetime) -> datetime | None:
        """Return the earliest moment after ``now`` at which anything falls due."""
        moments = [task.next_due(session, now) for task in self._tasks if task.next_due]
        return min((moment for moment in moments if moment and moment > now), default=None)

    def run(self, database: Database, *, now: datetime, housekeeping: bool = True) -> int:
        """Do all that is due, each batch in its own transaction; one failure stops no other."""
        done = 0
        for task in self._tasks:
            if task.next_due is None and not housekeeping:
                continue
            try:
                while True:
                    with database.transaction() as session:
                        count = task.run(session, now)
                    done += count
                    if count == 0:
                        break
            except Exception:  # another slice's terms must still end
                log.exception("due.failed", task=task.name)
        return done
