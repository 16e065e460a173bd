"""Elasticsearch as an engine: one index per generation, an alias for the one in use.

The alias carries the versions of analysis and format: another version of this program has its
own alias and goes on undisturbed. Batches are not taken back when they fail half way: what was
written stays unseen until the next commit, and writing it again does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from elasticsearch import NotFoundError
from elasticsearch.helpers import streaming_bulk

from search import suggest, text
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
from search.engines import elasticsearch_answers as answers
from search.engines import elasticsearch_queries as queries
from search.engines.batches import Batches
from search.engines.elasticsearch_client import (
    WRITING_SECONDS,
    Server,
    as_unavailable,
    connect,
    parse,
)
from search.engines.elasticsearch_documents import MAPPINGS, SETTINGS, write
from search.engines.elasticsearch_lock import WriteLock
from search.errors import IndexBroken, IndexMissing, SearchUnavailable
from search.schema import Document, Scope

FORMAT = "e2"

_LOCK_SECONDS = 20.0
_CHUNK_DOCUMENTS = 500
_CHUNK_BYTES = 8_000_000
_IDS_AT_ONCE = 10_000
_IDS_KEPT = "1m"
_GOT_AT_ONCE = 1_000
_GENERATION = re.compile(r"g-[a-z0-9-]{1,100}")
# Copies of the index may count deleted documents differently: pages must come from one of them.
_ONE_COPY = "market"


def at(address: str) -> ElasticsearchEngine:
    """Return the engine at ``elasticsearch+http://user:password@host:9200/prefix``."""
    return ElasticsearchEngine(parse(address))


