"""The shared scorer: BM25 over words plus BM25 over grams, the same for every engine.

It needs the candidates' texts and how common the terms are, scores all of them at once, and tells
for each that is shown which term brought how much.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from search import text
from search.engine import TOGETHER, Ask, Hit, Statistics
from search.occurrences import Counts, Marked, Terms

Floats = npt.NDArray[np.float64]

# A term that stands in no more documents than this costs nothing worth saving.
_FEW = 1000


@dataclass(frozen=True)
class Saturation:
    """BM25's two constants: how soon repetition stops counting, how much length weighs."""

    k1: float = 1.2
    b: float = 0.75

    def worth(self, count: int, length: int, average: float) -> float:
        """Return how much occurrences are worth in a text of this length."""
        norm = self.k1 * (1.0 - self.b + self.b * length / average)
        return count * (self.k1 + 1.0) / (count + norm)

    def worths(self, counts: Counts, lengths: Floats, average: float) -> Floats:
        """Return the same for a table of counts, a row for each text, and the texts' lengths."""
        norms = self.k1 * (1.0 - self.b + self.b * lengths / average)
        worths: Floats = counts * (self.k1 + 1.0) / (counts + norms[:, None])
        return worths


# BM25's usual constants, by which the engines choose candidates.
USUAL = Saturation()


@dataclass(frozen=True)
class Brought:
    """What each term brought one hit, by kind and term; nothing where it does not occur."""

    words: Mapping[str, float]
    grams: Mapping[str, float]
    expansions: Mapping[str, float]

    @property
    def own(self) -> float:
        """Return what the asker's own words and grams brought together."""
        return sum(self.words.values()) + sum(self.grams.values())


def idf(frequency: int, documents: int) -> float:
    """Return BM25's weight of a term that stands in ``frequency`` of the documents."""
    frequency = min(frequency, documents)
    return math.log(1.0 + (documents - frequency + 0.5) / (frequency + 0.5))


def telling(ask: Ask, statistics: Statistics, share: float) -> Ask:
    """Return an ask without the words and grams that stand in more than a share of documents.

    With these an engine goes through most of the index, and they hardly change who comes first;
    the scorer counts them for every candidate all the same. Where no other is left, all stay.
    """
    most = max(_FEW, share * statistics.documents)
    words = {word: w for word, w in ask.words.items() if statistics.words.get(word, 0) <= most}
    grams = {gram: w for gram, w in ask.grams.items() if statistics.grams.get(gram, 0) <= most}
    return replace(ask, words=words, grams=grams) if words or grams else ask


class Scores:
    """Text scores of many hits, an entry or row for each in the hits' order.

    ``own`` is what the asker's own words and grams brought, ``expansions`` what each proposed
    term brought, ``held`` which units of the ask stand in the text, ``ranks`` the documents'.
    """

    def __init__(
        self,
        scorer: Scorer,
        hits: Sequence[Hit],
        normals: Sequence[str],
        tables: tuple[Floats, Floats, Floats],
        held: npt.NDArray[np.bool_],
    ) -> None:
        self.hits, self.normals, self.held = hits, normals, held
        self._scorer = scorer
        self._words, self._grams, self.expansions = tables
        self.own: Floats = self._words.sum(axis=1) + self._grams.sum(axis=1)
        self.ranks = np.fromiter((hit.document.rank for hit in hits), np.float64, len(hits))
        self.near = np.fromiter((hit.near or 0.0 for hit in hits), np.float64, len(hits))

    def bridge_needed(self, answered_share: float) -> float:
        """Return how much of the proposed terms' weight counts, 0 to 1.

        Where a document answers more than ``answered_share`` of the ask in its own words, it
        speaks the inventors' language already and guesses at better words only lead astray.
        """
        asked = self._scorer.asked
        answered = float(self.own.max(initial=0.0))
        if answered <= answered_share * asked:
            return 1.0
        return (answered_share * asked / answered) ** 2

    def bridge(self, share: float, sure: Collection[str] = frozenset()) -> None:
        """Leave the proposed terms only a share of what they brought; the sure ones all of it."""
        shares = [1.0 if term in sure else share for term in self._scorer.expansions]
        self.expansions = self.expansions * np.array(shares, np.float64)

    def totals(self) -> Floats:
        """Return the text scores: own words and proposed terms, times the documents' ranks."""
        totals: Floats = (self.own + self.expansions.sum(axis=1)) * self.ranks
        return totals

    def best_first(self, totals: Floats) -> list[int]:
        """Return the hits' places, those of the highest totals first, equal ones by id."""
        values = totals.tolist()
        return sorted(
            range(len(values)), key=lambda place: (-values[place], self.hits[place].document.id)
        )

    def brought(self, place: int) -> Brought:
        """Tell what each term brought one of the hits."""
        scorer = self._scorer
        return Brought(
            _named(scorer.words, self._words[place]),
            _named(scorer.grams, self._grams[place]),
            _named(scorer.expansions, self.expansions[place]),
        )


def _named(terms: Sequence[str], values: Floats) -> dict[str, float]:
    return {terms[column]: float(values[column]) for column in np.flatnonzero(values).tolist()}


