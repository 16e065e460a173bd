"""Pages while the search server refuses, is silent, talks nonsense or is not there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from marketplace import wiring
from marketplace.foundation.db import Database
from marketplace.settings import Settings
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.search.fake_server import BEHAVIOURS, FakeServer, closed_url
from tests.world import World

# What a loaded machine may add to the patience below; the silent server would take 30 seconds.
BOUND = 8.0


@pytest.fixture(params=[*BEHAVIOURS, "closed"])
def server_url(request: pytest.FixtureRequest, mocker: MockerFixture) -> Iterator[str]:
    mocker.patch("search.engines.elasticsearch_client.READING_SECONDS", 0.3)
    if request.param == "closed":
        yield closed_url()
        return
    with FakeServer(BEHAVIOURS[request.param]) as server:
        yield server.url


@pytest.fixture
def services(
    server_url: str, sqlite_database: Database, clock: MovableClock, tmp_path: Path
) -> wiring.Services:
    """All services, with a search server that cannot be used."""
    settings = Settings(
        data_dir=tmp_path,
        secret_key="test-key-" + "x" * 32,
        search_url=f"elasticsearch+{server_url}/market",
    )
    return wiring.build(settings, database=sqlite_database, clock=clock)


def test_every_page_answers_in_time_and_shows_nothing_of_what_is_wrong(
    client: Browser, page_world: World, services: wiring.Services, clock: MovableClock
) -> None:
    market = Market(page_world, services, clock)
    made, need = market.achievement(), market.open_need()
    for path, shown in (
        ("/search?q=催化", "检索服务暂时不可用"),
        (f"/needs/{need}", "匹配结果稍后恢复"),
        (f"/achievements/{made}", ""),
        ("/", ""),
        ("/search/suggest?q=脱", '"phrases":[]'),
    ):
        began = time.monotonic()
        answer = client.get(path)
        assert time.monotonic() - began < BOUND, path
        page = answer.get_data(as_text=True)
        assert answer.status_code == 200, path
        assert shown in page
        for secret in ("Traceback", "elasticsearch", "127.0.0.1:", "some_exception", "nginx"):
            assert secret not in page, path


def test_nothing_is_lost_while_the_server_is_away(
    page_world: World, services: wiring.Services, clock: MovableClock
) -> None:
    market = Market(page_world, services, clock)
    market.achievement()
    services.outbox.deliver_due(services.database, now=clock.now())
    assert market.index.keep_up(now=clock.now()) == 0
    problems = wiring.search_problems(services)
    assert len(problems) == 1
    assert problems[0].startswith("search: ")
