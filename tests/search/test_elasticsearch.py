"""What only Elasticsearch can suffer: other writers, other versions, its own limits."""

from __future__ import annotations

import dataclasses

import pytest
from pytest_mock import MockerFixture

from search import rebuild, suggest, text
from search.address import open_engine
from search.engine import Ask, Engine
from search.engines.elasticsearch import FORMAT, ElasticsearchEngine
from search.engines.elasticsearch_client import parse
from search.engines.elasticsearch_lock import WriteLock
from search.errors import (
    AskRejected,
    IndexBroken,
    IndexMissing,
    SearchUnavailable,
    WriterBusy,
)
from search.schema import Document, Filters, Range
from tests.search import servers
from tests.search.conftest import CORPUS, EVERYTHING

ALL = Ask(scope=EVERYTHING)
ABSENT = f"g-{text.ANALYZER_VERSION}-{FORMAT}-000009"
# These tests ask the server behind the address, whatever its engine is called elsewhere.
on_a_node = pytest.mark.parametrize("address", ["elasticsearch"], indirect=True)
pytestmark = pytest.mark.server


def impatient(address: str) -> ElasticsearchEngine:
    return ElasticsearchEngine(parse(address), lock_seconds=0.05)


def lock_of(engine: Engine, *, lease_seconds: float = 60.0) -> WriteLock:
    assert isinstance(engine, ElasticsearchEngine)
    return WriteLock(engine._client, f"{engine._prefix}-lock", lease_seconds=lease_seconds)


@on_a_node
def test_a_second_writer_waits_and_then_says_so(engine: Engine, address: str) -> None:
    with engine.writing(), pytest.raises(WriterBusy):
        impatient(address).delete(["need:1"])
    impatient(address).delete(["need:1"])
    assert engine.count(ALL) == 3


@on_a_node
def test_the_right_of_a_writer_that_died_ends_by_its_time(engine: Engine, address: str) -> None:
    lock_of(engine, lease_seconds=0.0).acquire(1.0)
    impatient(address).delete(["need:1"])
    assert engine.count(ALL) == 3


@on_a_node
def test_a_writer_that_lost_its_right_stops(engine: Engine) -> None:
    late = lock_of(engine, lease_seconds=0.0)
    late.acquire(1.0)
    lock_of(engine).acquire(1.0)
    with pytest.raises(WriterBusy):
        late.renew()
    late.release()  # what it gives back is no longer its own
    with pytest.raises(WriterBusy):
        lock_of(engine).acquire(0.0)


@on_a_node
def test_a_long_batch_keeps_its_right(engine: Engine, mocker: MockerFixture) -> None:
    assert isinstance(engine, ElasticsearchEngine)
    mocker.patch.object(engine._lock, "_lease_seconds", 0.0)
    put = mocker.spy(engine._lock, "_put")
    engine.upsert([dataclasses.replace(CORPUS[0], id=f"achievement:{n}") for n in range(501)])
    assert put.call_count == 3  # taken once, prolonged before each of two portions


@on_a_node
def test_what_is_not_committed_is_not_seen(engine: Engine, address: str) -> None:
    with engine.writing():
        engine.delete(["need:1"])
        assert open_engine(address).count(ALL) == 4
        engine.commit()
        assert open_engine(address).count(ALL) == 3


@on_a_node
def test_another_version_of_the_program_is_not_disturbed(
    engine: Engine, address: str, mocker: MockerFixture
) -> None:
    before = engine.generation()
    mocker.patch.object(text, "ANALYZER_VERSION", "a999")
    newer = open_engine(address)
    assert newer.generation() is None
    with pytest.raises(IndexMissing):
        newer.count(ALL)
    assert before is not None
    with pytest.raises(IndexBroken):
        newer.swap(before)
    rebuild.rebuild(newer, lambda: CORPUS[:1])
    assert newer.count(ALL) == 1
    assert engine.count(ALL) == 4
    assert engine.generation() == before


@on_a_node
def test_a_generation_that_does_not_exist_is_not_made_by_writing(bare: Engine) -> None:
    for write in (
        lambda: bare.upsert(CORPUS),
        lambda: bare.upsert(CORPUS, generation=ABSENT),
        lambda: bare.delete(["need:1"], generation=ABSENT),
        lambda: bare.commit(generation=ABSENT),
    ):
        with pytest.raises(IndexMissing):
            write()
    assert bare.generations() == []


@on_a_node
def test_a_document_that_it_refuses_is_reported(engine: Engine) -> None:
    overlong = Document(id="need:" + "9" * 600, kind="need", title="编号过长")
    with pytest.raises(SearchUnavailable, match="answered 400"):
        engine.upsert([overlong])
    with engine.writing():
        engine.commit()


@on_a_node
def test_a_closed_index_is_broken_and_a_rebuild_heals_it(engine: Engine) -> None:
    assert isinstance(engine, ElasticsearchEngine)
    engine._client.indices.close(index=f"{engine._prefix}-{engine.generation()}")
    with pytest.raises(IndexBroken):
        engine.count(ALL)
    health = engine.health()
    assert (health.ok, health.away) == (False, False)
    rebuild.rebuild(engine, lambda: CORPUS)
    assert engine.count(ALL) == 4


