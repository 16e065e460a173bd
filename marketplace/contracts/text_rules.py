"""A contract's text as a value: its clauses, and how much of it another text repeats.

Pure. Likeness is the share of common character sequences (shingles), so that a changed name or
amount changes it a little and a reordered or rewritten text a lot.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARACTERS = 400_000
SHINGLE = 8
MARK_COUNT = 24
_LONGEST_CLAUSE = 240
_WHOLE_LINE = 28


@dataclass(frozen=True)
class ReadText:
    """What could be read of a file; ``problem`` says why there is nothing."""

    body: str
    problem: str = ""


@dataclass(frozen=True)
class Clause:
    """A stretch of a contract that says one thing: its number, as written, and its words."""

    number: str
    words: str


_HEADING = re.compile(
    r"^\s*(第[一二三四五六七八九十百零〇\d]+[条章节款]|[一二三四五六七八九十]{1,3}[、.．]|"
    r"[（(][一二三四五六七八九十\d]{1,3}[）)]|\d{1,2}(?:\.\d{1,2}){0,2}[、.．\s])"
)
_SENTENCE = re.compile(r"[^。；;！!？?]+[。；;！!？?]?")


def clauses(body: str) -> list[Clause]:
    """Cut a text into clauses: sentences, each under the number of the article it stands in.

    A line that a page broke is joined again; what is longer than a paragraph is cut.
    """
    found: list[Clause] = []
    number, waiting = "", ""
    for line in body.splitlines():
        text = line.strip()
        if not text:
            continue
        heading = _HEADING.match(text)
        if heading:
            found.extend(_sentences(number, waiting))
            number, waiting = heading[1].strip(" .、"), text[heading.end() :]
        elif not number and len(waiting) < _WHOLE_LINE:
            # Before the first article each short line says its own: title, parties, dates.
            found.extend(_sentences(number, waiting))
            waiting = text
        else:
            waiting += text
    found.extend(_sentences(number, waiting))
    return found


def _sentences(number: str, text: str) -> Iterator[Clause]:
    for sentence in _SENTENCE.findall(text):
        words = sentence.strip()
        for start in range(0, len(words), _LONGEST_CLAUSE):
            yield Clause(number, words[start : start + _LONGEST_CLAUSE])


def _letters(body: str) -> str:
    """Return what of a text carries meaning: no spaces, no punctuation, one width and case."""
    plain = unicodedata.normalize("NFKC", body).lower()
    return "".join(c for c in plain if c.isalnum())


def shingles(body: str) -> frozenset[int]:
    """Return the hashes of all sequences of eight letters in a text."""
    letters = _letters(body).encode("utf-32-le")
    width, step = SHINGLE * 4, 4
    return frozenset(
        zlib.crc32(letters[start : start + width])
        for start in range(0, len(letters) - width + 1, step)
    )


def marks(body: str) -> tuple[int, ...]:
    """Return the smallest shingle hashes: two like texts share many, so they find each other."""
    return tuple(sorted(shingles(body))[:MARK_COUNT])


def likeness_per_mille(one: frozenset[int], other: frozenset[int]) -> int:
    """Return the share of common shingles among all of both texts, in per mille, rounded down."""
    union = len(one | other)
    return len(one & other) * 1000 // union if union else 0


def differing(body: str, other: str, *, limit: int = 3) -> list[str]:
    """Return the first clauses of a text that the other one does not hold, word for word."""
    known = {_letters(clause.words) for clause in clauses(other)}
    return [clause.words for clause in clauses(body) if _letters(clause.words) not in known][:limit]
