"""Ratings of brokers: who may rate, what is shown, and averages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.brokerage import rating_rules
from marketplace.brokerage.rating_rules import Carried, Criterion, RatingSide, WordsState
from marketplace.brokerage.rules import DealStage
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken

DAY = date(2024, 3, 15)
DEAL = Carried(DealStage.REGISTERED, DAY, 1, 2, 7, frozenset({3}))
GOOD = dict.fromkeys(Criterion, 4)


def may(deal: Carried = DEAL, *, user: int = 9, own: int = 2, today: date = DAY) -> RatingSide:
    return rating_rules.check_may_rate(
        deal, user_id=user, organisation_id=own, today=today, days=180
    )


def test_both_sides_rate_and_strangers_learn_nothing() -> None:
    assert may(own=1) is RatingSide.SELLER
    assert may(own=2) is RatingSide.BUYER
    with pytest.raises(NotFound):
        may(own=3)
    with pytest.raises(NotFound):
        rating_rules.check_may_rate(DEAL, user_id=9, organisation_id=None, today=DAY, days=180)


@pytest.mark.parametrize(
    ("deal", "user", "code"),
    [
        (DEAL, 7, "rating.own"),
        (replace(DEAL, broker_organisation_ids=frozenset({2})), 9, "rating.own"),
        (replace(DEAL, broker_user_id=None), 9, "rating.no_broker"),
        (replace(DEAL, stage=DealStage.SIGNED), 9, "rating.not_registered"),
        (replace(DEAL, registered_on=None), 9, "rating.not_registered"),
        (replace(DEAL, registered_on=date(2023, 9, 16)), 9, "rating.over"),
    ],
)
def test_who_may_not_rate_is_told_why(deal: Carried, user: int, code: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        may(deal, user=user)
    assert refusal.value.code == code


def test_the_last_day_of_the_term_still_counts() -> None:
    assert may(replace(DEAL, registered_on=date(2023, 9, 17))) is RatingSide.BUYER
    assert may(replace(DEAL, stage=DealStage.PAID)) is RatingSide.BUYER


@pytest.mark.parametrize("score", [None, 0, 6, -1])
def test_every_criterion_has_one_to_five_points(score: int | None) -> None:
    rating_rules.check_rating(GOOD, words="", consented=False)
    with pytest.raises(RuleBroken) as refusal:
        rating_rules.check_rating(GOOD | {Criterion.TRUST: score}, words="", consented=False)
    assert [problem.field for problem in refusal.value.problems] == ["trust"]


def test_words_are_public_only_by_consent_and_after_a_look() -> None:
    assert rating_rules.words_state(words="很好", consented=False) is WordsState.NONE
    assert rating_rules.words_state(words="答复快，材料齐", consented=True) is WordsState.WAITING
    with pytest.raises(RuleBroken):
        rating_rules.check_rating(GOOD, words="短", consented=True)
    shown = rating_rules.decide_words(WordsState.WAITING, shown=True, reason="")
    assert shown is WordsState.SHOWN
    with pytest.raises(RuleBroken):
        rating_rules.decide_words(WordsState.WAITING, shown=False, reason="不行")
    for state in set(WordsState) - {WordsState.WAITING}:
        with pytest.raises(Conflict):
            rating_rules.decide_words(state, shown=True, reason="")


def test_a_broker_answers_shown_words_once() -> None:
    words = "感谢指出，已改为当天答复。"
    assert rating_rules.check_answer(WordsState.SHOWN, False, f" {words} ") == words
    with pytest.raises(Conflict):
        rating_rules.check_answer(WordsState.SHOWN, True, words)
    with pytest.raises(Conflict):
        rating_rules.check_answer(WordsState.WAITING, False, words)
    with pytest.raises(RuleBroken):
        rating_rules.check_answer(WordsState.SHOWN, False, "谢谢")


@given(st.lists(st.integers(1, 5), max_size=30))
def test_an_average_needs_three_ratings_and_is_off_by_half_a_tenth_at_most(
    scores: list[int],
) -> None:
    found = rating_rules.mean(Criterion.SKILL, scores)
    assert found.count == len(scores)
    if len(scores) < rating_rules.LEAST_RATINGS:
        assert found.tenths is None
        assert found.text == ""
        return
    assert found.tenths is not None
    off = Fraction(found.tenths, 10) - Fraction(sum(scores), len(scores))
    assert -Fraction(1, 20) < off <= Fraction(1, 20)
    assert found.text == f"{found.tenths / 10:.1f}"
