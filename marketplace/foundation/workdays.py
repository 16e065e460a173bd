"""Working days by the state calendar with its moved days (调休).

Rests on the yearly notices of the State Council's general office as `chinesecalendar` carries
them, corrected by seed/reference/workdays.yaml. Beyond the last published year it refuses.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import chinese_calendar
from pydantic import BaseModel, ConfigDict

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.reference import load


class WorkdayOverrides(BaseModel):
    """Days that differ from the published calendar, entered by the operator with a source."""

    model_config = ConfigDict(extra="forbid")

    source: str = ""
    working: frozenset[date] = frozenset()
    resting: frozenset[date] = frozenset()


@cache
def _overrides() -> WorkdayOverrides:
    return load("workdays", WorkdayOverrides)


def is_workday(day: date) -> bool:
    """Tell whether people work on that day; refuse a year whose calendar is not published."""
    overrides = _overrides()
    if day in overrides.working:
        return True
    if day in overrides.resting:
        return False
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as unpublished:
        raise RuleBroken(
            "workdays.unpublished",
            f"{day.year} 年的节假日安排尚未公布，期限暂时无法计算；"
            "请交易中心录入当年的工作日历后再办理",
        ) from unpublished


def add_workdays(day: date, count: int) -> date:
    """Return the last day of a term of ``count`` working days that begins the day after ``day``."""
    while count > 0:
        day += timedelta(days=1)
        if is_workday(day):
            count -= 1
    return day


def workdays_between(start: date, end: date) -> int:
    """Count working days after ``start`` through ``end``; negative when ``end`` lies before."""
    if end < start:
        return -workdays_between(end, start)
    days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(is_workday(day) for day in days)
