"""Mark found words in the original text: escape first, then mark, overlaps merged."""

from __future__ import annotations

import html
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache

from search import text

PASSAGE_CHARACTERS = 120
_BREAKS = "。！？!?；;\n"
# Whatever may become another number of characters in the normal form; nearly nothing does.
_ODD = re.compile(
    r"[^\n -~\u3001\u3002\u300a-\u3011\u4e00-\u9fff\u2013\u2014\u2018\u2019\u201c\u201d]"
)

# What ``html.escape`` replaces.
_UNSAFE = re.compile("[&<>\"']")


class Marks:
    """What to mark, prepared once for a page of results."""

    def __init__(self, terms: Iterable[str]) -> None:
        normal = {text.norm(term): None for term in terms}
        # What is one run of Chinese is found as it stands; patterns are ten times as slow.
        self._plain = sorted(term for term in normal if text.is_han(term))
        patterns = {_pattern(term) for term in normal if not text.is_han(term)} - {""}
        self._patterns = [_compiled(pattern) for pattern in sorted(patterns)]

    def spans(self, original: str) -> list[tuple[int, int]]:
        """Return the stretches of the original text to mark, in order and without overlaps."""
        if not self._plain and not self._patterns:
            return []
        normal, origins = _aligned(original)
        found = [match.span() for pattern in self._patterns for match in pattern.finditer(normal)]
        for term in self._plain:
            place = normal.find(term)
            while place >= 0:
                found.append((place, place + len(term)))
                place = normal.find(term, place + len(term))
        merged: list[tuple[int, int]] = []
        for first, last in sorted(found):
            start, end = origins[first], origins[last - 1] + 1
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def mark(self, original: str) -> str:
        """Return the text as safe HTML with every found word in ``<mark>``."""
        return _marked(original, self.spans(original))

    def passage(self, original: str, *, length: int = PASSAGE_CHARACTERS) -> str:
        """Return the stretch that holds most marks, as safe HTML, with … where it is cut."""
        spans = self.spans(original)
        start = _best_start(original, spans, length)
        end = min(len(original), start + length)
        kept = [
            (max(first, start) - start, min(last, end) - start)
            for first, last in spans
            if first < end and last > start
        ]
        before = "…" if start > 0 else ""
        after = "…" if end < len(original) else ""
        return before + _marked(original[start:end], kept) + after


def _pattern(term: str) -> str:
    """Return a pattern for a term: blanks between its runs may vary, Latin words stay whole."""
    pieces = []
    for run in text.runs(text.norm(term)):
        escaped = re.escape(run)
        pieces.append(escaped if text.is_han(run) else rf"(?<![a-z0-9]){escaped}(?![a-z0-9])")
    return r"\W{0,3}".join(pieces)


@lru_cache(maxsize=2_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _aligned(original: str) -> tuple[str, Sequence[int]]:
    """Return the normal form and, for each of its characters, the place it came from."""
    narrow = text.narrowed_in_place(original)
    if text.is_plain(narrow) and len(lower := narrow.lower()) == len(original):
        return lower, range(len(original))
    pieces: list[str] = []
    origins: list[int] = []
    done = 0
    for match in _ODD.finditer(narrow):
        place = match.start()
        form = _normal_character(original[place])
        pieces += (narrow[done:place].lower(), form)
        origins.extend(range(done, place))
        origins.extend(itertools.repeat(place, len(form)))
        done = place + 1
    origins.extend(range(done, len(narrow)))
    return "".join((*pieces, narrow[done:].lower())), origins


@lru_cache(maxsize=20_000)
def _normal_character(character: str) -> str:
    return text.norm(character)


def _marked(original: str, spans: list[tuple[int, int]]) -> str:
    # Most texts hold nothing to be escaped, and one look tells.
    escaped = html.escape if _UNSAFE.search(original) else str
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        pieces += (
            escaped(original[position:start]),
            "<mark>",
            escaped(original[start:end]),
            "</mark>",
        )
        position = end
    pieces.append(escaped(original[position:]))
    return "".join(pieces)


def _best_start(original: str, spans: list[tuple[int, int]], length: int) -> int:
    """Return where the passage begins: at a sentence, near the densest marks."""
    if not spans or len(original) <= length:
        return 0
    best, most = 0, -1
    ends = [end for _, end in spans]
    sums = [0, *itertools.accumulate(end - start for start, end in spans)]
    for number, (start, _) in enumerate(spans):
        covered = sums[max(number, bisect_right(ends, start + length))] - sums[number]
        if covered > most:
            best, most = start, covered
    sentence = max(original.rfind(mark, 0, best) for mark in _BREAKS) + 1
    near = best - sentence <= length // 3
    best = sentence if near else max(0, best - length // 6)
    return min(best, max(0, len(original) - length // 2))
