"""The bridge the other way: from the inventor's terms to the words in which buyers complain.

An achievement that seeks needs holds professional terms; the lexicon's entries that name these
terms say how people speak of the trouble. Both whole triggers and their pieces are looked for.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

from search import expansion, text
from search.engine import TOGETHER
from search.expansion import Term


def everyday(written: str) -> tuple[Term, ...]:
    """Return the everyday words for a text in professional terms, the surest first.

    A trigger of several pieces comes as one term, its pieces joined by ``TOGETHER``. An entry
    weighs what its terms in the text weigh, and a term of many entries says little for each. The
    words of one entry share its weight. Words that the text itself holds are left out.
    """
    settings = expansion.load_settings()
    normal = text.norm(written)
    entries = expansion.load()
    found: dict[str, Term] = {}
    nearest = _named(normal)[: settings.offer_entries]
    for number, weight, named in nearest:
        entry = entries[number]
        said = Counter(
            phrase
            for trigger in entry.triggers
            for phrase in (TOGETHER.join(trigger), *trigger)
            if len(phrase) > 1
        )
        share = weight / nearest[0][1] / len(said) ** 0.5
        for phrase, times in said.items():
            if phrase not in normal:
                known = found.get(phrase)
                value = share * times**0.5 + (known.weight if known else 0.0)
                found[phrase] = Term(phrase, named, entry.industry, value)
    surest = sorted(found.values(), key=lambda term: (-term.weight, term.text))
    return tuple(surest[: settings.offer_most_words])


def _named(normal: str) -> list[tuple[int, float, str]]:
    """Return the entries whose terms a normal text holds: number, weight, the terms; best first."""
    weights: dict[int, float] = {}
    named: dict[int, list[str]] = {}
    for term, numbers in _held(normal).items():
        for number in numbers:
            sureness = expansion.sureness((term,)) * len(numbers) ** -0.5
            weights[number] = weights.get(number, 0.0) + sureness
            named.setdefault(number, []).append(term)
    ordered = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(number, weight, " ".join(named[number])) for number, weight in ordered]


def _held(normal: str) -> dict[str, tuple[int, ...]]:
    """Return the lexicon's terms that stand in a normal text, with the entries that name them."""
    keyed = _by_beginning()
    return {
        term: numbers
        for place in range(len(normal) - 1)
        for term, numbers in keyed.get(normal[place : place + 2], ())
        if normal.startswith(term, place)
    }


@cache
def _by_beginning() -> dict[str, tuple[tuple[str, tuple[int, ...]], ...]]:
    """Return the terms with their entries' numbers, by the first two characters."""
    entries_of: dict[str, list[int]] = {}
    for number, entry in enumerate(expansion.load()):
        for term in entry.terms:
            entries_of.setdefault(term, []).append(number)
    keyed: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for term, numbers in entries_of.items():
        keyed.setdefault(term[:2], []).append((term, tuple(numbers)))
    return {beginning: tuple(terms) for beginning, terms in keyed.items()}
