"""The search page: hits as rows, tabs with counts, facets, chips, and ways on from nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup

from marketplace.discovery import labels
from marketplace.discovery.asked import PAGE_SIZE, Asked, in_wan
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.rules import FACET_LABELS, FACETS, Tab
from marketplace.foundation.access import Actor
from marketplace.foundation.money import Fen
from marketplace.foundation.words import Word
from search import expansion, query, searching, suggest
from search.engine import DEEPEST_OFFSET, Engine
from search.errors import SearchUnavailable
from search.query import Notice, Query
from search.schema import MEMBERS, PUBLIC, Filters, Scope
from search.searching import Found

KINDS: dict[Tab, tuple[str, ...]] = {
    Tab.ACHIEVEMENTS: ("achievement",),
    Tab.NEEDS: ("need",),
    Tab.PEOPLE: ("expert", "broker"),
    Tab.INSTITUTIONS: ("organisation",),
}
_PAGES_SHOWN = 3


@dataclass(frozen=True)
class Row:
    """One result as the page draws it; title and passage are safe HTML."""

    kind: str
    record_id: int
    title: Markup
    passage: Markup
    state: Word | None
    owner: str
    pairs: tuple[tuple[str, str], ...]
    maturity: int | None
    price_fen: Fen | None
    price_note: str
    deadline: str
    confirmed_on: datetime | None
    stale: bool
    # Whose it is, where that is public: a need's organisation may be anonymous and is left out.
    owner_id: int | None


@dataclass(frozen=True)
class FacetValue:
    """One value to filter by, with the number of results it would add."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """A filter and its values, the chosen ones first in sight."""

    name: str
    label: str
    values: tuple[FacetValue, ...]


@dataclass(frozen=True)
class Chip:
    """An active condition and the search without it."""

    label: str
    without: Asked


@dataclass(frozen=True, kw_only=True)
class SearchPage:
    """Everything the search page shows."""

    asked: Asked
    rows: tuple[Row, ...] = ()
    total: int = 0
    exact: bool = True
    share: float = 1.0
    counts: dict[Tab, int] = field(default_factory=dict)
    facets: tuple[Facet, ...] = ()
    chips: tuple[Chip, ...] = ()
    terms: tuple[expansion.Term, ...] = ()
    did_you_mean: str | None = None
    nearest: tuple[Row, ...] = ()
    notices: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()
    next_page: int | None = None
    down: bool = False

    @property
    def tier(self) -> str:
        """Say how many of the words each result holds."""
        if not self.asked.typed or not self.total:
            return ""
        if self.share >= 1.0:
            return "全部词语都出现"
        if self.share > 0.0:
            return f"至少 {int(self.share * 100)} % 的词语出现"
        return "至少一个词语出现"


def scope_for(actor: Actor, *kinds: str) -> Scope:
    """Return what a reader may find of some kinds."""
    layers = {PUBLIC, MEMBERS} if actor.signed_in and actor.verified else {PUBLIC}
    return Scope(kinds=frozenset(kinds), visibilities=frozenset(layers))


def answer(index: SearchIndex, asked: Asked, actor: Actor, *, now: datetime) -> SearchPage:
    """Answer a search; raise ``SearchUnavailable`` where the engine cannot."""
    engine = index.engine
    understood, terms, filters = understand(asked, now=now)
    health = engine.health()
    if not health.ok:
        # Asking on would let the reader wait for every further question too.
        raise SearchUnavailable(health.reason)
    enough = searching.enough_for(health.documents)
    scope = scope_for(actor, *KINDS[asked.tab])
    results = searching.search(
        engine,
        understood,
        scope,
        filters,
        sort=asked.sort.value,
        offset=asked.offset,
        limit=PAGE_SIZE,
        facets=FACETS[asked.tab],
        terms=terms,
        enough=enough,
    )
    others = [tab for tab in Tab if tab is not asked.tab]
    elsewhere = scope_for(actor, *(kind for tab in others for kind in KINDS[tab]))
    groups = [KINDS[tab] for tab in others]
    found_there = searching.counts(engine, understood, elsewhere, groups, terms, enough)
    counts = {asked.tab: results.total, **dict(zip(others, found_there, strict=True))}
    few = results.total < enough and not understood.empty
    return SearchPage(
        asked=asked,
        rows=tuple(_row(found) for found in results.found),
        total=results.total,
        exact=results.exact,
        share=results.share,
        counts=counts,
        facets=tuple(_facet(asked, name, results.facets[name]) for name in FACETS[asked.tab]),
        chips=chips_of(asked),
        terms=terms,
        did_you_mean=suggest.did_you_mean(engine, asked.typed, scope) if few else None,
        nearest=_nearest(engine, understood, scope, results.total),
        notices=_notices(understood),
        pages=_pages(asked.page, results.total),
        next_page=asked.page + 1 if _has_more(asked, results.total) else None,
    )


def understand(asked: Asked, *, now: datetime) -> tuple[Query, tuple[expansion.Term, ...], Filters]:
    """Return what a search means: its words, the professional terms, the filters it states."""
    understood = query.parse(asked.typed, labels=labels.typed_labels())
    terms: tuple[expansion.Term, ...] = ()
    if asked.expand:
        most = searching.load_settings().most_terms
        terms = expansion.expand(understood.free, without=asked.without, most=most)
    chosen = asked.filters(now=now)
    filters = Filters({**chosen.values, **_known(understood.filters, asked.tab)}, chosen.ranges)
    return understood, terms, filters


def _known(typed: Filters, tab: Tab) -> dict[str, frozenset[str]]:
    return {name: values for name, values in typed.values.items() if name in FACETS[tab]}


def _nearest(engine: Engine, understood: Query, scope: Scope, total: int) -> tuple[Row, ...]:
    if total or understood.empty:
        return ()
    return tuple(_row(found) for found in searching.nearest(engine, understood, scope))


def _has_more(asked: Asked, total: int) -> bool:
    return asked.page * PAGE_SIZE < min(total, DEEPEST_OFFSET)


def _pages(page: int, total: int) -> tuple[int, ...]:
    """Return the page numbers to offer: the first, those around, never a page without results."""
    last = max(1, -(-min(total, DEEPEST_OFFSET) // PAGE_SIZE))
    around = range(max(1, page - _PAGES_SHOWN), min(last, page + _PAGES_SHOWN) + 1)
    return tuple(dict.fromkeys((1, *around))) if last > 1 else ()


def _row(found: Found) -> Row:
    document, shown = found.hit.document, found.hit.document.shown
    price, note = _price(document.kind, document.price, shown)
    return Row(
        kind=document.kind,
        record_id=int(shown["record_id"]),
        # Highlighting escapes the text before it marks.
        title=Markup(found.title),  # noqa: S704
        passage=Markup(found.passage),  # noqa: S704
        state=labels.state(document.kind, document.state),
        owner="，".join(part for part in (shown.get("owner", ""), document.region) if part),
        pairs=_pairs(found),
        maturity=document.maturity,
        price_fen=price,
        price_note=note,
        deadline=shown.get("deadline", ""),
        confirmed_on=_moment(document.updated_at),
        stale=bool(shown.get("stale")),
        owner_id=int(document.owner_id) if document.owner_id and document.kind != "need" else None,
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _price(kind: str, price: int | None, shown: Mapping[str, Any]) -> tuple[Fen | None, str]:
    if kind == "need":
        note = "榜额" if shown.get("challenge") else "预算"
        return (Fen(price), note) if price is not None else (None, "面议")
    if kind != "achievement":
        return None, ""
    if price is not None:
        return Fen(price), "期望价"
    return None, "登录核验后可见" if shown.get("price_hidden") else "面议"


def _pairs(found: Found) -> tuple[tuple[str, str], ...]:
    document, shown = found.hit.document, found.hit.document.shown
    if document.kind == "achievement":
        return (
            ("知识产权", _rights(shown.get("rights", 0), document.ip_kind)),
            ("方式", labels.labels("mode", document.mode)),
            ("领域", labels.labels("field", document.field)),
        )
    if document.kind == "need":
        return (
            ("方式", labels.labels("mode", document.mode)),
            ("领域", labels.labels("field", document.field)),
        )
    if document.kind == "expert":
        return (
            ("所在单位", str(shown.get("organisation", ""))),
            ("领域", "、".join(shown.get("fields", ()))),
            ("公开成果", f"{shown.get('works', 0)} 项"),
        )
    if document.kind == "broker":
        return (
            ("所在机构", str(shown.get("agency", ""))),
            ("等级", str(shown.get("level", ""))),
            ("擅长", "、".join(shown.get("fields", ()))),
        )
    return (
        ("类别", str(shown.get("kind", ""))),
        ("服务", "、".join(shown.get("services", ()))),
        ("地区", document.region),
    )


def _rights(count: int, kinds: tuple[str, ...]) -> str:
    names = labels.labels("ip_kind", kinds)
    return f"{count} 项（{names}）" if count and names else names


def _facet(asked: Asked, name: str, counted: dict[str, int]) -> Facet:
    chosen = asked.chosen.get(name, ())
    counts = {**dict.fromkeys(chosen, 0), **counted}
    fixed = labels.order(name)
    ordered = sorted(
        counts, key=lambda v: (fixed.index(v) if v in fixed else len(fixed), -counts[v], v)
    )
    return Facet(
        name,
        FACET_LABELS[name],
        tuple(
            FacetValue(value, labels.label(name, value), counts[value], value in chosen)
            for value in ordered
        ),
    )


def chips_of(asked: Asked) -> tuple[Chip, ...]:
    """Return the active conditions, each with the search without it."""
    chips = [
        Chip(labels.label(name, value), asked.without_value(name, value))
        for name, values in asked.chosen.items()
        for value in values
    ]
    bare = asked.bare()
    if asked.priced:
        low, high = in_wan(asked.price_from), in_wan(asked.price_to)
        bounds = f"{low}–{high} 万元" if low and high else ""
        bounds = bounds or (f"{high} 万元以内" if high else f"{low} 万元以上")
        said = f"{bounds}{'，含面议' if asked.price_open else ''}"
        unpriced = replace(bare, chosen=asked.chosen, fresh=asked.fresh)
        chips.append(Chip(said, unpriced))
    if asked.fresh is not None:
        chips.append(Chip(asked.fresh.label, replace(asked, fresh=None, page=1)))
    return tuple(chips)


def _notices(understood: Query) -> tuple[str, ...]:
    said: list[str] = []
    for notice, detail in understood.notices:
        if notice is Notice.CUT:
            said.append(f"检索词太长，只用了前 {detail} 个字；要用整段话找技术，请发布为需求。")
        elif notice is Notice.ONLY_PUNCTUATION:
            said.append("检索词里只有标点，没有可以查找的字；下面按更新时间列出全部。")
        else:
            said.append(f"没有“{detail}”这个筛选值，已当作普通词语检索。")
    return tuple(said)


def direct_hits(
    engine: Engine, typed: str, actor: Actor, *, limit: int = 4
) -> list[tuple[str, Sequence[str]]]:
    """Return (document id, (title, note)) of entries that the typed text leads straight to."""
    understood = query.parse(typed)
    if understood.empty:
        return []
    scope = scope_for(actor, *(kind for kinds in KINDS.values() for kind in kinds))
    found = searching.search(engine, understood, scope, Filters(), limit=limit, enough=1).found
    return [
        (
            entry.hit.document.id,
            (entry.title, entry.hit.document.shown.get("owner") or entry.hit.document.region),
        )
        for entry in found
        if "<mark>" in entry.title
    ]
