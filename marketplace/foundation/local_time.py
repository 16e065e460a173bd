"""Jinan's time of day and calendar day; needs no database, so that pure rules may use it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOCAL = ZoneInfo("Asia/Shanghai")


def local_date(moment: datetime) -> date:
    """Return the calendar day in Jinan of an aware moment."""
    return moment.astimezone(LOCAL).date()


def local_midnight(day: date) -> datetime:
    """Return the aware moment at which a day begins in Jinan."""
    return datetime.combine(day, time(), tzinfo=LOCAL)


def last_day_after(day: date, years: int) -> date:
    """Return the last day of a term of whole years that begins on a day; 29 February ends one."""
    try:
        anniversary = day.replace(year=day.year + years)
    except ValueError:  # 29 February
        anniversary = day.replace(year=day.year + years, month=3, day=1)
    return anniversary - timedelta(days=1)
