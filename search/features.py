"""What a match is weighed by besides its text: classes, place, maturity, price and freshness."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search.ranking import Scored
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


@dataclass(frozen=True)
class Agreement:
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


@dataclass(frozen=True)
class Prediction:
    """What the nearest neighbours say about the seeker's classes; the best class has 1."""

    ipc: Mapping[str, float] = dataclasses.field(default_factory=dict)
    industry: Mapping[str, float] = dataclasses.field(default_factory=dict)
    field: Mapping[str, float] = dataclasses.field(default_factory=dict)


def predict(nearest: Sequence[Scored]) -> Prediction:
    """Let the nearest neighbours vote, each by its score, on the classes of the seeker."""
    ipc: defaultdict[str, float] = defaultdict(float)
    industry: defaultdict[str, float] = defaultdict(float)
    technology: defaultdict[str, float] = defaultdict(float)
    for entry in nearest:
        document = entry.hit.document
        for counted, names in (
            (ipc, {subclass(code) for code in document.ipc}),
            (industry, set(document.industry)),
            (technology, set(document.field)),
        ):
            for name in names:
                counted[name] += entry.score
    return Prediction(_as_shares(ipc), _as_shares(industry), _as_shares(technology))


def subclass(code: str) -> str:
    """Return the subclass of an IPC symbol: its first four characters."""
    return code[:4].upper()


def agreements(document: Document, seeker: Seeker, predicted: Prediction) -> list[Agreement]:
    """Return how far each feature agrees, always in the same order."""
    return [
        _classes("industry", seeker.industry, document.industry, predicted.industry),
        _classes("field", seeker.field, document.field, predicted.field),
        _ipc(seeker.ipc, document.ipc, predicted.ipc),
        _same("region", seeker.region, document.region),
        _maturity(seeker, document),
        _price(seeker, document),
        _freshness(seeker, document),
    ]


def near_misses(document: Document, seeker: Seeker) -> tuple[tuple[str, int], ...]:
    """Return the features that fail by little, each with the value that would satisfy."""
    found: list[tuple[str, int]] = []
    wanted, reached = _maturities(seeker, document)
    if wanted is not None and reached is not None and wanted - 2 <= reached < wanted:
        found.append(("maturity", wanted))
    budget, asked = _prices(seeker, document)
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


def _maturities(seeker: Seeker, document: Document) -> tuple[int | None, int | None]:
    """Return the wanted and the reached maturity, whichever side asks."""
    if seeker.offers:
        return document.maturity, seeker.maturity
    return seeker.maturity, document.maturity


def _prices(seeker: Seeker, document: Document) -> tuple[int | None, int | None]:
    """Return the budget and the asked price, whichever side asks."""
    if seeker.offers:
        return document.price, seeker.price
    return seeker.price, document.price


def _maturity(seeker: Seeker, document: Document) -> Agreement:
    wanted, reached = _maturities(seeker, document)
    if wanted is None or reached is None:
        return Agreement("maturity", 0.0, known=False)
    lacking = max(0, wanted - reached)
    return Agreement("maturity", max(0.0, 1.0 - 0.4 * lacking), known=True)


def _price(seeker: Seeker, document: Document) -> Agreement:
    budget, asked = _prices(seeker, document)
    if budget is None or asked is None:
        return Agreement("price", 0.0, known=False)
    if asked <= budget:
        return Agreement("price", 1.0, known=True)
    return Agreement("price", max(0.0, 2.0 - asked / budget) if budget else 0.0, known=True)


def _freshness(seeker: Seeker, document: Document) -> Agreement:
    if seeker.now is None or document.updated_at is None:
        return Agreement("freshness", 0.0, known=False)
    days = max(0, seeker.now - document.updated_at) / _DAY
    return Agreement("freshness", max(0.0, 1.0 - days / (2 * _FRESH_DAYS)), known=True)


def _as_shares(votes: Mapping[str, float]) -> dict[str, float]:
    top = max(votes.values(), default=0.0)
    return {name: value / top for name, value in votes.items()} if top else {}
