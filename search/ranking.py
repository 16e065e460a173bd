"""The shared scorer: BM25 over words plus BM25 over grams, the same for every engine.

It needs the candidates' texts and how common the terms are, and tells for each hit which term
brought how much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from search import text
from search.engine import TOGETHER, Ask, Hit, Statistics


@dataclass(frozen=True)
class Saturation:
    """BM25's two constants: how soon repetition stops counting, how much length weighs."""

    k1: float = 1.2
    b: float = 0.75

    def __call__(self, count: int, length: int, average: float) -> float:
        """Return how much ``count`` occurrences are worth in a text of this length."""
        return (
            count * (self.k1 + 1.0) / (count + self.k1 * (1.0 - self.b + self.b * length / average))
        )


@dataclass(frozen=True)
class Scored:
    """A hit with its text score and what each term brought, by kind and term.

    ``normal`` is its searched text in normal form; ``dense`` what its nearness in meaning brought;
    ``topic`` how far it is about the same fields of the trade, 0 to 1.
    """

    hit: Hit
    normal: str
    score: float
    words: Mapping[str, float]
    grams: Mapping[str, float]
    expansions: Mapping[str, float]
    dense: float = 0.0
    topic: float = 0.0

    @property
    def own(self) -> float:
        """Return what the asker's own words and grams brought."""
        return sum(self.words.values()) + sum(self.grams.values())

    def bridged(self, share: float) -> Scored:
        """Return the same with only a share of what the proposed terms brought."""
        expansions = {term: share * value for term, value in self.expansions.items()}
        score = (self.own + sum(expansions.values())) * self.hit.document.rank
        return replace(self, score=score, expansions=expansions)

    def likened(self, worth: float) -> Scored:
        """Return the same with what its nearness in meaning brings: ``worth`` for the very same."""
        if not self.hit.near:
            return self
        dense = worth * self.hit.near
        return replace(self, score=self.score + dense * self.hit.document.rank, dense=dense)


def idf(frequency: int, documents: int) -> float:
    """Return BM25's weight of a term that stands in ``frequency`` of the documents."""
    frequency = min(frequency, documents)
    return math.log(1.0 + (documents - frequency + 0.5) / (frequency + 0.5))


class Scorer:
    """Scores hits for one ask; built once per ask, then applied to every candidate."""

    def __init__(
        self, ask: Ask, statistics: Statistics, saturation: Saturation = Saturation()
    ) -> None:
        self._saturation = saturation
        self._average_words = max(statistics.average_words, 1.0)
        self._average_grams = max(statistics.average_grams, 1.0)
        total = statistics.documents
        self._words = {
            word: weight * idf(statistics.words.get(word, 0), total)
            for word, weight in ask.words.items()
        }
        self._grams = {
            gram: weight * idf(statistics.grams.get(gram, 0), total)
            for gram, weight in ask.grams.items()
        }
        # Chinese grams are counted as they stand, Latin words and numbers only where whole.
        self._singles = [g for g in self._grams if len(g) == 1 and text.is_han(g)]
        self._pairs = [(g[0], g[1], g) for g in self._grams if len(g) == 2 and text.is_han(g)]
        self._whole = [(g, _whole(g)) for g in self._grams if not text.is_han(g)]
        # A term is at most as common as the rarest gram in it.
        self._expansions = {
            expansion.text: expansion.weight
            * idf(min(statistics.grams.get(gram, 0) for gram in expansion.cover), total)
            for expansion in ask.expansions
            if expansion.cover
        }

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
        return sum(self._words.values()) + sum(self._grams.values())

    def bridge_needed(self, scored: Iterable[Scored], answered_share: float) -> float:
        """Return how much of the proposed terms' weight counts, 0 to 1.

        Where a document answers more than ``answered_share`` of the ask in its own words, it
        speaks the inventors' language already and guesses at better words only lead astray.
        """
        answered = max((entry.own for entry in scored), default=0.0)
        if answered <= answered_share * self.asked:
            return 1.0
        return (answered_share * self.asked / answered) ** 2

    def strongest_expansions(self, count: int) -> float:
        """Return the weight of the weightiest expansion terms together."""
        return sum(sorted(self._expansions.values(), reverse=True)[:count])

    def weightiest(self) -> list[str]:
        """Return the words of the ask, the weightiest first."""
        return sorted(self._words, key=lambda word: (-self._words[word], word))

    def weight(self, word: str) -> float:
        """Return a word's weight, 0 where the ask does not hold it."""
        return self._words.get(word, 0.0)

    def score(self, hit: Hit) -> Scored:
        """Score one hit and keep what each term brought."""
        document = hit.document
        # The parts stand apart, so that no gram reaches from one into the next.
        parts = (document.title, " ".join(document.keywords), document.body)
        normal = text.norm("\n".join(parts))
        words = {
            word: self._words[word] * self._saturation(count, len(hit.words), self._average_words)
            for word, count in _count(hit.words, self._words).items()
        }
        length = hit.grams_length
        grams = {
            gram: self._grams[gram] * self._saturation(count, length, self._average_grams)
            for gram, count in self._gram_counts(normal)
        }
        expansions = {
            term: weight * self._saturation(count, length, self._average_grams)
            for term, weight in self._expansions.items()
            if (count := min(map(normal.count, term.split(TOGETHER))))
        }
        total = sum(words.values()) + sum(grams.values()) + sum(expansions.values())
        return Scored(hit, normal, total * document.rank, words, grams, expansions)

    def _gram_counts(self, normal: str) -> Iterator[tuple[str, int]]:
        held = set(normal)  # most grams of a long need share no character with a document
        for gram in self._singles:
            if gram in held:
                yield gram, normal.count(gram)
        for first, second, gram in self._pairs:
            if first in held and second in held and (count := normal.count(gram)):
                yield gram, count
        for gram, whole in self._whole:
            if count := len(whole.findall(normal)):
                yield gram, count


def best_first(entry: Scored) -> tuple[float, str]:
    """Order scored hits: the best first, equal ones by id."""
    return -entry.score, entry.hit.document.id


def _count(tokens: Iterable[str], wanted: Mapping[str, float]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for token in tokens:
        if token in wanted:
            counts[token] = counts.get(token, 0) + 1
    return counts


def _whole(gram: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9]){re.escape(gram)}(?![a-z0-9])")
