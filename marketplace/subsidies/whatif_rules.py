"""What another set of documents would do to everybody's year: winners, losers, money, caps. Pure.

Both sides are computed by ``calculation_rules`` over the same contracts; nothing is estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from marketplace.foundation.money import Fen
from marketplace.foundation.words import Word
from marketplace.subsidies.calculation_rules import Calculation, scale_to_budget
from marketplace.subsidies.parameters import Policy
from marketplace.subsidies.trace_rules import ItemResult
from marketplace.subsidies.word_rules import Item


class Place(Word):
    """How a tried document stands to those that are issued."""

    INSTEAD = "instead", "替代现行文件"
    BESIDE = "beside", "与现行文件并行，就高不重复"


class Effect(Word):
    """What becomes of one organisation's item."""

    NEW = "new", "新得", "ok"
    MORE = "more", "增加", "ok"
    SAME = "same", "不变", "neutral"
    LESS = "less", "减少", "warn"
    LOST = "lost", "不再得", "danger"


def scenario(issued: Iterable[Policy], tried: Policy | None, place: Place) -> tuple[Policy, ...]:
    """Return the documents of one side: the issued ones, and with them a tried one.

    The tried document counts as in force all year. Instead of the others it alone pays the items
    that it names, and the others go on paying the rest; an issued edition of itself is left out.
    """
    if tried is None:
        return tuple(issued)
    named = {terms.item for terms in tried.items}
    kept = []
    for policy in issued:
        if policy.id == tried.id:
            continue
        if place is Place.INSTEAD:
            rest = tuple(terms for terms in policy.items if terms.item not in named)
            policy = policy.model_copy(update={"items": rest})
        kept.append(policy)
    return (*kept, tried.as_if_in_force())


@dataclass(frozen=True)
class Shift:
    """One organisation's item on both sides; ``capped_…`` tells whether a cap cuts it there."""

    key: str
    name: str
    item: Item
    before_fen: Fen
    after_fen: Fen
    before_policy: str
    after_policy: str
    before_capped: bool
    after_capped: bool

    @property
    def gain_fen(self) -> Fen:
        """Return what is more, below zero what is less."""
        return Fen(self.after_fen - self.before_fen)

    @property
    def effect(self) -> Effect:
        """Name what becomes of it."""
        if self.gain_fen == 0:
            return Effect.SAME
        if self.gain_fen > 0:
            return Effect.NEW if self.before_fen == 0 else Effect.MORE
        return Effect.LOST if self.after_fen == 0 else Effect.LESS


@dataclass(frozen=True)
class ItemTotal:
    """One item, or all together, summed over everybody: amounts in fen, counts of organisations."""

    label: str
    before_fen: Fen
    after_fen: Fen
    before_count: int
    after_count: int
    before_capped: int
    after_capped: int

    @property
    def gain_fen(self) -> Fen:
        """Return what is more, below zero what is less."""
        return Fen(self.after_fen - self.before_fen)


@dataclass(frozen=True)
class Band:
    """How many organisations' items change by how much."""

    label: str
    count: int
    gain_fen: Fen


@dataclass(frozen=True)
class WhatIf:
    """Two sides compared, the largest change first; an item nobody gets on any side is left out."""

    shifts: tuple[Shift, ...]

    def of(self, item: Item | None) -> tuple[Shift, ...]:
        """Return one item's shifts, or all."""
        return tuple(shift for shift in self.shifts if item in (None, shift.item))

    def totals(self) -> tuple[ItemTotal, ...]:
        """Sum by item, in the order of the items, and all together last."""
        listed = [_total(item.label, self.of(item)) for item in Item]
        return (*listed, _total("合计", self.shifts))

    def winners(self) -> tuple[Shift, ...]:
        """Return who gets more, the most first."""
        return tuple(s for s in self.shifts if s.gain_fen > 0)

    def losers(self) -> tuple[Shift, ...]:
        """Return who gets less, the most first."""
        return tuple(s for s in self.shifts if s.gain_fen < 0)

    def bands(self) -> tuple[Band, ...]:
        """Count the changes by their size, from the greatest loss to the greatest gain."""
        return tuple(_bands(self.shifts))

    def budget(self, available: Fen) -> BudgetNeed:
        """Say what an available budget leaves of the new amounts (all scaled by one factor)."""
        amounts = [shift.after_fen for shift in self.shifts]
        scaling = scale_to_budget(amounts, available)
        needed = Fen(sum(amounts))
        return BudgetNeed(available, needed, scaling.factor, Fen(sum(scaling.amounts)))


