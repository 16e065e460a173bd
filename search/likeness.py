"""Find the lexicon's entries whose everyday words come nearest to a text.

People say the same trouble in a thousand ways; an entry holds a few of them. Its triggers are
therefore also searched like a small document, by BM25 over characters and pairs of characters.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from search import text


@dataclass(frozen=True)
class Weights:
    """The constants of the comparison; ``expansion.yaml`` says what each is."""

    k1: float
    b: float
    character_weight: float


class Likeness:
    """An inverted index over short texts, built once: which of them resemble a text, how much."""

    def __init__(self, texts: Sequence[Iterable[str]], weights: Weights) -> None:
        counts = [Counter(g for piece in pieces for g in text.grams(piece)) for pieces in texts]
        lengths = [sum(count.values()) for count in counts]
        average = sum(lengths) / max(1, len(lengths))
        held: dict[str, list[tuple[int, float]]] = {}
        for number, count in enumerate(counts):
            norm = weights.k1 * (1.0 - weights.b + weights.b * lengths[number] / average)
            for gram, times in count.items():
                saturated = times * (weights.k1 + 1.0) / (times + norm)
                held.setdefault(gram, []).append((number, saturated))
        self._size = len(counts)
        # Two flat arrays for each gram: a list of pairs would take five times the memory.
        self._postings = {
            gram: (
                array("i", (number for number, _ in pairs)),
                array("f", (self._weight(gram, len(pairs), weights) * s for _, s in pairs)),
            )
            for gram, pairs in held.items()
        }

    def nearest(
        self, grams: Mapping[str, float], *, most: int, least_share: float
    ) -> list[tuple[int, float]]:
        """Return the numbers of the texts most alike with their share of the best one's score.

        ``grams`` are the weighted grams of what is compared; a share is above ``least_share``
        and at most 1.
        """
        scores = [0.0] * self._size
        for gram, weight in grams.items():
            numbers, values = self._postings.get(gram, ((), ()))
            for number, value in zip(numbers, values, strict=True):
                scores[number] += weight * value
        best = max(scores, default=0.0)
        if best <= 0.0:
            return []
        floor = least_share * best
        above = compress(range(self._size), map(floor.__lt__, scores))
        found = [(number, scores[number] / best) for number in above]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:most]

    def knows(self, gram: str) -> bool:
        """Tell whether any text holds the gram."""
        return gram in self._postings

    def _weight(self, gram: str, frequency: int, weights: Weights) -> float:
        rarity = math.log(1.0 + (self._size - frequency + 0.5) / (frequency + 0.5))
        return rarity * (weights.character_weight if len(gram) == 1 else 1.0)
