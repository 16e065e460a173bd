"""Conflicts of interest, states and scores of an assessment; the value range to the fen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.assessments import rules
from marketplace.assessments.parameters import valuation_terms_on
from marketplace.assessments.rules import (
    AssessmentState,
    ConflictKind,
    ExpertFacts,
    PartyFacts,
    SubjectFacts,
)
from marketplace.assessments.valuation_rules import (
    Comparable,
    CostInput,
    CostItem,
    IncomeInput,
    MarketInput,
    MethodInput,
    by_cost,
    by_income,
    by_market,
    check_conclusion,
    check_input,
    compute,
    hull,
    percent_text,
)
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from tests.assessing import CONCLUSION, COST, INCOME

TODAY = date(2024, 3, 15)
TERMS = valuation_terms_on(TODAY)

HOUSE = PartyFacts(1, "明湖评估", "王建", frozenset({11, 12}))
CLIENT = PartyFacts(2, "泉城理工大学", "赵宁", frozenset({21, 22}))
SUBJECT = SubjectFacts(frozenset({2}), frozenset({"泉城理工大学"}), frozenset({21}))


def test_strangers_have_no_conflict() -> None:
    assert rules.conflicts(HOUSE, CLIENT, SUBJECT, expert_id=11) == []


@pytest.mark.parametrize(
    ("house", "subject", "expert", "expected"),
    [
        (replace(HOUSE, organisation_id=2), SUBJECT, None, ConflictKind.SAME_ORGANISATION),
        (HOUSE, replace(SUBJECT, owner_ids=frozenset({1, 2})), None, ConflictKind.OWNER),
        (HOUSE, replace(SUBJECT, owner_names=frozenset({"明湖评估"})), None, ConflictKind.OWNER),
        (replace(HOUSE, representative=" 赵宁 "), SUBJECT, None,
         ConflictKind.SAME_REPRESENTATIVE),
        (HOUSE, replace(SUBJECT, inventor_ids=frozenset({12})), None,
         ConflictKind.INVENTOR_MEMBER),
        (replace(HOUSE, member_ids=frozenset({22})), SUBJECT, None, ConflictKind.SHARED_MEMBER),
        (HOUSE, replace(SUBJECT, inventor_ids=frozenset({11})), 11, ConflictKind.EXPERT_NAMED),
        (replace(HOUSE, traded_with=frozenset({2})), SUBJECT, None, ConflictKind.PAST_DEAL),
        (replace(HOUSE, owned_with=frozenset({2})), SUBJECT, None, ConflictKind.OWNERSHIP),
    ],
)  # fmt: skip
def test_every_known_tie_blocks(
    house: PartyFacts, subject: SubjectFacts, expert: int | None, expected: ConflictKind
) -> None:
    found = rules.conflicts(house, CLIENT, subject, expert_id=expert)
    assert expected in found
    with pytest.raises(RuleBroken) as refusal:
        rules.check_no_conflict(found)
    assert expected.label in refusal.value.message


EXPERT = ExpertFacts(31, "周衡", frozenset({3}), frozenset({32}))


def test_a_stranger_may_sit() -> None:
    assert rules.expert_conflicts(EXPERT, 2, 1, SUBJECT) == []


@pytest.mark.parametrize(
    ("expert", "expected"),
    [
        (replace(EXPERT, user_id=21), ConflictKind.EXPERT_INVENTOR),
        (replace(EXPERT, name="李敏"), ConflictKind.SAME_NAME),
        (replace(EXPERT, worked_with=frozenset({21})), ConflictKind.CO_INVENTOR),
        (replace(EXPERT, organisation_ids=frozenset({2})), ConflictKind.SAME_EMPLOYER),
        (replace(EXPERT, organisation_ids=frozenset({4})), ConflictKind.SAME_EMPLOYER),
        (replace(EXPERT, organisation_ids=frozenset({1})), ConflictKind.SAME_HOUSE),
        (replace(EXPERT, traded_with=frozenset({4})), ConflictKind.PAST_DEAL),
        (replace(EXPERT, owned_with=frozenset({2})), ConflictKind.OWNERSHIP),
    ],
)
def test_every_tie_of_an_expert_blocks(expert: ExpertFacts, expected: ConflictKind) -> None:
    subject = replace(
        SUBJECT, owner_ids=frozenset({2, 4}), inventor_names=frozenset({"李敏", "陈卓"})
    )
    found = rules.expert_conflicts(expert, 2, 1, subject)
    assert found == [expected]
    with pytest.raises(RuleBroken, match="不能参加"):
        rules.check_no_conflict(found, who="expert")


def test_empty_representatives_are_no_tie() -> None:
    house, client = replace(HOUSE, representative=""), replace(CLIENT, representative=" ")
    assert rules.conflicts(house, client, SUBJECT) == []


def test_no_order_without_a_statement() -> None:
    with pytest.raises(RuleBroken, match="须声明"):
        rules.check_statement(declared=False, statement="核对了股权和任职关系，没有")
    with pytest.raises(RuleBroken, match="至少"):
        rules.check_statement(declared=True, statement="没有")


@pytest.mark.parametrize("state", list(AssessmentState))
def test_only_the_named_steps_exist(state: AssessmentState) -> None:
    for to in AssessmentState:
        if to in rules.TRANSITIONS[state]:
            assert rules.move(state, to) is to
        else:
            with pytest.raises(Conflict):
                rules.move(state, to)


def test_income_discounts_each_year_exactly() -> None:
    result = by_income(IncomeInput((Fen(110_00), Fen(121_00)), 1_000_000, 1_000_000, 100_000))
    assert [line.low_fen for line in result.lines] == [100_00, 100_00]
    assert result.low_fen == result.high_fen == 200_00


def test_income_of_the_sample_by_hand() -> None:
    result = by_income(INCOME)
    by_hand = [
        Fraction(revenue) * Fraction(1, 100) / Fraction(112, 100) ** year
        for year, revenue in enumerate(INCOME.revenues_fen, start=1)
    ]
    assert result.low_fen == sum(int(value) for value in by_hand)


def test_market_takes_the_lowest_and_highest_adjusted_price() -> None:
    deals = tuple(
        Comparable(name, Fen(price), factor)
        for name, price, factor in [
            ("甲", 100_00, 1_200_000),
            ("乙", 200_01, 500_000),
            ("丙", 90_00, 1_000_000),
        ]
    )
    result = by_market(MarketInput(deals))
    assert (result.low_fen, result.high_fen) == (90_00, 120_00)
    assert result.lines[1].low_fen == 100_00  # 100.005 yuan, floored to the fen


def test_cost_adds_profit_and_takes_off_depreciation() -> None:
    result = by_cost(CostInput((CostItem("研发", Fen(1000_00)),), 100_000, 100_000, 500_000))
    assert (result.low_fen, result.high_fen) == (550_00, 990_00)


@given(
    st.lists(st.integers(0, 10**12), min_size=1, max_size=12),
    st.integers(1, 10**6),
    st.integers(1, 10**6),
    st.integers(10_000, 500_000),
)
def test_what_is_shown_adds_up_and_low_is_never_above_high(
    revenues: list[int], one: int, other: int, discount: int
) -> None:
    low, high = sorted((one, other))
    result = by_income(IncomeInput(tuple(Fen(r) for r in revenues), low, high, discount))
    assert sum(line.low_fen for line in result.lines) == result.low_fen <= result.high_fen
    assert all(line.low_fen <= line.high_fen for line in result.lines)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (replace(INCOME, revenues_fen=()), "valuation.no_revenue"),
        (replace(INCOME, revenues_fen=(Fen(0),)), "valuation.no_revenue"),
        (replace(INCOME, revenues_fen=(Fen(1),) * 21), "valuation.too_long"),
        (replace(INCOME, share_low_ppm=0), "valuation.share"),
        (replace(INCOME, share_low_ppm=20_000), "valuation.share"),
        (replace(INCOME, discount_ppm=9_999), "valuation.discount"),
        (replace(INCOME, discount_ppm=500_001), "valuation.discount"),
        (MarketInput((Comparable("甲", Fen(1), 1),) * 2), "valuation.comparables"),
        (MarketInput((Comparable("甲", Fen(0), 1),) * 3), "valuation.comparable"),
        (replace(COST, items=()), "valuation.no_cost"),
        (replace(COST, depreciation_high_ppm=1_000_000), "valuation.depreciation"),
        (replace(COST, depreciation_low_ppm=300_000), "valuation.depreciation"),
        (replace(COST, profit_ppm=1_000_001), "valuation.profit"),
    ],
)
def test_figures_that_cannot_be_are_named(data: MethodInput, code: str) -> None:
    assert [problem.code for problem in check_input(data, TERMS)] == [code]


@pytest.mark.parametrize("data", [INCOME, COST])
def test_usable_figures_pass(data: MethodInput) -> None:
    assert check_input(data, TERMS) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"low_fen": Fen(0)}, "valuation.range"),
        ({"low_fen": Fen(3_800_000_01)}, "valuation.range"),
        ({"high_fen": Fen(5_000_000_00)}, "valuation.outside"),
        ({"base_on": date(2024, 3, 16)}, "valuation.base_future"),
        ({"valid_until": date(2025, 3, 1)}, "valuation.validity"),
        ({"valid_until": date(2024, 2, 29)}, "valuation.validity"),
        ({"reasoning": "合适"}, "valuation.reasoning"),
    ],
)
def test_a_conclusion_stays_within_its_methods_and_its_year(
    changes: dict[str, object], code: str
) -> None:
    results = [compute(INCOME), compute(COST)]
    check_conclusion(CONCLUSION, results, TERMS, today=TODAY)
    with pytest.raises(RuleBroken) as refusal:
        check_conclusion(
            replace(CONCLUSION, **changes),  # type: ignore[arg-type]  # one field of any type
            results,
            TERMS,
            today=TODAY,
        )
    assert code in {problem.code for problem in refusal.value.problems}


def test_the_last_possible_day_is_a_year_after_the_base_date() -> None:
    results = [compute(INCOME), compute(COST)]
    last = replace(CONCLUSION, valid_until=date(2025, 2, 28))
    check_conclusion(last, results, TERMS, today=TODAY)
    assert hull(results)[0] == min(result.low_fen for result in results)


def test_percentages_read_without_needless_zeros() -> None:
    assert percent_text(125_000) == "12.5 %"
    assert percent_text(10_000) == "1 %"
    assert percent_text(333_333) == "33.3333 %"
