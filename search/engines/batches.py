"""Batches of writes: one thread of a process at a time, nested as deep as it likes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from search.errors import WriterBusy


class Batches:
    """Lets one thread write; another waits for its turn, but not for ever.

    ``begin`` and ``end`` are called around the outermost batch: there an engine takes and gives
    back what keeps other processes out.
    """

    def __init__(
        self,
        wait_seconds: float,
        *,
        begin: Callable[[], None] = lambda: None,
        end: Callable[[], None] = lambda: None,
    ) -> None:
        self._wait_seconds = wait_seconds
        self._begin, self._end = begin, end
        self._turn = threading.RLock()
        self._depth = 0

    @property
    def outermost(self) -> bool:
        """Tell whether no further batch surrounds the present one: nobody else will commit."""
        return self._depth == 1

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Hold the right to write."""
        if not self._turn.acquire(timeout=self._wait_seconds):
            raise WriterBusy("another thread is writing to the index")
        try:
            if self._depth == 0:
                self._begin()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._end()
        finally:
            self._turn.release()
