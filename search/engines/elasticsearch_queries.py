"""The neutral request for Elasticsearch; text goes in as values, never as syntax."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from search import text
from search.engine import MATURITY, PRICE, RELEVANCE, UPDATED, Ask, Unit
from search.engines.elasticsearch_documents import joined, token
from search.errors import AskRejected
from search.schema import FACETS, Filters, Range, Scope

Query = dict[str, Any]

# Ends every order, so that equal hits keep their places from page to page.
_BY_ID = {"id": "asc"}
_ORDERS: dict[str, list[Query]] = {
    RELEVANCE: [{"_score": "desc"}, _BY_ID],
    UPDATED: [{"updated_at": {"order": "desc", "missing": "_last"}}, _BY_ID],
    PRICE: [{"price": {"order": "asc", "missing": "_last"}}, _BY_ID],
    MATURITY: [{"maturity": {"order": "desc", "missing": "_last"}}, _BY_ID],
}

# The least number of clauses that any Elasticsearch 8 allows is 1,024, whatever its memory.
_MOST_CLAUSES = 1000
_FEWEST_SCORED = 100
_MOST_VALUES = 500
_LARGEST = 2**63 - 1
# Lucene's pattern language; letters, digits and everything not in ASCII stand for themselves.
_SYNTAX = re.compile(r"([\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f])")
_LONGEST_PREFIX = 200


def order(sort: str) -> list[Query]:
    """Return the sorting."""
    if sort not in _ORDERS:
        raise AskRejected(sort, "no such order")
    return _ORDERS[sort]


def scored(ask: Ask) -> Query:
    """Build the query that admits what was asked for and scores it by BM25 alone."""
    scoring, whole = _scoring(ask)
    if not scoring:
        return admitted(ask)
    demanded = bool(ask.units or ask.phrases)
    limits = _limits(ask)
    if demanded:
        limits["filter"] += _demands(ask)
    elif not whole:
        limits["filter"].append(_anything(ask))
    least = 1 if whole and not demanded else 0
    return {"bool": {**limits, "should": scoring, "minimum_should_match": least}}


def ranked(ask: Ask) -> Query:
    """Build the query whose score is multiplied by each document's rank."""
    factor = {"field": "rank", "missing": 1.0}
    return {
        "function_score": {
            "query": scored(ask),
            "field_value_factor": factor,
            "boost_mode": "multiply",
        }
    }


def admitted(ask: Ask) -> Query:
    """Build the query that admits what was asked for, without scoring."""
    limits = _limits(ask)
    limits["filter"] += _demands(ask)
    if not ask.units and not ask.phrases and (ask.words or ask.grams or ask.expansions):
        limits["filter"].append(_anything(ask))
    return {"bool": limits}


def within(scope: Scope, *also: Query) -> Query:
    """Build the query that admits every document in the scope, under further conditions."""
    admits, excludes = _scope(scope)
    return {"bool": {"filter": [*admits, *also], "must_not": excludes}}


def by_ids(ids: Iterable[str], scope: Scope) -> Query:
    """Build the query for the named documents within the scope."""
    return within(scope, {"terms": {"id": sorted(set(ids))}})


def facets(ask: Ask, names: Sequence[str]) -> tuple[Query, dict[str, Query]]:
    """Return one query and its aggregations: every facet counted without its own filter."""
    for name in names:
        if name not in FACETS:
            raise AskRejected(name, "no such facet")
    chosen = {name: values for name in names if (values := ask.filters.values.get(name))}
    others = {key: values for key, values in ask.filters.values.items() if key not in chosen}
    aggregations = {
        name: {
            "filter": {"bool": {"filter": [_one_of(n, v) for n, v in chosen.items() if n != name]}},
            "aggs": {"values": {"terms": {"field": name, "size": _MOST_VALUES}}},
        }
        for name in names
    }
    return admitted(replace(ask, filters=Filters(others, ask.filters.ranges))), aggregations


def beginning(kind: str, prefix: str, scope: Scope, limit: int) -> tuple[Query, Query]:
    """Return query and aggregation for the entries of a vocabulary that begin so."""
    prefix = prefix[:_LONGEST_PREFIX]
    counted = {
        "field": kind,
        "include": _SYNTAX.sub(r"\\\1", prefix) + ".*",
        "size": limit,
        # Few documents are left by the prefix: going through theirs is quicker than numbering
        # all entries of the index anew after each commit.
        "execution_hint": "map",
    }
    return within(scope, {"prefix": {kind: {"value": prefix}}}), {"terms": counted}


