"""Working days by the state calendar with its moved days (调休).

Rests on the yearly notices of the State Council's general office as `chinesecalendar` carries
them, corrected by seed/reference/workdays.yaml and by the operator's own file. Beyond the last
published year it refuses, unless the operator has entered that year.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Self

import chinese_calendar
import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.reference import load

_SATURDAY = 5


class WorkdayOverrides(BaseModel):
    """Days that differ from the published calendar, entered by the operator with a source."""

    model_config = ConfigDict(extra="forbid")

    source: str = ""
    # Whole years that the library does not carry yet: weekends rest, but for the days below.
    years: frozenset[int] = frozenset()
    working: frozenset[date] = frozenset()
    resting: frozenset[date] = frozenset()

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if (self.years or self.working or self.resting) and not self.source.strip():
            raise ValueError("a calendar that is entered names the notice it is taken from")
        if self.working & self.resting:
            raise ValueError("a day cannot both work and rest")
        return self


_entered = WorkdayOverrides()


def use_entered(path: Path) -> None:
    """Take over the calendar that the operator keeps in a file; without the file, none."""
    global _entered  # one calendar counts for the whole process, as the published one does
    if path.exists():
        _entered = WorkdayOverrides.model_validate(
            yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        )
    else:
        _entered = WorkdayOverrides()


@cache
def _packaged() -> WorkdayOverrides:
    return load("workdays", WorkdayOverrides)


def is_workday(day: date) -> bool:
    """Tell whether people work on that day; refuse a year whose calendar is not published."""
    for overrides in (_entered, _packaged()):
        if day in overrides.working:
            return True
        if day in overrides.resting:
            return False
        if day.year in overrides.years:
            return day.weekday() < _SATURDAY
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
