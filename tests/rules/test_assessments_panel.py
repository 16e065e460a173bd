"""Panels: who may sit, what a sheet must hold, how scores add up, agree and stand apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.assessments import agreement_rules as ar
from marketplace.assessments import panel_rules as pr
from marketplace.assessments.agreement_rules import AgreementLevel
from marketplace.assessments.panel_rules import AchievementType, Candidate, SheetAnswers
from marketplace.assessments.parameters import panel_terms_on
from marketplace.assessments.radar_rules import radar
from marketplace.assessments.rules import Indicator
from marketplace.foundation.errors import RuleBroken
from tests.assessing import answers

TERMS = panel_terms_on(date(2024, 3, 15))
SHEET = TERMS.sheet("applied")

# Shrout & Fleiss 1979, table 2: six targets rated by four judges.
SHROUT_FLEISS = [
    [9, 6, 8, 7, 10, 6],
    [2, 1, 4, 1, 5, 2],
    [5, 3, 6, 2, 6, 4],
    [8, 2, 8, 6, 9, 7],
]
RATINGS = st.integers(3, 7).flatmap(
    lambda items: st.lists(
        st.lists(st.integers(0, 100), min_size=items, max_size=items), min_size=2, max_size=7
    )
)


def people(count: int, in_field: int) -> list[Candidate]:
    return [Candidate(n, f"专家{n}", n <= in_field, ()) for n in range(1, count + 1)]


@pytest.mark.parametrize(("size", "least"), [(5, 4), (7, 5)])
def test_two_thirds_of_a_panel_know_the_field(size: int, least: int) -> None:
    pr.check_panel(people(size, least), TERMS)
    with pytest.raises(RuleBroken, match=f"至少 {least} 人，现在 {least - 1} 人"):
        pr.check_panel(people(size, least - 1), TERMS)


@pytest.mark.parametrize("size", [0, 1, 4, 6, 8])
def test_a_panel_has_five_or_seven(size: int) -> None:
    with pytest.raises(RuleBroken, match="5 或 7 人"):
        pr.check_panel(people(size, size), TERMS)


def test_one_expert_twice_is_one_expert() -> None:
    with pytest.raises(RuleBroken, match="5 或 7 人"):
        pr.check_panel([*people(4, 4), people(1, 1)[0]], TERMS)


def test_a_conflict_bars_a_seat() -> None:
    tied = replace(people(5, 5)[2], conflicts=("专家任职于委托单位或权利人",))
    with pytest.raises(RuleBroken, match="专家3：专家任职于"):
        pr.check_panel([*people(2, 2), tied, *people(5, 5)[3:]], TERMS)


def test_seats_do_not_tell_who_sits_there() -> None:
    assert pr.seats(7, [1, 2, 3, 4, 5]) == pr.seats(7, [5, 4, 3, 2, 1])
    orders = {tuple(pr.seats(n, [1, 2, 3, 4, 5])) for n in range(60)}
    assert len(orders) > 30


def test_a_whole_sheet_is_taken() -> None:
    for kind in AchievementType:
        pr.check_sheet(answers(80, kind), TERMS.sheet(kind.value), TERMS)


@pytest.mark.parametrize(
    ("code", "mark"),
    [("rigour", 101), ("rigour", -1), ("maturity", 0), ("maturity", 10), ("innovation", 5),
     ("advancement", 8), ("saving", None)],
)  # fmt: skip
def test_no_mark_outside_its_scale(code: str, mark: int | None) -> None:
    whole = answers()
    marks = {**whole.marks}
    if mark is None:
        del marks[code]
    else:
        marks[code] = mark
    with pytest.raises(RuleBroken) as refusal:
        pr.check_sheet(replace(whole, marks=marks), SHEET, TERMS)
    assert [problem.field for problem in refusal.value.problems] == [f"mark_{code}"]


def test_reasons_and_maturity_evidence_are_asked_for() -> None:
    bare = SheetAnswers(answers().marks, {Indicator.SOCIAL: "太短"}, "")
    with pytest.raises(RuleBroken) as refusal:
        pr.check_sheet(bare, SHEET, TERMS)
    fields = {problem.field for problem in refusal.value.problems}
    assert fields == {f"reason_{i.value}" for i in Indicator} | {"trl_evidence"}


def test_levels_and_points_make_an_indicator() -> None:
    # Technical: 7 of 9 levels is 78 points, 3 of 4 is 75, 5 of 7 is 71: 35 %, 30 %, 35 %.
    points = pr.indicator_points(answers(75).marks, SHEET, TERMS)
    assert points[Indicator.TECHNICAL] == (35 * 78 + 30 * 75 + 35 * 71 + 50) // 100 == 75
    assert points[Indicator.ECONOMIC] == 75


def test_the_highest_and_the_lowest_are_left_out() -> None:
    assert pr.trimmed_tenths([0, 70, 71, 72, 100]) == 710
    assert pr.trimmed_tenths([60, 60, 60, 61, 90]) == 603


MEANINGS = {"trl": "一二三四五六七八九", "innovation": "甲乙丙丁", "advancement": "一二三四五六七"}


def test_a_panel_adds_up_to_what_it_shows() -> None:
    sheets = [answers(points).marks for points in (60, 70, 75, 80, 90)]
    result = pr.panel_result(sheets, SHEET, TERMS, MEANINGS)
    shown = {part.indicator: part.tenths for part in result.indicators}
    weights = {part.indicator: part.weight_per_mille for part in result.indicators}
    assert result.score_tenths == (sum(shown[i] * weights[i] for i in Indicator) + 500) // 1000
    assert sum(weights.values()) == 1000
    assert [(level.label, level.median) for level in result.levels] == [
        ("成熟度", 7),
        ("创新度", 3),
        ("先进度", 5),
    ]


@given(st.lists(st.integers(0, 100), min_size=5, max_size=7))
def test_a_panels_score_lies_within_its_experts(scores: list[int]) -> None:
    tenths = pr.trimmed_tenths(scores)
    assert min(scores) * 10 <= tenths <= max(scores) * 10


def test_icc_is_that_of_the_paper() -> None:
    single, mean = ar.icc(SHROUT_FLEISS)
    assert ar.decimals(single, 2) == "0.29"
    assert ar.decimals(mean, 2) == "0.62"


def test_w_of_one_mind_is_one_and_of_nobody_undefined() -> None:
    assert ar.kendall_w([[1, 2, 3], [10, 20, 30]]) == 1
    assert ar.kendall_w([[1, 2], [2, 1]]) == 0
    assert ar.kendall_w([[5, 5], [7, 7]]) is None
    assert ar.agreement([[5, 5], [7, 7]]).level(500) is AgreementLevel.STRONG


def _spearman(one: list[int], other: list[int]) -> Fraction | None:
    """Pearson's correlation of middle ranks, squared denominators avoided: rho only if rational."""

    def ranks(row: list[int]) -> list[Fraction]:
        return [
            Fraction(sum(x < v for x in row) * 2 + sum(x == v for x in row) + 1, 2) for v in row
        ]

    a, b = ranks(one), ranks(other)
    mean = Fraction(len(a) + 1, 2)
    return sum(((x - mean) * (y - mean) for x, y in zip(a, b, strict=True)), Fraction(0))


