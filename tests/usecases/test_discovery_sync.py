"""From the commit to the search result, and everything that can stand in between."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pytest_mock import MockerFixture

from marketplace import wiring, worker
from marketplace.discovery import commands, queries
from marketplace.discovery.asked import Asked
from marketplace.discovery.indexing import SearchIndex, Source
from marketplace.discovery.results import answer
from marketplace.foundation.access import ANONYMOUS
from search.errors import SearchError, SearchUnavailable
from search.schema import Document
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.world import World

TITLE = "低温脱硝催化剂：180 ℃ 去除率 92 %"


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    made = Market(page_world, services, clock)
    worker.run_until_quiet(services)
    return made


def found(market: Market, typed: str = "低温脱硝") -> set[int]:
    page = answer(market.index, Asked(typed=typed), ANONYMOUS, now=market.clock.now())
    return {row.record_id for row in page.rows}


def waiting(market: Market) -> int:
    with market.services.database.reading() as session:
        return queries.waiting_changes(session).count


def run(market: Market, *arguments: str) -> Result:
    group = commands.make_group(
        lambda: (market.index, market.services.database, market.clock.now())
    )
    return CliRunner().invoke(group, list(arguments))


def opened_anew(market: Market) -> SearchIndex:
    """The index as the next process opens it."""
    settings, database = market.services.settings, market.services.database
    fresh = wiring.build(settings, database=database, clock=market.clock)
    index: SearchIndex = fresh.resources[SearchIndex]
    return index


def folder_of(market: Market) -> Path:
    return market.services.settings.data_dir / "search"


def test_one_round_of_the_worker_after_the_commit_makes_it_visible(market: Market) -> None:
    # A round begins at most PAUSE after the one before has ended, so that one round is enough
    # for "within a second"; what a round itself takes stands in benchmarks/README.md.
    assert worker.PAUSE.total_seconds() <= 0.2
    made = market.achievement()
    assert found(market) == set()
    worker.run_once(market.services)
    assert found(market) == {made}
    market.withdraw(made)
    assert found(market) == {made}
    worker.run_once(market.services)
    assert found(market) == set()


def test_searches_go_on_without_error_or_missing_hit_while_the_index_is_rebuilt(
    market: Market,
) -> None:
    wanted = {market.achievement(title=f"低温脱硝催化剂第 {n} 代，不用再热") for n in range(5)}
    worker.run_until_quiet(market.services)
    reader = opened_anew(market)
    wrong: list[object] = []
    asked = 0
    ended = threading.Event()

    def search() -> None:
        nonlocal asked
        while not ended.is_set():
            try:
                page = answer(reader, Asked(typed="低温脱硝"), ANONYMOUS, now=market.clock.now())
                missing = wanted - {row.record_id for row in page.rows}
                if missing:
                    wrong.append(missing)
            except SearchError as failed:
                wrong.append(failed)
            asked += 1

    thread = threading.Thread(target=search)
    thread.start()
    generations = {market.index.rebuild(now=market.clock.now()).generation for _ in range(6)}
    seen = asked
    while asked == seen:
        pass
    ended.set()
    thread.join()
    assert len(generations) == 6
    assert wrong == []
    assert market.index.check().none


@pytest.mark.parametrize("broken", ["upsert", "delete", "commit", "writing"])
def test_nothing_is_lost_wherever_the_engine_fails(
    market: Market, mocker: MockerFixture, broken: str
) -> None:
    gone = market.achievement(title="低温脱硝催化剂，将被撤下的一项")
    worker.run_until_quiet(market.services)
    kept = market.achievement()
    market.withdraw(gone)
    failing = mocker.patch.object(
        market.index.engine, broken, side_effect=SearchUnavailable("the engine is away")
    )
    worker.run_once(market.services)
    assert waiting(market) >= 2
    mocker.stop(failing)
    worker.run_once(market.services)
    assert waiting(market) == 0
    assert found(market) == {kept}
    assert market.index.check().none


def test_a_read_only_folder_stops_writing_only_and_is_named(
    market: Market, mocker: MockerFixture
) -> None:
    made = market.achievement()
    worker.run_until_quiet(market.services)
    real = os.open

    def refuse(path: Any, *more: Any, **named: Any) -> int:
        if str(path).endswith("write.lock"):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return real(path, *more, **named)

    mocker.patch("search.engines.embedded.os.open", refuse)
    market.achievement(title="低温脱硝滤袋，一次脱硝除尘")
    worker.run_once(market.services)
    assert found(market) == {made}
    assert waiting(market) >= 1
    told = run(market, "rebuild")
    assert told.exit_code == 1
    assert "the index in use stays" in told.output
    assert "cannot be written" in told.output
    assert "Traceback" not in told.output
    market.clock.forward(minutes=6)
    [problem] = wiring.search_problems(market.services)
    assert "changes wait since" in problem


def test_a_full_disk_loses_nothing_and_is_caught_up(market: Market, mocker: MockerFixture) -> None:
    made = market.achievement()
    worker.run_until_quiet(market.services)
    writing = market.index.engine.commit

    def on_a_full_disk(*arguments: Any, **named: Any) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (256, hard))
        try:
            writing(*arguments, **named)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    full = mocker.patch.object(market.index.engine, "commit", on_a_full_disk)
    more = market.achievement(title="低温脱硝滤袋，一次脱硝除尘")
    worker.run_once(market.services)
    assert found(market) == {made}
    assert waiting(market) >= 1
    assert run(market, "rebuild").exit_code == 1
    assert found(market) == {made}
    mocker.stop(full)
    worker.run_once(market.services)
    assert found(market) == {made, more}
    assert market.index.check().none


@pytest.mark.parametrize("damage", ["truncated", "emptied", "removed", "other version"])
def test_a_damaged_index_is_said_to_be_down_and_heals_by_itself(
    market: Market, client: Browser, damage: str
) -> None:
    made = market.achievement()
    worker.run_until_quiet(market.services)
    folder = folder_of(market)
    generation = (folder / "CURRENT").read_text()
    if damage == "truncated":
        meta = folder / generation / "meta.json"
        meta.write_bytes(meta.read_bytes()[:40])
    elif damage == "emptied":
        shutil.rmtree(folder / generation)
    elif damage == "removed":
        shutil.rmtree(folder)
    else:
        (folder / generation).rename(folder / "g-a0-t0-000001")
        (folder / "CURRENT").write_text("g-a0-t0-000001")
    page = client.get("/search?q=低温脱硝")
    assert page.status_code == 200
    assert "检索服务暂时不可用" in page.get_data(as_text=True)
    assert TITLE in page.get_data(as_text=True)
    index = opened_anew(market)
    told = index.problems(now=market.clock.now())
    assert damage == "removed" or "marketplace search rebuild" in told[0]
    index.keep_up(now=market.clock.now())
    assert index.check().none
    healed = client.get("/search?q=低温脱硝").get_data(as_text=True)
    assert "检索服务暂时不可用" not in healed
    assert f'href="/achievements/{made}"' in healed


def test_a_roll_back_catches_up_with_what_changed_meanwhile(market: Market) -> None:
    gone, made = market.achievement(), market.achievement(title="低温脱硝滤袋，一次除尘脱硝")
    worker.run_until_quiet(market.services)
    first = market.index.engine.generation()
    assert run(market, "rebuild").exit_code == 0
    market.withdraw(gone)
    later = market.achievement(title="低温脱硝滤筒，可以水洗再生")
    worker.run_until_quiet(market.services)
    told = run(market, "rollback")
    assert told.exit_code == 0, told.output
    assert f"{first} is in use again" in told.output
    assert market.index.engine.generation() == first
    assert found(market) == {made, later}
    assert "agree" in run(market, "check").output


def test_there_is_nothing_to_roll_back_to_before_a_second_generation(market: Market) -> None:
    told = run(market, "rollback")
    assert told.exit_code == 1
    assert "no older generation" in told.output


def test_check_names_each_kind_of_difference(market: Market) -> None:
    lacking, changed = market.achievement(), market.achievement(title="低温脱硝滤袋，可以水洗")
    worker.run_until_quiet(market.services)
    engine = market.index.engine
    engine.delete([f"achievement:{lacking}"])
    other = Document(id="achievement:999", kind="achievement", title="不存在的成果")
    stale = Document(id=f"achievement:{changed}", kind="achievement", title="改名之前的标题")
    engine.upsert([other, stale])
    told = run(market, "check")
    assert told.exit_code == 1
    lines = set(told.output.splitlines())
    assert f"missing: achievement:{lacking}" in lines
    assert "surplus: achievement:999" in lines
    assert f"differing: achievement:{changed}" in lines
    assert f"not found by its title: achievement:{lacking}" in lines
    assert run(market, "rebuild").exit_code == 0
    assert "agree" in run(market, "check").output


def test_status_says_what_is_in_use_what_is_kept_and_what_waits(
    market: Market, mocker: MockerFixture
) -> None:
    market.achievement()
    market.services.outbox.deliver_due(market.services.database, now=market.clock.now())
    told = run(market, "status").output
    generation = market.index.engine.generation() or ""
    assert "embedded, ok" in told
    assert f"generation  {generation}" in told
    assert f"kept        {generation}" in told
    assert "waiting     1 since" in told
    mocker.patch.object(market.index.engine, "generations", side_effect=SearchUnavailable("gone"))
    assert "kept        none" in run(market, "status").output


def test_a_version_that_indexes_more_builds_it_at_its_first_start(market: Market) -> None:
    market.achievement()
    worker.run_until_quiet(market.services)
    engine, database = market.index.engine, market.services.database
    before = SearchIndex(engine, database, wiring.SEARCH_SOURCES[:1])
    before.rebuild(now=market.clock.now())
    assert not [name for name in engine.ids() if name.startswith("organisation:")]
    wiring.ensure_search_index(market.services)
    assert [name for name in engine.ids() if name.startswith("organisation:")]
    generation = engine.generation()
    wiring.ensure_search_index(market.services)
    assert engine.generation() == generation
    nothing = Source("nothing", lambda _session, _ids: iter(()))
    assert SearchIndex(engine, database, [nothing]).complete(now=market.clock.now()) is None
