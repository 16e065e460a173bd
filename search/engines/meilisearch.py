"""Meilisearch as an engine: one index per generation, swapped with the one that readers ask.

Batches are not taken back when they fail half way: the server has no transactions. Writing the
same again does no harm, and the server itself puts the writes of several processes one after
another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from meilisearch_python_sdk.models.search import SearchParams, SearchResultsWithUID

from search import suggest
from search.engine import (
    DEEPEST_OFFSET,
    MATURITY,
    PRICE,
    RELEVANCE,
    UPDATED,
    Ask,
    Capabilities,
    Health,
    Hit,
    Hits,
    Statistics,
)
from search.engines import meilisearch_filters as filters
from search.engines import meilisearch_lists as lists
from search.engines.batches import Batches
from search.engines.meilisearch_client import (
    Connection,
    Server,
    again,
    as_unavailable,
    parse,
    question,
)
from search.engines.meilisearch_documents import DIGEST, decode, encode, placed, read, write
from search.engines.meilisearch_generations import Generations
from search.engines.meilisearch_phrases import Admitted, admit
from search.engines.meilisearch_statistics import Frequencies
from search.errors import AskRejected, IndexBroken, IndexMissing, SearchUnavailable
from search.ranking import Scorer, rank
from search.schema import Document, Scope

FORMAT = "m3"

_LOCK_SECONDS = 20.0
_CHUNK_DOCUMENTS = 500
# Characters of stored text; the tokens beside it take about ten times as much.
_CHUNK_CHARACTERS = 4_000_000
_IDS_AT_ONCE = 10_000
_GOT_AT_ONCE = 1_000
# So many documents are all read and ranked; of more, the best so many by the lists of terms.
# What lies deeper comes by date.
_READ_WHOLE = 800
_RANKED = 400
_ORDERS = {
    RELEVANCE: [],
    UPDATED: ["updated_at:desc"],
    PRICE: ["price:asc"],
    MATURITY: ["maturity:desc"],
}


def at(address: str) -> MeilisearchEngine:
    """Return the engine at ``meilisearch+http://:key@host:7700/prefix``."""
    return MeilisearchEngine(parse(address))


