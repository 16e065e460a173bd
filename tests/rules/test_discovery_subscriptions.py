"""Saved searches by the rules: names, room, when the next look is, what a message says."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from marketplace.discovery import subscription_rules as rules
from marketplace.discovery.subscription_rules import Frequency
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import Conflict, RuleBroken


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2024, 3, day, hour, minute, tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("frequency", "now", "expected"),
    [
        (Frequency.DAILY, at(15, 7, 59), at(15, 8)),
        (Frequency.DAILY, at(15, 8), at(16, 8)),
        (Frequency.DAILY, at(31, 23), datetime(2024, 4, 1, 8, tzinfo=LOCAL)),
        # 15 March 2024 is a Friday, 18 March a Monday.
        (Frequency.WEEKLY, at(15, 9), at(18, 8)),
        (Frequency.WEEKLY, at(18, 7), at(18, 8)),
        (Frequency.WEEKLY, at(18, 8), at(25, 8)),
    ],
)
def test_digests_wait_for_the_next_morning(
    frequency: Frequency, now: datetime, expected: datetime
) -> None:
    assert rules.next_look(frequency, now) == expected


def test_what_tells_at_once_is_looked_at_again_without_a_cause() -> None:
    now = at(15, 9)
    assert now < rules.next_look(Frequency.IMMEDIATE, now) <= now + timedelta(minutes=10)


def test_a_name_is_tidied_and_bounded() -> None:
    assert rules.check_name("  低温  脱硝 ") == "低温 脱硝"
    assert rules.check_name("脱\x00硝\x1b") == "脱 硝"
    for wrong in ("", "   ", "名" * 61):
        with pytest.raises(RuleBroken):
            rules.check_name(wrong)


def test_there_is_room_for_fifty() -> None:
    rules.check_room(49)
    with pytest.raises(Conflict):
        rules.check_room(50)


def test_a_message_names_eight_and_counts_the_rest() -> None:
    text = rules.digest([f"标题{n}" for n in range(1, 12)])
    assert "8. 标题8" in text
    assert "标题9" not in text
    assert "还有 3 条" in text
    assert "还有" not in rules.digest(["标题"])
