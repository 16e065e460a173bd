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
from search.engines.meilisearch_documents import MOST_VALUES
from search.engines.meilisearch_filters import all_of, one_of
from search.ranking import USUAL, idf

# So many documents may be listed as values of a facet: without reading one of them, ten times
# faster than as hits. The server goes through the documents up to its own threshold only.
MOST_VALUED = 3_000
# A list is cut here: its longer documents score less for the same term.
_LONGEST_VALUED = MOST_VALUES
LONGEST_OF_HITS = 300
# All lists of one ask together, and how many there may be.
_MOST_ENTRIES = 20_000
_MOST_LISTS = 100
_AGAIN = 2


@dataclass(frozen=True)
class Listing:
    """A list to read: the filter that makes it, what its term weighs, how often it occurs.

    ``valued`` lists are values of a facet, the others are hits.
    """

    clause: str
    weight: float
    occurrences: int = 1
    valued: bool = True


@dataclass(frozen=True)
class _Term:
    clause: str
    repeated: str
    weight: float
    frequency: int


def plan(ask: Ask, statistics: Statistics, most: int) -> list[Listing]:
    """Return the lists to read, those of the weightiest terms first.

    No list is longer than ``most``. Short ones are read whole. Of long ones the documents that
    repeat the term are read besides, since a long document may score by repetition.
    """
    chosen: list[Listing] = []
    entries = 0
    for term in sorted(_terms(ask, statistics), key=lambda t: (-t.weight, t.clause)):
        length = min(term.frequency, most)
        valued = length <= MOST_VALUED
        longest = _LONGEST_VALUED if valued else LONGEST_OF_HITS
        chosen.append(Listing(term.clause, term.weight, valued=valued))
        entries += min(length, longest)
        if length > longest and term.repeated:
            chosen.append(Listing(term.repeated, term.weight, _AGAIN, valued))
            entries += longest
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
            value = listing.weight * USUAL.worth(listing.occurrences, length, average)
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
