"""What a correction of a document's data changes, and what it would change in amounts. Pure.

A correction never changes what was decided before it was known; it is shown beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.reference_messages import place_text
from marketplace.foundation.words import Word
from marketplace.subsidies.parameters import Policy
from marketplace.subsidies.wording_rules import rate_text, short_yuan

# The edition's own data: it differs by nature and changes nothing.
_ABOUT_THE_EDITION = frozenset({"known_from", "correction", "confirmed_on"})
_AMOUNTS = frozenset({"cap", "threshold", "amount", "each"})


@dataclass(frozen=True)
class Change:
    """One figure or word that a correction changed; empty where there was or is none."""

    place: str
    before: str
    after: str


@dataclass(frozen=True)
class Correction:
    """A later edition of a document: since when it is known, what it says, what it changes."""

    known_from: date
    text: str
    changes: tuple[Change, ...]


def corrections(editions: Sequence[Policy], *, after: date | None = None) -> tuple[Correction, ...]:
    """List the corrections of one document, first first; with ``after`` those known later."""
    return tuple(
        Correction(later.known_since, later.correction, changes_between(earlier, later))
        for earlier, later in pairwise(editions)
        if after is None or later.known_since > after
    )


def changes_between(before: Policy, after: Policy) -> tuple[Change, ...]:
    """List every place in which two editions of a document differ."""
    old, new = dict(_leaves(before.model_dump(), ())), dict(_leaves(after.model_dump(), ()))
    return tuple(
        Change(place_text(place), old.get(place, ""), new.get(place, ""))
        for place in dict.fromkeys([*old, *new])
        if old.get(place) != new.get(place) and place[0] not in _ABOUT_THE_EDITION
    )


def notes(
    editions: Sequence[Policy], *, decided_on: date, decided: Fen, recomputed: Fen
) -> tuple[str, ...]:
    """Say what was corrected in a document after a decision rested on it; empty where nothing."""
    later = corrections(editions, after=decided_on)
    if not later:
        return ()
    told = [
        f"{made.known_from.isoformat()} 更正：{made.text}（"
        + "；".join(f"{c.place} {c.before or '没有'} → {c.after or '没有'}" for c in made.changes)
        + "）。"
        for made in later
    ]
    return (
        f"这份申报按 {decided_on.isoformat()} 已知的条文计算，此后条文数据有更正。",
        *told,
        f"{difference_text(decided, recomputed)}。",
    )


def difference_text(decided: Fen, recomputed: Fen) -> str:
    """Say what a correction would make of a decided amount, which stays as it is."""
    gap = recomputed - decided
    if gap == 0:
        return f"按更正后的条文重算仍是 {format_yuan(decided)} 元"
    more = "多" if gap > 0 else "少"
    return (
        f"按更正后的条文重算是 {format_yuan(recomputed)} 元，比已决定的 {format_yuan(decided)} 元"
        f"{more} {format_yuan(Fen(abs(gap)))} 元；已决定的金额不因更正而变"
    )


def _leaves(
    value: Any, place: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*place, number))
    elif value is not None:
        yield place, _shown(value, place[-1])


def _shown(value: Any, key: str | int) -> str:
    if isinstance(value, frozenset):
        return "、".join(word.label for word in sorted(value, key=str))
    if isinstance(value, Word):
        return value.label
    if isinstance(value, bool):
        return "是" if value else "否"
    if key == "rate" or key == "share":
        return rate_text(Fraction(value))
    return short_yuan(Fen(value)) if key in _AMOUNTS else str(value)
