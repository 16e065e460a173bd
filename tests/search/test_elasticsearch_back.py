"""An Elasticsearch that goes away in the middle of the day and comes back: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace import wiring
from marketplace.foundation.db import Database
from marketplace.settings import Settings
from search.errors import SearchUnavailable
from tests.conftest import MovableClock
from tests.discovering import Market
from tests.search.fake_server import BEHAVIOURS, FakeServer, forwarding
from tests.world import World

pytestmark = pytest.mark.server


@pytest.fixture
def server(address: str) -> Iterator[FakeServer]:
    """A server between the engine and the real node, that can misbehave."""
    node = address.removeprefix("elasticsearch+").rpartition("/")[0]
    with FakeServer(forwarding(node)) as between:
        yield between


@pytest.fixture
def services(
    address: str,
    server: FakeServer,
    sqlite_database: Database,
    clock: MovableClock,
    tmp_path: Path,
) -> wiring.Services:
    """All services, with the engine behind the server in between."""
    prefix = address.rpartition("/")[2]
    settings = Settings(
        data_dir=tmp_path,
        secret_key="test-key-" + "x" * 32,
        search_url=f"elasticsearch+{server.url}/{prefix}",
    )
    return wiring.build(settings, database=sqlite_database, clock=clock)


@pytest.mark.parametrize("address", ["elasticsearch"], indirect=True)
@pytest.mark.parametrize("trouble", ["429", "500", "a page", "hanging up"])
def test_what_changes_meanwhile_is_taken_in_when_it_is_back(
    page_world: World,
    services: wiring.Services,
    clock: MovableClock,
    server: FakeServer,
    trouble: str,
) -> None:
    market = Market(page_world, services, clock)
    engine = market.index.engine
    gone, kept = market.achievement(), market.achievement()
    market.settle()
    generation = engine.generation()
    well = server.behaviour

    server.behaviour = BEHAVIOURS[trouble]
    market.withdraw(gone)
    added = market.achievement()
    market.settle()
    with pytest.raises(SearchUnavailable):
        list(engine.ids())

    server.behaviour = well
    market.settle()
    held = set(engine.ids())
    assert {f"achievement:{kept}", f"achievement:{added}"} <= held
    assert f"achievement:{gone}" not in held
    assert market.index.check().none
    assert engine.generation() == generation, "it was waited for, not made anew"
