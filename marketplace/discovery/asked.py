"""A search as its URL states it, and the URLs of searches that differ in one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self, TypeVar

from werkzeug.datastructures import MultiDict

from marketplace.discovery.rules import FACETS, SORTINGS, Freshness, Sorting, Tab
from marketplace.foundation.errors import DomainError
from marketplace.foundation.money import Fen, format_yuan, parse_yuan
from marketplace.foundation.words import Word
from search.engine import DEEPEST_OFFSET
from search.schema import Filters, Range

PAGE_SIZE = 20
MAX_VALUES = 20
_WAN = 10_000
# Names under which other pages of the platform link here.
_KINDS = {"achievement": Tab.ACHIEVEMENTS, "need": Tab.NEEDS, "broker": Tab.PEOPLE}
_AnyWord = TypeVar("_AnyWord", bound=Word)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a reader asks for; everything stands in the URL."""

    typed: str = ""
    tab: Tab = Tab.ACHIEVEMENTS
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    price_from: Fen | None = None
    price_to: Fen | None = None
    price_open: bool = True
    fresh: Freshness | None = None
    sort: Sorting = Sorting.RELEVANCE
    page: int = 1
    expand: bool = True
    without: tuple[str, ...] = ()

    @classmethod
    def of(cls, arguments: MultiDict[str, str]) -> Self:
        """Read it from a URL's arguments; what makes no sense is left out."""
        tab = _word(Tab, arguments.get("tab", "")) or _KINDS.get(arguments.get("kind", ""))
        tab = tab or Tab.ACHIEVEMENTS
        sort = _word(Sorting, arguments.get("sort", ""))
        low, high = _wan(arguments.get("price_from")), _wan(arguments.get("price_to"))
        if low is not None and high is not None and low > high:
            low, high = high, low
        return cls(
            typed=_printable(arguments.get("q", ""))[:2000],
            tab=tab,
            chosen={
                name: values for name in FACETS[tab] if (values := cleaned(arguments.getlist(name)))
            },
            price_from=low,
            price_to=high,
            price_open=arguments.get("price_open", "1") != "0",
            fresh=_word(Freshness, arguments.get("fresh", "")),
            sort=sort if sort in SORTINGS[tab] else Sorting.RELEVANCE,
            page=_page(arguments.get("page", "")),
            expand=arguments.get("expand", "1") != "0",
            without=cleaned(arguments.getlist("without")),
        )

    @property
    def offset(self) -> int:
        """Return the place of the page's first result."""
        return (self.page - 1) * PAGE_SIZE

    @property
    def priced(self) -> bool:
        """Tell whether a price was asked for."""
        return self.price_from is not None or self.price_to is not None

    def filters(self, *, now: datetime) -> Filters:
        """Return the filters in the index's terms."""
        ranges: dict[str, Range] = {}
        if self.priced and self.tab in (Tab.ACHIEVEMENTS, Tab.NEEDS):
            ranges["price"] = Range(self.price_from, self.price_to, absent=self.price_open)
        if self.fresh is not None:
            since = now - timedelta(days=int(self.fresh.value))
            ranges["updated_at"] = Range(low=int(since.timestamp()))
        values = {name: frozenset(chosen) for name, chosen in self.chosen.items()}
        return Filters(values, ranges)

    def arguments(self) -> dict[str, list[str]]:
        """Return the URL arguments that state it, without what is so anyway."""
        stated: dict[str, list[str]] = {
            "q": [self.typed],
            "tab": [self.tab.value if self.tab is not Tab.ACHIEVEMENTS else ""],
            **{name: list(values) for name, values in self.chosen.items()},
            "price_from": [in_wan(self.price_from)],
            "price_to": [in_wan(self.price_to)],
            "price_open": ["" if self.price_open or not self.priced else "0"],
            "fresh": [self.fresh.value if self.fresh else ""],
            "sort": [self.sort.value if self.sort is not Sorting.RELEVANCE else ""],
            "page": [str(self.page) if self.page > 1 else ""],
            "expand": ["" if self.expand else "0"],
            "without": list(self.without),
        }
        return {name: values for name, values in stated.items() if any(values)}

    def without_value(self, name: str, value: str) -> Self:
        """Return the same search less one chosen value."""
        left = tuple(entry for entry in self.chosen.get(name, ()) if entry != value)
        chosen = {key: values for key, values in self.chosen.items() if key != name}
        return replace(self, chosen={**chosen, **({name: left} if left else {})}, page=1)

    def bare(self) -> Self:
        """Return the same search without any filter."""
        return replace(
            self, chosen={}, price_from=None, price_to=None, price_open=True, fresh=None, page=1
        )

    def on(self, tab: Tab) -> Self:
        """Return the same words asked of another tab."""
        return type(self)(typed=self.typed, tab=tab, expand=self.expand, without=self.without)

    def turned(self, page: int) -> Self:
        """Return another page of it."""
        return replace(self, page=page)

    def sorted_by(self, sort: Sorting) -> Self:
        """Return the same search in another order, where its tab has that order."""
        return replace(self, sort=sort if sort in SORTINGS[self.tab] else self.sort, page=1)

    def less_term(self, term: str) -> Self:
        """Return the same search with one proposed term switched off."""
        return replace(self, without=(*self.without, term), page=1)

    def expanded(self, on: bool) -> Self:
        """Return the same search with the proposed terms on or off."""
        return replace(self, expand=on, without=(), page=1)

    def asking(self, typed: str) -> Self:
        """Return a search for other words on the same tab."""
        return type(self)(typed=typed, tab=self.tab)


def in_wan(amount: Fen | None) -> str:
    """Write an amount as figures in 万元 for a form."""
    if amount is None:
        return ""
    figure = format_yuan(Fen(amount // _WAN)).replace(",", "")
    return figure.rstrip("0").rstrip(".")


def _wan(typed: str | None) -> Fen | None:
    try:
        amount = parse_yuan(typed) if typed else None
    except DomainError:
        return None
    # Above the largest amount the platform knows the bound limits nothing.
    return None if amount is None else Fen(min(amount * _WAN, 10**15))


def _word(kind: type[_AnyWord], value: str) -> _AnyWord | None:
    return next((word for word in kind if word.value == value), None)


def cleaned(given: list[str]) -> tuple[str, ...]:
    """Return a URL's values of one name: printable, short, each once, and not too many."""
    printable = (_printable(value)[:60] for value in given[:MAX_VALUES])
    return tuple(dict.fromkeys(value for value in printable if value))


def _printable(value: str) -> str:
    return "".join(c if c.isprintable() else " " for c in value).strip()


def _page(typed: str) -> int:
    last = DEEPEST_OFFSET // PAGE_SIZE
    return (
        min(max(int(typed), 1), last)
        if typed.isascii() and typed.isdigit() and len(typed) < 12
        else 1
    )
