"""The neutral request as Meilisearch filters: what is admitted, without any order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

from search import text
from search.engine import Ask, Unit
from search.engines.meilisearch_documents import encode, pair
from search.schema import Filters, Range, Scope

# What no document passes.
NOTHING = "id IN []"
# Conditions written in one filter; the server reads each of them from its disk.
_COSTLY = 400


def admitted(ask: Ask) -> str:
    """Return the filter for what was asked for; long phrases pass by their pairs alone."""
    clauses = [limits(ask)]
    clauses += [phrase(needle) for needle in ask.phrases if needle]
    if ask.units and ask.minimum > 0:
        units = [_unit(unit) for unit in ask.units]
        clauses.append(at_least(min(ask.minimum, len(units)), units))
    if not ask.units and not ask.phrases and (ask.words or ask.grams or ask.expansions):
        clauses.append(_any_term(ask))
    return both(*clauses)


def limits(ask: Ask) -> str:
    """Return the filter for who asks and what they chose, whatever the words."""
    clauses = [within(ask.scope), *_chosen(ask.filters)]
    clauses += [f"NOT {phrase(needle)}" for needle in ask.excluded if 0 < len(needle) < 3]
    return both(*clauses)


def within(scope: Scope) -> str:
    """Return the filter for every document in the scope."""
    clauses = [one_of("kind", scope.kinds), one_of("visibility", scope.visibilities)]
    if scope.states:
        clauses.append(one_of("state", scope.states))
    if scope.without_owner:
        clauses.append(f"NOT {one_of('owner_id', [scope.without_owner])}")
    if scope.without_ids:
        clauses.append(f"NOT {one_of('id', scope.without_ids)}")
    return both(*clauses)


def one_of(name: str, values: Iterable[str]) -> str:
    """Return the filter for documents with one of the values; of no values there is none."""
    return _listed(name, map(encode, sorted(values)))


def identified(encoded: Iterable[str]) -> str:
    """Return the filter for the documents with one of the ids, which are encoded already."""
    return _listed("id", encoded)


def _listed(name: str, encoded: Iterable[str]) -> str:
    values = ", ".join(f'"{value}"' for value in encoded)
    return f"{name} IN [{values}]"


def all_of(name: str, values: Iterable[str]) -> str:
    """Return the filter for documents with all of the values."""
    return both(*(f'{name} = "{encode(value)}"' for value in values))


def both(*clauses: str) -> str:
    """Return the filter for what passes every clause."""
    return f"({' AND '.join(clauses)})"


def either(clauses: Sequence[str]) -> str:
    """Return the filter for what passes one of the clauses."""
    return f"({' OR '.join(clauses)})" if clauses else NOTHING


def at_least(minimum: int, clauses: Sequence[str]) -> str:
    """Return the filter for what passes at least so many of the clauses.

    Written out for every choice of clauses this would have no end. Halved again and again, it
    stays at some thousands of conditions for as many words as a query may hold.
    """
    if minimum == 1:
        return either(clauses)
    if minimum == len(clauses):
        return both(*clauses)
    middle = len(clauses) // 2
    left, right = clauses[:middle], clauses[middle:]
    ways = []
    for share in range(max(0, minimum - len(right)), min(len(left), minimum) + 1):
        sides = [
            at_least(count, side)
            for count, side in ((share, left), (minimum - share, right))
            if count
        ]
        ways.append(both(*sides))
    return either(ways)


def phrase(needle: Sequence[str]) -> str:
    """Return the filter for documents with all neighbours of a phrase.

    Up to two units this is the phrase itself; of a longer one the pairs may stand apart.
    """
    if len(needle) == 1:
        return both(f'g = "{encode(needle[0])}"')
    return both(*(_pair(first, second) for first, second in itertools.pairwise(needle)))


def costly(clause: str) -> bool:
    """Tell whether a filter is too long to be asked many times over."""
    return clause.count(' = "') > _COSTLY


def facet_groups(ask: Ask, names: Sequence[str]) -> list[tuple[list[str], Ask]]:
    """Group the facets that share a question: those without a filter of their own share one."""
    free = [name for name in names if not ask.filters.values.get(name)]
    groups = [(free, ask)] if free else []
    for name in names:
        if name not in free:
            groups.append(([name], replace(ask, filters=ask.filters.without(name))))
    return groups


def _unit(unit: Unit) -> str:
    return either([all_of("g", cover) for cover in unit.covers if cover])


def _any_term(ask: Ask) -> str:
    clauses = []
    if ask.words:
        clauses.append(one_of("w", ask.words))
    if ask.grams:
        clauses.append(one_of("g", ask.grams))
    clauses += [all_of("g", expansion.cover) for expansion in ask.expansions if expansion.cover]
    return either(clauses)


def _pair(first: str, second: str) -> str:
    across = f'across = "{pair(first, second)}"'
    if text.is_han(first) and text.is_han(second):
        return either([f'g = "{encode(first + second)}"', across])
    return across


def _chosen(filters: Filters) -> list[str]:
    clauses = [one_of(name, chosen) for name, chosen in filters.values.items() if chosen]
    clauses += [_between(name, bounds) for name, bounds in filters.ranges.items()]
    return clauses


def _between(name: str, bounds: Range) -> str:
    known = [f"{name} >= {max(bounds.low or 0, 0)}"]
    if bounds.high is not None:
        known.append(f"{name} <= {bounds.high}")
    clauses = [both(*known)]
    if bounds.absent:
        clauses.append(f"{name} NOT EXISTS")
    return either(clauses)
