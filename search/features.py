"""What a match is weighed by besides its text: classes, place, maturity, price and freshness."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from search.schema import Document

_DAY = 86_400
_FRESH_DAYS = 180


@dataclass(frozen=True, kw_only=True)
class Seeker:
    """What is sought by: a need's text and wishes, or those of an achievement.

    ``maturity`` is the least wanted (a need) or the reached one (an achievement); ``price`` the
    most that would be paid, or what is asked, in fen. ``offers`` marks an achievement.
    """

    text: str
    title: str = ""
    industry: tuple[str, ...] = ()
    field: tuple[str, ...] = ()
    ipc: tuple[str, ...] = ()
    region: str = ""
    maturity: int | None = None
    price: int | None = None
    owner_id: str = ""
    offers: bool = False
    terms: tuple[str, ...] = ()
    now: int | None = None


class Agreement(NamedTuple):
    """How far one feature agrees, 0 to 1, and the share of the final score that it brought.

    ``known`` is False where one side says nothing; ``predicted`` marks a class that the nearest
    neighbours suggest because the seeker names none.
    """

    name: str
    degree: float
    known: bool
    predicted: bool = False
    share: float = 0.0

    @property
    def weight_name(self) -> str:
        """Return the name under which the weights hold this feature."""
        return f"{self.name}_predicted" if self.predicted else self.name


# An agreement, and what it adds to a score.
_Judged = tuple[Agreement, float]


@dataclass(frozen=True)
class Prediction:
    """What the nearest neighbours say about the seeker's classes; the best class has 1."""

    ipc: Mapping[str, float] = dataclasses.field(default_factory=dict)
    industry: Mapping[str, float] = dataclasses.field(default_factory=dict)
    field: Mapping[str, float] = dataclasses.field(default_factory=dict)


def predict(nearest: Sequence[tuple[Document, float]]) -> Prediction:
    """Let the nearest neighbours vote, each by its score, on the classes of the seeker."""
    ipc: defaultdict[str, float] = defaultdict(float)
    industry: defaultdict[str, float] = defaultdict(float)
    technology: defaultdict[str, float] = defaultdict(float)
    for document, score in nearest:
        for counted, names in (
            (ipc, {subclass(code) for code in document.ipc}),
            (industry, set(document.industry)),
            (technology, set(document.field)),
        ):
            for name in names:
                counted[name] += score
    return Prediction(_as_shares(ipc), _as_shares(industry), _as_shares(technology))


def subclass(code: str) -> str:
    """Return the subclass of an IPC symbol: its first four characters."""
    return code[:4].upper()


class Features:
    """How far documents agree with one seeker in each feature, and what that adds to a score.

    Hundreds of candidates share a few classes, places and levels: each value is judged once.
    """

    def __init__(self, seeker: Seeker, predicted: Prediction, weights: Mapping[str, float]) -> None:
        self._weights = weights
        self._industry = self._judged(
            lambda held: _classes("industry", seeker.industry, held, predicted.industry)
        )
        self._field = self._judged(
            lambda held: _classes("field", seeker.field, held, predicted.field)
        )
        self._ipc = self._judged(lambda held: _ipc(seeker.ipc, held, predicted.ipc))
        self._region = self._judged(lambda held: _same("region", seeker.region, held))
        self._maturity = self._judged(
            lambda held: _maturity(*_sides(seeker, seeker.maturity, held))
        )
        self._price = self._judged(lambda held: _price(*_sides(seeker, seeker.price, held)))
        self._freshness = self._judged(lambda updated_at: _freshness(seeker.now, updated_at))

    def of(self, document: Document) -> tuple[Agreement, ...]:
        """Return how far each feature agrees, always in the same order."""
        return tuple(agreement for agreement, _ in self._all(document))

    def gain(self, document: Document) -> float:
        """Return the sum of weight times degree over all features."""
        return sum(gain for _, gain in self._all(document))

    def weighed(self, agreement: Agreement) -> float:
        """Return what one agreement adds."""
        return self._weights.get(agreement.weight_name, 0.0) * agreement.degree

    def _all(self, document: Document) -> tuple[_Judged, ...]:
        return (
            self._industry(document.industry),
            self._field(document.field),
            self._ipc(document.ipc),
            self._region(document.region),
            self._maturity(document.maturity),
            self._price(document.price),
            self._freshness(document.updated_at),
        )

    def _judged(self, judge: Callable[[Any], Agreement]) -> Callable[[Any], _Judged]:
        @cache
        def judged(held: Any) -> _Judged:
            agreement = judge(held)
            return agreement, self.weighed(agreement)

        return judged


