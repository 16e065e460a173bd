"""Needs: states, completeness, contradictions, answers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.needs.rules import (
    EDITABLE_STATES,
    TRANSITIONS,
    Indicator,
    NeedState,
    check_answer,
    check_editable,
    contradictions,
    missing,
    move,
)
from tests.achievement_contents import complete_need

TODAY = date(2024, 3, 15)


@given(st.sampled_from(NeedState), st.sampled_from(NeedState))
def test_only_the_steps_of_the_table_exist(state: NeedState, to: NeedState) -> None:
    if to in TRANSITIONS[state]:
        assert move(state, to) is to
    else:
        with pytest.raises(Conflict):
            move(state, to)


def test_a_contracted_need_is_over() -> None:
    assert TRANSITIONS[NeedState.CONTRACTED] == frozenset()


def test_a_complete_need_lacks_nothing() -> None:
    assert missing(complete_need()) == []
    assert contradictions(complete_need(), today=TODAY) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": "短"}, "title"),
        ({"problem": "坏了"}, "problem"),
        ({"indicators": ()}, "indicators"),
        ({"indicators": (Indicator("气孔率", "4.5", "", "%"),)}, "indicators"),
        ({"budget_max_fen": None}, "budget_max"),
        ({"deadline": None}, "deadline"),
        ({"modes": ()}, "modes"),
        ({"field": None}, "field"),
    ],
)
def test_each_missing_part_is_named_beside_its_field(changed: dict[str, Any], field: str) -> None:
    assert field in {problem.field for problem in missing(complete_need(**changed))}


def test_a_challenge_names_its_prize() -> None:
    found = missing(
        complete_need(
            challenge=True, budget_min_fen=None, budget_max_fen=None, budget_negotiable=True
        )
    )
    assert [problem.field for problem in found] == ["budget_max"]
    assert "榜额" in found[0].message


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"budget_min_fen": Fen(9), "budget_max_fen": Fen(8)}, "下限 0.09 元大于上限 0.08 元"),
        ({"budget_negotiable": True}, "二选一"),
        ({"deadline": TODAY - timedelta(days=1)}, "已经过去"),
        ({"region_code": "3701"}, "6 位数字"),
        ({"industry_code": "x"}, "GB/T 4754"),
        ({"problem": "长" * 4001}, "最多 4000 个"),
        ({"expert_terms": tuple(str(i) for i in range(21))}, "最多 20 个"),
    ],
)
def test_what_can_never_be_right_is_refused_in_a_draft_too(
    changed: dict[str, Any], words: str
) -> None:
    found = contradictions(complete_need(**changed), today=TODAY)
    assert any(words in problem.message for problem in found)


def test_today_is_no_past_deadline() -> None:
    assert contradictions(complete_need(deadline=TODAY), today=TODAY) == []


@pytest.mark.parametrize("state", sorted(set(NeedState) - EDITABLE_STATES))
def test_under_review_and_after_the_end_nothing_changes(state: NeedState) -> None:
    with pytest.raises(Conflict):
        check_editable(state)


def test_an_answer_says_how() -> None:
    with pytest.raises(RuleBroken):
        check_answer("我们能做")
    with pytest.raises(RuleBroken):
        check_answer("长" * 3001)
    assert check_answer("  旋转除气加在线测氢，气孔率可降到 1.6 %，三个月交样件。 ").startswith(
        "旋转"
    )
