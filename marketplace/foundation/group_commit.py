"""Small writes of many requests in one transaction, so that a rush of them does not queue."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from marketplace.foundation.db import Database

Write = Callable[[Session], None]


@dataclass
class _Waiting:
    write: Write
    tried: bool = False
    # Until it is committed: whatever ends the thread that leads, nobody takes it for written.
    failure: Exception | None = field(default_factory=lambda: RuntimeError("was not carried out"))


class GroupCommit:
    """Carry out what arrives while one transaction commits together in the next.

    One thread of those that wait leads: it takes all that has come, writes it and commits. The way
    in which databases commit their logs (group commit), one level higher: a row of the audit costs
    its own hash, while the chain's lock, the round trips and the commit are shared.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._arrived: list[_Waiting] = []

    def carry_out(self, write: Write) -> None:
        """Do ``write`` and return when it is committed; raise what it raised.

        A write that fails takes no other with it. It must not wait for locks of rows: all others
        would wait with it.
        """
        own = _Waiting(write)
        with self._guard:
            self._arrived.append(own)
        with self._turn:
            if not own.tried:
                self._lead()
        if own.failure is not None:
            raise own.failure

    def _lead(self) -> None:
        with self._guard:
            group, self._arrived = self._arrived, []
        for waiting in group:
            waiting.tried = True
        try:
            self._commit(group)
        except Exception as failure:
            if len(group) == 1:
                group[0].failure = failure
                return
            for waiting in group:
                self._commit_alone(waiting)

    def _commit(self, group: list[_Waiting]) -> None:
        with self._database.transaction() as session:
            for waiting in group:
                waiting.write(session)
        for waiting in group:
            waiting.failure = None

    def _commit_alone(self, waiting: _Waiting) -> None:
        try:
            self._commit([waiting])
        except Exception as failure:
            waiting.failure = failure
