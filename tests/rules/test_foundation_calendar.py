"""The operator's own calendar, and deadlines as calendar files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import icalendar
import pytest

from marketplace.foundation import workdays
from marketplace.foundation.calendar_files import Deadline, calendar_file
from marketplace.foundation.errors import RuleBroken

ENTERED = """
source: 国务院办公厅关于 2031 年部分节假日安排的通知
years: [2031]
resting: [2031-01-01, 2031-01-02]
working: [2031-01-04]
"""


@pytest.fixture
def entered(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "workdays.yaml"
    workdays.use_entered(tmp_path / "none.yaml")


def test_a_year_that_was_entered_counts(entered: Path) -> None:
    entered.write_text(ENTERED, encoding="utf-8")
    workdays.use_entered(entered)
    # 2031-01-04 is a Saturday that is worked, 01-02 a Thursday off.
    days = [workdays.is_workday(date(2031, 1, day)) for day in (1, 2, 3, 4, 5, 6)]
    assert days == [False, False, True, True, False, True]
    assert workdays.add_workdays(date(2031, 1, 1), 3) == date(2031, 1, 6)
    with pytest.raises(RuleBroken, match="2032"):
        workdays.is_workday(date(2032, 1, 2))


def test_without_the_file_the_year_is_refused(entered: Path) -> None:
    entered.write_text(ENTERED, encoding="utf-8")
    workdays.use_entered(entered)
    entered.unlink()
    workdays.use_entered(entered)
    with pytest.raises(RuleBroken, match="2031 年的节假日安排尚未公布"):
        workdays.add_workdays(date(2030, 12, 31), 1)


@pytest.mark.parametrize(
    "text",
    [
        "years: [2031]",  # without its source
        "source: 通知\nresting: [2031-01-04]\nworking: [2031-01-04]",
        "source: 通知\nholidays: [2031-01-01]",
    ],
)
def test_a_calendar_that_cannot_be_is_refused(entered: Path, text: str) -> None:
    entered.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="validation error"):
        workdays.use_entered(entered)


def test_a_calendar_file_is_read_again() -> None:
    begins = datetime(2024, 4, 2, 1, tzinfo=UTC)
    content = calendar_file(
        "挂牌",
        [
            Deadline(
                "a@x", "登记意向截止：曲轴，及三项专利", date(2024, 3, 29), "https://x/1", "说明"
            ),
            Deadline("b@x", "竞价开始", begins, "https://x/1"),
        ],
        now=begins,
    )
    read = icalendar.Calendar.from_ical(content)
    first, second = read.walk("VEVENT")
    assert str(first["summary"]) == "登记意向截止：曲轴，及三项专利"
    assert first.decoded("dtstart") == date(2024, 3, 29)
    assert first.decoded("dtend") == date(2024, 3, 30)
    assert second.decoded("dtstart") == begins
    assert len(first.walk("VALARM")) == 1
    assert content.count(b"\r\n") > 10