class MeilisearchEngine:
    """The indexes of one prefix on one server; any number of these, in any process."""

    name = "meilisearch"
    format = FORMAT
    # Scores are the shared scorer's, computed here over the best and not by the server.
    # Totals are exact but for phrases of three and more units that too many documents might hold.
    capabilities = Capabilities(
        shared_scores=True, exact_totals=False, vocabulary=True, local=False
    )

    def __init__(
        self,
        server: Server,
        *,
        lock_seconds: float = _LOCK_SECONDS,
        reading_seconds: float | None = None,
        writing_seconds: float | None = None,
        task_seconds: float | None = None,
    ) -> None:
        self._connection = Connection(
            server,
            reading_seconds=reading_seconds,
            writing_seconds=writing_seconds,
            task_seconds=task_seconds,
        )
        self._generations = Generations(self._connection, server.prefix, FORMAT)
        self._frequencies = Frequencies(self._connection, self._generations.live)
        self._pending: list[int] = []
        self._batches = Batches(lock_seconds, end=self._pending.clear)

    # generations

    def create(self, generation: str, *, expected: int = 0) -> None:
        """Make an empty generation, replacing an unfinished one of the same name."""
        self._generations.create(generation)

    def generation(self) -> str | None:
        """Name the generation in use."""
        return self._generations.current()

    def generations(self) -> list[str]:
        """Name all generations held, oldest first."""
        return list(self._generations.all())

    def swap(self, generation: str) -> str | None:
        """Take a generation into use at once for all readers; return the one before."""
        return self._generations.swap(generation)

    def drop(self, generation: str) -> None:
        """Remove a generation that is not in use."""
        self._generations.drop(generation)

    # writing

    def writing(self) -> AbstractContextManager[None]:
        """Hold the right to write for a batch; wait a bounded time for another thread.

        Other processes need no lock: the server takes one task after another.
        """
        return self._batches.batch()

    def upsert(self, documents: Iterable[Document], *, generation: str | None = None) -> int:
        """Put documents in, replacing those with the same id; return how many."""
        count = 0
        with self.writing():
            index = self._connection.writing.index(self._generations.index(generation))
            for chunk in _chunks(map(write, documents)):
                with as_unavailable():
                    self._pending.append(index.add_documents(chunk).task_uid)
                count += len(chunk)
            self._commit_outside_batch()
        return count

    def delete(self, ids: Iterable[str], *, generation: str | None = None) -> None:
        """Take documents out; unknown ids are no error."""
        with self.writing():
            index = self._connection.writing.index(self._generations.index(generation))
            names = [encode(name) for name in ids]
            if names:
                with as_unavailable():
                    self._pending.append(index.delete_documents(names).task_uid)
            self._commit_outside_batch()

    def commit(self, *, generation: str | None = None) -> None:
        """Make everything written so far visible and lasting."""
        with self.writing():
            self._generations.index(generation)
            self._done()

    def _commit_outside_batch(self) -> None:
        # Without a surrounding batch nobody would wait for the server.
        if self._batches.outermost:
            self._done()

    def _done(self) -> None:
        waiting = list(self._pending)
        self._pending.clear()
        self._connection.wait(waiting)

    # reading

    def search(self, ask: Ask, *, sort: str = RELEVANCE, offset: int = 0, limit: int = 20) -> Hits:
        """Return one page of what was asked for."""
        if sort not in _ORDERS:
            raise AskRejected(sort, "no such order")
        offset = min(max(offset, 0), DEEPEST_OFFSET)
        limit = min(limit, DEEPEST_OFFSET)
        admitted = admit(self._connection, self._live, ask)
        if sort == RELEVANCE and _scores(ask):
            return self._by_relevance(ask, admitted, offset, limit)
        answer = self._ask(admitted.clause, sort=_ORDERS[sort], offset=offset, limit=limit)
        return Hits(answer.estimated_total_hits or 0, _hits(answer), admitted.exact)

    def candidates(self, ask: Ask, *, limit: int = 200) -> tuple[Hit, ...]:
        """Return the best hits, to be ranked by the shared scorer."""
        admitted = admit(self._connection, self._live, ask)
        if not _scores(ask):
            return _hits(self._ask(admitted.clause, limit=limit))
        ranked, _ = self._ranked(ask, admitted, max(_RANKED, 2 * limit))
        return ranked[:limit]

    def count(self, ask: Ask) -> int:
        """Count what was asked for."""
        admitted = admit(self._connection, self._live, ask)
        return self._ask(admitted.clause, limit=0).estimated_total_hits or 0

    def facets(self, ask: Ask, names: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count the values of each facet, each without the filter on itself."""
        groups = filters.facet_groups(ask, names)
        questions = [
            self._question(admit(self._connection, self._live, asked).clause, limit=0, facets=group)
            for group, asked in groups
        ]
        counted: dict[str, dict[str, int]] = {}
        for (group, _), answer in zip(groups, self._connection.search(questions), strict=True):
            held = answer.facet_distribution or {}
            with as_unavailable():
                for name in group:
                    values = held.get(name, {})
                    counted[name] = {decode(value): int(n) for value, n in values.items()}
        return {name: counted[name] for name in names}

    def get(self, ids: Sequence[str], scope: Scope) -> dict[str, Hit]:
        """Return the named documents that lie in the scope."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Hit] = {}
        for start in range(0, len(wanted), _GOT_AT_ONCE):
            some = wanted[start : start + _GOT_AT_ONCE]
            clause = filters.both(filters.within(scope), filters.one_of("id", some))
            answer = self._ask(clause, limit=len(some))
            found |= {hit.document.id: hit for hit in _hits(answer)}
        return found

    def ids(self, *, generation: str | None = None) -> Iterator[str]:
        """Name every document held, in no order."""
        index = self._connection.writing.index(self._generations.index(generation))
        offset = 0
        while True:
            with as_unavailable():
                listed = index.get_documents(offset=offset, limit=_IDS_AT_ONCE, fields=["name"])
                names = [str(row["name"]) for row in listed.results if "name" in row]
            if not listed.results:
                return
            yield from names
            offset += len(listed.results)

    def statistics(self, words: Iterable[str], grams: Iterable[str]) -> Statistics:
        """Return how common the terms are."""
        return self._frequencies.of(words, grams)

    def vocabulary(
        self, kind: str, prefix: str, scope: Scope, *, limit: int = 20
    ) -> list[tuple[str, int]]:
        """List the terms of a vocabulary that begin so, with the number of documents in scope."""
        if kind not in suggest.VOCABULARIES:
            raise SearchUnavailable(f"no vocabulary {kind}")
        beginning = encode(prefix)
        if not beginning or beginning.startswith(DIGEST):
            return []
        index = self._connection.reading.index(self._live)
        with as_unavailable():
            answer = again(
                lambda: index.facet_search(
                    facet_name=kind, facet_query=beginning, filter=filters.within(scope)
                )
            )
            return [(decode(hit.value), hit.count) for hit in answer.facet_hits[:limit]]

    def health(self) -> Health:
        """Tell whether the engine answers; never raises."""
        generation = None
        try:
            generation = self.generation()
            return Health(True, generation, self.statistics((), ()).documents)
        except (IndexMissing, IndexBroken) as broken:
            return Health(False, generation, 0, str(broken))
        except Exception as away:  # whatever is wrong, a health report must come back
            return Health(False, generation, 0, str(away), away=True)

    # what is asked of the server

    @property
    def _live(self) -> str:
        return self._generations.live

    def _by_relevance(self, ask: Ask, admitted: Admitted, offset: int, limit: int) -> Hits:
        """Return a page of the ranked hits, continued by the others, the newest first."""
        ranked, total = self._ranked(ask, admitted, _RANKED)
        page = ranked[offset : offset + limit]
        wanting = min(limit, total - offset) - len(page)
        if wanting > 0:
            above = filters.one_of("id", (hit.document.id for hit in ranked))
            answer = self._ask(
                filters.both(admitted.clause, f"NOT {above}"),
                sort=_ORDERS[UPDATED],
                offset=max(0, offset - len(ranked)),
                limit=wanting,
            )
            page += _hits(answer)
        return Hits(total, page, admitted.exact)

    def _ranked(self, ask: Ask, admitted: Admitted, most: int) -> tuple[tuple[Hit, ...], int]:
        """Return the best documents in the shared scorer's order, and how many are admitted."""
        statistics = self.statistics(*Scorer.terms(ask))
        total = self._ask(admitted.clause, limit=0).estimated_total_hits or 0
        clause = admitted.clause
        if total > _READ_WHOLE:
            best = self._best(ask, admitted, statistics, total, most)
            clause = filters.both(filters.identified(best), clause)
        answer = self._ask(clause, limit=_READ_WHOLE)
        ranked = rank(ask, statistics, _hits(answer))
        return tuple(replace(hit, score=score) for hit, score in ranked), total

    def _best(
        self, ask: Ask, admitted: Admitted, statistics: Statistics, total: int, most: int
    ) -> list[str]:
        """Return the encoded ids of the documents that are likely the best."""
        demanding = bool(ask.units or ask.phrases)
        narrow = demanding and not filters.costly(admitted.clause)
        within = admitted.clause if narrow else filters.limits(ask)
        listings = lists.plan(ask, statistics, total if narrow else statistics.documents)
        questions = [
            self._question(filters.both(listing.clause, within), **_listed(listing.valued))
            for listing in listings
        ]
        answers = self._connection.search(questions)
        with as_unavailable():
            listed = [list(map(placed, _places(answer))) for answer in answers]
        return lists.best(listings, listed, statistics.average_grams, most)

    def _ask(self, clause: str, **options: Any) -> SearchResultsWithUID[Any]:
        return self._connection.search([self._question(clause, **options)])[0]

    def _question(self, clause: str, **options: Any) -> SearchParams:
        return question(self._live, clause, **options)


def _listed(valued: bool) -> dict[str, Any]:
    if valued:
        return {"limit": 0, "facets": ["place"]}
    return {
        "limit": lists.LONGEST_OF_HITS,
        "sort": ["place:asc"],
        "attributes_to_retrieve": ["place"],
    }


def _places(answer: SearchResultsWithUID[Any]) -> list[str]:
    if answer.facet_distribution:
        return list(answer.facet_distribution["place"])
    return [str(hit["place"]) for hit in answer.hits]


def _scores(ask: Ask) -> bool:
    return bool(ask.words or ask.grams or ask.expansions)


def _hits(answer: SearchResultsWithUID[Any]) -> tuple[Hit, ...]:
    with as_unavailable():
        return tuple(map(read, answer.hits))


def _chunks(stored: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    characters = 0
    for document in stored:
        chunk.append(document)
        characters += len(document["payload"])
        if len(chunk) >= _CHUNK_DOCUMENTS or characters >= _CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk
