"""The search page's answer: tiers, facets, page and highlighting, for one query."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import yaml

from search import beside, highlight, text
from search.engine import (
    DEEPEST_OFFSET,
    RELEVANCE,
    UPDATED,
    Ask,
    Engine,
    Expansion,
    Hit,
    Hits,
    Statistics,
    Unit,
)
from search.expansion import Term
from search.query import Query
from search.ranking import Floats, Saturation, Scorer, Scores, telling
from search.schema import Filters, Scope

# The shares of the words that must occur, tried in turn until enough is found.
TIERS = (1.0, 0.75, 0.5, 0.0)
# Hits of which one thread counts the facets faster than two can talk about it.
_FEW = 5_000
SETTINGS = Path(__file__).with_name("searching.yaml")


@dataclass(frozen=True)
class Settings:
    """The weights of the search page, as data; see ``searching.yaml`` for what each is."""

    enough: int
    reranked: int
    reranked_elsewhere: int
    k1: float
    b: float
    coverage: float
    unbroken: float
    most_terms: int
    expansion_weight: float
    answered_share: float
    telling_share: float


@cache
def load_settings(path: Path = SETTINGS) -> Settings:
    """Read the weights; an unknown or missing name raises ``TypeError``."""
    return Settings(**yaml.safe_load(path.read_text("utf-8")))


@dataclass(frozen=True)
class Found:
    """One result: the document, its highlighted title and the passage that fits best."""

    hit: Hit
    title: str
    passage: str


@dataclass(frozen=True)
class Results:
    """A page of results. ``share`` is the tier: the share of the words that each hit holds."""

    found: tuple[Found, ...]
    total: int
    exact: bool
    share: float
    facets: dict[str, dict[str, int]] = field(default_factory=dict)
    offset: int = 0


def build(
    query: Query,
    scope: Scope,
    filters: Filters,
    terms: Sequence[Term] = (),
    settings: Settings | None = None,
) -> Ask:
    """Build the strictest ask: every word must occur, or a term that stands for it."""
    weights = settings or load_settings()
    normal = text.norm(" ".join((query.free, *query.phrases)))
    units = tuple(Unit(word, _covers(word, terms)) for word in query.words)
    return Ask(
        scope=scope,
        filters=filters,
        units=units,
        minimum=len(units),
        phrases=tuple(tuple(text.unigrams(phrase)) for phrase in query.phrases),
        excluded=tuple(tuple(text.unigrams(phrase)) for phrase in query.excluded),
        words=dict.fromkeys(text.words(normal), 1.0),
        grams=dict.fromkeys(text.grams(normal), 1.0),
        expansions=tuple(
            Expansion(t.text, text.cover(t.text), t.weight * weights.expansion_weight)
            for t in terms
        ),
    )


def search(
    engine: Engine,
    query: Query,
    scope: Scope,
    filters: Filters,
    *,
    sort: str = RELEVANCE,
    offset: int = 0,
    limit: int = 20,
    facets: Sequence[str] = (),
    terms: Sequence[Term] = (),
    enough: int | None = None,
    settings: Settings | None = None,
) -> Results:
    """Answer a query: the strictest tier that holds enough hits, else the last that holds any.

    ``offset`` is cut at ``DEEPEST_OFFSET``. Without words everything in scope is listed.
    """
    weights = settings or load_settings()
    offset = min(max(offset, 0), DEEPEST_OFFSET)
    strictest = build(query, scope, filters, terms, weights)
    if not strictest.units and sort == RELEVANCE and not strictest.phrases:
        sort = UPDATED
    scorer: Scorer | None = None
    window = 0
    if sort == RELEVANCE and strictest.grams:
        statistics = engine.statistics(*Scorer.terms(strictest))
        strictest = _occurring(strictest, statistics)
        scorer = Scorer(strictest, statistics, Saturation(weights.k1, weights.b))
        strictest = telling(strictest, statistics, weights.telling_share)
        own = engine.capabilities.shared_scores
        window = weights.reranked if own else weights.reranked_elsewhere

    def ask_for(ask: Ask) -> Hits:
        if offset < window:
            return engine.search(ask, limit=window)
        return engine.search(ask, sort=sort, offset=offset, limit=limit)

    hits, ask, share = _tier(strictest, enough or weights.enough, ask_for)
    tallied, asked_for = _tallied(hits, filters, facets)
    # Where all words occur, few hits are counted sooner than a thread is woken.
    small = engine.capabilities.local and share == 1.0 and hits.total <= _FEW
    counted = beside.begun(engine.facets, ask, asked_for) if asked_for and not small else None
    if scorer is not None and offset < window:
        page = _reranked(hits.hits, scorer, query, weights, slice(offset, offset + limit))
        if offset + limit > window and hits.total > window:
            # Nobody compares the fourth page with the third: the engine's own order follows.
            page += engine.search(ask, offset=window, limit=offset + limit - window).hits
        hits = replace(hits, hits=page)
    shown = _worth_marking(query.words) + query.phrases + tuple(term.text for term in terms)
    marks = highlight.Marks(shown)
    if counted is not None:
        tallied |= counted.result()
    elif asked_for:
        tallied |= engine.facets(ask, asked_for)
    return Results(
        found=tuple(_found(hit, marks) for hit in hits.hits),
        total=hits.total,
        exact=hits.exact,
        share=share,
        facets=tallied,
        offset=offset,
    )


def count(
    engine: Engine,
    query: Query,
    scope: Scope,
    filters: Filters,
    terms: Sequence[Term] = (),
    enough: int | None = None,
) -> int:
    """Return the total that ``search`` would report."""
    weights = load_settings()
    strictest = build(query, scope, filters, terms, weights)
    hits, _, _ = _tier(strictest, enough or weights.enough, lambda ask: Hits(engine.count(ask), ()))
    return hits.total


def counts(
    engine: Engine,
    query: Query,
    scope: Scope,
    groups: Sequence[Collection[str]],
    terms: Sequence[Term] = (),
    enough: int | None = None,
) -> list[int]:
    """Return for each group of kinds the total that ``search`` would report for it alone.

    One question for each tier counts all kinds of the scope at once.
    """
    weights = load_settings()
    wanted = enough or weights.enough
    totals = [0] * len(groups)
    for ask, _ in _tiers(build(query, scope, Filters(), terms, weights)):
        held = engine.facets(ask, ["kind"])["kind"]
        for place, kinds in enumerate(groups):
            if totals[place] < wanted:
                totals[place] = sum(held.get(kind, 0) for kind in kinds)
        if min(totals, default=wanted) >= wanted:
            break
    return totals


def enough_for(documents: int) -> int:
    """Return how many hits of a tier are enough in an index of this size."""
    return min(load_settings().enough, max(3, documents // 500))


def newest(
    engine: Engine,
    query: Query,
    scope: Scope,
    filters: Filters,
    *,
    terms: Sequence[Term] = (),
    share: float = 1.0,
    offset: int = 0,
    limit: int = 20,
) -> tuple[Hit, ...]:
    """List what holds at least ``share`` of the words, the newest first.

    For whoever is told of new documents unasked: no tier loosens until something is found.
    """
    strictest = build(query, scope, filters, terms)
    ask = replace(strictest, minimum=math.ceil(len(strictest.units) * share))
    return engine.search(ask, sort=UPDATED, offset=offset, limit=limit).hits


def nearest(engine: Engine, query: Query, scope: Scope, *, limit: int = 5) -> tuple[Found, ...]:
    """Return what comes nearest to a query that finds nothing: any gram of it, no filter."""
    normal = text.norm(" ".join((query.free, *query.phrases)))
    ask = Ask(
        scope=scope,
        words=dict.fromkeys(text.words(normal), 1.0),
        grams=dict.fromkeys(text.grams(normal), 1.0),
    )
    if not ask.grams:
        return ()
    statistics = engine.statistics(*Scorer.terms(ask))
    ask = telling(ask, statistics, load_settings().telling_share)
    marks = highlight.Marks(query.words + query.phrases)
    return tuple(_found(hit, marks) for hit in engine.search(ask, limit=limit).hits)


def _covers(word: str, terms: Sequence[Term]) -> tuple[tuple[str, ...], ...]:
    """Return the covers of a word and of the terms to which it, or a part of it, led.

    Where a term holds the word itself, the word's own cover finds it already.
    """
    own = text.cover(word)
    if len(word) < 2:
        return (own,)
    names = dict.fromkeys(
        text.cover(term.text)
        for term in terms
        if any(word in piece or piece in word for piece in term.because.split())
    )
    return (own, *(name for name in names if not set(own).issubset(name)))


def _occurring(strictest: Ask, statistics: Statistics) -> Ask:
    """Leave out the proposed terms of which a gram stands nowhere: they cannot be found."""

    def occurs(cover: tuple[str, ...]) -> bool:
        return all(statistics.grams.get(gram, 1) for gram in cover)

    units = tuple(
        replace(unit, covers=(unit.covers[0], *filter(occurs, unit.covers[1:])))
        for unit in strictest.units
    )
    expansions = tuple(term for term in strictest.expansions if occurs(term.cover))
    return replace(strictest, units=units, expansions=expansions)


def _tier(strictest: Ask, enough: int, ask_for: Callable[[Ask], Hits]) -> tuple[Hits, Ask, float]:
    """Return the hits of the strictest tier that holds enough, with its ask and its share.

    Each tier is asked for its page at once: most often the first one is the last.
    """
    best: tuple[Hits, Ask, float] | None = None
    for ask, share in _tiers(strictest):
        hits = ask_for(ask)
        if hits.total >= enough or not ask.units:
            return hits, ask, share
        # A looser tier that adds nothing does not make its hits looser.
        if best is None or hits.total > best[0].total:
            best = hits, ask, share
    assert best is not None
    return best if best[0].total else (best[0], replace(strictest, minimum=1), 0.0)


def _tiers(strictest: Ask) -> Iterator[tuple[Ask, float]]:
    """Yield the asks of all tiers, the strictest first, each with its share of the words."""
    count = len(strictest.units)
    tried: set[int] = set()
    for share in TIERS:
        minimum = max(1, math.ceil(count * share)) if count else 0
        if minimum not in tried:
            tried.add(minimum)
            yield replace(strictest, minimum=minimum), share


def _tallied(
    hits: Hits, filters: Filters, facets: Sequence[str]
) -> tuple[dict[str, dict[str, int]], list[str]]:
    """Count facets of hits that are all at hand; return with them those left to the engine.

    A facet with a filter of its own counts more than what was found.
    """
    if not hits.exact or hits.total > len(hits.hits):
        return {}, list(facets)
    left = [name for name in facets if filters.values.get(name)]
    return {
        name: dict(Counter(v for hit in hits.hits for v in hit.document.facet_values(name)))
        for name in facets
        if name not in left
    }, left


def _reranked(
    hits: Sequence[Hit], scorer: Scorer, query: Query, settings: Settings, page: slice
) -> tuple[Hit, ...]:
    """Order hits by the shared scorer, so that every engine shows the same pages; return one."""
    scores = scorer.score(hits)
    scores.bridge(scores.bridge_needed(settings.answered_share))
    totals = scores.totals() * _favours(scores, query, settings)
    return tuple(
        replace(hits[place], score=float(totals[place]))
        for place in scores.best_first(totals)[page]
    )


def _favours(scores: Scores, query: Query, settings: Settings) -> Floats:
    """Favour hits that hold more of the query's words, and what was typed in one piece."""
    typed = text.norm(query.free).split()
    favours = np.ones(len(scores.hits))
    if query.words:
        favours += settings.coverage * scores.held.mean(axis=1)
    if typed:
        unbroken = [sum(term in normal for term in typed) for normal in scores.normals]
        favours += settings.unbroken * np.array(unbroken) / len(typed)
    return favours


def _worth_marking(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words worth marking: a single character stands everywhere and tells nothing."""
    return tuple(word for word in words if len(word) > 1) or words


def _found(hit: Hit, marks: highlight.Marks) -> Found:
    document = hit.document
    return Found(hit, marks.mark(document.title), marks.passage(document.body))
