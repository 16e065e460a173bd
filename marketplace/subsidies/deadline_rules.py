"""When whoever holds a claim is reminded of its deadline: the working day before, the day after."""

from __future__ import annotations

from datetime import date, timedelta

from marketplace.foundation.workdays import is_workday

_DAY = timedelta(days=1)


def first_reminder(due_on: date, *, today: date) -> date:
    """Return the last working day before a deadline, or the day after it where that is too late."""
    day = due_on - _DAY
    while day > today and not is_workday(day):
        day -= _DAY
    return day if day > today else due_on + _DAY


def next_reminder(due_on: date, *, today: date) -> date | None:
    """Return when a reminder of today is followed by another, None once the deadline is past."""
    return due_on + _DAY if today <= due_on else None
