"""Rebuild, swap and roll-back on every engine, from the market's own database and under load."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace import wiring
from marketplace.foundation.db import Database
from marketplace.settings import Settings
from search import rebuild
from search.address import open_engine
from search.engine import Ask, Engine
from tests.conftest import MovableClock
from tests.discovering import Market
from tests.search.conftest import CORPUS, EVERYTHING
from tests.world import World

DESCALING = Ask(scope=EVERYTHING, words={"阻垢剂": 1.0}, grams={"阻垢": 1.0})
_PATIENCE_SECONDS = 30.0


@pytest.fixture
def services(
    address: str, sqlite_database: Database, clock: MovableClock, tmp_path: Path
) -> wiring.Services:
    """All services, with the engine at the address."""
    settings = Settings(data_dir=tmp_path, secret_key="test-key-" + "x" * 32, search_url=address)
    return wiring.build(settings, database=sqlite_database, clock=clock)


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    return Market(page_world, services, clock)


def test_the_markets_index_is_built_kept_up_rebuilt_and_rolled_back(market: Market) -> None:
    engine = market.index.engine
    made, need = market.achievement(), market.open_need()
    market.settle()
    assert {f"achievement:{made}", f"need:{need}"} <= set(engine.ids())
    assert market.index.check().none

    market.withdraw(made)
    market.settle()
    assert f"achievement:{made}" not in set(engine.ids())
    assert market.index.check().none

    before = engine.generation()
    later = market.achievement()
    report = market.index.rebuild(now=market.clock.now())
    assert report.before == before
    assert engine.generation() == report.generation != before
    assert f"achievement:{later}" in set(engine.ids())
    assert market.index.check().none

    assert rebuild.roll_back(engine) == before
    assert f"achievement:{later}" not in set(engine.ids())
    market.settle()
    assert market.index.check().none


class Reader:
    """Asks one question in a thread of its own until it is left, and keeps what went wrong."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ended = threading.Event()
        self._answered = threading.Condition()
        self._answers = 0
        self.wrong: list[object] = []
        self._thread = threading.Thread(target=self._ask)

    def wait_for_answers(self, count: int) -> None:
        """Wait until it has had so many more answers."""
        with self._answered:
            wanted = self._answers + count
            came = self._answered.wait_for(lambda: self._answers >= wanted, _PATIENCE_SECONDS)
        assert came, self.wrong

    def _ask(self) -> None:
        while not self._ended.is_set():
            try:
                names = [hit.document.id for hit in self._engine.search(DESCALING).hits]
                counted = self._engine.facets(DESCALING, ["region"])
            except Exception as error:  # whatever it is, the test must hear of it
                self.wrong.append(error)
            else:
                if names != ["achievement:2"] or counted != {"region": {"370102": 1}}:
                    self.wrong.append((names, counted))
            with self._answered:
                self._answers += 1
                self._answered.notify_all()

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(_PATIENCE_SECONDS)


@pytest.fixture
def readers(engine: Engine, address: str) -> Iterator[list[Reader]]:
    """One reader on the writer's own engine, one as in another process."""
    with Reader(engine) as near, Reader(open_engine(address)) as far:
        yield [near, far]


def test_rebuilds_and_swaps_under_load_lose_no_answer(
    engine: Engine, readers: list[Reader]
) -> None:
    for _ in range(3):
        for reader in readers:
            reader.wait_for_answers(2)
        rebuild.rebuild(engine, lambda: CORPUS)
    rebuild.roll_back(engine)
    for reader in readers:
        reader.wait_for_answers(2)
        assert reader.wrong == []