def agreements(document: Document, seeker: Seeker, predicted: Prediction) -> list[Agreement]:
    """Return how far each feature of one document agrees, always in the same order."""
    return list(Features(seeker, predicted, {}).of(document))


def near_misses(document: Document, seeker: Seeker) -> tuple[tuple[str, int], ...]:
    """Return the features that fail by little, each with the value that would satisfy."""
    found: list[tuple[str, int]] = []
    wanted, reached = _sides(seeker, seeker.maturity, document.maturity)
    if wanted is not None and reached is not None and wanted - 2 <= reached < wanted:
        found.append(("maturity", wanted))
    budget, asked = _sides(seeker, seeker.price, document.price)
    if budget is not None and asked is not None and budget < asked <= budget * 1.5:
        found.append(("price", asked))
    return tuple(found)


def _classes(
    name: str, sought: Sequence[str], held: Sequence[str], votes: Mapping[str, float]
) -> Agreement:
    if not sought:
        degree = max((votes.get(value, 0.0) for value in held), default=0.0)
        return Agreement(name, degree, known=False, predicted=True)
    return Agreement(name, 1.0 if set(sought) & set(held) else 0.0, known=bool(held))


def _ipc(sought: Sequence[str], held: Sequence[str], votes: Mapping[str, float]) -> Agreement:
    if not sought:
        degree = max((votes.get(subclass(code), 0.0) for code in held), default=0.0)
        return Agreement("ipc", degree, known=False, predicted=True)
    degree = max((_nearness(one, other) for one in sought for other in held), default=0.0)
    return Agreement("ipc", degree, known=bool(held))


def _nearness(one: str, other: str) -> float:
    """Return how near two IPC symbols stand: same symbol, main group, subclass or class."""
    if one == other:
        return 1.0
    if one.partition("/")[0] == other.partition("/")[0]:
        return 0.8
    if subclass(one) == subclass(other):
        return 0.6
    return 0.2 if one[:3] == other[:3] else 0.0


def _same(name: str, sought: str, held: str) -> Agreement:
    known = bool(sought and held)
    return Agreement(name, 1.0 if known and sought == held else 0.0, known=known)


def _sides(seeker: Seeker, own: int | None, held: int | None) -> tuple[int | None, int | None]:
    """Return what the need wishes and what the achievement has, whichever side asks."""
    return (held, own) if seeker.offers else (own, held)


def _maturity(wanted: int | None, reached: int | None) -> Agreement:
    if wanted is None or reached is None:
        return Agreement("maturity", 0.0, known=False)
    lacking = max(0, wanted - reached)
    return Agreement("maturity", max(0.0, 1.0 - 0.4 * lacking), known=True)


def _price(budget: int | None, asked: int | None) -> Agreement:
    if budget is None or asked is None:
        return Agreement("price", 0.0, known=False)
    if asked <= budget:
        return Agreement("price", 1.0, known=True)
    return Agreement("price", max(0.0, 2.0 - asked / budget) if budget else 0.0, known=True)


def _freshness(now: int | None, updated_at: int | None) -> Agreement:
    if now is None or updated_at is None:
        return Agreement("freshness", 0.0, known=False)
    days = max(0, now - updated_at) / _DAY
    return Agreement("freshness", max(0.0, 1.0 - days / (2 * _FRESH_DAYS)), known=True)


def _as_shares(votes: Mapping[str, float]) -> dict[str, float]:
    top = max(votes.values(), default=0.0)
    return {name: value / top for name, value in votes.items()} if top else {}
