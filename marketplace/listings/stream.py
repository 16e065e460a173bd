"""The events service: tells every open bidding room what happened, by server-sent events.

A process of its own with one event loop. A few times a second it looks into the database for all
rooms that somebody watches; what is new is written once and sent to each listener, who costs a
connection and no thread. What it tells is public and the same for everybody. A listener that comes
back names the last entry it saw and misses nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import structlog

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

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Position = tuple[int, int]


@dataclass
class Snapshot:
    """How a room stands; ``messages`` keeps what was written for listeners at one position."""

    pulse: Pulse
    told: dict[str, Any]
    messages: dict[Position, bytes] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        """Return the session and the entry up to which this tells."""
        return self.pulse.attempt, self.pulse.entry_count

    def message(self, since: Position) -> bytes:
        """Write the event for a listener who saw everything up to ``since``."""
        known = self.messages.get(since)
        if known is None:
            seen = since[1] if since[0] == self.pulse.attempt else 0
            news = {**self.told, "bids": [b for b in self.told["bids"] if b["entry"] > seen]}
            attempt, entry = self.position
            body = json.dumps(news, ensure_ascii=False, separators=(",", ":"))
            known = f"id: {attempt}-{entry}\ndata: {body}\n\n".encode()
            self.messages[since] = known
        return known


@dataclass
class Room:
    """A room that is watched: by how many, how it stands, and the bell for the next news."""

    listeners: int = 0
    snapshot: Snapshot | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, snapshot: Snapshot) -> None:
        """Take what is new and wake those who wait for it."""
        self.snapshot = snapshot
        self.news.set()
        self.news = asyncio.Event()


class Hub:
    """What is known of the rooms that are watched; it lives in one event loop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rooms: dict[int, Room] = {}
        self._watching: asyncio.Task[None] | None = None

    @property
    def listener_count(self) -> int:
        """Return how many listen, in all rooms."""
        return sum(room.listeners for room in self._rooms.values())

    async def _watch(self) -> None:
        """Look again and again while anybody listens, also after a look that failed."""
        while self._rooms:
            known = {number: room.snapshot for number, room in self._rooms.items()}
            try:
                found = await asyncio.to_thread(self._look, known)
            except Exception:  # whatever it was: those who listen wait for the next look
                log.exception("stream.failed")
                found = {}
            for number, snapshot in found.items():
                if number in self._rooms:
                    self._rooms[number].tell(snapshot)
            await asyncio.sleep(PERIOD_SECONDS)

    def _look(self, known: dict[int, Snapshot | None]) -> dict[int, Snapshot]:
        """Read how rooms stand in which anything is newer than what is known."""
        now = self._clock.now()
        fresh: dict[int, Snapshot] = {}
        with self._database.reading() as session:
            for pulse in record_queries.pulses(session, list(known), now=now):
                before = known[pulse.listing_id]
                if before is not None and before.pulse == pulse:
                    continue
                row = room_queries.find_session(session, pulse.listing_id, pulse.attempt)
                told = record_queries.news(session, row, after=0, now=now)
                # What was read may be newer than the pulse: the listener is told what was read.
                current = Pulse(pulse.listing_id, row.id, row.attempt, told["entry"], told["phase"])
                fresh[pulse.listing_id] = Snapshot(current, told)
        return fresh

    async def check(self, listing_id: int) -> None:
        """Raise ``NotFound`` unless the public may watch a listing's room."""
        await asyncio.to_thread(self._check, listing_id)

    def _check(self, listing_id: int) -> None:
        with self._database.reading() as session:
            queries.get_public(session, listing_id)
            room_queries.find_session(session, listing_id)

    async def listen(self, listing_id: int, since: Position) -> AsyncGenerator[bytes]:
        """Yield events for one listener until it goes away."""
        room = self._rooms.setdefault(listing_id, Room())
        room.listeners += 1
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        try:
            yield b"retry: 1000\n\n"
            told: Snapshot | None = None
            while True:
                news = room.news
                if room.snapshot is not None and room.snapshot is not told:
                    told = room.snapshot
                    yield told.message(since)
                    since = told.position
                    continue
                try:
                    async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                        await news.wait()
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            room.listeners -= 1
            if room.listeners == 0:
                del self._rooms[listing_id]


def position_of(text: str) -> Position:
    """Read the position that a listener names, ``2-17``; anything else is the beginning."""
    found = re.fullmatch(r"(\d{1,6})-(\d{1,9})", text)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


class StreamApplication:
    """The service as an ASGI application: ``/listings/<id>/stream`` and ``/readyz``.

    Beyond ``most`` listeners the next is asked to come back later; the page asks by itself then.
    """

    def __init__(self, hub: Hub, *, most: int) -> None:
        self._hub = hub
        self._most = most

    async def __call__(self, scope: dict[str, Any], _receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path == "/readyz":
            await _answer(send, 200, "ok\n")
            return
        found = _PATH.fullmatch(path)
        # A web socket has no method.
        if found is None or scope.get("method") != "GET":
            await _answer(send, 404, "没有这个竞价室\n")
            return
        if self._hub.listener_count >= self._most:
            await _answer(send, 503, "听众太多，请稍后再连\n", (b"retry-after", b"5"))
            return
        listing_id = int(found.group(1))
        try:
            await self._hub.check(listing_id)
        except NotFound:
            await _answer(send, 404, "没有这个竞价室\n")
            return
        headers = dict(scope["headers"])
        asked = headers.get(b"last-event-id") or scope["query_string"][len(b"after=") :]
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS})
        # The server ends this task when the listener has gone.
        async with aclosing(
            self._hub.listen(listing_id, position_of(asked.decode("latin-1")))
        ) as events:
            async for event in events:
                await send({"type": "http.response.body", "body": event, "more_body": True})


_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    # Public and without cookies: any page of the site may listen, at any port.
    (b"access-control-allow-origin", b"*"),
]


async def _answer(send: Send, status: int, words: str, *more: tuple[bytes, bytes]) -> None:
    headers: Iterable[tuple[bytes, bytes]] = [
        (b"content-type", b"text/plain; charset=utf-8"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})
