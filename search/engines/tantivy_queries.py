"""The neutral request as tantivy queries."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from tantivy import FieldType, Occur, Order, Query

from search.engine import MATURITY, PRICE, RELEVANCE, UPDATED, Ask, Unit
from search.engines.tantivy_documents import SCHEMA
from search.errors import AskRejected
from search.schema import Filters, Range, Scope

# In how many documents a term of a field stands.
Frequency = Callable[[str, str], int]

# So many common units are at most looked up instead of gone through; with more of them the ways in
# which they can stand together become too many.
_MOST_LOOKED_UP = 3

_ORDERS: dict[str, dict[str, Any]] = {
    RELEVANCE: {"weight_by_field": "rank"},
    UPDATED: {"order_by_field": "updated_at", "order": Order.Desc},
    PRICE: {"order_by_field": "price_order", "order": Order.Asc},
    MATURITY: {"order_by_field": "maturity", "order": Order.Desc},
}


def order(sort: str) -> dict[str, Any]:
    """Return the search arguments that sort so."""
    if sort not in _ORDERS:
        raise AskRejected(sort, "no such order")
    return _ORDERS[sort]


def scored(ask: Ask, frequency: Frequency) -> Query:
    """Build the query that admits what was asked for and scores it."""
    scoring = [
        (Occur.Should, _weighted(_term("w", word, "freq"), weight))
        for word, weight in ask.words.items()
    ]
    scoring += [
        (Occur.Should, _weighted(_term("g", gram, "freq"), weight))
        for gram, weight in ask.grams.items()
    ]
    scoring += [
        (Occur.Should, _weighted(_all("g", expansion.cover), expansion.weight))
        for expansion in ask.expansions
        if expansion.cover
    ]
    if not scoring:
        return admitted(ask, frequency)
    if not ask.units and not ask.phrases:
        # Nothing is demanded: whatever scores is admitted, and nothing else.
        clauses = [(Occur.Must, Query.boolean_query(scoring))]
        return Query.boolean_query(clauses + _limits(ask))
    return Query.boolean_query([*_limits(ask), *_demands(ask, frequency), *scoring])


def admitted(ask: Ask, frequency: Frequency) -> Query:
    """Build the query that admits what was asked for, without scoring."""
    clauses = _limits(ask) + _demands(ask, frequency)
    if not ask.units and not ask.phrases and (ask.words or ask.grams or ask.expansions):
        terms = [(Occur.Should, _term("w", word)) for word in ask.words]
        terms += [(Occur.Should, _term("g", gram)) for gram in ask.grams]
        terms += [(Occur.Should, _all("g", e.cover)) for e in ask.expansions if e.cover]
        clauses.append((Occur.Must, Query.boolean_query(terms)))
    return Query.boolean_query(clauses)


def within(scope: Scope) -> Query:
    """Build the query that admits every document in the scope."""
    return Query.boolean_query(_scope(scope))


def by_ids(ids: Iterable[str], scope: Scope) -> Query:
    """Build the query for the named documents within the scope."""
    named = (Occur.Must, Query.term_set_query(SCHEMA, "id", sorted(set(ids))))
    return Query.boolean_query([named, *_scope(scope)])


def facet_groups(ask: Ask, names: Sequence[str]) -> list[tuple[list[str], Ask]]:
    """Group the facets that share a query: those without a filter of their own share one."""
    free = [name for name in names if not ask.filters.values.get(name)]
    groups = [(free, ask)] if free else []
    for name in names:
        if name not in free:
            groups.append(([name], replace(ask, filters=ask.filters.without(name))))
    return groups


def browsed(ask: Ask, names: Sequence[str]) -> Hashable:
    """Return what a question without words asks for, as a key; nothing where words narrow it."""
    if ask.units or ask.phrases or ask.excluded or ask.words or ask.grams or ask.expansions:
        return None
    chosen = frozenset(ask.filters.values.items()), frozenset(ask.filters.ranges.items())
    return tuple(names), ask.scope, *chosen


def _limits(ask: Ask) -> list[tuple[Occur, Query]]:
    clauses = _scope(ask.scope) + _filters(ask.filters)
    clauses += [(Occur.MustNot, _phrase(phrase)) for phrase in ask.excluded if phrase]
    return clauses


def _demands(ask: Ask, frequency: Frequency) -> list[tuple[Occur, Query]]:
    clauses = [(Occur.Must, _silent(_phrase(phrase))) for phrase in ask.phrases if phrase]
    if ask.units and ask.minimum > 0:
        demanded = _some(ask.units, min(ask.minimum, len(ask.units)), frequency)
        clauses.append((Occur.Must, _silent(demanded)))
    return clauses


def _some(units: Sequence[Unit], minimum: int, frequency: Frequency) -> Query:
    """Build the query for documents that hold at least ``minimum`` of the units.

    tantivy counts what a document holds by going through all lists to their ends. So the most
    common units are not counted with the others but looked up, where enough others stand: at
    least m of n is at least m of the rare ones, or m - 1 of them and one of the common ones, and
    so on.
    """
    sizes = {unit: _most_documents(unit, frequency) for unit in units}
    ordered = sorted(units, key=sizes.__getitem__)
    looked_up = 0
    if 1 < minimum < len(units):
        most = min(_MOST_LOOKED_UP, minimum - 1)
        in_order = [sizes[unit] for unit in ordered]
        looked_up = min(range(most + 1), key=lambda last: _cost(in_order, minimum, last))
    rare = [_unit(unit) for unit in ordered[: len(ordered) - looked_up]]
    common = [_unit(unit) for unit in ordered[len(rare) :]]
    ways = []
    for held in range(looked_up + 1):
        if minimum - held <= len(rare):
            together = [_every(chosen) for chosen in itertools.combinations(common, held)]
            counted = _at_least(minimum - held, rare)
            ways.append(_every((counted, _any(together))) if held else counted)
    return _any(ways)


def _cost(sizes: Sequence[int], minimum: int, looked_up: int) -> int:
    """Estimate how many entries of lists are gone through where so many units are looked up.

    Demanding all of the rare ones costs next to nothing, and looking up as much as going through.
    """
    rare = len(sizes) - looked_up
    through = sum(sizes[:rare])
    counted = [held for held in range(looked_up + 1) if minimum - held < rare]
    return sum(through * (2 if held else 1) for held in counted)


def _most_documents(unit: Unit, frequency: Frequency) -> int:
    """Return in how many documents a unit stands at most: as many as the rarest gram of a cover."""
    return sum(min(frequency("g", gram) for gram in cover) for cover in unit.covers if cover)


def _scope(scope: Scope) -> list[tuple[Occur, Query]]:
    clauses = [
        (Occur.Must, _one_of("kind", scope.kinds)),
        (Occur.Must, _one_of("visibility", scope.visibilities)),
    ]
    if scope.states:
        clauses.append((Occur.Must, _one_of("state", scope.states)))
    if scope.without_owner:
        clauses.append((Occur.MustNot, _term("owner_id", scope.without_owner)))
    if scope.without_ids:
        without = Query.term_set_query(SCHEMA, "id", sorted(scope.without_ids))
        clauses.append((Occur.MustNot, without))
    return clauses


def _filters(filters: Filters) -> list[tuple[Occur, Query]]:
    clauses = [
        (Occur.Must, _one_of(name, chosen)) for name, chosen in filters.values.items() if chosen
    ]
    clauses += [(Occur.Must, _between(name, bounds)) for name, bounds in filters.ranges.items()]
    return clauses


def _between(name: str, bounds: Range) -> Query:
    # -1 stands for "unknown", so the least real value is 0.
    low = max(bounds.low or 0, 0)
    known = Query.range_query(SCHEMA, name, FieldType.Integer, low, bounds.high)
    if not bounds.absent:
        return _silent(known)
    unknown = Query.range_query(SCHEMA, name, FieldType.Integer, -1, -1)
    return _silent(Query.boolean_query([(Occur.Should, known), (Occur.Should, unknown)]))


def _one_of(name: str, values: Iterable[str]) -> Query:
    # Not a set of terms: that is read whole before anything else, posting lists can be skipped.
    return _silent(_any([_term(name, value) for value in sorted(values)]))


# A page asks several times for the same units and terms; queries are never changed.
@lru_cache(maxsize=512)
def _unit(unit: Unit) -> Query:
    return _any([_all("g", cover) for cover in unit.covers if cover])


def _any(queries: Sequence[Query]) -> Query:
    return _at_least(1, queries)


def _at_least(minimum: int, queries: Sequence[Query]) -> Query:
    if len(queries) == 1:
        return queries[0]
    return Query.boolean_query([(Occur.Should, query) for query in queries], minimum)


def _every(queries: Sequence[Query]) -> Query:
    if len(queries) == 1:
        return queries[0]
    return Query.boolean_query([(Occur.Must, query) for query in queries])


@lru_cache(maxsize=1024)
def _all(name: str, terms: tuple[str, ...]) -> Query:
    return _every([_term(name, term, "freq") for term in terms])


def _phrase(phrase: Sequence[str]) -> Query:
    if len(phrase) == 1:
        return _term("u", phrase[0])
    return Query.phrase_query(SCHEMA, "u", list(phrase))


def _term(name: str, value: str, option: str = "basic") -> Query:
    return Query.term_query(SCHEMA, name, value, option)


def _weighted(query: Query, weight: float) -> Query:
    return query if weight == 1.0 else Query.boost_query(query, weight)


def _silent(query: Query) -> Query:
    return Query.const_score_query(query, 0.0)
