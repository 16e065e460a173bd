"""The likely best documents of an ask, found through lists of documents by term.

Meilisearch has no BM25 and gives no way to add up weights. So the lists of the weightiest terms
are read, shortest documents first, and their scores are added up here as if every term occurred
once, or twice where it is known to occur again. What comes out on top is read whole and ranked
by the shared scorer, which counts exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from search.engine import Ask, Statistics
from search.engines.meilisearch_filters import all_of, one_of
from search.ranking import idf, saturation

# A list is cut here: its longer documents score less for the same term.
LONGEST_LIST = 500
# All lists of one ask together, and how many there may be.
_MOST_ENTRIES = 10_000
_MOST_LISTS = 80
_AGAIN = 2


@dataclass(frozen=True)
class Listing:
    """A list to read: the filter that makes it, what its term weighs, how often it occurs."""

    clause: str
    weight: float
    occurrences: int = 1


@dataclass(frozen=True)
class _Term:
    clause: str
    repeated: str
    weight: float
    frequency: int


def plan(ask: Ask, statistics: Statistics) -> list[Listing]:
    """Return the lists to read, those of the weightiest terms first.

    Rare terms are read whole. Of frequent ones the documents that repeat them are read besides,
    since a long document may score by repetition.
    """
    chosen: list[Listing] = []
    entries = 0
    for term in sorted(_terms(ask, statistics), key=lambda t: (-t.weight, t.clause)):
        chosen.append(Listing(term.clause, term.weight))
        entries += min(term.frequency, LONGEST_LIST)
        if term.frequency > LONGEST_LIST and term.repeated:
            chosen.append(Listing(term.repeated, term.weight, _AGAIN))
            entries += LONGEST_LIST
        if entries >= _MOST_ENTRIES or len(chosen) >= _MOST_LISTS:
            break
    return chosen


def best(
    listings: Sequence[Listing],
    listed: Sequence[Iterable[tuple[str, int]]],
    average_length: float,
    limit: int,
) -> list[str]:
    """Return the documents with the highest sums over the lists, each list of ids and lengths."""
    average = max(average_length, 1.0)
    parts: dict[str, dict[float, float]] = {}
    for number, (listing, entries) in enumerate(zip(listings, listed, strict=True)):
        # A list of repetitions stands after that of its own term and replaces what it gave.
        place = number - 1 if listing.occurrences > 1 else number
        for name, length in entries:
            value = listing.weight * saturation(listing.occurrences, length, average)
            parts.setdefault(name, {})[place] = value
    sums = {name: sum(values.values()) for name, values in parts.items()}
    return sorted(sums, key=lambda name: (-sums[name], name))[:limit]


def _terms(ask: Ask, statistics: Statistics) -> Iterable[_Term]:
    """Yield the terms that occur at all; a word that is a gram as well is one term."""
    total = statistics.documents
    for token in {**ask.grams, **ask.words}:
        in_grams = _frequency(statistics.grams, token)
        in_words = _frequency(statistics.words, token)
        weight = 0.0
        if token in ask.grams and in_grams:
            weight += ask.grams[token] * idf(in_grams, total)
        if token in ask.words and in_words:
            weight += ask.words[token] * idf(in_words, total)
        if weight:
            name = "g" if token in ask.grams and in_grams else "w"
            frequency = in_grams if name == "g" else in_words
            yield _Term(one_of(name, [token]), one_of("twice", [token]), weight, frequency)
    for expansion in ask.expansions:
        if not expansion.cover:
            continue
        rarest = min(_frequency(statistics.grams, gram) for gram in expansion.cover)
        if rarest:
            clause = all_of("g", expansion.cover)
            yield _Term(clause, "", expansion.weight * idf(rarest, total), rarest)


def _frequency(counts: Mapping[str, int], term: str) -> int:
    return counts.get(term, 0)
