"""Answers owed to who asks, and what a month of lost deals tells a university.

Pure. A buyer's message waits for an answer by whoever leads the deal: reminded twice, then the
operator is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.brokerage.rules import LostReason, Parties
from marketplace.foundation.access import Permission, Role

WATCH_ANSWERS = Permission("brokerage.watch_answers", frozenset({Role.OPERATOR}))


@dataclass(frozen=True)
class ReminderTerms:
    """After how many working days who answers is reminded, and the operator told."""

    first: int
    second: int
    operator: int

    @property
    def steps(self) -> tuple[int, int, int]:
        """Return the terms in their order."""
        return (self.first, self.second, self.operator)


def owing(parties: Parties) -> int:
    """Return the organisation that owes a buyer the answer: the broker's, else the owner's."""
    if parties.broker_user_id is not None and parties.agency_organisation_id is not None:
        return parties.agency_organisation_id
    return parties.seller_organisation_id


def median(workdays: Sequence[int]) -> float | None:
    """Return the middle of some answer times; None without any."""
    if not workdays:
        return None
    ordered = sorted(workdays)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[middle])
    return (ordered[middle - 1] + ordered[middle]) / 2


def month_before(day: date) -> date:
    """Return the first day of the month before a day's."""
    return date(day.year - 1, 12, 1) if day.month == 1 else date(day.year, day.month - 1, 1)


def month_after(day: date) -> date:
    """Return the first day of the month after a day's."""
    return date(day.year + 1, 1, 1) if day.month == 12 else date(day.year, day.month + 1, 1)


def read_month(text: str) -> date | None:
    """Read ``2024-02`` as the first day of that month; None when it is no month."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def leading(reasons: Sequence[LostReason]) -> LostReason:
    """Return the most frequent reason; of equal ones the first by their order in the list."""
    counts = Counter(reasons)
    order = list(LostReason)
    return max(counts, key=lambda reason: (counts[reason], -order.index(reason)))
