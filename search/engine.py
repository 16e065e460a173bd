"""What an engine must do, and the neutral request that every engine translates for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from search.schema import Document, Filters, Scope

RELEVANCE = "relevance"
UPDATED = "updated"
PRICE = "price"
MATURITY = "maturity"
SORTS = (RELEVANCE, UPDATED, PRICE, MATURITY)

# Joins pieces that must all stand in a document, anywhere; the normal form turns it into dots.
TOGETHER = "…"

# No person leafs further; every engine's cost grows with the depth.
DEEPEST_OFFSET = 10_000


@dataclass(frozen=True)
class Unit:
    """A word of the query: it occurs where all grams of one of its ``covers`` occur.

    The first cover is the word itself, further ones are other names of the same thing.
    """

    text: str
    covers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Expansion:
    """A term that stands for what the asker meant: scored as one word, never demanded.

    A text of several pieces, joined by ``TOGETHER``, occurs as often as the rarest of them.
    """

    text: str
    cover: tuple[str, ...]
    weight: float


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One question to an engine.

    At least ``minimum`` of the units, every phrase and no excluded phrase must occur. ``words``
    and ``grams`` score with their weights. An ask without units and phrases admits every
    document in scope. ``meaning`` is the whole text, for engines that also find by likeness.
    """

    scope: Scope
    filters: Filters = field(default_factory=Filters)
    units: tuple[Unit, ...] = ()
    minimum: int = 0
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[tuple[str, ...], ...] = ()
    words: Mapping[str, float] = field(default_factory=dict)
    grams: Mapping[str, float] = field(default_factory=dict)
    expansions: tuple[Expansion, ...] = ()
    meaning: str = ""


@dataclass(frozen=True)
class Hit:
    """A document that an engine found, the engine's own text score, and its stored analysis.

    ``borders`` are those of ``occurrences.Marked`` for the document's normal text; the lengths
    count its words and grams. ``plain`` tells that the text is normal but for common wide forms
    and capitals. ``near`` is its likeness in meaning, 0 to 1; None where there is no encoder.
    """

    document: Document
    score: float
    borders: bytes = b""
    words_length: int = 0
    grams_length: int = 0
    plain: bool = False
    near: float | None = None


@dataclass(frozen=True)
class Hits:
    """One page of hits; ``exact`` is False where ``total`` is only a lower bound."""

    total: int
    hits: tuple[Hit, ...]
    exact: bool = True


@dataclass(frozen=True)
class Statistics:
    """How common terms are in the index: what BM25 needs to score outside of the engine."""

    documents: int
    average_words: float
    average_grams: float
    words: Mapping[str, int]
    grams: Mapping[str, int]


@dataclass(frozen=True)
class Capabilities:
    """What an engine can do of itself; what it lacks is done in Python and stands here.

    ``shared_scores``: its text score is BM25(words) + BM25(grams), so pages need no rescoring.
    ``exact_totals``: its totals are exact. ``vocabulary``: it lists terms by their beginning.
    ``local``: it answers in this process, so that a small question takes no longer than a thread.
    """

    shared_scores: bool
    exact_totals: bool
    vocabulary: bool
    local: bool


@dataclass(frozen=True)
class Health:
    """Whether an engine answers, and what it holds.

    ``away`` marks a server that cannot be asked now: waiting may help, a rebuild does not.
    """

    ok: bool
    generation: str | None
    documents: int
    reason: str = ""
    away: bool = False


class Engine(Protocol):
    """A search engine. One process writes, any number read.

    Every method may raise ``SearchUnavailable`` or one of its kinds. Reads see a commit within a
    second. Writes go to the generation in use unless another is named.
    """

    name: str
    # Part of every generation's name: changes with anything that makes old indexes unreadable.
    format: str
    capabilities: Capabilities

    def create(self, generation: str, *, expected: int = 0) -> None:
        """Make an empty generation, replacing an unfinished one of the same name.

        ``expected`` is about how many documents will come, 0 where nobody knows: an engine may
        lay itself out for them.
        """

    def upsert(self, documents: Iterable[Document], *, generation: str | None = None) -> int:
        """Put documents in, replacing those with the same id; return how many."""

    def delete(self, ids: Iterable[str], *, generation: str | None = None) -> None:
        """Take documents out; unknown ids are no error."""

    def commit(self, *, generation: str | None = None) -> None:
        """Make everything written so far visible and lasting."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold the right to write for a batch; wait a bounded time for another writer."""

    def search(self, ask: Ask, *, sort: str = RELEVANCE, offset: int = 0, limit: int = 20) -> Hits:
        """Return one page of what was asked for."""

    def candidates(self, ask: Ask, *, limit: int = 200) -> tuple[Hit, ...]:
        """Return the best hits, to be ranked by the shared scorer."""

    def count(self, ask: Ask) -> int:
        """Count what was asked for."""

    def facets(self, ask: Ask, names: Sequence[str]) -> dict[str, dict[str, int]]:
        """Count the values of each facet, each without the filter on itself."""

    def get(self, ids: Sequence[str], scope: Scope) -> dict[str, Hit]:
        """Return the named documents that lie in the scope."""

    def ids(self, *, generation: str | None = None) -> Iterator[str]:
        """Name every document held, in no order."""

    def statistics(self, words: Iterable[str], grams: Iterable[str]) -> Statistics:
        """Return how common the terms are."""

    def vocabulary(
        self, kind: str, prefix: str, scope: Scope, *, limit: int = 20
    ) -> list[tuple[str, int]]:
        """List the terms of a vocabulary that begin so, with the number of documents in scope.

        ``kind`` is one of ``search.suggest.VOCABULARIES``.
        """

    def health(self) -> Health:
        """Tell whether the engine answers; never raises."""

    def generation(self) -> str | None:
        """Name the generation in use."""

    def generations(self) -> list[str]:
        """Name all generations held, oldest first."""

    def swap(self, generation: str) -> str | None:
        """Take a generation into use at once for all readers; return the one before."""

    def drop(self, generation: str) -> None:
        """Remove a generation that is not in use."""
