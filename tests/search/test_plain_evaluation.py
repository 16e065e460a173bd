"""Random queries on random corpora say what a plain evaluation of the same documents says."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search import query, rebuild, searching, text
from search.engine import MATURITY, PRICE, RELEVANCE, SORTS, UPDATED, Engine
from search.query import Query
from search.schema import MEMBERS, PUBLIC, Document, Filters, Range, Scope, passes

WORDS = ["低温", "脱硝", "催化剂", "阻垢", "碳化硅", "水", "芯片", "180", "mosfet", "烟气", "量子"]
REGIONS = ["370102", "370112", "370181"]
FIELDS = ["01", "05", "07"]
FACETS = ["kind", "region", "field", "maturity_band", "visibility"]
PRICES = [0, 1, 50_000_000, 180_000_000]

texts = st.lists(st.sampled_from(WORDS), max_size=5).map("".join)
documents = st.builds(
    Document,
    id=st.just("x"),
    kind=st.sampled_from(["achievement", "need"]),
    title=texts,
    body=st.lists(texts, max_size=3).map("。".join),
    keywords=st.lists(st.sampled_from(WORDS), max_size=2).map(tuple),
    field=st.lists(st.sampled_from(FIELDS), max_size=2, unique=True).map(tuple),
    region=st.sampled_from(["", *REGIONS]),
    visibility=st.sampled_from([PUBLIC, PUBLIC, MEMBERS]),
    maturity=st.none() | st.integers(1, 9),
    price=st.none() | st.sampled_from(PRICES),
    updated_at=st.none() | st.integers(1, 4),
    rank=st.sampled_from([1.0, 0.5]),
)
corpora = st.lists(documents, max_size=14).map(
    lambda found: [dataclasses.replace(d, id=f"{d.kind}:{n}") for n, d in enumerate(found)]
)
bounds = st.builds(
    Range,
    low=st.none() | st.sampled_from(PRICES),
    high=st.none() | st.sampled_from(PRICES),
    absent=st.booleans(),
)
filters = st.builds(
    Filters,
    values=st.fixed_dictionaries(
        {},
        optional={
            "region": st.frozensets(st.sampled_from(REGIONS)),
            "field": st.frozensets(st.sampled_from(FIELDS)),
            "maturity_band": st.frozensets(st.sampled_from(["1-3", "4-6", "7-9"])),
        },
    ),
    ranges=st.fixed_dictionaries({}, optional={"price": bounds}),
)
scopes = st.builds(
    Scope,
    kinds=st.sampled_from([frozenset({"achievement", "need"}), frozenset({"need"})]),
    visibilities=st.sampled_from([frozenset({PUBLIC}), frozenset({PUBLIC, MEMBERS})]),
    without_ids=st.frozensets(st.sampled_from(["need:0", "achievement:1"])),
)
typed_queries = st.builds(
    lambda words, phrases, excluded, region: " ".join(
        [*words, *(f'"{p}"' for p in phrases), *(f"-{e}" for e in excluded), *region]
    ),
    words=st.lists(st.sampled_from([*WORDS, "不存在"]), max_size=4),
    phrases=st.lists(st.sampled_from(["低温脱硝", "硝催化", "水180", "不存在"]), max_size=1),
    excluded=st.lists(st.sampled_from(["芯片", "温脱", "mosfet"]), max_size=2),
    region=st.lists(st.sampled_from([f"地区:{region}" for region in REGIONS]), max_size=1),
)
# A corpus costs an index, a query next to nothing.
several_queries = st.lists(typed_queries, min_size=1, max_size=5)
many = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@many
@given(corpora, several_queries, filters, scopes, st.integers(1, 6))
def test_hits_totals_and_facets_are_those_of_a_plain_evaluation(
    bare: Engine,
    corpus: list[Document],
    typed: list[str],
    chosen: Filters,
    scope: Scope,
    enough: int,
) -> None:
    fill(bare, corpus)
    for asked in map(query.parse, typed):
        narrowed = both(chosen, asked)
        results = searching.search(
            bare, asked, scope, narrowed, limit=50, facets=FACETS, enough=enough
        )
        minimum = tier(corpus, asked, scope, narrowed, enough)
        expected = [d for d in corpus if plainly(d, asked, scope, narrowed, minimum)]
        assert sorted(found.hit.document.id for found in results.found) == sorted(ids(expected))
        assert results.total == len(expected)
        assert searching.count(bare, asked, scope, narrowed, enough=enough) == len(expected)
        kinds = sorted(scope.kinds)
        alone = [
            searching.search(
                bare,
                asked,
                dataclasses.replace(scope, kinds=frozenset({kind})),
                Filters(),
                enough=enough,
            ).total
            for kind in kinds
        ]
        groups = [[kind] for kind in kinds]
        assert searching.counts(bare, asked, scope, groups, enough=enough) == alone
        for name in FACETS:
            free = narrowed.without(name)
            counted = Counter(
                value
                for document in corpus
                if plainly(document, asked, scope, free, minimum)
                for value in document.facet_values(name)
            )
            assert results.facets[name] == dict(counted), name


@many
@given(
    corpora, several_queries, scopes, st.sampled_from(SORTS), st.integers(1, 5), st.integers(1, 6)
)
def test_pages_together_list_every_hit_once_in_one_order(
    bare: Engine,
    corpus: list[Document],
    typed: list[str],
    scope: Scope,
    sort: str,
    size: int,
    window: int,
) -> None:
    """Also where a page reaches over the end of what the shared scorer orders."""
    fill(bare, corpus)
    for asked in map(query.parse, typed):
        minimum = tier(corpus, asked, scope, asked.filters, 1)
        expected = [d for d in corpus if plainly(d, asked, scope, asked.filters, minimum)]
        leafed = [
            document
            for offset in range(0, len(expected), size)
            for document in page(bare, asked, scope, window, sort, offset, size)
        ]
        assert sorted(ids(leafed)) == sorted(ids(expected))
        assert page(bare, asked, scope, window, sort, len(expected), size) == []
        if window >= len(expected) or sort != RELEVANCE:
            assert ids(leafed) == ids(page(bare, asked, scope, window, sort, 0, 50))
        if sort != RELEVANCE:
            keys = [key(document, sort) for document in leafed]
            assert keys == sorted(keys)


def test_the_window_is_ordered_by_the_shared_scorer_and_the_rest_follows(bare: Engine) -> None:
    corpus = [
        Document(id=f"need:{n}", kind="need", title="低温脱硝" * (n + 1) + "水" * n)
        for n in range(9)
    ]
    fill(bare, corpus)
    asked = query.parse("低温脱硝")
    scope = Scope(kinds=frozenset({"need"}))

    def listed(window: int, offset: int = 0, limit: int = 50) -> list[str]:
        return ids(page(bare, asked, scope, window, RELEVANCE, offset, limit))

    whole, cut = listed(50), listed(4)
    assert sorted(whole) == sorted(cut) == sorted(ids(corpus))
    own = [h.document.id for h in bare.search(searching.build(asked, scope, Filters())).hits]
    assert set(cut[:4]) == set(own[:4])
    assert cut[4:] == own[4:]
    for size in (1, 3, 4, 5):
        assert [d for start in range(0, 9, size) for d in listed(4, start, size)] == cut


def page(
    engine: Engine, asked: Query, scope: Scope, window: int, sort: str, offset: int, limit: int
) -> list[Document]:
    """Return one page where the shared scorer orders the first ``window`` hits."""
    weights = dataclasses.replace(
        searching.load_settings(), reranked=window, reranked_elsewhere=window, enough=1
    )
    results = searching.search(
        engine, asked, scope, asked.filters, sort=sort, offset=offset, limit=limit, settings=weights
    )
    return [found.hit.document for found in results.found]


def fill(engine: Engine, corpus: Sequence[Document]) -> None:
    rebuild.rebuild(engine, lambda: corpus, keep=1)


def ids(found: Sequence[Document]) -> list[str]:
    return [document.id for document in found]


def both(chosen: Filters, asked: Query) -> Filters:
    return Filters({**chosen.values, **asked.filters.values}, chosen.ranges)


def key(document: Document, sort: str) -> tuple[bool, int]:
    """Order by the value, the highest first but for prices; what has none comes last."""
    value = {
        UPDATED: document.updated_at,
        PRICE: document.price,
        MATURITY: document.maturity,
    }[sort]
    if value is None:
        return True, 0
    return False, value if sort == PRICE else -value


def tier(
    corpus: Sequence[Document], asked: Query, scope: Scope, chosen: Filters, enough: int
) -> int:
    """Return how many words must occur: as many as leave enough, else as leave most.

    Where nothing is left, one: so the facets show what other filters would find.
    """
    totals = {}
    for share in searching.TIERS:
        minimum = max(1, math.ceil(len(asked.words) * share)) if asked.words else 0
        totals[minimum] = sum(plainly(d, asked, scope, chosen, minimum) for d in corpus)
        if totals[minimum] >= enough:
            return minimum
    if not any(totals.values()):
        return min(totals)
    return max(totals, key=lambda minimum: (totals[minimum], minimum))


def plainly(document: Document, asked: Query, scope: Scope, chosen: Filters, minimum: int) -> bool:
    parts = [text.norm(p) for p in (document.title, " ".join(document.keywords), document.body)]
    held = [text.unigrams(part) for part in parts]
    grams = {gram for part in parts for gram in text.grams(part)}

    def has(phrase: str) -> bool:
        return any(text.contains(part, text.unigrams(phrase)) for part in held)

    return (
        scope.admits(document)
        and passes(document, chosen)
        and sum(grams.issuperset(text.cover(word)) for word in asked.words) >= minimum
        and all(has(phrase) for phrase in asked.phrases)
        and not any(has(phrase) for phrase in asked.excluded)
    )
