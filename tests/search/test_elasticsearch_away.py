"""An Elasticsearch that is slow, refuses, talks nonsense or is not there: said so, and in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from search.engine import Ask, Engine
from search.engines import elasticsearch_answers as answers
from search.engines.elasticsearch import FORMAT, ElasticsearchEngine
from search.engines.elasticsearch_client import parse
from search.errors import SearchUnavailable
from search.text import ANALYZER_VERSION
from tests.search.conftest import CORPUS, EVERYTHING
from tests.search.fake_server import BEHAVIOURS, FakeServer, closed_url, refusing

ASK = Ask(scope=EVERYTHING, words={"脱硝": 1.0}, grams={"脱硝": 1.0})
PATIENCE = 0.3
# What a loaded machine may add; without a bound the silent server would take 30 seconds.
BOUND = 8.0

CALLS: dict[str, Callable[[Engine], object]] = {
    "search": lambda engine: engine.search(ASK),
    "candidates": lambda engine: engine.candidates(ASK),
    "count": lambda engine: engine.count(ASK),
    "facets": lambda engine: engine.facets(ASK, ["region"]),
    "get": lambda engine: engine.get(["achievement:1"], EVERYTHING),
    "ids": lambda engine: list(engine.ids(generation="g-1")),
    "statistics": lambda engine: engine.statistics(["脱硝"], ["脱"]),
    "vocabulary": lambda engine: engine.vocabulary("phrases", "脱", EVERYTHING),
    "upsert": lambda engine: engine.upsert(CORPUS, generation="g-1"),
    "delete": lambda engine: engine.delete(["achievement:1"], generation="g-1"),
    "commit": lambda engine: engine.commit(generation="g-1"),
    "create": lambda engine: engine.create("g-1"),
    "swap": lambda engine: engine.swap(f"g-{ANALYZER_VERSION}-{FORMAT}-000001"),
    "drop": lambda engine: engine.drop("g-1"),
    "generation": lambda engine: engine.generation(),
    "generations": lambda engine: engine.generations(),
}


def engine_at(url: str) -> ElasticsearchEngine:
    return ElasticsearchEngine(
        parse(f"elasticsearch+{url}/market"),
        lock_seconds=PATIENCE,
        reading_seconds=PATIENCE,
        writing_seconds=PATIENCE,
    )


@pytest.fixture(params=[*BEHAVIOURS, "closed"])
def broken(request: pytest.FixtureRequest) -> Iterator[ElasticsearchEngine]:
    if request.param == "closed":
        yield engine_at(closed_url())
        return
    with FakeServer(BEHAVIOURS[request.param]) as server:
        yield engine_at(server.url)


@pytest.mark.parametrize("call", CALLS)
def test_every_call_says_in_time_that_search_is_away(
    broken: ElasticsearchEngine, call: str
) -> None:
    began = time.monotonic()
    with pytest.raises(SearchUnavailable) as said:
        CALLS[call](broken)
    assert time.monotonic() - began < BOUND
    assert str(said.value)


def test_a_health_report_comes_back_and_says_that_the_server_is_away(
    broken: ElasticsearchEngine,
) -> None:
    began = time.monotonic()
    health = broken.health()
    assert (health.ok, health.away) == (False, True)
    assert health.reason
    assert time.monotonic() - began < BOUND


def test_a_server_that_refuses_is_not_asked_again() -> None:
    with FakeServer(refusing(429)) as server:
        with pytest.raises(SearchUnavailable, match="429"):
            engine_at(server.url).search(ASK)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "refused",
    [
        {"index": {"status": 404, "error": {"type": "index_not_found_exception"}}},
        {"index": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}},
        {"delete": {"status": 404, "error": {"type": "index_not_found_exception"}}},
    ],
)
def test_half_a_batch_is_no_batch(refused: dict[str, Any]) -> None:
    absent = {"delete": {"status": 404, "result": "not_found"}}
    written = {"index": {"status": 201, "result": "created"}}
    answers.all_written([(True, written), (False, absent)])
    with pytest.raises(SearchUnavailable):
        answers.all_written([(True, written), (False, refused)])


def test_no_message_holds_the_password() -> None:
    address = "elasticsearch+http://market:s3cret%21@127.0.0.1:1/market"
    engine = ElasticsearchEngine(parse(address), reading_seconds=PATIENCE)
    with pytest.raises(SearchUnavailable) as said:
        engine.search(ASK)
    chain: BaseException | None = said.value
    while chain is not None:
        assert "s3cret" not in str(chain)
        chain = chain.__cause__
