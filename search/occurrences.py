"""Count many terms in many texts at once: words, grams, and pieces that stand anywhere.

The texts lie side by side as one array of code points; the terms are one tree of characters, and
all places of all texts go down this tree together, so that a thousand texts take no more calls
than one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search import text

Counts = npt.NDArray[np.int64]
_Places = npt.NDArray[np.int64]
# Where terms begin, where they end, and the node of the tree that each has reached.
_Reached = tuple[_Places, _Places, _Places]

# Fills the space between two texts. No normal text and no term holds it.
_PAD = "\0"


@dataclass(frozen=True)
class Marked:
    """A normal text and where its segments begin: its words, and what stands between them.

    ``borders`` holds one bit for each character and one for the end, the first bit first.
    """

    normal: str
    borders: bytes


@dataclass(frozen=True)
class Found:
    """How often each term stands in each text, a row for each text, in the terms' order."""

    words: Counts
    grams: Counts
    pieces: Counts


def borders(normal: str, words: Iterable[str]) -> bytes:
    """Return where the segments of a normal text with these words begin, as in ``Marked``."""
    marks = bytearray(len(normal) + 1)
    marks[0] = marks[-1] = True
    place = 0
    for word in words:
        place = normal.index(word, place)
        marks[place] = True
        place += len(word)
        marks[place] = True
    return np.packbits(np.frombuffer(marks, np.uint8)).tobytes()


class Terms:
    """Terms to look for, prepared once for any number of texts.

    ``words`` count where they are a whole segment; so do ``grams`` of other than Chinese
    characters. Chinese grams count wherever they stand, as do ``pieces``, which do not overlap
    themselves.
    """

    def __init__(
        self, words: Iterable[str], grams: Iterable[str], pieces: Iterable[str] = ()
    ) -> None:
        self._words, self._grams = tuple(words), tuple(grams)
        self._pieces = tuple(pieces)
        tree = _Tree({*self._words, *self._grams, *self._pieces} - {""})
        self._tree = tree
        self._word_at = tree.columns(self._words)
        han = [gram if text.is_han(gram) else "" for gram in self._grams]
        self._gram_at = tree.columns(han)
        whole = [gram if not begun else "" for gram, begun in zip(self._grams, han, strict=True)]
        self._whole_gram_at = tree.columns(whole)
        self._piece_at = tree.columns(self._pieces)
        self._overlapping = [
            (place, piece) for place, piece in enumerate(self._pieces) if _overlaps(piece)
        ]

    def count(self, texts: Sequence[Marked]) -> Found:
        """Count every term in every text."""
        laid = _Laid(texts)
        words = _Counter(len(texts), len(self._words))
        grams = _Counter(len(texts), len(self._grams))
        pieces = _Counter(len(texts), len(self._pieces))
        for places, ends, nodes in self._tree.walk(laid.codes):
            rows = laid.rows[places]
            # From border to border, with none between them.
            whole = laid.borders[places] & laid.borders[ends]
            whole &= laid.segments[ends] - laid.segments[places] == 1
            words.note(rows[whole], self._word_at[nodes[whole]])
            grams.note(rows[whole], self._whole_gram_at[nodes[whole]])
            grams.note(rows, self._gram_at[nodes])
            pieces.note(rows, self._piece_at[nodes])
        counted = pieces.counts()
        for column, piece in self._overlapping:
            for row in np.flatnonzero(counted[:, column]).tolist():
                counted[row, column] = texts[row].normal.count(piece)
        return Found(words.counts(), grams.counts(), counted)


class _Laid:
    """Texts side by side: each begins at a multiple of eight, where a byte of borders begins."""

    def __init__(self, texts: Sequence[Marked]) -> None:
        padded = [
            marked.normal + _PAD * (len(marked.borders) * 8 - len(marked.normal))
            for marked in texts
        ]
        # Lone surrogates cannot be in a normal text; whatever can is one code of four bytes.
        laid = "".join((*padded, _PAD)).encode("utf-32-le", "surrogatepass")
        self.codes = np.frombuffer(laid, np.uint32)
        held = np.frombuffer(b"".join(marked.borders for marked in texts), np.uint8)
        self.borders = np.append(np.unpackbits(held).view(np.bool_), np.True_)
        self.segments = np.cumsum(self.borders, dtype=np.int32)
        lengths = np.fromiter(map(len, padded), np.int64, len(padded))
        self.rows = np.repeat(np.arange(len(padded)), lengths)


