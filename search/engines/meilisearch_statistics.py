"""How common terms are in a Meilisearch index: counted by the server, remembered until a write."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime

from search.engine import Statistics
from search.engines.meilisearch_client import Connection, again, as_unavailable, question
from search.engines.meilisearch_documents import MARKER, averages
from search.engines.meilisearch_filters import one_of
from search.errors import IndexMissing

_AT_ONCE = 500
# What is remembered of one state of the index; some hundred bytes each.
_MOST_REMEMBERED = 100_000

Stamp = tuple[datetime, datetime]
Term = tuple[str, str]


class Frequencies:
    """Exact counts of one index. Each is asked once for each state of the index."""

    def __init__(self, connection: Connection, index: str) -> None:
        self._connection = connection
        self._index = index
        self._guard = threading.Lock()
        self._stamp: Stamp | None = None
        self._totals: tuple[int, float, float] | None = None
        self._counts: dict[Term, int] = {}

    def of(self, words: Iterable[str], grams: Iterable[str]) -> Statistics:
        """Return how common the terms are."""
        terms = [("w", word) for word in words] + [("g", gram) for gram in grams]
        stamp = self._now()
        with self._guard:
            if self._stamp != stamp or len(self._counts) > _MOST_REMEMBERED:
                self._stamp, self._totals, self._counts = stamp, None, {}
            totals, known = self._totals, {term: self._counts.get(term) for term in terms}
        missing = [term for term, count in known.items() if count is None]
        fresh = dict(self._counted(missing))
        totals = totals or self._counted_whole()
        with self._guard:
            if self._stamp == stamp:
                self._totals = totals
                self._counts.update(fresh)
        counts = {term: fresh.get(term, count or 0) for term, count in known.items()}
        return Statistics(
            documents=totals[0],
            average_words=totals[1],
            average_grams=totals[2],
            words={term: count for (kind, term), count in counts.items() if kind == "w"},
            grams={term: count for (kind, term), count in counts.items() if kind == "g"},
        )

    def _now(self) -> Stamp:
        """Return what changes with every write and every swap."""
        with as_unavailable():
            info = again(lambda: self._connection.reading.get_raw_index(self._index))
            if info is None:
                raise IndexMissing("there is no index of this version yet")
            return info.created_at, info.updated_at

    def _counted(self, terms: Iterable[Term]) -> Iterator[tuple[Term, int]]:
        waiting = iter(terms)
        while batch := list(itertools.islice(waiting, _AT_ONCE)):
            questions = [
                question(self._index, one_of(kind, [term]), limit=0) for kind, term in batch
            ]
            for term, answer in zip(batch, self._connection.search(questions), strict=True):
                yield term, answer.estimated_total_hits or 0

    def _counted_whole(self) -> tuple[int, float, float]:
        everything = question(self._index, f'id != "{MARKER}"', limit=0, facets=["lengths"])
        answer = self._connection.search([everything])[0]
        documents = answer.estimated_total_hits or 0
        with as_unavailable():
            digits = (answer.facet_distribution or {})["lengths"] if documents else {}
            return documents, *averages(digits, documents)
