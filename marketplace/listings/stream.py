"""The events service: tells every open bidding room what happened, by server-sent events.

A process of its own. One thread looks into the database a few times a second for all rooms that
somebody watches; each listener's thread waits for it and writes. What it tells is public and the
same for everybody. A listener that comes back names the last entry it saw and misses nothing.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from marketplace.foundation.clock import Clock
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotFound
from marketplace.listings import queries, record_queries, room_queries
from marketplace.listings.record_queries import Pulse

PERIOD_SECONDS = 0.15
# Nothing new for so long: a comment keeps the connection open and finds the dead ones.
KEEP_ALIVE_SECONDS = 15.0
_PATH = re.compile(r"/listings/(\d{1,9})/stream")

log = structlog.get_logger()

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Position = tuple[int, int]


@dataclass
class Snapshot:
    """How a room stands; ``messages`` keeps what was written for listeners at one position."""

    pulse: Pulse
    told: dict[str, Any]
    version: int
    messages: dict[Position, str] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        """Return the session and the entry up to which this tells."""
        return self.pulse.attempt, self.pulse.entry_count

    def message(self, since: Position) -> str:
        """Write the event for a listener who saw everything up to ``since``."""
        known = self.messages.get(since)
        if known is None:
            seen = since[1] if since[0] == self.pulse.attempt else 0
            news = {**self.told, "bids": [b for b in self.told["bids"] if b["entry"] > seen]}
            attempt, entry = self.position
            body = json.dumps(news, ensure_ascii=False, separators=(",", ":"))
            known = self.messages[since] = f"id: {attempt}-{entry}\ndata: {body}\n\n"
        return known


class Hub:
    """What is known of the rooms that are watched."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._watched: Counter[int] = Counter()
        self._snapshots: dict[int, Snapshot] = {}
        self._changed = threading.Condition()
        self._version = 0

    def run_forever(self) -> None:
        """Look again and again; a database that is away is asked again."""
        while True:
            with self._changed:
                while not self._watched:
                    self._changed.wait()
                ids = list(self._watched)
            try:
                self.look(ids)
            except SQLAlchemyError:
                log.exception("stream.failed")
            threading.Event().wait(PERIOD_SECONDS)

    def look(self, listing_ids: Iterable[int]) -> None:
        """Bring the snapshots of some listings up to date and wake those who wait for them."""
        now = self._clock.now()
        fresh: dict[int, Snapshot] = {}
        with self._database.reading() as session:
            for pulse in record_queries.pulses(session, list(listing_ids), now=now):
                known = self._snapshots.get(pulse.listing_id)
                if known is not None and known.pulse == pulse:
                    continue
                row = room_queries.find_session(session, pulse.listing_id, pulse.attempt)
                told = record_queries.news(session, row, after=0, now=now)
                # What was read may be newer than the pulse: the listener is told what was read.
                current = Pulse(pulse.listing_id, row.id, row.attempt, told["entry"], told["phase"])
                self._version += 1
                fresh[pulse.listing_id] = Snapshot(current, told, self._version)
        if fresh:
            with self._changed:
                self._snapshots.update(fresh)
                self._changed.notify_all()

    def check(self, listing_id: int) -> None:
        """Raise ``NotFound`` unless the public may watch a listing's room."""
        with self._database.reading() as session:
            queries.get_public(session, listing_id)
            room_queries.find_session(session, listing_id)

    def listen(self, listing_id: int, since: Position) -> Generator[str]:
        """Yield events for one listener until it goes away."""
        with self._changed:
            self._watched[listing_id] += 1
            self._changed.notify_all()
        try:
            yield "retry: 1000\n\n"
            version = 0
            while True:
                snapshot = self._wait(listing_id, version)
                if snapshot is None:
                    yield ": still here\n\n"
                    continue
                version = snapshot.version
                yield snapshot.message(since)
                since = snapshot.position
        finally:
            with self._changed:
                self._watched[listing_id] -= 1
                if self._watched[listing_id] <= 0:
                    del self._watched[listing_id]
                    self._snapshots.pop(listing_id, None)

    def _wait(self, listing_id: int, version: int) -> Snapshot | None:
        """Wait for a snapshot newer than a version; None when there is none for a while."""

        def newer() -> Snapshot | None:
            found = self._snapshots.get(listing_id)
            return found if found is not None and found.version > version else None

        with self._changed:
            return self._changed.wait_for(newer, timeout=KEEP_ALIVE_SECONDS)


def position_of(text: str) -> Position:
    """Read the position that a listener names, ``2-17``; anything else is the beginning."""
    found = re.fullmatch(r"(\d{1,6})-(\d{1,9})", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


class StreamApplication:
    """The service as a WSGI application: ``/listings/<id>/stream`` and ``/readyz``."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/readyz":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"ok\n"]
        found = _PATH.fullmatch(path)
        if found is None or environ.get("REQUEST_METHOD") != "GET":
            return _nothing(start_response)
        listing_id = int(found.group(1))
        try:
            self._hub.check(listing_id)
        except NotFound:
            return _nothing(start_response)
        asked = environ.get("HTTP_LAST_EVENT_ID") or environ.get("QUERY_STRING", "")[6:]
        start_response(
            "200 OK",
            [
                ("Content-Type", "text/event-stream; charset=utf-8"),
                ("Cache-Control", "no-store"),
                ("X-Accel-Buffering", "no"),
                # Public and without cookies: any page of the site may listen, at any port.
                ("Access-Control-Allow-Origin", "*"),
            ],
        )
        events = self._hub.listen(listing_id, position_of(asked))
        return Encoded(events)


class Encoded(Iterator[bytes]):
    """Events as bytes; closing it, as the server does at the end, stops the listening."""

    def __init__(self, events: Generator[str]) -> None:
        self._events = events

    def __next__(self) -> bytes:
        return next(self._events).encode()

    def close(self) -> None:
        """Stop listening."""
        self._events.close()


def _nothing(start_response: StartResponse) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
    return ["没有这个竞价室\n".encode()]


def create(database: Database, clock: Clock) -> StreamApplication:
    """Build the service and start its watching thread."""
    hub = Hub(database, clock)
    threading.Thread(target=hub.run_forever, daemon=True, name="stream").start()
    return StreamApplication(hub)