@dataclass(frozen=True)
class BudgetNeed:
    """A budget against what is needed; ``paid_fen`` is what scaled and floored amounts make."""

    available_fen: Fen
    needed_fen: Fen
    factor: Fraction
    paid_fen: Fen

    @property
    def missing_fen(self) -> Fen:
        """Return what is missing, zero where the budget is enough."""
        return Fen(max(0, self.needed_fen - self.available_fen))


def compare_sides(before: Calculation, after: Calculation) -> WhatIf:
    """Compute both sides over the same contracts and set every organisation's items together."""
    shifts = []
    for key in sorted(set(before.held) | set(after.held)):
        old, new = before.results_of(key), after.results_of(key)
        for item in Item:
            left, right = old.get(item), new.get(item)
            paid = [result for result in (left, right) if result is not None and result.paying]
            if not paid:
                continue
            shifts.append(
                Shift(
                    key=key,
                    name=paid[0].party.name,
                    item=item,
                    before_fen=left.amount_fen if left else Fen(0),
                    after_fen=right.amount_fen if right else Fen(0),
                    before_policy=_policy_of(left),
                    after_policy=_policy_of(right),
                    before_capped=_capped(left),
                    after_capped=_capped(right),
                )
            )
    shifts.sort(key=lambda shift: (-abs(shift.gain_fen), -shift.after_fen, shift.key, shift.item))
    return WhatIf(tuple(shifts))


def _policy_of(result: ItemResult | None) -> str:
    return result.paying.policy.short if result and result.paying else ""


def _capped(result: ItemResult | None) -> bool:
    return bool(result and result.paying and any(g.capped for g in result.paying.groups))


def _total(label: str, shifts: Sequence[Shift]) -> ItemTotal:
    return ItemTotal(
        label,
        Fen(sum(shift.before_fen for shift in shifts)),
        Fen(sum(shift.after_fen for shift in shifts)),
        sum(shift.before_fen > 0 for shift in shifts),
        sum(shift.after_fen > 0 for shift in shifts),
        sum(shift.before_capped for shift in shifts),
        sum(shift.after_capped for shift in shifts),
    )


# Upper ends of the bands of a change, in fen; a gain below 10,000 yuan is a small one.
_SMALL, _MIDDLE = 10_000_00, 100_000_00
_BANDS = (
    ("少 10 万元以上", None, -_MIDDLE),
    ("少 1–10 万元", -_MIDDLE, -_SMALL),
    ("少 1 万元以内", -_SMALL, 0),
    ("多 1 万元以内", 0, _SMALL),
    ("多 1–10 万元", _SMALL, _MIDDLE),
    ("多 10 万元以上", _MIDDLE, None),
)


def _bands(shifts: Sequence[Shift]) -> Iterator[Band]:
    """Yield the bands; an end belongs to the band that is nearer to no change."""
    for label, low, high in _BANDS:
        found = [s.gain_fen for s in shifts if s.gain_fen and _within(s.gain_fen, low, high)]
        yield Band(label, len(found), Fen(sum(found)))


def _within(gain: int, low: int | None, high: int | None) -> bool:
    if gain < 0:
        return (low is None or gain >= low) and (high is None or gain < high)
    return (low is None or gain > low) and (high is None or gain <= high)
