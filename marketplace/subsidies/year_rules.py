"""Who may see whole years, and when a year is looked at again. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from marketplace.foundation.access import Permission, Role

SEE_YEARS = Permission(
    "subsidies.see_years", frozenset({Role.BUREAU_REVIEWER, Role.CENTRE_REVIEWER})
)
RECOMPUTE = Permission("subsidies.recompute", frozenset({Role.BUREAU_REVIEWER}))

# Platform rule: the running and the past year are recomputed each night.
NIGHTLY_AT = time(3)


def last_night(now: datetime) -> datetime:
    """Return the last moment at which the years were due, in the local time of ``now``."""
    due = datetime.combine(now.date(), NIGHTLY_AT, now.tzinfo)
    return due if due <= now else due - timedelta(days=1)


def nightly_years(now: datetime) -> tuple[int, int]:
    """Return the years that are recomputed at night."""
    return now.year - 1, now.year
