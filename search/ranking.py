"""The shared scorer: BM25 over words plus BM25 over grams, the same for every engine.

It needs the candidates' texts and how common the terms are, and tells for each hit which term
brought how much.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from search import text
from search.engine import TOGETHER, Ask, Hit, Statistics


@dataclass(frozen=True)
class Saturation:
    """BM25's two constants: how soon repetition stops counting, how much length weighs."""

    k1: float = 1.2
    b: float = 0.75

    def worths(self, length: int, average: float) -> Worths:
        """Return how much occurrences are worth in a text of this length."""
        return Worths(self.k1 + 1.0, self.k1 * (1.0 - self.b + self.b * length / average))


class Worths(dict[int, float]):
    """What so many occurrences of a term are worth in one text; most counts are small."""

    def __init__(self, most: float, norm: float) -> None:
        self._most, self._norm = most, norm

    def __missing__(self, count: int) -> float:
        self[count] = worth = count * self._most / (count + self._norm)
        return worth


# BM25's usual constants, by which the engines choose candidates.
USUAL = Saturation()


@dataclass(frozen=True)
class Scored:
    """A hit with its text score and what each term brought, by kind and term.

    ``normal`` is its searched text in normal form, ``own`` what the asker's own words and grams
    brought together, ``dense`` what its nearness in meaning brought.
    """

    hit: Hit
    normal: str
    score: float
    own: float
    words: Mapping[str, float]
    grams: Mapping[str, float]
    expansions: Mapping[str, float]
    dense: float = 0.0

    def bridged(self, share: float, sure: Collection[str] = frozenset()) -> Scored:
        """Return the same with only a share of what the proposed terms brought, less sure ones."""
        if share == 1.0 or not self.expansions:
            return self
        expansions = {
            term: value if term in sure else share * value
            for term, value in self.expansions.items()
        }
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

    def __init__(self, ask: Ask, statistics: Statistics, saturation: Saturation = USUAL) -> None:
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
        self._han = _HanGrams(gram for gram in self._grams if text.is_han(gram))
        self._whole = [(gram, _whole(gram)) for gram in self._grams if not text.is_han(gram)]
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
        worths = self._saturation.worths(len(hit.words), self._average_words)
        words = {
            word: self._words[word] * worths[count]
            for word, count in Counter(filter(self._words.__contains__, hit.words)).items()
        }
        worths = self._saturation.worths(hit.grams_length, self._average_grams)
        grams = {
            gram: self._grams[gram] * worths[count]
            for gram, count in self._han.counts(normal).items()
        }
        for gram, whole in self._whole:
            if gram in normal and (count := len(whole.findall(normal))):
                grams[gram] = self._grams[gram] * worths[count]
        expansions = {
            term: weight * worths[count]
            for term, weight in self._expansions.items()
            if (count := min(map(normal.count, term.split(TOGETHER))))
        }
        own = sum(words.values()) + sum(grams.values())
        score = (own + sum(expansions.values())) * document.rank
        return Scored(hit, normal, score, own, words, grams, expansions)


class _HanGrams:
    """Counts many single characters and pairs in a text, which holds few of them, at once."""

    def __init__(self, grams: Iterable[str]) -> None:
        self._ordered = sorted(grams, key=len)
        self._singles = {gram for gram in self._ordered if len(gram) == 1}
        self._pairs: dict[str, dict[str, str]] = {}
        for gram in self._ordered:
            if len(gram) == 2:
                self._pairs.setdefault(gram[0], {})[gram[1]] = gram
        # 哈哈 stands once in 哈哈哈: such pairs are counted without overlaps.
        self._doubled = [gram for gram in self._ordered if len(gram) == 2 and gram[0] == gram[1]]
        characters = "".join(sorted(set("".join(self._ordered))))
        self._stretch = re.compile(f"[{characters}]+" if characters else "(?!)")

    def counts(self, normal: str) -> dict[str, int]:
        """Return how often grams stand in a normal text, singles first; those that do only."""
        stretches = self._stretch.findall(normal)
        singles = [single for single in "".join(stretches) if single in self._singles]
        pairs = [
            pair
            for stretch in stretches
            if len(stretch) > 1
            for first, second in itertools.pairwise(stretch)
            if (seconds := self._pairs.get(first)) and (pair := seconds.get(second))
        ]
        found = Counter(singles + pairs)
        for pair in self._doubled:
            if pair in found:
                found[pair] = normal.count(pair)
        return {gram: found[gram] for gram in filter(found.__contains__, self._ordered)}


def rank(ask: Ask, statistics: Statistics, hits: Iterable[Hit]) -> list[Scored]:
    """Score the hits and put the best first."""
    scorer = Scorer(ask, statistics)
    return sorted((scorer.score(hit) for hit in hits), key=best_first)


def best_first(entry: Scored) -> tuple[float, str]:
    """Order scored hits: the best first, equal ones by id."""
    return -entry.score, entry.hit.document.id


def _whole(gram: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9]){re.escape(gram)}(?![a-z0-9])")
