"""Calibration: what was told beforehand against what happened; a leader's own chance."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.brokerage.calibration_rules import (
    BANDS,
    Ending,
    Told,
    bands,
    check_override,
    told_beforehand,
)
from marketplace.brokerage.chance_rules import ASSUMED
from marketplace.brokerage.rules import TALKING, DealStage
from marketplace.foundation.errors import RuleBroken

endings = st.lists(st.sampled_from((None, *TALKING, DealStage.SIGNED)).map(Ending), max_size=60)
told = st.lists(st.builds(Told, st.floats(0, 1), st.booleans()), max_size=200)


def test_the_first_deal_is_judged_by_the_assumption_alone() -> None:
    found = told_beforehand([Ending(None)])
    assert [each.share for each in found] == pytest.approx([ASSUMED[stage] for stage in TALKING])
    assert all(each.came_true for each in found)


def test_a_deal_is_never_judged_by_itself_or_later_ones() -> None:
    history = [Ending(DealStage.PRICE_TALK), Ending(None), Ending(DealStage.LEAD)]
    for count in range(len(history)):
        known = told_beforehand(history[: count + 1])
        assert told_beforehand(history)[: len(known)] == known


def test_a_lost_deal_is_asked_about_where_it_had_been() -> None:
    assert len(told_beforehand([Ending(DealStage.CONTACTED)])) == 2
    assert len(told_beforehand([Ending(DealStage.SIGNED)])) == len(TALKING)


@given(endings)
def test_every_told_chance_is_one(history: list[Ending]) -> None:
    found = told_beforehand(history)
    assert len(found) >= len(history)
    assert all(0 < each.share < 1 for each in found)


@given(told)
def test_bands_lose_nothing_and_hold_what_belongs_there(given_: list[Told]) -> None:
    found = bands(given_)
    assert sum(band.count for band in found) == len(given_)
    assert sum(band.true_count for band in found) == sum(each.came_true for each in given_)
    for band in found:
        assert (band.low_percent, band.high_percent) in BANDS
        assert band.low_percent - 1e-9 <= band.told * 100 <= band.high_percent + 1e-9
        assert band.low <= band.happened + 1e-9
        assert band.happened <= band.high + 1e-9


def test_a_fair_coin_is_found_well_told() -> None:
    draw = random.Random(7)
    [band] = bands([Told(0.5, draw.random() < 0.5) for _ in range(400)])
    assert band.low < 0.5 < band.high
    assert not band.few


@pytest.mark.parametrize(
    ("percent", "reason"),
    [(0, "预算已批下来"), (100, "预算已批下来"), (None, "x" * 9), (50, " 好 ")],
)
def test_an_own_chance_is_no_certainty_and_has_a_reason(percent: int | None, reason: str) -> None:
    with pytest.raises(RuleBroken):
        check_override(percent, reason)


def test_the_ends_of_an_own_chance_are_allowed() -> None:
    for percent in (1, 99):
        assert check_override(percent, " 预算已批下来 ") == (percent, "预算已批下来")