@on_a_node
def test_a_server_that_lost_everything_is_filled_anew(engine: Engine, address: str) -> None:
    servers.clear(address)
    with pytest.raises(IndexMissing):
        engine.count(ALL)
    assert not engine.health().away
    rebuild.rebuild(engine, lambda: CORPUS)
    assert engine.count(ALL) == 4
    assert isinstance(engine, ElasticsearchEngine)
    held = engine._client.indices.get_settings(index=f"{engine._prefix}-lock", flat_settings=True)
    (lock,) = held.values()
    assert lock["settings"]["index.auto_expand_replicas"] == "0-1"


@on_a_node
def test_a_text_of_more_terms_than_it_allows_is_still_answered(engine: Engine) -> None:
    # 4,500 different characters and as many different pairs.
    long = "".join(chr(0x4E00 + n) for n in range(4500)) + "低温脱硝催化剂"
    grams = dict.fromkeys(text.grams(long), 1.0)
    assert len(grams) > 9000
    asked = Ask(scope=EVERYTHING, words=dict.fromkeys(text.words(long), 1.0), grams=grams)
    assert "achievement:1" in {hit.document.id for hit in engine.candidates(asked)}
    # What is left out of the scoring is not left out of the answer.
    hits = engine.search(asked)
    assert hits.total == engine.count(asked) == 4
    assert len(hits.hits) == 4


@on_a_node
def test_very_long_words_are_found_whole_only(engine: Engine) -> None:
    word = "a" * 300
    engine.upsert([Document(id="achievement:8", kind="achievement", title=f"{word} 催化剂")])
    for length, expected in ((300, {"achievement:8"}), (299, set()), (255, set()), (45, set())):
        asked = Ask(scope=EVERYTHING, grams={"a" * length: 1.0})
        assert {hit.document.id for hit in engine.search(asked).hits} == expected
        phrase = Ask(scope=EVERYTHING, phrases=(("a" * length, "催"),))
        assert engine.count(phrase) == len(expected)
    assert engine.statistics([], [word]).grams == {word: 1}


@on_a_node
@pytest.mark.parametrize("typed", [".*", "低.", "[低]", '"', "~低", "(", "\\", "@", "低|.*", "#"])
def test_signs_of_its_pattern_language_stand_for_themselves(engine: Engine, typed: str) -> None:
    assert engine.vocabulary("phrases", typed, EVERYTHING) == []
    strange = f"{typed}标题"
    engine.upsert([Document(id="need:7", kind="need", keywords=(strange,))])
    listed = engine.vocabulary("phrases", text.norm(typed), EVERYTHING)
    assert listed == [(f"{text.norm(strange)}\t{strange}", 1)]


@on_a_node
def test_a_whole_page_of_facets_is_one_question(engine: Engine, mocker: MockerFixture) -> None:
    assert isinstance(engine, ElasticsearchEngine)
    asked = mocker.spy(engine._client, "search")
    chosen = Filters({"region": frozenset({"370102"}), "mode": frozenset({"licence"})})
    counted = engine.facets(Ask(scope=EVERYTHING, filters=chosen), ["region", "mode", "field"])
    assert counted["mode"] == {"licence": 1, "transfer": 1}
    assert asked.call_count == 1


@on_a_node
def test_statistics_are_those_of_the_documents(engine: Engine) -> None:
    held = [text.norm(f"{d.title}\n{' '.join(d.keywords)}\n{d.body}") for d in CORPUS]
    words = [text.words(normal) for normal in held]
    grams = [text.grams(normal) for normal in held]
    asked = ["低温", "催化剂", "滴灌", "量子"]
    counted = engine.statistics(asked, ["水", "低温", "180", "zz"])
    assert counted.documents == len(CORPUS)
    assert counted.average_words == pytest.approx(sum(map(len, words)) / len(CORPUS))
    assert counted.average_grams == pytest.approx(sum(map(len, grams)) / len(CORPUS))
    assert counted.words == {word: sum(word in each for each in words) for word in asked}
    assert counted.grams["zz"] == 0
    assert counted.grams["水"] == sum("水" in each for each in grams)
    assert engine.statistics([], []).documents == len(CORPUS)


@on_a_node
def test_bounds_beyond_its_numbers_are_no_error(engine: Engine) -> None:
    bounds = Range(low=-(10**30), high=10**30)
    asked = Ask(scope=EVERYTHING, filters=Filters(ranges={"price": bounds}))
    assert engine.count(asked) == 3


@on_a_node
def test_an_unknown_facet_is_refused(engine: Engine) -> None:
    with pytest.raises(AskRejected):
        engine.facets(ALL, ["beauty"])


@on_a_node
def test_suggestions_need_no_refresh_of_their_own(engine: Engine) -> None:
    engine.upsert([Document(id="need:8", kind="need", keywords=("量子陀螺",))])
    assert [s.phrase for s in suggest.suggest(engine, "lztl", EVERYTHING)] == ["量子陀螺"]
