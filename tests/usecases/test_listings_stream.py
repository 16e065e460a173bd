"""The events service: what listeners hear, from where they were, and nothing private in it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from marketplace.foundation.db import Database
from marketplace.listings import record_queries, service
from marketplace.listings.stream import Hub, StreamApplication, position_of
from tests.trading import BASE, STEP, Hall, local
from tests.usecases.test_listings_bidding import bid
from tests.world import World

OPENS = local(2024, 4, 2, 9, 0)


class HallClock:
    """Tells the hall's moment."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall

    def now(self) -> Any:
        """Return it."""
        return self.hall.now


@pytest.fixture
def hall(database: Database, world: World, now: Any) -> Hall:
    return Hall(database, world, now)


def events_of(part: bytes) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in part.decode().strip().splitlines())
    return {"id": lines["id"], **json.loads(lines["data"])}


def test_a_listener_hears_what_came_after_the_last_event_it_saw(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS)
    bid(hall, one, listing_id, BASE, "a")

    async def listen() -> None:
        hub = Hub(hall.database, HallClock(hall))
        heard = hub.listen(listing_id, (0, 0))
        assert await anext(heard) == b"retry: 1000\n\n"
        first = events_of(await anext(heard))
        assert [b["yuan"] for b in first["bids"]] == ["1,200,000"]
        bid(hall, two, listing_id, BASE + STEP, "b")
        bid(hall, one, listing_id, BASE + 2 * STEP, "c")
        second = events_of(await anext(heard))
        assert [b["yuan"] for b in second["bids"]] == ["1,220,000", "1,240,000"]
        await heard.aclose()
        assert hub.listener_count == 0
        # The connection broke after the first event: coming back with its id misses nothing.
        again = hub.listen(listing_id, position_of(first["id"]))
        await anext(again)
        assert events_of(await anext(again))["bids"] == second["bids"]
        await again.aclose()
        hall.do(service.set_limit, two, listing_id=listing_id, limit_fen=BASE + 77 * STEP)
        fresh = hub.listen(listing_id, (0, 0))
        await anext(fresh)
        told = (await anext(fresh)).decode()
        assert str(BASE + 77 * STEP) not in told
        assert one.organisation_name not in told
        await fresh.aclose()

    asyncio.run(listen())


def test_listeners_of_one_room_hear_the_same_and_a_failed_look_is_not_the_last(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing_id, (one, _two) = hall.bidding()
    hall.at(OPENS)
    pulses, failures = record_queries.pulses, iter([OperationalError("away", {}, Exception())])

    def broken_once(*arguments: Any, **more: Any) -> Any:
        for failure in failures:
            raise failure
        return pulses(*arguments, **more)

    async def listen() -> None:
        hub = Hub(hall.database, HallClock(hall))
        many = [hub.listen(listing_id, (0, 0)) for _ in range(20)]
        for heard in many:
            await anext(heard)
        assert hub.listener_count == 20
        assert len({await anext(heard) for heard in many}) == 1
        monkeypatch.setattr(record_queries, "pulses", broken_once)
        bid(hall, one, listing_id, BASE, "a")
        [news] = {await anext(heard) for heard in many}
        assert "1,200,000" in news.decode()
        for heard in many:
            await heard.aclose()

    asyncio.run(listen())


class Visit:
    """One request of the service's application, and what it was answered."""

    def __init__(
        self, path: str, *, query: str = "", headers: dict[str, str] | None = None
    ) -> None:
        self.scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
        }
        self.status = 0
        self.parts: asyncio.Queue[bytes] = asyncio.Queue()

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            await self.parts.put(message["body"])

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request"}

    async def to(self, application: StreamApplication) -> int:
        await application(self.scope, self.receive, self.send)
        return self.status


def test_the_service_streams_a_room_and_knows_no_other(hall: Hall) -> None:
    listing_id, (one, _two) = hall.bidding()
    hall.at(OPENS)
    path = f"/listings/{listing_id}/stream"

    async def visit() -> None:
        hub = Hub(hall.database, HallClock(hall))
        application = StreamApplication(hub, most=1)
        listener = Visit(path, query="after=1-1")
        task = asyncio.create_task(listener.to(application))
        assert (await listener.parts.get()).startswith(b"retry")
        assert b'"phase":"free"' in await listener.parts.get()
        bid(hall, one, listing_id, BASE, "a")
        assert "1,200,000" in (await listener.parts.get()).decode()
        assert listener.status == 200
        assert await Visit(path).to(application) == 503  # one too many
        ready = Visit("/readyz")
        assert await ready.to(application) == 200
        assert await ready.parts.get() == b"ok\n"
        task.cancel()  # as the server does when the listener has gone
        with pytest.raises(asyncio.CancelledError):
            await task
        assert hub.listener_count == 0
        for unknown in ("/", "/listings/999999/stream", "/listings/x/stream"):
            assert await Visit(unknown).to(application) == 404
        socket = Visit(path)
        del socket.scope["method"]
        assert await socket.to(application) == 404

    asyncio.run(visit())


def test_a_browser_that_comes_back_names_the_last_event_in_a_header(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS)
    bid(hall, one, listing_id, BASE, "a")
    bid(hall, two, listing_id, BASE + STEP, "b")

    async def visit() -> dict[str, Any]:
        application = StreamApplication(Hub(hall.database, HallClock(hall)), most=10)
        listener = Visit(
            f"/listings/{listing_id}/stream", query="after=1-1", headers={"last-event-id": "1-3"}
        )
        task = asyncio.create_task(listener.to(application))
        await listener.parts.get()
        told = events_of(await listener.parts.get())
        task.cancel()
        return told

    assert [b["yuan"] for b in asyncio.run(visit())["bids"]] == ["1,220,000"]
    assert position_of("junk") == (0, 0)
