"""The events service: what listeners hear, from where they were, and nothing private in it."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from marketplace.foundation.db import Database
from marketplace.listings import service, stream
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


def events_of(part: str) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in part.strip().splitlines())
    return {"id": lines["id"], **json.loads(lines["data"])}


def test_a_listener_hears_what_came_after_the_last_event_it_saw(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS)
    hub = Hub(hall.database, HallClock(hall))
    bid(hall, one, listing_id, BASE, "a")
    hub.look([listing_id])
    heard = hub.listen(listing_id, (0, 0))
    assert next(heard) == "retry: 1000\n\n"
    first = events_of(next(heard))
    assert [b["yuan"] for b in first["bids"]] == ["1,200,000"]
    bid(hall, two, listing_id, BASE + STEP, "b")
    bid(hall, one, listing_id, BASE + 2 * STEP, "c")
    hub.look([listing_id])
    second = events_of(next(heard))
    assert [b["yuan"] for b in second["bids"]] == ["1,220,000", "1,240,000"]
    heard.close()
    # The connection broke after the first event: coming back with its id misses nothing.
    hub.look([listing_id])
    again = hub.listen(listing_id, position_of(first["id"]))
    next(again)
    assert events_of(next(again))["bids"] == second["bids"]
    again.close()
    hall.do(service.set_limit, two, listing_id=listing_id, limit_fen=BASE + 77 * STEP)
    fresh = Hub(hall.database, HallClock(hall))
    fresh.look([listing_id])
    told = next(e for e in fresh.listen(listing_id, (0, 0)) if e.startswith("id"))
    assert str(BASE + 77 * STEP) not in told
    assert one.organisation_name not in told


def test_the_thread_wakes_listeners_and_unknown_rooms_are_not_found(hall: Hall) -> None:
    listing_id, (one, _two) = hall.bidding()
    hall.at(OPENS)
    hub = Hub(hall.database, HallClock(hall))
    threading.Thread(target=hub.run_forever, daemon=True).start()
    application = StreamApplication(hub)
    statuses: list[str] = []

    def start(status: str, _headers: Any) -> None:
        statuses.append(status)

    def get(path: str, **more: str) -> Any:
        return application({"PATH_INFO": path, "REQUEST_METHOD": "GET", **more}, start)

    answer = get(f"/listings/{listing_id}/stream", QUERY_STRING="after=1-1")
    parts = iter(answer)
    assert next(parts).startswith(b"retry")
    assert b'"phase":"free"' in next(parts)
    bid(hall, one, listing_id, BASE, "a")
    assert "1,200,000" in next(parts).decode()
    answer.close()
    assert b"".join(get("/readyz")) == b"ok\n"
    for path in ("/", "/listings/999999/stream", "/listings/x/stream"):
        get(path)
    assert statuses == ["200 OK", "200 OK", *["404 Not Found"] * 3]
    assert stream.position_of("junk") == (0, 0)
