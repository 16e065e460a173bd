"""The pre-assessment: each criterion at its boundaries, monotone where more is better."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.achievements.rules import (
    AchievementContent,
    Comparison,
    EvidenceClass,
    IPKind,
    IPRight,
    LegalStatus,
    Owner,
)
from marketplace.assessments.parameters import scoring_on
from marketplace.assessments.rules import Indicator, score_text, weighted_tenths
from marketplace.assessments.scoring_rules import (
    PreAssessment,
    PreGrade,
    facts_of,
    pre_assess,
)
from tests.assessing import content

TODAY = date(2024, 3, 15)
RULES = scoring_on(TODAY)


def assess(record: AchievementContent, *, stale: bool = False) -> PreAssessment:
    return pre_assess(facts_of(record, on=TODAY, stale=stale), RULES)


def points(result: PreAssessment, code: str) -> int:
    return next(c.points for part in result.indicators for c in part.criteria if c.code == code)


def advice(result: PreAssessment, code: str) -> str:
    return next(c.advice for part in result.indicators for c in part.criteria if c.code == code)


def test_an_empty_record_scores_only_what_needs_no_record() -> None:
    result = assess(AchievementContent())
    assert result.grade is PreGrade.THIN
    scored = [c.code for part in result.indicators for c in part.criteria if c.points]
    assert scored == ["fresh"]
    assert all(
        c.advice and c.reason
        for part in result.indicators
        for c in part.criteria
        if c.code != "fresh"
    )


def test_a_complete_record_is_strong_and_says_why() -> None:
    result = assess(content())
    assert result.grade is PreGrade.STRONG
    assert (
        result.score_tenths
        == sum(part.points * part.weight_per_mille for part in result.indicators) // 100
    )
    assert points(result, "maturity") == 45 * 7 // 9
    # two lines measured outside count whole, one measured at home counts half
    assert points(result, "advancement") == 30 * 5 // 8
    assert points(result, "user_evidence") == 0
    assert "试用单位" in advice(result, "user_evidence")
    assert advice(result, "price") == ""


@pytest.mark.parametrize(
    ("trl", "evidence", "expected"),
    [(None, "证据", 0), (9, "证据", 45), (9, "", 27), (1, "证据", 5), (4, "  ", 12)],
)
def test_maturity_counts_less_without_evidence(
    trl: int | None, evidence: str, expected: int
) -> None:
    assert points(assess(content(trl=trl, trl_evidence=evidence)), "maturity") == expected


def test_a_claim_without_figures_gives_nothing_and_is_named() -> None:
    line = Comparison("性能", "国际领先", "", "常规", "一般", EvidenceClass.SELF)
    result = assess(content(comparison=(line,), benefit="国际领先，效果显著"))
    assert points(result, "advancement") == 0
    reason = next(
        c.reason for part in result.indicators for c in part.criteria if c.code == "advancement"
    )
    assert "国际领先" in reason


@pytest.mark.parametrize(
    ("status", "expires", "in_force", "examined"),
    [
        (LegalStatus.GRANTED, date(2039, 5, 6), 20, 30),
        (LegalStatus.EXAMINATION, None, 20, 15),
        (LegalStatus.UNKNOWN, None, 10, 0),
        (LegalStatus.LAPSED, None, 0, 0),
        (LegalStatus.GRANTED, date(2024, 3, 14), 0, 0),
        (LegalStatus.GRANTED, date(2024, 3, 15), 20, 30),
    ],
)
def test_rights_count_while_they_live(
    status: LegalStatus, expires: date | None, in_force: int, examined: int
) -> None:
    right = IPRight(IPKind.INVENTION, "", "一项", status, None, expires)
    result = assess(content(ip_rights=(right,)))
    assert points(result, "rights_in_force") == in_force
    assert points(result, "examined_rights") == examined


@pytest.mark.parametrize(
    ("owners", "expected"),
    [
        ((), 0),
        ((Owner("甲", None),), 30),
        ((Owner("甲", 6_000), Owner("乙", 4_000)), 30),
        ((Owner("甲", 6_000), Owner("乙", 3_999)), 15),
        ((Owner("甲", 6_000), Owner("乙", None)), 15),
    ],
)
def test_ownership_is_clear_when_the_shares_make_a_whole(
    owners: tuple[Owner, ...], expected: int
) -> None:
    assert points(assess(content(owners=owners)), "clear_owners") == expected


def test_stale_information_costs_its_points() -> None:
    assert points(assess(content()), "fresh") == 15
    assert points(assess(content(), stale=True), "fresh") == 0


def test_the_first_advice_is_the_one_that_raises_the_score_most() -> None:
    result = assess(content(comparison=(), trl=None))
    first, second = result.advice(2)
    assert (first.code, second.code) == ("maturity", "advancement")


@given(st.integers(1, 9), st.integers(1, 9))
def test_a_higher_readiness_never_lowers_the_score(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert assess(content(trl=low)).score_tenths <= assess(content(trl=high)).score_tenths


@given(st.lists(st.sampled_from(EvidenceClass), max_size=8), st.sampled_from(EvidenceClass))
def test_one_more_measured_line_never_lowers_the_score(
    kinds: list[EvidenceClass], more: EvidenceClass
) -> None:
    lines = tuple(Comparison("指标", "9", "", "别家", "7", kind) for kind in kinds)
    added = (*lines, Comparison("又一项", "9", "", "别家", "7", more))
    before, after = content(comparison=lines), content(comparison=added)
    assert assess(before).score_tenths <= assess(after).score_tenths
    assert 0 <= assess(after).score_tenths <= 1000


def test_the_same_record_gives_the_same_score() -> None:
    assert assess(content()) == assess(replace(content()))


def test_weights_are_exact_and_round_half_up() -> None:
    weights = RULES.weights.model_dump()
    by_indicator = {indicator: weights[indicator.value] for indicator in Indicator}
    assert weighted_tenths(dict.fromkeys(Indicator, 100), by_indicator) == 1000
    assert weighted_tenths(dict.fromkeys(Indicator, 0), by_indicator) == 0
    one = dict.fromkeys(Indicator, 0) | {Indicator.SCIENTIFIC: 3}  # 3 × 150 ‰ = 0.45 points
    assert score_text(weighted_tenths(one, by_indicator)) == "0.5"
