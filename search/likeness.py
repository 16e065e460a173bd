"""Find the lexicon's entries whose everyday words come nearest to a text.

People say the same trouble in a thousand ways; an entry holds a few of them. Its triggers are
therefore also searched like a small document, by BM25 over characters and pairs of characters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

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
        # All lists in one, and where each gram's begins and ends.
        self._numbers = np.fromiter(
            (number for pairs in held.values() for number, _ in pairs), np.int32
        )
        self._values = np.fromiter(
            (
                self._weight(gram, len(pairs), weights) * saturated
                for gram, pairs in held.items()
                for _, saturated in pairs
            ),
            np.float32,
        )
        self._lists: dict[str, tuple[int, int]] = {}
        end = 0
        for gram, pairs in held.items():
            begin, end = end, end + len(pairs)
            self._lists[gram] = begin, end

    def nearest(
        self, grams: Mapping[str, float], *, most: int, least_share: float
    ) -> list[tuple[int, float]]:
        """Return the numbers of the texts most alike with their share of the best one's score.

        ``grams`` are the weighted grams of what is compared; a share is above ``least_share``
        and at most 1.
        """
        known = [(*self._lists[gram], grams[gram]) for gram in grams if gram in self._lists]
        if not known:
            return []
        numbers = np.concatenate([self._numbers[begin:end] for begin, end, _ in known])
        values = np.concatenate([self._values[begin:end] * weight for begin, end, weight in known])
        scores = np.bincount(numbers, values, self._size)
        best = scores.max()
        if best <= 0.0:
            return []
        above = np.flatnonzero(scores > least_share * best)
        # The lowest number first among equals, which the stable order keeps.
        first = above[np.argsort(-scores[above], kind="stable")[:most]]
        return list(zip(first.tolist(), (scores[first] / best).tolist(), strict=True))

    def knows(self, gram: str) -> bool:
        """Tell whether any text holds the gram."""
        return gram in self._lists

    def _weight(self, gram: str, frequency: int, weights: Weights) -> float:
        rarity = math.log(1.0 + (self._size - frequency + 0.5) / (frequency + 0.5))
        return rarity * (weights.character_weight if len(gram) == 1 else 1.0)
