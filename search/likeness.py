"""Find the lexicon's entries whose everyday words come nearest to a text.

People say the same trouble in a thousand ways; an entry holds a few of them. Its triggers are
therefore also searched like a small document, by BM25 over characters and pairs of characters.
"""

from __future__ import annotations

import itertools
from array import array
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
        # Arrays grow here, not lists of pairs: half a million of those would stay with the process.
        places: dict[str, int] = {}
        of_gram, numbers, times = array("i"), array("i"), array("i")
        lengths = array("i")
        for number, pieces in enumerate(texts):
            count = Counter(gram for piece in pieces for gram in text.grams(piece))
            lengths.append(count.total())
            of_gram.extend(places.setdefault(gram, len(places)) for gram in count)
            numbers.extend(itertools.repeat(number, len(count)))
            times.extend(count.values())
        self._size = len(lengths)
        order = np.argsort(of_gram, kind="stable")
        self._numbers = np.asarray(numbers)[order]
        held = np.asarray(times)
        norms = np.asarray(lengths) / max(1.0, sum(lengths) / max(1, self._size))
        norms = weights.k1 * (1.0 - weights.b + weights.b * norms[numbers])
        frequencies = np.bincount(of_gram, minlength=len(places))
        rarity = np.log(1.0 + (self._size - frequencies + 0.5) / (frequencies + 0.5))
        single = np.fromiter((len(gram) == 1 for gram in places), np.bool_, len(places))
        rarity[single] *= weights.character_weight
        worths = rarity[of_gram] * held * (weights.k1 + 1.0) / (held + norms)
        self._values = worths[order].astype(np.float32)
        # Where each gram's list begins and ends in the two.
        ends = np.cumsum(frequencies).tolist()
        self._lists = dict(zip(places, itertools.pairwise([0, *ends]), strict=True))

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
