"""Courses: states, hours of a day, the code in the room."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.brokerage import register_rules
from marketplace.brokerage.register_rules import BrokerLevel, Certificate
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.training import parameters, rules
from marketplace.training.rules import CourseState

NOW = datetime(2024, 3, 15, 9, tzinfo=UTC)
KEY = b"of the site"


@given(st.integers(1, 300), st.integers(0, 29))
def test_the_hours_of_the_days_come_to_the_whole(hours: int, more: int) -> None:
    days = rules.days_of(date(2024, 2, 20), date(2024, 2, 20) + timedelta(days=more))
    each = [rules.hours_of_day(hours, days, day) for day in days]
    assert sum(each) == hours
    assert max(each) - min(each) <= 1


@given(st.integers(1, 10**9), st.integers(0, 300), st.integers(-600, 600))
def test_a_code_tells_its_course_while_it_holds(course: int, seconds: int, later: int) -> None:
    code = rules.make_code(KEY, course_id=course, now=NOW, seconds=seconds)
    moment = NOW + timedelta(seconds=later)
    if later <= seconds:
        assert rules.read_code(KEY, code, now=moment) == course
    else:
        with pytest.raises(RuleBroken) as refusal:
            rules.read_code(KEY, code, now=moment)
        assert refusal.value.code == "training.code_over"


@given(st.text(max_size=60))
def test_what_the_site_did_not_sign_is_no_code(text: str) -> None:
    good = rules.make_code(KEY, course_id=7, now=NOW, seconds=60)
    other = rules.make_code(b"another", course_id=7, now=NOW, seconds=60)
    for code in (text, other, good.replace("7-", "8-", 1), good[:-1]):
        with pytest.raises(RuleBroken) as refusal:
            rules.read_code(KEY, code, now=NOW)
        assert refusal.value.code == "training.code"


def test_a_course_is_full_running_over() -> None:
    def state(now: datetime, free: int = 1, *, cancelled: bool = False) -> CourseState:
        return rules.course_state(
            cancelled=cancelled,
            starts_at=NOW,
            ends_at=NOW + timedelta(hours=8),
            free=free,
            now=now,
        )

    before = NOW - timedelta(seconds=1)
    assert state(before) is CourseState.OPEN
    assert state(before, 0) is CourseState.FULL
    assert state(NOW) is CourseState.RUNNING
    assert state(NOW + timedelta(hours=8)) is CourseState.OVER
    assert state(NOW, cancelled=True) is CourseState.CANCELLED
    for closed in (CourseState.RUNNING, CourseState.OVER, CourseState.CANCELLED):
        with pytest.raises(Conflict):
            rules.check_sign_up(closed)
        with pytest.raises(Conflict):
            rules.check_give_up(closed)


@pytest.mark.parametrize(("attended", "may"), [(31, False), (32, True), (40, True)])
def test_an_exam_needs_most_of_the_hours(attended: int, may: bool) -> None:
    assert rules.may_be_examined(attended, 40, 80) is may


def test_a_course_that_cannot_be_is_refused() -> None:
    good = {"title": "班", "place": "厅", "hours": 8, "now": NOW}
    start, end = NOW + timedelta(days=1), NOW + timedelta(days=1, hours=8)
    rules.check_course(**good, starts_at=start, ends_at=end)
    for changed, fields in (
        ({"starts_at": NOW}, ["first_on"]),
        ({"ends_at": start}, ["ends_at"]),
        ({"ends_at": start + timedelta(days=30)}, ["last_on"]),
        ({"hours": 13}, ["hours"]),
        ({"title": " ", "place": ""}, ["title", "place"]),
    ):
        values = {**good, "starts_at": start, "ends_at": end, **changed}
        with pytest.raises(RuleBroken) as refusal:
            rules.check_course(**values)
        assert [problem.field for problem in refusal.value.problems] == fields


def test_fees_are_paid_only_while_a_document_is_in_force() -> None:
    found = parameters.fee_subsidy_on(date(2024, 3, 15))
    assert found is not None
    assert found.document_no == "济政发〔2021〕15号"
    assert parameters.fee_subsidy_on(date(2024, 10, 14)) is not None
    assert parameters.fee_subsidy_on(date(2024, 10, 15)) is None
    assert parameters.fee_subsidy_on(date(2021, 10, 14)) is None


@pytest.mark.parametrize(
    ("level", "valid_to", "replaced"),
    [
        (None, None, True),
        (BrokerLevel.JUNIOR, None, True),
        (BrokerLevel.INTERMEDIATE, None, False),
        (BrokerLevel.INTERMEDIATE, date(2027, 3, 14), False),
        (BrokerLevel.INTERMEDIATE, date(2027, 3, 13), True),
        (BrokerLevel.SENIOR, None, False),
        (BrokerLevel.SENIOR, date(2024, 3, 15), False),
        (BrokerLevel.SENIOR, date(2024, 3, 14), True),
    ],
)
def test_a_lower_or_shorter_certificate_displaces_another_only_when_that_has_run_out(
    level: BrokerLevel | None, valid_to: date | None, replaced: bool
) -> None:
    new = Certificate(BrokerLevel.INTERMEDIATE, "X", "Y", date(2027, 3, 14))
    today = date(2024, 3, 15)
    assert register_rules.replaces(new, level, valid_to, today=today) is replaced


def test_a_certificate_ends_on_the_eve_of_its_anniversary() -> None:
    assert parameters.valid_to(date(2024, 3, 15)) == date(2027, 3, 14)
    assert parameters.valid_to(date(2024, 2, 29)) == date(2027, 2, 28)