class ElasticsearchEngine:
    """The indices of one prefix on one server; any number of these, in any process."""

    name = "elasticsearch"
    format = FORMAT
    # Its BM25 is the shared scorer's; tiers, highlighting and did-you-mean are done in Python.
    capabilities = Capabilities(shared_scores=True, exact_totals=True, vocabulary=True, local=False)

    def __init__(
        self,
        server: Server,
        *,
        lock_seconds: float = _LOCK_SECONDS,
        reading_seconds: float | None = None,
        writing_seconds: float | None = None,
    ) -> None:
        self._prefix = server.prefix
        self._alias = f"{server.prefix}-{text.ANALYZER_VERSION}-{FORMAT}"
        self._client = connect(server, seconds=reading_seconds)
        self._writing_client = self._client.options(
            request_timeout=writing_seconds or WRITING_SECONDS
        )
        self._lock = WriteLock(self._client, f"{server.prefix}-lock")
        self._lock_seconds = lock_seconds
        self._batches = Batches(lock_seconds, begin=self._take_lock, end=self._lock.release)

    # generations

    def create(self, generation: str, *, expected: int = 0) -> None:
        """Make an empty generation, replacing an unfinished one of the same name."""
        if generation == self.generation():
            raise SearchUnavailable(f"the generation in use cannot be made anew: {generation}")
        index = self._index(generation)
        with as_unavailable():
            self._delete_index(index)
            made = self._writing_client.indices.create(
                index=index, settings=SETTINGS, mappings=MAPPINGS
            )
            answers.done(made)

    def generation(self) -> str | None:
        """Name the generation in use."""
        with as_unavailable():
            try:
                held = self._client.indices.get_alias(name=self._alias)
            except NotFoundError as missing:
                if answers.alias_is_missing(missing.body):
                    return None
                raise
            return next((self._generation(index) for index in held), None)

    def generations(self) -> list[str]:
        """Name all generations held, oldest first."""
        with as_unavailable():
            held = self._client.indices.get_settings(
                index=f"{self._prefix}-g-*",
                name="index.creation_date",
                expand_wildcards=["open", "closed"],
            )
            made = {
                self._generation(index): int(entry["settings"]["index"]["creation_date"])
                for index, entry in held.items()
            }
            return sorted(made, key=lambda generation: (made[generation], generation))

    def swap(self, generation: str) -> str | None:
        """Take a generation into use at once for all readers; return the one before."""
        if f"{text.ANALYZER_VERSION}-{FORMAT}-" not in generation:
            raise IndexBroken(f"generation {generation} was made by another version")
        index = self._existing(generation)
        before = self.generation()
        # By name: a pattern would pass over a closed index and leave the alias on it.
        others = [self._index(name) for name in self.generations() if name != generation]
        taken = [
            {"remove": {"index": name, "alias": self._alias, "must_exist": False}}
            for name in others
        ]
        with as_unavailable():
            swapped = self._writing_client.indices.update_aliases(
                actions=[*taken, {"add": {"index": index, "alias": self._alias}}]
            )
            answers.done(swapped)
        return before

    def drop(self, generation: str) -> None:
        """Remove a generation that is not in use."""
        if generation == self.generation():
            raise SearchUnavailable(f"the generation in use cannot be dropped: {generation}")
        with as_unavailable():
            self._delete_index(self._index(generation))

    # writing

    def writing(self) -> AbstractContextManager[None]:
        """Hold the right to write for a batch; wait a bounded time for another writer."""
        return self._batches.batch()

    def upsert(self, documents: Iterable[Document], *, generation: str | None = None) -> int:
        """Put documents in, replacing those with the same id; return how many."""
        actions = [
            {"_op_type": "index", "_id": document.id, "_source": write(document)}
            for document in documents
        ]
        return self._write(actions, generation)

    def delete(self, ids: Iterable[str], *, generation: str | None = None) -> None:
        """Take documents out; unknown ids are no error."""
        self._write([{"_op_type": "delete", "_id": name} for name in ids], generation)

    def commit(self, *, generation: str | None = None) -> None:
        """Make everything written so far visible and lasting."""
        with self.writing():
            index = self._existing(generation)
            with as_unavailable():
                self._writing_client.indices.refresh(index=index)

    def _write(self, actions: Sequence[dict[str, Any]], generation: str | None) -> int:
        if not actions:
            return 0
        with self.writing():
            index = self._existing(generation)
            with as_unavailable():
                written = streaming_bulk(
                    self._writing_client,
                    self._renewing(actions),
                    index=index,
                    chunk_size=_CHUNK_DOCUMENTS,
                    max_chunk_bytes=_CHUNK_BYTES,
                    raise_on_error=False,
                )
                answers.all_written(written)
                if self._batches.outermost:
                    # Without a surrounding batch nobody would commit.
                    self._writing_client.indices.refresh(index=index)
            return len(actions)

    def _take_lock(self) -> None:
        with as_unavailable():
            self._lock.acquire(self._lock_seconds)

    def _renewing(self, actions: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for number, action in enumerate(actions):
            if number % _CHUNK_DOCUMENTS == 0:
                self._lock.renew()
            yield action

    # reading

    def search(self, ask: Ask, *, sort: str = RELEVANCE, offset: int = 0, limit: int = 20) -> Hits:
        """Return one page of what was asked for."""
        offset = min(max(offset, 0), DEEPEST_OFFSET)
        by_relevance = sort == RELEVANCE
        answer = self._ask(
            query=queries.ranked(ask) if by_relevance else queries.admitted(ask),
            sort=queries.order(sort),
            from_=offset,
            size=min(limit, DEEPEST_OFFSET),
            source=True,
            track_total_hits=True,
        )
        with as_unavailable():
            return Hits(answer["hits"]["total"]["value"], answers.hits(answer))

    def candidates(self, ask: Ask, *, limit: int = 200) -> tuple[Hit, ...]:
        """Return the best hits, to be ranked by the shared scorer."""
        answer = self._ask(
            query=queries.scored(ask), size=limit, source=True, track_total_hits=False
        )
        with as_unavailable():
            return answers.hits(answer)

    def count(self, ask: Ask) -> int:
        """Count what was asked for."""
        answer = self._ask(query=queries.admitted(ask), size=0, track_total_hits=True)
        with as_unavailable():
            return int(answer["hits"]["total"]["value"])

    def facets(self, ask: Ask, names: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count the values of each facet, each without the filter on itself."""
        if not names:
            return {}
        query, aggregations = queries.facets(ask, names)
        answer = self._ask(query=query, size=0, aggs=aggregations, track_total_hits=False)
        with as_unavailable():
            return {name: answers.counts(answer["aggregations"][name]["values"]) for name in names}

    def get(self, ids: Sequence[str], scope: Scope) -> dict[str, Hit]:
        """Return the named documents that lie in the scope."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Hit] = {}
        for start in range(0, len(wanted), _GOT_AT_ONCE):
            some = wanted[start : start + _GOT_AT_ONCE]
            answer = self._ask(
                query=queries.by_ids(some, scope),
                size=len(some),
                source=True,
                track_total_hits=False,
            )
            with as_unavailable():
                found |= {hit.document.id: hit for hit in answers.hits(answer)}
        return found

    def ids(self, *, generation: str | None = None) -> Iterator[str]:
        """Name every document held, in no order."""
        index = self._existing(generation)
        with as_unavailable():
            opened = self._client.open_point_in_time(index=index, keep_alive=_IDS_KEPT)
            after: Any = None
            while True:
                listed = self._writing_client.search(
                    pit={"id": opened["id"], "keep_alive": _IDS_KEPT},
                    sort=[{"_shard_doc": "asc"}],
                    search_after=after,
                    size=_IDS_AT_ONCE,
                    source=False,
                    track_total_hits=False,
                )["hits"]["hits"]
                if not listed:
                    break
                yield from (entry["_id"] for entry in listed)
                after = listed[-1]["sort"]
            self._client.close_point_in_time(id=opened["id"])

    def statistics(self, words: Iterable[str], grams: Iterable[str]) -> Statistics:
        """Return how common the terms are.

        As in the engine's own scoring, replaced and deleted documents count until it has merged
        them away, in frequencies, totals and averages alike.
        """
        words, grams = list(words), list(grams)
        with as_unavailable():
            answer = self._client.termvectors(
                index=self._alias,
                doc=queries.statistics_document(words, grams),
                term_statistics=True,
                field_statistics=True,
                positions=False,
                offsets=False,
                payloads=False,
                realtime=False,
            )
            held = answer["term_vectors"]
            return Statistics(
                documents=max(0, held["g"]["field_statistics"]["doc_count"]),
                average_words=answers.average(held["w"]["field_statistics"]),
                average_grams=answers.average(held["g"]["field_statistics"]),
                words={word: answers.frequency(held["w"], word) for word in words},
                grams={gram: answers.frequency(held["g"], gram) for gram in grams},
            )

    def vocabulary(
        self, kind: str, prefix: str, scope: Scope, *, limit: int = 20
    ) -> list[tuple[str, int]]:
        """List the terms of a vocabulary that begin so, with the number of documents in scope."""
        if kind not in suggest.VOCABULARIES:
            raise SearchUnavailable(f"no vocabulary {kind}")
        query, entries = queries.beginning(kind, prefix, scope, limit)
        answer = self._ask(query=query, size=0, aggs={"entries": entries}, track_total_hits=False)
        with as_unavailable():
            return list(answers.counts(answer["aggregations"]["entries"]).items())

    def health(self) -> Health:
        """Tell whether the engine answers; never raises."""
        generation = None
        try:
            generation = self.generation()
            answer = self._ask(size=0, track_total_hits=True)
            return Health(True, generation, int(answer["hits"]["total"]["value"]))
        except (IndexMissing, IndexBroken) as broken:
            return Health(False, generation, 0, str(broken))
        except Exception as away:  # whatever is wrong, a health report must come back
            return Health(False, generation, 0, str(away), away=True)

    def _ask(self, **request: Any) -> Mapping[str, Any]:
        """Search the generation in use; half an answer counts as none."""
        with as_unavailable():
            answer = self._client.search(
                index=self._alias,
                preference=_ONE_COPY,
                allow_partial_search_results=False,
                **request,
            )
            body: Mapping[str, Any] = answer.body
            return body

    # names

    def _index(self, generation: str) -> str:
        if not _GENERATION.fullmatch(generation):
            raise SearchUnavailable(f"no name for a generation: {generation!r}")
        return f"{self._prefix}-{generation}"

    def _generation(self, index: str) -> str:
        prefix, _, generation = index.partition("-g-")
        if prefix != self._prefix:
            raise ValueError("an index that was not asked for")
        return f"g-{generation}"

    def _existing(self, generation: str | None) -> str:
        """Return the index of a generation, by default of the one in use.

        Writing to a name that does not exist would make an index without our mapping.
        """
        name = generation or self.generation()
        if name is None:
            raise IndexMissing("there is no index of this version yet")
        index = self._index(name)
        with as_unavailable():
            if generation is not None and not self._client.indices.exists(index=index):
                raise IndexMissing(f"no generation {generation}")
        return index

    def _delete_index(self, index: str) -> None:
        answers.done(self._writing_client.indices.delete(index=index, ignore_unavailable=True))
