"""What of a need's text counts: what it asks for and what is wrong, apart from talk around it.

The kinds of clauses are told apart by patterns that stand as data beside the lexicon.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from search import expansion, text

_CLAUSES = re.compile(rf"[^{text.CLAUSE_MARKS}]+")


class Kind(StrEnum):
    """What a clause does: ask, tell of the problem, or tell about the asker and the deal."""

    ASK = "ask"
    PROBLEM = "problem"
    TALK = "talk"


@dataclass(frozen=True)
class Stretch:
    """A clause by its place in the original text, ``written[start:end]``, and its kind."""

    start: int
    end: int
    kind: Kind


def stretches(written: str) -> tuple[Stretch, ...]:
    """Return every clause of a text in order, without the marks between them."""
    found: list[Stretch] = []
    for match in _CLAUSES.finditer(written):
        clause = match[0].strip()
        if text.says_something(clause):
            start = match.start() + match[0].index(clause)
            found.append(Stretch(start, start + len(clause), kind_of(clause)))
    return tuple(found)


def kind_of(clause: str) -> Kind:
    """Tell what a clause does."""
    if expansion.is_asking(clause):
        return Kind.ASK
    return Kind.TALK if expansion.is_talk(clause) else Kind.PROBLEM
