"""Mark found words in the original text: escape first, then mark, overlaps merged."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from search import text

PASSAGE_CHARACTERS = 120
_BREAKS = "。！？!?；;\n"


class Marks:
    """What to mark, prepared once for a page of results."""

    def __init__(self, terms: Iterable[str]) -> None:
        patterns = sorted({_pattern(term) for term in terms} - {""})
        self._patterns = [re.compile(pattern) for pattern in patterns]

    def spans(self, original: str) -> list[tuple[int, int]]:
        """Return the stretches of the original text to mark, in order and without overlaps."""
        if not self._patterns:
            return []
        normal, origins = _aligned(original)
        single = sorted(
            (origins[match.start()], origins[match.end() - 1] + 1)
            for pattern in self._patterns
            for match in pattern.finditer(normal)
        )
        merged: list[tuple[int, int]] = []
        for start, end in single:
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


def _aligned(original: str) -> tuple[str, Sequence[int]]:
    """Return the normal form and, for each of its characters, the place it came from."""
    if text.is_plain(original) and len(lower := original.lower()) == len(original):
        return lower, range(len(original))
    forms = [_normal_character(character) for character in original]
    normal = "".join(forms)
    if set(map(len, forms)) == {1}:
        return normal, range(len(original))
    return normal, [place for place, form in enumerate(forms) for _ in form]


@lru_cache(maxsize=20_000)
def _normal_character(character: str) -> str:
    return text.norm(character)


def _marked(original: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        pieces.append(html.escape(original[position:start]))
        pieces.append(f"<mark>{html.escape(original[start:end])}</mark>")
        position = end
    pieces.append(html.escape(original[position:]))
    return "".join(pieces)


def _best_start(original: str, spans: list[tuple[int, int]], length: int) -> int:
    """Return where the passage begins: at a sentence, near the densest marks."""
    if not spans or len(original) <= length:
        return 0
    best, most = 0, -1
    for start, _ in spans:
        covered = sum(e - s for s, e in spans if s >= start and e <= start + length)
        if covered > most:
            best, most = start, covered
    sentence = max(original.rfind(mark, 0, best) for mark in _BREAKS) + 1
    near = best - sentence <= length // 3
    best = sentence if near else max(0, best - length // 6)
    return min(best, max(0, len(original) - length // 2))
