"""The default engine: tantivy in this process, one folder per generation, no server.

``CURRENT`` names the generation in use; it is replaced in one step, so readers in other processes
switch between two requests and never see half a swap.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tantivy

from search import suggest
from search.engine import (
    DEEPEST_OFFSET,
    RELEVANCE,
    Ask,
    Capabilities,
    Health,
    Hit,
    Hits,
    Statistics,
)
from search.engines import tantivy_queries as queries
from search.engines.batches import Batches
from search.engines.tantivy_documents import (
    AS_ONE,
    FORMAT,
    RANK_SCALE,
    SCHEMA,
    apart,
    as_one,
    read,
    write,
)
from search.engines.tantivy_reader import Reader
from search.errors import AskRejected, IndexMissing, SearchUnavailable, WriterBusy
from search.schema import Document, Scope

_HEAP_BYTES = 64_000_000
# A new generation is filled in large portions: each leaves a segment, and every question opens
# every segment's lists anew. tantivy joins eight of one size to one, so that a known number of
# documents is portioned to end up as a single segment.
_FILLING_HEAP_BYTES = 256_000_000
_LARGEST_PORTION = 40_000
_JOINED = 8
_LOCK_SECONDS = 20.0
_POLL_SECONDS = 0.02
# So many values of a facet are counted at most, and so many ways in which they stand together.
_MOST_VALUES = 500
_MOST_WAYS = 10_000
# What one listing of all ids reads at a time; a generation of a province fits in a few rounds.
_MOST_IDS = 5_000_000


@dataclass
class _Portion:
    """How many documents go into one segment of a new generation, and how many are in the last."""

    size: int
    held: int = 0

    @classmethod
    def of(cls, expected: int) -> _Portion:
        """Return portions that so many documents fill one, eight, or a power of eight times."""
        size = expected
        while size > _LARGEST_PORTION:
            size = -(-size // _JOINED)
        return cls(size or _LARGEST_PORTION)

    def full(self) -> bool:
        """Take one more document in and tell whether the portion is full; then begin another."""
        self.held = (self.held + 1) % self.size
        return self.held == 0


def at(address: str) -> EmbeddedEngine:
    """Return the engine at ``embedded:/a/folder``."""
    folder = address.partition(":")[2].removeprefix("//")
    if not folder:
        raise AskRejected("SEARCH_URL", "write embedded:/a/folder")
    return EmbeddedEngine(Path(folder))


class EmbeddedEngine:
    """One index folder; any number of these, in any process, may read it, one at a time writes."""

    name = "embedded"
    format = FORMAT
    capabilities = Capabilities(shared_scores=True, exact_totals=True, vocabulary=True, local=True)

    def __init__(self, folder: Path, *, lock_seconds: float = _LOCK_SECONDS) -> None:
        self._folder = folder
        self._lock_seconds = lock_seconds
        self._reader = Reader(folder)
        self._writers: dict[str, tantivy.IndexWriter] = {}
        self._portions: dict[str, _Portion] = {}
        self._lock_file: int | None = None
        self._batches = Batches(lock_seconds, begin=self._lock, end=self._close)

    # generations

    def create(self, generation: str, *, expected: int = 0) -> None:
        """Make an empty generation, replacing an unfinished one of the same name."""
        if generation == self.generation():
            raise SearchUnavailable(f"the generation in use cannot be made anew: {generation}")
        path = self._folder / generation
        with self._as_unavailable():
            self._close_writer(generation)
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            tantivy.Index(SCHEMA, path=str(path))
        self._portions[generation] = _Portion.of(expected)

    def generation(self) -> str | None:
        """Name the generation in use."""
        return self._reader.generation()

    def generations(self) -> list[str]:
        """Name all generations held, oldest first."""
        with self._as_unavailable():
            found = [p for p in self._folder.glob("*") if (p / "meta.json").exists()]
            return [p.name for p in sorted(found, key=lambda p: (p.stat().st_ctime_ns, p.name))]

    def swap(self, generation: str) -> str | None:
        """Take a generation into use at once for all readers; return the one before."""
        if not (self._folder / generation / "meta.json").exists():
            raise IndexMissing(f"no generation {generation}")
        before = self.generation()
        with self._as_unavailable():
            self._close_writer(generation)
            self._portions.pop(generation, None)
            fresh = self._folder / f"CURRENT.{os.getpid()}.{threading.get_ident()}"
            with fresh.open("w", encoding="utf-8") as file:
                file.write(generation)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._folder / "CURRENT")
        return before

    def drop(self, generation: str) -> None:
        """Remove a generation that is not in use."""
        if generation == self.generation():
            raise SearchUnavailable(f"the generation in use cannot be dropped: {generation}")
        self._close_writer(generation)
        shutil.rmtree(self._folder / generation, ignore_errors=True)

    # writing

    def writing(self) -> AbstractContextManager[None]:
        """Hold the right to write for a batch; wait a bounded time for another writer."""
        return self._batches.batch()

    def upsert(self, documents: Iterable[Document], *, generation: str | None = None) -> int:
        """Put documents in, replacing those with the same id; return how many."""
        count = 0
        with self.writing(), self._as_unavailable():
            writer = self._writer(generation)
            portion = self._portions.get(generation or "")
            for document in documents:
                writer.delete_documents_by_term("id", document.id)
                writer.add_document(write(document))
                count += 1
                if portion is not None and portion.full():
                    writer.commit()
            self._commit_outside_batch(writer)
        return count

    def delete(self, ids: Iterable[str], *, generation: str | None = None) -> None:
        """Take documents out; unknown ids are no error."""
        with self.writing(), self._as_unavailable():
            writer = self._writer(generation)
            for document_id in ids:
                writer.delete_documents_by_term("id", document_id)
            self._commit_outside_batch(writer)

    def commit(self, *, generation: str | None = None) -> None:
        """Make everything written so far visible and lasting."""
        with self.writing(), self._as_unavailable():
            self._writer(generation).commit()

    def _commit_outside_batch(self, writer: tantivy.IndexWriter) -> None:
        # Without a surrounding batch nobody would commit before the writer closes.
        if self._batches.outermost:
            writer.commit()

    def _lock(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._folder / "write.lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as broken:
            raise SearchUnavailable(f"the index folder cannot be written: {broken}") from broken
        deadline = time.monotonic() + self._lock_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(handle)
                    raise WriterBusy("another process is writing to the index") from None
                time.sleep(_POLL_SECONDS)
            else:
                self._lock_file = handle
                return

    def _close(self) -> None:
        for generation in list(self._writers):
            self._close_writer(generation)
        if self._lock_file is not None:
            os.close(self._lock_file)  # closing releases the lock
            self._lock_file = None

    def _writer(self, generation: str | None) -> tantivy.IndexWriter:
        name = generation or self._reader.current()
        if name not in self._writers:
            heap = _FILLING_HEAP_BYTES if name in self._portions else _HEAP_BYTES
            self._writers[name] = self._reader.open(name).writer(heap_size=heap, num_threads=1)
        return self._writers[name]

    def _close_writer(self, generation: str) -> None:
        writer = self._writers.pop(generation, None)
        if writer is not None:
            # Waiting ends the merging threads and frees tantivy's own lock.
            with suppress(Exception):
                writer.wait_merging_threads()

    # reading

    def search(self, ask: Ask, *, sort: str = RELEVANCE, offset: int = 0, limit: int = 20) -> Hits:
        """Return one page of what was asked for."""
        offset = min(max(offset, 0), DEEPEST_OFFSET)
        with self._as_unavailable():
            searcher, frequency = self._asked()
            order = queries.order(sort)
            asked = queries.scored(ask, frequency)
            found = searcher.search(asked, limit, True, offset=offset, **order)
            scale = RANK_SCALE if sort == RELEVANCE else 1.0
            hits = tuple(self._hit(searcher, score / scale, at) for score, at in found.hits)
            return Hits(_count(found), hits)

    def candidates(self, ask: Ask, *, limit: int = 200) -> tuple[Hit, ...]:
        """Return the best hits, to be ranked by the shared scorer."""
        with self._as_unavailable():
            searcher, frequency = self._asked()
            found = searcher.search(queries.scored(ask, frequency), limit, False)
            return tuple(self._hit(searcher, *entry) for entry in found.hits)

    def count(self, ask: Ask) -> int:
        """Count what was asked for."""
        with self._as_unavailable():
            searcher, frequency = self._asked()
            return _count(searcher.search(queries.admitted(ask, frequency), 1, True))

    def facets(self, ask: Ask, names: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count the values of each facet, each without the filter on itself."""
        with self._as_unavailable():
            reader = self._reader.newest()
            searcher = reader.index.searcher()
            counted: dict[str, dict[str, int]] = {}
            for group, reduced in queries.facet_groups(ask, names):
                key = queries.browsed(reduced, group)
                counts = reader.remembered_facets(key) if key else None
                if counts is None:
                    frequency = partial(reader.frequency, searcher)
                    counts = _counted(searcher, queries.admitted(reduced, frequency), group)
                    if key:
                        reader.remember_facets(key, counts)
                counted |= counts
            return {name: dict(counted[name]) for name in names}

    def get(self, ids: Sequence[str], scope: Scope) -> dict[str, Hit]:
        """Return the named documents that lie in the scope."""
        if not ids:
            return {}
        with self._as_unavailable():
            searcher = self._searcher()
            found = searcher.search(queries.by_ids(ids, scope), len(set(ids)), False)
            hits = [self._hit(searcher, *entry) for entry in found.hits]
            return {hit.document.id: hit for hit in hits}

    def ids(self, *, generation: str | None = None) -> Iterator[str]:
        """Name every document held, in no order."""
        with self._as_unavailable():
            searcher = self._reader.open(generation).searcher() if generation else self._searcher()
            listed = searcher.terms_with_prefix("id", "", tantivy.Query.all_query(), _MOST_IDS)
            yield from (document_id for document_id, count in listed if count)

    def statistics(self, words: Iterable[str], grams: Iterable[str]) -> Statistics:
        """Return how common the terms are."""
        with self._as_unavailable():
            reader = self._reader.newest()
            searcher = reader.index.searcher()
            average_words, average_grams = reader.averages(searcher)
            return Statistics(
                documents=searcher.num_docs,
                average_words=average_words,
                average_grams=average_grams,
                words={word: reader.frequency(searcher, "w", word) for word in words},
                grams={gram: reader.frequency(searcher, "g", gram) for gram in grams},
            )

    def vocabulary(
        self, kind: str, prefix: str, scope: Scope, *, limit: int = 20
    ) -> list[tuple[str, int]]:
        """List the terms of a vocabulary that begin so, with the number of documents in scope."""
        if kind not in suggest.VOCABULARIES:
            raise SearchUnavailable(f"no vocabulary {kind}")
        with self._as_unavailable():
            searcher = self._searcher()
            listed = searcher.terms_with_prefix(kind, prefix, queries.within(scope), limit)
            return [(entry, count) for entry, count in listed if count]

    def health(self) -> Health:
        """Tell whether the engine answers; never raises."""
        generation = None
        try:
            generation = self.generation()
            return Health(True, generation, self._searcher().num_docs)
        except Exception as broken:  # whatever is wrong, a health report must come back
            return Health(False, generation, 0, str(broken))

    def _hit(self, searcher: tantivy.Searcher, score: Any, address: tantivy.DocAddress) -> Hit:
        return read(searcher.doc(address).get_first("payload"), float(score or 0.0))

    def _searcher(self) -> tantivy.Searcher:
        """Return a searcher over the newest commit of the generation in use."""
        return self._reader.newest().index.searcher()

    def _asked(self) -> tuple[tantivy.Searcher, queries.Frequency]:
        """Return a searcher over the newest commit, and how common terms are in it."""
        reader = self._reader.newest()
        searcher = reader.index.searcher()
        return searcher, partial(reader.frequency, searcher)

    @contextmanager
    def _as_unavailable(self) -> Iterator[None]:
        """Turn what tantivy and the file system raise into this package's errors."""
        try:
            yield
        except (OSError, ValueError, json.JSONDecodeError, KeyError) as broken:
            self._reader.forget()
            raise SearchUnavailable(f"{type(broken).__name__}: {broken}") from broken


def _count(result: tantivy.SearchResult) -> int:
    # The type stub of tantivy 0.27 leaves ``count`` out.
    return int(result.count or 0)  # type: ignore[attr-defined]  # present at run time


def _counted(
    searcher: tantivy.Searcher, admitted: tantivy.Query, names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Count the values of facets over the documents that a query admits."""
    wanted = {
        name: {"terms": {"field": as_one(name), "size": _MOST_WAYS}}
        if name in AS_ONE
        else {"terms": {"field": name, "size": _MOST_VALUES}}
        for name in names
    }
    answer = searcher.aggregate(admitted, wanted)
    counted: dict[str, dict[str, int]] = {}
    for name in names:
        counts: Counter[str] = Counter()
        for bucket in answer[name]["buckets"]:
            for value in apart(bucket["key"]):
                counts[value] += bucket["doc_count"]
        counted[name] = dict(counts)
    return counted
