"""What is put into an index: documents, who may find them, and the filters over them.

A document's text is readable by everyone whom its ``visibility`` admits. Text that fewer people
may read never enters a document, so that no snippet, suggestion or facet can show it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search import text
from search.errors import AskRejected

PUBLIC = "public"
MEMBERS = "members"
VISIBILITIES = (PUBLIC, MEMBERS)

# Fields with exact values; a document may carry several values of the plural ones.
SINGLE_FACETS = ("kind", "region", "state", "owner_kind", "owner_id", "visibility", "maturity_band")
PLURAL_FACETS = ("field", "industry", "ipc", "ip_kind", "mode")
FACETS = SINGLE_FACETS + PLURAL_FACETS
NUMBERS = ("maturity", "price", "published_at", "updated_at")

MATURITY_BANDS = {"1-3": (1, 3), "4-6": (4, 6), "7-9": (7, 9)}
_ABSENT = -1


@dataclass(frozen=True, kw_only=True)
class Document:
    """One findable thing.

    ``id`` is unique over all kinds. ``maturity`` is 1 to 9, ``price`` integer fen, the moments are
    seconds since 1970; None where unknown. ``rank`` multiplies the text score (1.0 is neutral;
    stale entries lie below). ``shown`` is what a result row needs besides and must be JSON-able.
    """

    id: str
    kind: str
    title: str = ""
    body: str = ""
    keywords: tuple[str, ...] = ()
    field: tuple[str, ...] = ()
    industry: tuple[str, ...] = ()
    ipc: tuple[str, ...] = ()
    ip_kind: tuple[str, ...] = ()
    mode: tuple[str, ...] = ()
    region: str = ""
    state: str = ""
    owner_kind: str = ""
    owner_id: str = ""
    visibility: str = PUBLIC
    maturity: int | None = None
    price: int | None = None
    published_at: int | None = None
    updated_at: int | None = None
    rank: float = 1.0
    shown: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.id.split() != [self.id]:
            raise AskRejected("id", f"a document needs an id without spaces, not {self.id!r}")
        if self.visibility not in VISIBILITIES:
            raise AskRejected("visibility", f"unknown visibility {self.visibility!r}")
        if self.maturity is not None and not 1 <= self.maturity <= 9:
            raise AskRejected("maturity", f"maturity is 1 to 9, not {self.maturity}")
        if self.price is not None and self.price < 0:
            raise AskRejected("price", f"a price is not negative: {self.price}")

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Document:
        """Return a document by the values it was stored with, which were checked before.

        Two hundred are read for a match: checking and setting 21 fields one by one takes longer
        than everything else about it. What is left out has its default.
        """
        document = object.__new__(cls)
        document.__dict__.update(values)
        document.__dict__.setdefault("shown", {})
        return document

    @property
    def parts(self) -> list[str]:
        """Return the texts in which words are found, without empty ones."""
        return [part for part in (self.title, " ".join(self.keywords), self.body) if part]

    @property
    def searched(self) -> str:
        """Return the text in which words are found; each part stands on a line of its own."""
        return "\n".join(self.parts)

    @property
    def normal(self) -> str:
        """Return the searched text in normal form."""
        return text.norm(self.searched)

    @property
    def maturity_band(self) -> str:
        """Return the band in which the maturity lies, empty where it is unknown."""
        for band, (low, high) in MATURITY_BANDS.items():
            if self.maturity is not None and low <= self.maturity <= high:
                return band
        return ""

    def facet_values(self, name: str) -> tuple[str, ...]:
        """Return the document's values of one facet field, without empty ones."""
        value = getattr(self, name)
        values = (value,) if isinstance(value, str) else tuple(value)
        return tuple(dict.fromkeys(entry for entry in values if entry))

    def number(self, name: str) -> int:
        """Return a number field's stored value; -1 stands for unknown."""
        value: int | None = getattr(self, name)
        return _ABSENT if value is None else value


@dataclass(frozen=True)
class Range:
    """Bounds of a number field, both inclusive; ``absent`` admits documents without a value."""

    low: int | None = None
    high: int | None = None
    absent: bool = False


@dataclass(frozen=True)
class Filters:
    """What the asker chose: one of ``values[field]`` for every field, and every range."""

    values: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)
    ranges: Mapping[str, Range] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.values:
            if name not in FACETS:
                raise AskRejected(name, "no such filter")
        for name in self.ranges:
            if name not in NUMBERS:
                raise AskRejected(name, "no such number field")

    def without(self, name: str) -> Filters:
        """Return the same filters except those on one field, for its disjunctive counts."""
        return Filters(
            {key: chosen for key, chosen in self.values.items() if key != name},
            {key: chosen for key, chosen in self.ranges.items() if key != name},
        )

    def __bool__(self) -> bool:
        return any(self.values.values()) or bool(self.ranges)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Who asks and for what: part of every call, so that nothing can be asked without it.

    ``visibilities`` are the layers that the reader may see; empty ``states`` admit all.
    """

    kinds: frozenset[str]
    visibilities: frozenset[str] = frozenset({PUBLIC})
    states: frozenset[str] = frozenset()
    without_owner: str = ""
    without_ids: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        unknown = self.visibilities - set(VISIBILITIES)
        if unknown:
            raise AskRejected("visibility", f"unknown visibilities {sorted(unknown)}")

    def admits(self, document: Document) -> bool:
        """Tell whether the document may be found within this scope."""
        return (
            document.kind in self.kinds
            and document.visibility in self.visibilities
            and (not self.states or document.state in self.states)
            and (not self.without_owner or document.owner_id != self.without_owner)
            and document.id not in self.without_ids
        )


def passes(document: Document, filters: Filters) -> bool:
    """Tell whether a document passes the filters; the plain meaning that every engine follows."""
    for name, chosen in filters.values.items():
        if chosen and not chosen.intersection(document.facet_values(name)):
            return False
    for name, bounds in filters.ranges.items():
        value = document.number(name)
        if value == _ABSENT:
            if not bounds.absent:
                return False
        elif (bounds.low is not None and value < bounds.low) or (
            bounds.high is not None and value > bounds.high
        ):
            return False
    return True
