"""The yearly review of agencies: points, grades, terms, and who may do what."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.reviews import parameters, rules
from marketplace.reviews.rules import UNITS, Grade, Indicator, ReviewState, Scale

TODAY = date(2024, 3, 15)
RULE = parameters.rule_on(TODAY).rule
values = st.dictionaries(
    st.sampled_from(list(Indicator)), st.one_of(st.none(), st.integers(0, 10**8))
)
best = {scale.indicator: scale.full for scale in RULE.scales}


def test_the_points_of_the_data_come_to_a_hundred_and_every_indicator_is_scored() -> None:
    assert sum(scale.points for scale in RULE.scales) == 100
    scored = {scale.indicator for scale in RULE.scales} | {d.indicator for d in RULE.deductions}
    assert scored == set(Indicator) == set(UNITS)
    leasts = [least for _, least in RULE.grades]
    assert leasts == sorted(leasts, reverse=True)
    assert rules.score(best, RULE).tenths == 1000
    assert rules.score(best, RULE).grade is Grade.EXCELLENT
    assert rules.score({}, RULE).grade is Grade.UNFIT


@pytest.mark.parametrize(
    ("value", "tenths"),
    [(0, 0), (1, 33), (2, 67), (3, 100), (9, 100), (None, 0)],
)
def test_an_indicator_earns_its_share_half_up(value: int | None, tenths: int) -> None:
    assert Scale(Indicator.INTRODUCTIONS, 10, 0, 3, 0).earned(value) == tenths


@pytest.mark.parametrize(
    ("value", "tenths"),
    [(5, 100), (10, 100), (40, 50), (70, 0), (700, 0), (None, 50)],
)
def test_less_is_better_where_full_lies_below_zero(value: int | None, tenths: int) -> None:
    assert Scale(Indicator.ANSWER, 10, 70, 10, 50).earned(value) == tenths


@given(values)
def test_lines_add_up_to_a_total_that_stays_within_nothing_and_a_hundred(
    found: dict[Indicator, int | None],
) -> None:
    scored = rules.score(found, RULE)
    assert 0 <= scored.tenths <= 1000
    assert scored.tenths == max(0, sum(line.tenths for line in scored.lines))
    assert all(line.tenths <= line.most * 10 for line in scored.lines)


@given(values, st.sampled_from(list(RULE.scales)), st.integers(0, 10**8), st.integers(1, 99))
def test_doing_better_never_costs_points(
    found: dict[Indicator, int | None], scale: Scale, value: int, more: int
) -> None:
    better = value + more if scale.full > scale.zero else max(0, value - more)
    worse = rules.score(found | {scale.indicator: value}, RULE)
    assert rules.score(found | {scale.indicator: better}, RULE).tenths >= worse.tenths


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_more_points_are_never_a_worse_grade(one: int, other: int) -> None:
    order = list(Grade)
    low, high = sorted((one, other))
    assert order.index(rules.grade_of(high, RULE)) <= order.index(rules.grade_of(low, RULE))


def test_a_grade_begins_at_its_least_points() -> None:
    assert rules.grade_of(850, RULE) is Grade.EXCELLENT
    assert rules.grade_of(849, RULE) is Grade.GOOD
    assert rules.grade_of(449, RULE) is Grade.UNFIT


def test_what_went_wrong_takes_points_away() -> None:
    assert rules.score(best | {Indicator.CANCELLED: 2}, RULE).tenths == 900
    assert rules.score({Indicator.CLAWED_BACK: 9}, RULE).tenths == 0


def test_values_are_written_with_their_unit() -> None:
    assert rules.written(Indicator.BROKERED, 1_234_567) == "1,234,567 元"
    assert rules.written(Indicator.ANSWER, 15) == "1.5 个工作日"
    assert rules.written(Indicator.RATING, None) == "没有数据"
    assert rules.points(-50) == "-5.0"


def test_only_a_year_that_is_over_is_reviewed() -> None:
    rules.check_year(2023, today=TODAY)
    for year in (2024, 2025, 1999):
        with pytest.raises(RuleBroken):
            rules.check_year(year, today=TODAY)


def test_the_agency_confirms_its_own_open_year() -> None:
    actor = Actor(1, 5, frozenset({Role.AGENCY_HEAD}))
    rules.check_confirm(ReviewState.OPEN, organisation_id=5, actor=actor)
    with pytest.raises(NotFound):
        rules.check_confirm(ReviewState.OPEN, organisation_id=6, actor=actor)
    with pytest.raises(Conflict):
        rules.check_confirm(ReviewState.CONFIRMED, organisation_id=5, actor=actor)


def decide(state: ReviewState, grade: Grade, reason: str, confirm_by: date) -> None:
    rules.check_decision(
        state,
        proposed=Grade.GOOD,
        grade=grade,
        reason=reason,
        confirm_by=confirm_by,
        today=TODAY,
    )


def test_a_grade_waits_for_the_agency_and_is_explained_where_it_differs() -> None:
    later = date(2024, 3, 14)
    decide(ReviewState.CONFIRMED, Grade.GOOD, "", TODAY)
    decide(ReviewState.OPEN, Grade.GOOD, "", later)
    decide(ReviewState.CONFIRMED, Grade.FAIR, "两份合同的居间记录不完整", TODAY)
    with pytest.raises(Conflict):
        decide(ReviewState.OPEN, Grade.GOOD, "", TODAY)
    with pytest.raises(RuleBroken):
        decide(ReviewState.CONFIRMED, Grade.FAIR, "不够好", TODAY)
    for state in rules.PUBLIC_STATES:
        with pytest.raises(Conflict):
            decide(state, Grade.GOOD, "", later)
        with pytest.raises(Conflict):
            rules.check_recompute(state)


def test_an_appeal_comes_in_time_and_another_person_decides_it() -> None:
    words = "二月登记的两份合同没有计入，编号附后"

    def appeal(state: ReviewState, said: str, by: date | None) -> str:
        return rules.check_appeal(state, words=said, appeal_by=by, today=TODAY)

    assert appeal(ReviewState.PUBLISHED, f" {words} ", TODAY) == words
    with pytest.raises(Conflict):
        appeal(ReviewState.PUBLISHED, words, date(2024, 3, 14))
    with pytest.raises(Conflict):
        appeal(ReviewState.SETTLED, words, TODAY)
    with pytest.raises(RuleBroken):
        appeal(ReviewState.PUBLISHED, "不服", TODAY)

    def answer(state: ReviewState, reason: str, user_id: int) -> str:
        return rules.check_appeal_decision(state, reason=reason, decided_by_id=1, user_id=user_id)

    assert answer(ReviewState.APPEALED, words, 2) == words
    with pytest.raises(RuleBroken):
        answer(ReviewState.APPEALED, words, 1)
    with pytest.raises(RuleBroken):
        answer(ReviewState.APPEALED, "维持", 2)
    with pytest.raises(Conflict):
        answer(ReviewState.PUBLISHED, words, 2)


@given(st.sampled_from([None, *Grade]), st.sampled_from([None, *Grade]))
def test_two_failed_years_running_end_a_filing_and_nothing_else(
    grade: Grade | None, before: Grade | None
) -> None:
    both = grade is Grade.UNFIT and before is Grade.UNFIT
    assert rules.ends_filing(grade, before) is both


def test_a_draft_promises_and_pays_nothing() -> None:
    promised = {award.grade: award for award in parameters.awards()}
    assert {grade: award.amount_fen for grade, award in promised.items()} == {
        Grade.EXCELLENT: 20_000_000,
        Grade.GOOD: 10_000_000,
    }
    assert all(award.draft for award in promised.values())


def test_a_rule_without_a_day_bears_none() -> None:
    first = parameters.rule_on(TODAY)
    assert first.name == first.reference
    later = first.model_copy(update={"since": date(2025, 7, 1)})
    assert later.name == f"{first.reference}（2025-07-01 起）"
