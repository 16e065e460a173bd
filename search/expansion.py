"""The bridge from the asker's words to the expert's: visible terms that can be switched off."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from search import text

LEXICON = Path(__file__).with_name("lexicon")
# Where a term comes from: written by hand, learned from answers, or accepted by a person.
LEXICON_TERM = "lexicon"
LEARNED = "learned"
ACCEPTED = "accepted"
# A long text sets off many entries; the weightiest triggers say what it is about.
MOST_TERMS = 24


@dataclass(frozen=True)
class Term:
    """A professional term, the typed words that led to it, its industry, and where it comes from.

    ``because`` is empty where a person has written or accepted the term.
    """

    text: str
    because: str
    industry: str
    weight: float = 1.0
    source: str = LEXICON_TERM


@dataclass(frozen=True)
class Entry:
    """One line of the lexicon: any of the triggers leads to all the terms.

    A trigger is a group of word pieces that must all stand in one sentence.
    """

    triggers: tuple[tuple[str, ...], ...]
    terms: tuple[str, ...]
    industry: str


def expand(typed: str, *, without: Collection[str] = frozenset()) -> tuple[Term, ...]:
    """Return the professional terms for a text, the surest first.

    Terms in ``without`` and terms that the text itself holds are left out. The terms of one entry
    share its weight, so that an entry with many names does not outweigh the others.
    """
    normal = text.norm(typed)
    parts = [text.norm(sentence) for sentence in text.sentences(typed)]
    found: dict[str, Term] = {}
    for entry in _possible(normal):
        trigger = _set_off(entry, parts)
        if trigger is None:
            continue
        fresh = [term for term in entry.terms if term not in normal and term not in without]
        for term in fresh:
            weight = _sureness(trigger) / len(fresh) ** 0.5
            known = found.get(term)
            if known is None or known.weight < weight:
                found[term] = Term(term, " ".join(trigger), entry.industry, weight)
    return tuple(sorted(found.values(), key=lambda t: (-t.weight, t.text))[:MOST_TERMS])


@cache
def asking_words() -> frozenset[str]:
    """Return the words with which people ask, whatever they ask for."""
    return frozenset((LEXICON / "asking.words").read_text("utf-8").split())


def is_talk(clause: str) -> bool:
    """Tell whether a clause tells about the asker rather than about the problem."""
    return _talk().search(text.norm(clause)) is not None


@cache
def load(folder: Path = LEXICON) -> tuple[Entry, ...]:
    """Read the lexicon; a line that cannot be understood raises ``ValueError`` with its place."""
    entries: list[Entry] = []
    for path in sorted(folder.glob("*.txt")):
        industry = ""
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            stripped = line.strip()
            if stripped.startswith("#"):
                continue
            if stripped.startswith("[") and stripped.endswith("]"):
                industry = stripped[1:-1]
            elif stripped:
                entries.append(_entry(stripped, industry, f"{path.name}:{number}"))
    return tuple(entries)


@cache
def _by_key() -> dict[str, tuple[Entry, ...]]:
    """Return the entries by the two characters with which a trigger's longest piece begins."""
    keyed: dict[str, dict[Entry, None]] = {}
    for entry in load():
        for trigger in entry.triggers:
            keyed.setdefault(max(trigger, key=len)[:2], {})[entry] = None
    return {key: tuple(entries) for key, entries in keyed.items()}


def _possible(normal: str) -> Iterator[Entry]:
    """Yield the entries that a text may set off: few of thousands, in a stable order."""
    keys = {normal[place : place + width] for width in (1, 2) for place in range(len(normal))}
    keyed = _by_key()
    yield from dict.fromkeys(entry for key in sorted(keys) for entry in keyed.get(key, ()))


def _entry(line: str, industry: str, place: str) -> Entry:
    said, arrow, meant = line.partition("=>")
    triggers = tuple(
        tuple(text.norm(piece.strip()) for piece in trigger.split("+"))
        for trigger in said.split(",")
    )
    terms = tuple(dict.fromkeys(text.norm(term.strip()) for term in meant.split(",")))
    if not arrow or not industry or not all(terms) or not all(map(all, triggers)):
        raise ValueError(f"{place}: expected 'words, a+b => term, term' under an [industry]")
    return Entry(triggers, terms, industry)


def _set_off(entry: Entry, sentences: list[str]) -> tuple[str, ...] | None:
    """Return the longest trigger of the entry that stands in one of the sentences."""
    best: tuple[str, ...] | None = None
    for trigger in entry.triggers:
        if any(all(piece in sentence for piece in trigger) for sentence in sentences) and (
            best is None or _length(trigger) > _length(best)
        ):
            best = trigger
    return best


def _length(trigger: tuple[str, ...]) -> int:
    return sum(map(len, trigger))


def _sureness(trigger: tuple[str, ...]) -> float:
    """Return how sure a trigger is: long or combined ones say more than two characters do."""
    return min(1.0, 0.4 + 0.15 * _length(trigger))


@cache
def _talk() -> re.Pattern[str]:
    lines = (LEXICON / "talk.regex").read_text("utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
