"""The right to write, held in Elasticsearch itself so that it counts on every machine.

A document says who writes and until when. It is created, renewed, taken over and removed under
its sequence number, so that of two who try only one succeeds; who died loses it by its time.
The clocks of the writing machines must agree to within some seconds.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from typing import Any

from elasticsearch import ApiError, ConflictError, Elasticsearch, NotFoundError, TransportError

from search.errors import WriterBusy

_ID = "writer"
_POLL_SECONDS = 0.1
_SETTINGS = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    # A server that crashes may forget who held the right: then nobody does. That is no harm worth
    # waiting for the disk twice in every batch.
    "translog": {"durability": "async"},
}
_MAPPINGS = {"dynamic": "false", "properties": {}}


class WriteLock:
    """The lock of one installation; not shared between threads."""

    def __init__(self, client: Elasticsearch, index: str, *, lease_seconds: float = 60.0) -> None:
        self._client = client
        self._index = index
        self._lease_seconds = lease_seconds
        self._holder = uuid.uuid4().hex
        self._until = 0.0
        self._place: dict[str, int] = {}

    def acquire(self, wait_seconds: float) -> None:
        """Take the lock; raise ``WriterBusy`` where another writer keeps it for too long."""
        self._make_index()
        deadline = time.monotonic() + wait_seconds
        while not self._try():
            if time.monotonic() > deadline:
                raise WriterBusy("another process is writing to the index")
            time.sleep(_POLL_SECONDS)

    def renew(self) -> None:
        """Prolong the lock before it ends; raise ``WriterBusy`` where another took it over."""
        if self._until - time.time() > self._lease_seconds / 2:
            return
        try:
            self._put(**self._place)
        except ConflictError as lost:
            raise WriterBusy("another process has taken over the right to write") from lost

    def release(self) -> None:
        """Give the lock back; where that fails it ends by its time."""
        with suppress(ApiError, TransportError):
            self._client.delete(index=self._index, id=_ID, **self._place)  # type: ignore[arg-type]  # two numbers, by name
        self._until, self._place = 0.0, {}

    def _try(self) -> bool:
        try:
            self._put(op_type="create")
        except ConflictError:
            return self._take_over()
        return True

    def _take_over(self) -> bool:
        try:
            held = self._client.get(index=self._index, id=_ID)
            # A first try whose answer was lost on the way has left our own name there.
            ours = held["_source"]["holder"] == self._holder
            if not ours and held["_source"]["until"] > time.time():
                return False
            self._put(if_seq_no=held["_seq_no"], if_primary_term=held["_primary_term"])
        except (NotFoundError, ConflictError):
            return False
        return True

    def _put(self, **condition: Any) -> None:
        until = time.time() + self._lease_seconds
        made = self._client.index(
            index=self._index,
            id=_ID,
            document={"holder": self._holder, "until": until},
            **condition,
        )
        self._until = until
        self._place = {"if_seq_no": made["_seq_no"], "if_primary_term": made["_primary_term"]}

    def _make_index(self) -> None:
        if self._client.indices.exists(index=self._index):
            return
        # 400: another process was quicker.
        self._client.options(ignore_status=400).indices.create(
            index=self._index, settings=_SETTINGS, mappings=_MAPPINGS
        )
