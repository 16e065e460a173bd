"""Working days by the state calendar with its moved days."""

from __future__ import annotations

from datetime import date

import pytest

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.workdays import add_workdays, is_workday, workdays_between


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2024, 2, 9), True),  # the eve of the Spring Festival of 2024 was a working day
        (date(2024, 2, 12), False),
        (date(2024, 2, 18), True),  # a Sunday moved to a working day
        (date(2024, 4, 4), False),
        (date(2024, 4, 7), True),
        (date(2024, 10, 12), True),
    ],
)
def test_moved_days(day: date, working: bool) -> None:
    assert is_workday(day) is working


def test_a_term_begins_the_day_after() -> None:
    assert add_workdays(date(2024, 3, 15), 5) == date(2024, 3, 22)
    assert add_workdays(date(2024, 4, 3), 1) == date(2024, 4, 7)


def test_counting_and_adding_agree() -> None:
    start = date(2024, 1, 1)
    for count in range(1, 120):
        assert workdays_between(start, add_workdays(start, count)) == count


def test_a_past_end_counts_negative() -> None:
    assert workdays_between(date(2024, 3, 22), date(2024, 3, 15)) == -5


def test_beyond_the_published_calendar_it_refuses() -> None:
    with pytest.raises(RuleBroken) as refused:
        is_workday(date(2031, 1, 2))
    assert refused.value.code == "workdays.unpublished"
    assert "2031" in refused.value.message