class Scorer:
    """Scores hits for one ask; built once per ask, then applied to all candidates together."""

    def __init__(self, ask: Ask, statistics: Statistics, saturation: Saturation = USUAL) -> None:
        self._saturation = saturation
        self._average_words = max(statistics.average_words, 1.0)
        self._average_grams = max(statistics.average_grams, 1.0)
        total = statistics.documents
        self._word_weights = {
            word: weight * idf(statistics.words.get(word, 0), total)
            for word, weight in ask.words.items()
        }
        self._gram_weights = {
            gram: weight * idf(statistics.grams.get(gram, 0), total)
            for gram, weight in ask.grams.items()
        }
        # A term is at most as common as the rarest gram in it.
        self._expansion_weights = {
            expansion.text: expansion.weight
            * idf(min(statistics.grams.get(gram, 0) for gram in expansion.cover), total)
            for expansion in ask.expansions
            if expansion.cover
        }
        self.words, self.grams = tuple(ask.words), tuple(ask.grams)
        self.expansions = tuple(self._expansion_weights)
        covers = {gram for unit in ask.units for cover in unit.covers for gram in cover}
        counted = (*self.grams, *sorted(covers - ask.grams.keys()))
        column = {gram: place for place, gram in enumerate(counted)}
        covers_of = [[cover for cover in unit.covers if cover] for unit in ask.units]
        self._covers = _Groups(
            [column[gram] for gram in cover] for covers in covers_of for cover in covers
        )
        numbers = itertools.count()
        self._units = _Groups([next(numbers) for _ in covers] for covers in covers_of)
        place: dict[str, int] = {}
        self._pieces = _Groups(
            [place.setdefault(piece, len(place)) for piece in term.split(TOGETHER)]
            for term in self.expansions
        )
        self._terms = Terms(self.words, counted, place)

    @staticmethod
    def terms(ask: Ask) -> tuple[set[str], set[str]]:
        """Return the words and grams whose statistics a scorer for this ask needs."""
        grams = set(ask.grams)
        for expansion in ask.expansions:
            grams.update(expansion.cover)
        return set(ask.words), grams

    @property
    def asked(self) -> float:
        """Return the weight of all words and grams of the ask together."""
        return sum(self._word_weights.values()) + sum(self._gram_weights.values())

    def strongest_expansions(self, count: int) -> float:
        """Return the weight of the weightiest expansion terms together."""
        return sum(sorted(self._expansion_weights.values(), reverse=True)[:count])

    def weightiest(self) -> list[str]:
        """Return the words of the ask, the weightiest first."""
        return sorted(self._word_weights, key=lambda word: (-self._word_weights[word], word))

    def score(self, hits: Sequence[Hit]) -> Scores:
        """Score hits and keep what each term brought."""
        normals = normal_texts(hits)
        marked = [Marked(n, hit.borders) for n, hit in zip(normals, hits, strict=True)]
        found = self._terms.count(marked)
        by_words = np.fromiter((hit.words_length for hit in hits), np.float64, len(hits))
        by_grams = np.fromiter((hit.grams_length for hit in hits), np.float64, len(hits))
        counted = found.grams[:, : len(self.grams)]
        tables = (
            self._brought(found.words, by_words, self._average_words, self._word_weights),
            self._brought(counted, by_grams, self._average_grams, self._gram_weights),
            self._brought(
                # A term of several pieces stands as often as the rarest of them.
                self._pieces.reduced(np.minimum, found.pieces),
                by_grams,
                self._average_grams,
                self._expansion_weights,
            ),
        )
        return Scores(self, hits, normals, tables, self._held(found.grams > 0))

    def _brought(
        self, counts: Counts, lengths: Floats, average: float, weights: Mapping[str, float]
    ) -> Floats:
        each = np.fromiter(weights.values(), np.float64, len(weights))
        brought: Floats = self._saturation.worths(counts, lengths, average) * each
        return brought

    def _held(self, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        covered = self._covers.reduced(np.logical_and, present)
        return self._units.reduced(np.logical_or, covered)


class _Groups:
    """Groups of a table's columns, each of which becomes one column; an empty one becomes zeros."""

    def __init__(self, groups: Iterable[Sequence[int]]) -> None:
        held = list(groups)
        self._count = len(held)
        self._filled = [place for place, group in enumerate(held) if group]
        self._columns = [column for group in held for column in group]
        sizes = [len(group) for group in held if group]
        self._begins = [0, *itertools.accumulate(sizes)][: len(sizes)]

    def reduced(self, function: np.ufunc, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the table of the groups, each reduced by the function."""
        reduced = np.zeros((len(table), self._count), table.dtype)
        if self._filled:
            taken = table[:, self._columns]
            reduced[:, self._filled] = function.reduceat(taken, self._begins, axis=1)
        return reduced


def normal_texts(hits: Sequence[Hit]) -> list[str]:
    """Return the normal texts of hits; those of the plain ones are made together.

    What stands between them is in no text, and changes no neighbour.
    """
    apart = "\0"
    plain = apart.join(hit.document.searched for hit in hits if hit.plain)
    made = iter(text.narrowed(plain).lower().split(apart))
    return [next(made) if hit.plain else hit.document.normal for hit in hits]


def rank(ask: Ask, statistics: Statistics, hits: Sequence[Hit]) -> list[tuple[Hit, float]]:
    """Score the hits and put the best first, each with its text score."""
    scores = Scorer(ask, statistics).score(hits)
    totals = scores.totals()
    return [(hits[place], float(totals[place])) for place in scores.best_first(totals)]