class _Tree:
    """Terms as a tree of characters; node 0 is nowhere, the root is not numbered."""

    def __init__(self, terms: Iterable[str]) -> None:
        ordered = sorted(terms)
        characters = sorted({character for term in ordered for character in term})
        number = {character: place for place, character in enumerate(characters, start=1)}
        self._width = len(number) + 1
        # The last entry stands for every character beyond.
        self._number = np.zeros(max(map(ord, characters), default=0) + 2, np.int64)
        self._number[[ord(character) for character in characters]] = list(number.values())
        # Where each term ends.
        self._ends: dict[str, int] = {}
        steps: list[dict[int, int]] = []
        nodes = 0
        for term in ordered:
            before = node = 0
            for depth, character in enumerate(term):
                if depth == len(steps):
                    steps.append({})
                key = before * self._width + number[character]
                node = steps[depth].get(key, 0)
                if not node:
                    nodes += 1
                    node = steps[depth][key] = nodes
                before = node if depth else number[character]
            self._ends[term] = node
        self._size = nodes + 1
        # By the characters' numbers alone: most places end here, so that a look must be cheap.
        self._first = np.zeros(self._width, np.int64)
        self._second = np.zeros(self._width * self._width, np.int64)
        steps += [{}] * (2 - len(steps))
        first, second, *self._steps = map(_arrays, steps)
        self._first[first[0]] = first[1]
        self._second[second[0]] = second[1]

    def columns(self, terms: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return for each node which of the terms ends there, -1 for none."""
        at = np.full(self._size, -1, np.int64)
        for column, term in enumerate(terms):
            if term:
                at[self._ends[term]] = column
        return at

    def walk(self, codes: npt.NDArray[np.uint32]) -> Iterator[_Reached]:
        """Yield, for growing lengths, where terms begin that long: places, ends and nodes."""
        numbers = self._number.take(codes, mode="clip")
        places = np.flatnonzero(numbers)
        first = numbers[places]
        yield from _reached(places, 1, self._first[first])
        sought = first * np.int64(self._width) + numbers[places + 1]
        nodes = self._second[sought]
        places, nodes = places[nodes > 0], nodes[nodes > 0]
        for length, (keys, following) in enumerate(self._steps, start=2):
            yield from _reached(places, length, nodes)
            sought = nodes * np.int64(self._width) + numbers[places + length]
            at = np.searchsorted(keys, sought)
            at[at == len(keys)] = 0
            there = keys[at] == sought
            places, nodes = places[there], following[at[there]]
        yield from _reached(places, len(self._steps) + 2, nodes)


def _arrays(step: Mapping[int, int]) -> tuple[_Places, _Places]:
    """Return the keys of a step of the tree in order, and to which node each leads."""
    keys = np.fromiter(sorted(step), np.int64, len(step))
    return keys, np.fromiter((step[key] for key in keys.tolist()), np.int64, len(step))


def _reached(places: _Places, length: int, nodes: _Places) -> Iterator[_Reached]:
    there = nodes > 0
    if there.any():
        places = places[there]
        yield places, places + length, nodes[there]


def _overlaps(piece: str) -> bool:
    """Tell whether a piece can begin again before it has ended, as 哈哈 in 哈哈哈."""
    return any(piece.startswith(piece[begun:]) for begun in range(1, len(piece)))


class _Counter:
    """Adds up how often columns stand in rows."""

    def __init__(self, rows: int, columns: int) -> None:
        self._shape = rows, columns
        self._found: list[npt.NDArray[np.int64]] = []

    def note(self, rows: _Places, columns: _Places) -> None:
        """Take in one occurrence for each row whose column is not -1."""
        there = columns >= 0
        self._found.append(rows[there] * self._shape[1] + columns[there])

    def counts(self) -> Counts:
        """Return the sums as a table."""
        size = self._shape[0] * self._shape[1]
        flat = np.concatenate(self._found) if self._found else np.zeros(0, np.int64)
        return np.bincount(flat, minlength=size).reshape(self._shape)
