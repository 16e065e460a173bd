"""What only the embedded engine can suffer: folders, other processes, broken files."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest
import tantivy
from pytest_mock import MockerFixture

from search import rebuild
from search.address import open_engine
from search.engine import Ask
from search.engines import embedded
from search.engines.embedded import EmbeddedEngine
from search.errors import AskRejected, IndexBroken, SearchUnavailable, WriterBusy
from search.schema import Document, Filters
from tests.search.conftest import CORPUS, EVERYTHING

ALL = Ask(scope=EVERYTHING)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    engine = EmbeddedEngine(tmp_path)
    engine.swap(rebuild.build(engine, CORPUS))
    return tmp_path


def test_a_reader_elsewhere_sees_a_commit_at_its_next_question(folder: Path) -> None:
    reader, writer = EmbeddedEngine(folder), EmbeddedEngine(folder)
    assert reader.count(ALL) == 4
    writer.delete(["need:1"])
    assert reader.count(ALL) == 3


def test_facets_of_everything_are_counted_once_for_each_commit(
    folder: Path, mocker: MockerFixture
) -> None:
    reader, writer = EmbeddedEngine(folder), EmbeddedEngine(folder)
    counted = mocker.spy(embedded, "_counted")
    for _ in range(3):
        # Whoever changes an answer changes only his own.
        reader.facets(ALL, ["kind"])["kind"].clear()
    assert counted.call_count == 1
    narrowed = Ask(scope=EVERYTHING, filters=Filters({"region": frozenset({"370102"})}))
    assert reader.facets(narrowed, ["kind"]) == {"kind": {"achievement": 2}}
    assert reader.facets(ALL, ["kind"]) == {"kind": {"achievement": 3, "need": 1}}
    assert counted.call_count == 2
    writer.delete(["need:1"])
    assert reader.facets(ALL, ["kind"]) == {"kind": {"achievement": 3}}


def test_a_reader_elsewhere_follows_a_swap(folder: Path) -> None:
    reader, writer = EmbeddedEngine(folder), EmbeddedEngine(folder)
    assert reader.count(ALL) == 4
    rebuild.rebuild(writer, lambda: CORPUS[:1])
    assert reader.count(ALL) == 1


def test_a_second_writer_waits_and_then_says_so(folder: Path) -> None:
    handle = os.open(folder / "write.lock", os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with pytest.raises(WriterBusy):
        EmbeddedEngine(folder, lock_seconds=0.05).delete(["need:1"])
    os.close(handle)
    EmbeddedEngine(folder).delete(["need:1"])


def test_a_second_thread_waits_and_then_says_so_while_readers_go_on(folder: Path) -> None:
    engine = EmbeddedEngine(folder, lock_seconds=0.05)
    told: list[object] = []

    def write_and_read() -> None:
        try:
            engine.delete(["need:1"])
        except WriterBusy as busy:
            told.append(busy)
        told.append(engine.count(ALL))

    with engine.writing():
        thread = threading.Thread(target=write_and_read)
        thread.start()
        thread.join()
    assert [type(entry) for entry in told] == [WriterBusy, int]
    engine.delete(["need:1"])
    assert engine.count(ALL) == 3


@pytest.mark.parametrize(("expected", "segments"), [(64, 1), (0, 7)])
def test_a_known_number_of_documents_ends_up_as_one_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: int, segments: int
) -> None:
    monkeypatch.setattr(embedded, "_LARGEST_PORTION", 10)
    engine = EmbeddedEngine(tmp_path)
    documents = [Document(id=f"need:{n}", kind="need", title=f"低温脱硝 {n}") for n in range(64)]
    made = rebuild.build(engine, documents, expected=expected)
    engine.swap(made)
    assert engine.count(ALL) == len(documents)
    assert tantivy.Index.open(str(tmp_path / made)).searcher().num_segments == segments


def test_an_uncommitted_batch_that_fails_leaves_nothing(folder: Path) -> None:
    engine = EmbeddedEngine(folder)

    def write_and_fail() -> None:
        with engine.writing():
            engine.delete(["need:1"])
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert EmbeddedEngine(folder).count(ALL) == 4


def test_a_truncated_commit_file_is_a_broken_index_and_a_rebuild_heals_it(folder: Path) -> None:
    generation = EmbeddedEngine(folder).generation()
    assert generation is not None
    (folder / generation / "meta.json").write_text("{")
    engine = EmbeddedEngine(folder)
    with pytest.raises(SearchUnavailable):
        engine.count(ALL)
    assert not engine.health().ok
    rebuild.rebuild(engine, lambda: CORPUS)
    assert engine.count(ALL) == 4


def test_missing_segment_files_are_a_broken_index(folder: Path) -> None:
    generation = EmbeddedEngine(folder).generation()
    assert generation is not None
    for path in (folder / generation).glob("*.store"):
        path.unlink()
    engine = EmbeddedEngine(folder)
    with pytest.raises(SearchUnavailable):
        engine.search(ALL)
    rebuild.rebuild(engine, lambda: CORPUS)
    assert engine.count(ALL) == 4


def test_an_index_of_another_version_is_refused(folder: Path) -> None:
    engine = EmbeddedEngine(folder)
    generation = engine.generation()
    assert generation is not None
    (folder / generation).rename(folder / "g-a0-t0-000001")
    (folder / "CURRENT").write_text("g-a0-t0-000001")
    with pytest.raises(IndexBroken):
        engine.count(ALL)


def test_addresses(tmp_path: Path) -> None:
    assert open_engine(f"embedded:{tmp_path}").name == "embedded"
    with pytest.raises(AskRejected):
        open_engine("gopher://example.org")
