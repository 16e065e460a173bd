"""Any engine, and beside it the vectors of an operator's encoder.

The engine finds by words as before; to its candidates come those whose meaning lies near. Where
the encoder fails or a generation has no vectors, everything goes on by words, and ``health`` says
why.
"""

from __future__ import annotations

import itertools
import logging
import shutil
import threading
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from search import dense
from search.engine import RELEVANCE, Ask, Engine, Health, Hit, Hits, Statistics
from search.errors import EncoderFailed, SearchUnavailable, VectorsBroken
from search.schema import Document, Scope, passes
from search.vectors import Likeness, Vectors

log = logging.getLogger(__name__)

# Most of the nearest may lie out of the asker's scope; so often as many are looked at.
_ROUNDS = 8
# Any text will do to see whether the encoder answers.
_PROBE = "技术"


class DenseEngine:
    """An engine with a dense encoder. Its vectors live and go with the engine's generations."""

    def __init__(self, engine: Engine, encoder: dense.Encoder, folder: Path) -> None:
        self._engine = engine
        self._encoder = encoder
        self._folder = folder
        self._identity = dense.identity(encoder)
        self._guard = threading.Lock()
        self._opened: dict[str, Vectors] = {}
        self._asked: tuple[str, list[float]] | None = None
        self._trouble = ""
        self.name = engine.name
        self.format = f"{engine.format}-{self._identity}"
        self.capabilities = engine.capabilities

    # generations

    def create(self, generation: str, *, expected: int = 0) -> None:
        """Make an empty generation, and room for its vectors."""
        self._engine.create(generation, expected=expected)
        try:
            self._opened.pop(generation, None)
            self._vectors(generation).create()
        except OSError as broken:
            self._say(f"no room for vectors: {broken}")

    def generation(self) -> str | None:
        """Name the generation in use."""
        return self._engine.generation()

    def generations(self) -> list[str]:
        """Name all generations held, oldest first."""
        return self._engine.generations()

    def swap(self, generation: str) -> str | None:
        """Take a generation into use with its vectors; return the one before."""
        return self._engine.swap(generation)

    def drop(self, generation: str) -> None:
        """Remove a generation that is not in use, and its vectors."""
        self._engine.drop(generation)
        self._opened.pop(generation, None)
        shutil.rmtree(self._folder / generation, ignore_errors=True)

    # writing

    def writing(self) -> AbstractContextManager[None]:
        """Hold the right to write for a batch; wait a bounded time for another writer."""
        return self._engine.writing()

    def upsert(self, documents: Iterable[Document], *, generation: str | None = None) -> int:
        """Put documents in with their vectors; without them where the encoder fails."""
        batch = list(documents)
        count = self._engine.upsert(batch, generation=generation)
        vectors = self._written_to(generation)
        if vectors is None or not batch:
            return count
        latest = {document.id: dense.spoken(document) for document in batch}
        try:
            encoded = dense.encode(self._encoder, list(latest.values()))
            vectors.put([(name, dense.digest(said)) for name, said in latest.items()], encoded)
        except EncoderFailed as failed:
            self._say(str(failed))
            # A vector of what a document said before would mislead.
            self._forget(vectors, latest)
        except VectorsBroken as broken:
            self._say(str(broken))
        return count

    def delete(self, ids: Iterable[str], *, generation: str | None = None) -> None:
        """Take documents and their vectors out; unknown ids are no error."""
        names = list(ids)
        self._engine.delete(names, generation=generation)
        vectors = self._written_to(generation)
        if vectors is not None:
            self._forget(vectors, names)

    def commit(self, *, generation: str | None = None) -> None:
        """Make everything written so far visible and lasting; vectors are so already."""
        self._engine.commit(generation=generation)

    def _forget(self, vectors: Vectors, ids: Iterable[str]) -> None:
        try:
            vectors.take_out(ids)
        except VectorsBroken as broken:
            self._say(str(broken))

    # reading

    def search(self, ask: Ask, *, sort: str = RELEVANCE, offset: int = 0, limit: int = 20) -> Hits:
        """Return one page of what was asked for."""
        return self._engine.search(ask, sort=sort, offset=offset, limit=limit)

    def candidates(self, ask: Ask, *, limit: int = 200) -> tuple[Hit, ...]:
        """Return the best hits by words, then those near in meaning, each with its likeness."""
        found = self._engine.candidates(ask, limit=limit)
        likeness = self._likeness(ask.meaning)
        if likeness is None:
            return found
        known = {hit.document.id for hit in found}
        near = [] if _demands(ask) else self._nearest(ask, likeness, known, limit)
        return (*(replace(hit, near=_near(hit, likeness)) for hit in found), *near)

    def count(self, ask: Ask) -> int:
        """Count what was asked for."""
        return self._engine.count(ask)

    def facets(self, ask: Ask, names: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count the values of each facet, each without the filter on itself."""
        return self._engine.facets(ask, names)

    def get(self, ids: Sequence[str], scope: Scope) -> dict[str, Hit]:
        """Return the named documents that lie in the scope."""
        return self._engine.get(ids, scope)

    def ids(self, *, generation: str | None = None) -> Iterator[str]:
        """Name every document held, in no order."""
        return self._engine.ids(generation=generation)

    def statistics(self, words: Iterable[str], grams: Iterable[str]) -> Statistics:
        """Return how common the terms are."""
        return self._engine.statistics(words, grams)

    def vocabulary(
        self, kind: str, prefix: str, scope: Scope, *, limit: int = 20
    ) -> list[tuple[str, int]]:
        """List the terms of a vocabulary that begin so, with the number of documents in scope."""
        return self._engine.vocabulary(kind, prefix, scope, limit=limit)

    def health(self) -> Health:
        """Tell whether the engine answers, and what keeps it from finding by meaning."""
        health = self._engine.health()
        if not health.ok or health.generation is None:
            return health
        return replace(health, reason=health.reason or self._missing(health) or self._trouble)

    def _missing(self, health: Health) -> str:
        """Say that the encoder fails, or how many documents lack a vector; else nothing."""
        rebuild = f"`marketplace search rebuild` makes vectors of {self._encoder.name}"
        try:
            dense.encode(self._encoder, [_PROBE])
            if not self._ours(str(health.generation)):
                return f"found by words only: the index was built without this encoder; {rebuild}"
            held = self._vectors(str(health.generation)).count()
        except EncoderFailed as failed:
            return f"found by words only: {failed}"
        except VectorsBroken as broken:
            return f"found by words only: {broken}; {rebuild}"
        if held < health.documents:
            why = f" ({self._trouble})" if self._trouble else ""
            return f"{held} of {health.documents} documents are found by meaning{why}; {rebuild}"
        return ""

    def _likeness(self, meaning: str) -> Likeness | None:
        generation = self._engine.generation()
        if not meaning or generation is None or not self._ours(generation):
            return None
        try:
            likeness = self._vectors(generation).likeness(self._encoded(meaning))
        except (EncoderFailed, VectorsBroken) as failed:
            self._say(str(failed))
            return None
        self._trouble = ""
        return likeness

    def _encoded(self, meaning: str) -> list[float]:
        """Return the vector of a text; one match asks several times for the same."""
        asked = self._asked
        if asked is None or asked[0] != meaning:
            asked = meaning, dense.encode(self._encoder, [meaning])[0]
            self._asked = asked
        return asked[1]

    def _nearest(
        self, ask: Ask, likeness: Likeness, known: Container[str], limit: int
    ) -> Iterator[Hit]:
        """Yield up to ``limit`` hits by likeness, none that the scope or a filter keeps out."""
        names = (name for name in likeness.best() if name not in known)
        left = limit
        for _ in range(_ROUNDS):
            batch = list(itertools.islice(names, limit))
            if not batch or left <= 0:
                return
            held = self._engine.get(batch, ask.scope)
            hits = [held[name] for name in batch if name in held]
            for hit in hits:
                near = _near(hit, likeness)
                if left > 0 and near and passes(hit.document, ask.filters):
                    left -= 1
                    yield replace(hit, near=near)

    def _ours(self, generation: str) -> bool:
        return f"-{self._identity}-" in generation

    def _written_to(self, generation: str | None) -> Vectors | None:
        name = generation or self._engine.generation()
        if name is None:
            raise SearchUnavailable("there is no index yet")
        return self._vectors(name) if self._ours(name) else None

    def _vectors(self, generation: str) -> Vectors:
        with self._guard:
            if generation not in self._opened:
                folder = self._folder / generation
                self._opened[generation] = Vectors(folder, self._encoder.length)
            return self._opened[generation]

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            log.warning("found by words only: %s", trouble)
        self._trouble = trouble


def _near(hit: Hit, likeness: Likeness) -> float | None:
    """Return a hit's likeness by the vector of the text that it holds now, never by an older one.

    A process without the encoder may have changed the index meanwhile.
    """
    document = hit.document
    return likeness.of(document.id, dense.digest(dense.spoken(document)))


def _demands(ask: Ask) -> bool:
    """Tell whether an ask demands words, which nearness in meaning cannot promise."""
    return bool((ask.units and ask.minimum) or ask.phrases or ask.excluded)