def _scoring(ask: Ask) -> tuple[list[Query], bool]:
    """Return the scoring clauses, and whether they are all.

    Of a very long text the longest terms are kept: they are the rarer ones, and the shared
    scorer counts the others for every candidate.
    """
    terms = [("w", word, weight) for word, weight in ask.words.items()]
    terms += [("g", gram, weight) for gram, weight in ask.grams.items()]
    expansions = [expansion for expansion in ask.expansions if expansion.cover]
    taken = sum(len(phrase) for phrase in (*ask.phrases, *ask.excluded))
    taken += sum(len(cover) for unit in ask.units for cover in unit.covers)
    taken += sum(len(expansion.cover) for expansion in expansions)
    room = max(_FEWEST_SCORED, _MOST_CLAUSES - taken)
    kept = terms if len(terms) <= room else sorted(terms, key=lambda t: -len(t[1]))[:room]
    clauses: list[Query] = [
        {"term": {f: {"value": token(t), "boost": weight}}} for f, t, weight in kept
    ]
    clauses += [
        {"bool": {"must": _terms("g", expansion.cover), "boost": expansion.weight}}
        for expansion in expansions
    ]
    return clauses, len(kept) == len(terms)


def _anything(ask: Ask) -> Query:
    """Admit documents with any of the terms; lists of values do not count as clauses."""
    either: list[Query] = [
        {"terms": {name: [token(term) for term in terms]}}
        for name, terms in (("w", ask.words), ("g", ask.grams))
        if terms
    ]
    either += [_all(expansion.cover) for expansion in ask.expansions if expansion.cover]
    return _either(either)


def _limits(ask: Ask) -> dict[str, list[Query]]:
    admits, excludes = _scope(ask.scope)
    return {
        "filter": admits + _filters(ask.filters),
        "must_not": excludes + [_phrase(phrase) for phrase in ask.excluded if phrase],
    }


def _demands(ask: Ask) -> list[Query]:
    clauses = [_phrase(phrase) for phrase in ask.phrases if phrase]
    if ask.units and ask.minimum > 0:
        units = [_unit(unit) for unit in ask.units]
        least = min(ask.minimum, len(units))
        clauses.append({"bool": {"should": units, "minimum_should_match": least}})
    return clauses


def _scope(scope: Scope) -> tuple[list[Query], list[Query]]:
    admits = [_one_of("kind", scope.kinds), _one_of("visibility", scope.visibilities)]
    excludes: list[Query] = []
    if scope.states:
        admits.append(_one_of("state", scope.states))
    if scope.without_owner:
        excludes.append({"term": {"owner_id": scope.without_owner}})
    if scope.without_ids:
        excludes.append({"terms": {"id": sorted(scope.without_ids)}})
    return admits, excludes


def _filters(filters: Filters) -> list[Query]:
    clauses = [_one_of(name, chosen) for name, chosen in filters.values.items() if chosen]
    clauses += [_between(name, bounds) for name, bounds in filters.ranges.items()]
    return clauses


def _between(name: str, bounds: Range) -> Query:
    limits = {"gte": bounds.low, "lte": bounds.high}
    given = {
        key: max(-_LARGEST, min(value, _LARGEST))
        for key, value in limits.items()
        if value is not None
    }
    known: Query = {"range": {name: given}} if given else {"exists": {"field": name}}
    if not bounds.absent:
        return known
    return _either([known, {"bool": {"must_not": [{"exists": {"field": name}}]}}])


def _one_of(name: str, values: Iterable[str]) -> Query:
    return {"terms": {name: sorted(values)}}


def _unit(unit: Unit) -> Query:
    return _either([_all(cover) for cover in unit.covers if cover])


def _all(grams: Sequence[str]) -> Query:
    return {"bool": {"filter": _terms("g", grams)}}


def _either(clauses: list[Query]) -> Query:
    if not clauses:
        return {"match_none": {}}
    if len(clauses) == 1:
        return clauses[0]
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _terms(name: str, terms: Iterable[str]) -> list[Query]:
    return [{"term": {name: token(term)}} for term in terms]


def _phrase(phrase: Sequence[str]) -> Query:
    if len(phrase) == 1:
        return {"term": {"u": token(phrase[0])}}
    return {"match_phrase": {"u": joined(phrase)}}


def statistics_document(words: Iterable[str], grams: Iterable[str]) -> Mapping[str, str]:
    """Return a document with these terms, whose statistics the index is asked for.

    It is never stored. The gap mark keeps both fields from being empty.
    """
    return {"w": joined([text.GAP, *words]), "g": joined([text.GAP, *grams])}
