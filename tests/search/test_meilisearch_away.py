"""A Meilisearch that is slow, refuses, talks nonsense or is not there: said so, and in time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from search.address import open_engine
from search.engine import Ask, Engine
from search.engines.meilisearch import FORMAT, MeilisearchEngine
from search.engines.meilisearch_client import Server, parse
from search.errors import AskRejected, IndexBroken, IndexMissing, SearchUnavailable, WriterBusy
from search.text import ANALYZER_VERSION
from tests.search.conftest import CORPUS, EVERYTHING
from tests.search.fake_server import (
    A_PAGE,
    Behaviour,
    FakeServer,
    Handler,
    answering,
    closed_url,
    dripping,
    hanging_up,
    silent,
)

ASK = Ask(scope=EVERYTHING, words={"脱硝": 1.0}, grams={"脱硝": 1.0})
PHRASE = Ask(scope=EVERYTHING, phrases=(("锰", "铈", "复"),))
PATIENCE = 0.3
# What a loaded machine may add; without a bound the silent server would take 30 seconds.
BOUND = 8.0

GENERATION = f"g-{ANALYZER_VERSION}-{FORMAT}-000001"

CALLS: dict[str, Callable[[Engine], object]] = {
    "search": lambda engine: engine.search(ASK),
    "phrase": lambda engine: engine.search(PHRASE),
    "candidates": lambda engine: engine.candidates(ASK),
    "count": lambda engine: engine.count(ASK),
    "facets": lambda engine: engine.facets(ASK, ["region"]),
    "get": lambda engine: engine.get(["achievement:1"], EVERYTHING),
    "ids": lambda engine: list(engine.ids()),
    "statistics": lambda engine: engine.statistics(["脱硝"], ["脱"]),
    "vocabulary": lambda engine: engine.vocabulary("phrases", "脱", EVERYTHING),
    "upsert": lambda engine: engine.upsert(CORPUS),
    "delete": lambda engine: engine.delete(["achievement:1"]),
    "commit": lambda engine: engine.commit(),
    "create": lambda engine: engine.create(GENERATION),
    "swap": lambda engine: engine.swap(GENERATION),
    "drop": lambda engine: engine.drop(GENERATION),
    "generation": lambda engine: engine.generation(),
    "generations": lambda engine: engine.generations(),
}


def refusing(status: int, code: str = "too_many_search_requests") -> Behaviour:
    """Answer with an error as a Meilisearch does."""
    return answering(status, {"message": "m", "code": code, "type": "system", "link": ""})


BEHAVIOURS: dict[str, Behaviour] = {
    "silent": silent,
    "dripping": dripping(),
    "429": refusing(429),
    "500": refusing(500, "internal"),
    "403": refusing(403, "invalid_api_key"),
    "a page": A_PAGE,
    "a page of error": answering(502, b"<html>Bad</html>", Content_Type="text/html"),
    "no json": answering(200, b'{"results": [{"hi'),
    "other json": answering(200, {"results": [1, 2], "taskUid": "?"}),
    "a list": answering(200, [1, 2, 3]),
    "hanging up": hanging_up(),
}


def engine_at(url: str, **options: float) -> MeilisearchEngine:
    patience = {"reading_seconds": PATIENCE, "writing_seconds": PATIENCE, "task_seconds": PATIENCE}
    return MeilisearchEngine(parse(f"meilisearch+{url}/market"), **{**patience, **options})


@pytest.fixture(params=[*BEHAVIOURS, "closed"])
def broken(request: pytest.FixtureRequest) -> Iterator[MeilisearchEngine]:
    if request.param == "closed":
        yield engine_at(closed_url())
        return
    with FakeServer(BEHAVIOURS[request.param]) as server:
        yield engine_at(server.url)


@pytest.mark.parametrize("call", CALLS)
def test_every_call_says_in_time_that_search_is_away(broken: MeilisearchEngine, call: str) -> None:
    began = time.monotonic()
    with pytest.raises(SearchUnavailable) as said:
        CALLS[call](broken)
    assert time.monotonic() - began < BOUND
    assert str(said.value)
    assert not isinstance(said.value, IndexMissing)


def test_a_health_report_comes_back(broken: MeilisearchEngine) -> None:
    began = time.monotonic()
    health = broken.health()
    assert not health.ok
    assert health.away
    assert health.reason
    assert time.monotonic() - began < BOUND


def test_a_server_that_refuses_is_not_asked_again() -> None:
    with FakeServer(refusing(429)) as server:
        with pytest.raises(SearchUnavailable, match="429"):
            engine_at(server.url).count(ASK)
        assert len(server.requests) == 1


def test_a_missing_index_and_one_with_other_settings_are_told_apart() -> None:
    with FakeServer(refusing(404, "index_not_found")) as server, pytest.raises(IndexMissing):
        engine_at(server.url).count(ASK)
    with FakeServer(refusing(400, "invalid_search_filter")) as server, pytest.raises(IndexBroken):
        engine_at(server.url).count(ASK)


TASK = {"uid": 1, "taskUid": 1, "type": "documentDeletion", "enqueuedAt": "2026-01-01T00:00:00Z"}


def _with_a_task(**held: object) -> Behaviour:
    marker = {"id": "_generation", "generation": GENERATION, "made_at": 1}

    def behave(request: Handler) -> None:
        body = marker if request.command == "GET" else {**TASK, "status": "enqueued"}
        if request.path.startswith("/tasks/"):
            body = {**TASK, **held}
        request.answer(200, json.dumps(body).encode(), Content_Type="application/json")

    return behave


def test_a_task_that_never_ends_is_not_waited_for_for_ever() -> None:
    with FakeServer(_with_a_task(status="processing")) as server:
        began = time.monotonic()
        with pytest.raises(SearchUnavailable, match="in time"):
            engine_at(server.url).delete(["need:1"])
        assert time.monotonic() - began < BOUND


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_task_that_failed_is_said(status: str) -> None:
    behaviour = _with_a_task(status=status, error={"message": "no space left"})
    with FakeServer(behaviour) as server, pytest.raises(SearchUnavailable, match="no space left"):
        engine_at(server.url).delete(["need:1"])


def test_a_batch_waits_for_its_tasks_only_when_it_is_committed() -> None:
    with FakeServer(_with_a_task(status="succeeded")) as server:
        engine = engine_at(server.url)
        with engine.writing():
            engine.delete(["need:1"])
            assert not any("/tasks/" in request for request in server.requests)
            engine.commit()
            assert any("/tasks/" in request for request in server.requests)


def test_another_thread_waits_for_its_turn_and_then_says_so() -> None:
    engine = engine_at("http://127.0.0.1:1", lock_seconds=0.05)
    refused: list[BaseException] = []

    def write() -> None:
        try:
            engine.delete(["need:1"])
        except WriterBusy as busy:
            refused.append(busy)

    with engine.writing():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(refused) == 1


def test_addresses_have_key_host_port_and_prefix() -> None:
    assert parse("meilisearch+https://:k%40y@search.example:7701/trade") == Server(
        "https://search.example:7701", "trade", "k@y"
    )
    assert parse("meilisearch+http://[::1]/") == Server("http://[::1]:7700", "market")
    assert open_engine("meilisearch+http://127.0.0.1:7700/market").name == "meilisearch"


@pytest.mark.parametrize(
    "wrong",
    [
        "meilisearch+http:///market",
        "meilisearch+http://host:port/market",
        "meilisearch+http://host/*",
        "meilisearch+http://host/a/b",
        "meilisearch+http://host/a--live",
        "meilisearch+http://host/%2e%2e",
        "meilisearch+http://host/market?x=1",
    ],
)
def test_addresses_that_mean_nothing_are_refused(wrong: str) -> None:
    with pytest.raises(AskRejected):
        open_engine(wrong)


def test_no_message_holds_the_key() -> None:
    with FakeServer(refusing(403, "invalid_api_key")) as server:
        url = server.url.replace("http://", "http://:s3cret@")
        for engine in (engine_at(url), engine_at("http://:s3cret@127.0.0.1:1")):
            with pytest.raises(SearchUnavailable) as said:
                engine.search(ASK)
            chain: BaseException | None = said.value
            while chain is not None:
                assert "s3cret" not in str(chain)
                chain = chain.__cause__
