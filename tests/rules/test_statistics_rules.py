"""Figures against targets, years, bars and columns at their edges."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.statistics import rules
from marketplace.statistics.parameters import targets
from marketplace.statistics.rules import Standing

TODAY = date(2024, 3, 15)


@pytest.mark.parametrize(
    ("value", "target", "text", "reached"),
    [
        (0, 600, "0.0 %", False),
        (599, 600, "99.8 %", False),
        (600, 600, "100.0 %", True),
        (900, 600, "150.0 %", True),
        (5, 0, "0.0 %", True),
        (31_862_000_000_00, 40_000_000_000_00, "79.6 %", False),
    ],
)
def test_a_share_is_never_rounded_up(value: int, target: int, text: str, reached: bool) -> None:
    standing = Standing(value, target)
    assert (standing.percent_text, standing.reached) == (text, reached)


def test_a_yearly_target_counts_its_own_year_once_it_is_past() -> None:
    assert rules.counted_year(date(2022, 12, 31), TODAY) == 2022
    assert rules.counted_year(date(2025, 12, 31), TODAY) == 2024


@pytest.mark.parametrize(
    ("asked", "expected"),
    [("2023", 2023), ("2021", 2021), ("2020", 2024), ("2025", 2024), ("", 2024), ("zwei", 2024)],
)
def test_only_years_with_data_can_be_asked_for(asked: str, expected: int) -> None:
    assert rules.chosen_year(asked, TODAY, first=2021) == expected


def test_the_largest_line_has_the_longest_bar_and_stands_first() -> None:
    shares = rules.with_bars([("小", 1, 25), ("大", 2, 100), ("零", 0, 0)])
    assert [(share.label, share.percent) for share in shares] == [
        ("大", 100),
        ("小", 25),
        ("零", 0),
    ]
    assert rules.with_bars([("零", 0, 0)])[0].percent == 0


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=12))
def test_columns_stay_in_the_chart_and_show_what_is_there(values: list[int]) -> None:
    placed = rules.columns([(str(n), value) for n, value in enumerate(values)])
    for column, value in zip(placed, values, strict=True):
        assert 0 <= column.y <= rules.CHART_HEIGHT
        assert column.y + column.height == rules.CHART_HEIGHT
        assert (column.height > 0) == (value > 0)
        assert 0 <= column.x < column.x + column.width <= rules.SLOT * len(values)


def test_the_documents_targets_are_there() -> None:
    by_key = {target.key: target for target in targets()}
    assert by_key["achievements_listed"].value == 600
    assert by_key["partner_institutions"].value == 50
    assert by_key["brokers_trained"].value == 1000
    assert by_key["turnover_2022"].value == 40_000_000_000
    assert by_key["turnover_2025"].value == 140_000_000_000
    assert by_key["turnover_2025"].is_money
    assert not by_key["brokers_2025"].is_money