@given(RATINGS)
def test_w_follows_from_the_pairs_of_experts(ratings: list[list[int]]) -> None:
    """W = Σ over all pairs of the covariance of ranks, of the most it could be: another way."""
    w = ar.kendall_w(ratings)
    own = [_spearman(row, row) for row in ratings]
    most = len(ratings) * sum(own, Fraction(0))
    if most == 0:
        assert w is None
        return
    between = sum((_spearman(a, b) for a, b in combinations(ratings, 2)), Fraction(0))
    assert w == (sum(own, Fraction(0)) + 2 * between) / most
    assert 0 <= w <= 1


@given(RATINGS, st.randoms(use_true_random=False))
def test_agreement_knows_no_order(ratings: list[list[int]], random: object) -> None:
    assert ar.agreement(ratings[::-1]) == ar.agreement(ratings)
    turned = [row[::-1] for row in ratings]
    assert ar.agreement(turned) == ar.agreement(ratings)


@pytest.mark.parametrize(
    ("scores", "apart"),
    [
        ([70, 71, 72, 73, 20], {4}),
        ([70, 70, 70, 70, 40], {4}),
        ([70, 70, 70, 70, 70], set()),
        ([70, 70, 70, 70, 75], set()),  # apart, but by less than ten points
        ([50, 60, 70, 80, 90], set()),
        ([70, 71, 72, 73, 74, 75, 100], {6}),
    ],
)
def test_who_stands_apart_is_named(scores: list[int], apart: set[int]) -> None:
    assert ar.outliers(scores, beyond_hundredths=350, points=10) == apart


def test_a_panel_that_disagrees_is_explained() -> None:
    sheets = [answers(points).marks for points in (70, 71, 72, 73, 10)]
    result = pr.panel_result(sheets, SHEET, TERMS, MEANINGS)
    assert result.outlying
    with pytest.raises(RuleBroken, match="偏离"):
        pr.check_explained(result, TERMS, "")
    pr.check_explained(result, TERMS, "专家五认为缺少用户证据，其余四位看过现场记录，取多数意见。")
    agreed = pr.panel_result([answers(p).marks for p in (70,) * 5], SHEET, TERMS, MEANINGS)
    pr.check_explained(agreed, TERMS, "")


def test_the_chart_lies_within_its_box() -> None:
    chart = radar(["科学", "技术", "经济", "社会", "转化"], [0, 250, 500, 750, 1000])
    assert len(chart.spokes) == 5
    assert chart.spokes[0].value_y == 152.0  # nothing: the middle
    assert (chart.spokes[0].x, chart.spokes[0].y) == (180.0, 48.0)
    assert chart.spokes[4].value_x == chart.spokes[4].x  # everything: the rim
    assert all(0 <= s.label_x <= 360 and 0 <= s.label_y <= 284 for s in chart.spokes)
