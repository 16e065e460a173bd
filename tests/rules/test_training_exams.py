"""Exams: the paper that a seed draws, grading, attempts, the questions of the bank."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.training import exam_rules
from marketplace.training.exam_rules import Question, QuestionKind

NOW = datetime(2024, 3, 15, 9, tzinfo=UTC)


@st.composite
def questions(draw: st.DrawFn, number: int) -> Question:
    count = draw(st.integers(2, 8))
    kind = draw(st.sampled_from(QuestionKind))
    least, most = (1, 1) if kind is QuestionKind.SINGLE else (2, count)
    right = draw(st.sets(st.integers(0, count - 1), min_size=least, max_size=most))
    options = tuple(f"选项{number}-{place}" for place in range(count))
    return Question(number, kind, f"题{number}", options, frozenset(right))


@st.composite
def banks(draw: st.DrawFn) -> list[Question]:
    return [draw(questions(number)) for number in range(1, draw(st.integers(2, 12)))]


def right_words(question: Question) -> set[str]:
    return {question.options[place] for place in question.right}


@given(banks(), st.text(max_size=20), st.data())
def test_a_seed_draws_the_same_paper_of_the_same_bank_in_any_order(
    bank: list[Question], seed: str, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(bank)))
    paper = exam_rules.draw(bank, count, seed)
    assert paper == exam_rules.draw(data.draw(st.permutations(bank)), count, seed)
    assert len({each.id for each in paper}) == count
    known = {each.id: each for each in bank}
    for each in paper:
        assert set(each.options) == set(known[each.id].options)
        assert right_words(each) == right_words(known[each.id])


def test_different_seeds_draw_different_papers() -> None:
    bank = [
        Question(n, QuestionKind.SINGLE, f"题{n}", ("甲", "乙", "丙", "丁"), frozenset({0}))
        for n in range(30)
    ]
    papers = [exam_rules.draw(bank, 10, f"{n}") for n in range(20)]
    assert len({tuple(each.id for each in paper) for paper in papers}) == 20
    assert len({paper[0].right for paper in papers}) > 1


def test_a_bank_that_is_too_small_draws_nothing() -> None:
    with pytest.raises(RuleBroken):
        exam_rules.draw([], 1, "x")


@given(banks(), st.data(), st.integers(1, 100))
def test_a_paper_is_worth_its_exactly_right_answers(
    bank: list[Question], data: st.DataObject, pass_percent: int
) -> None:
    paper = exam_rules.draw(bank, len(bank), "seed")
    answers = {each.id: data.draw(st.sets(st.integers(0, len(each.options) - 1))) for each in paper}
    found = exam_rules.grade(paper, answers, pass_percent)
    assert found.right_count == len([e for e in paper if answers[e.id] == set(e.right)])
    assert 0 <= found.percent <= 100
    assert found.passed == (found.right_count / found.count * 100 >= pass_percent - 1e-9)
    whole = exam_rules.grade(paper, {each.id: each.right for each in paper}, pass_percent)
    assert (whole.percent, whole.passed) == (100, True)
    assert exam_rules.grade(paper, {}, pass_percent).right_count == 0


def test_a_part_of_several_right_options_is_worth_nothing() -> None:
    question = Question(1, QuestionKind.MULTIPLE, "题", ("甲", "乙", "丙"), frozenset({0, 2}))
    for chosen, right in (({0, 2}, 1), ({0}, 0), ({0, 1, 2}, 0), (set(), 0)):
        assert exam_rules.grade([question], {1: chosen}, 60).right_count == right


@given(st.integers(1, 300), st.integers(0, 300), st.integers(1, 100))
def test_passing_is_exact_at_the_line(count: int, right: int, pass_percent: int) -> None:
    right = min(right, count)
    paper = [
        Question(n, QuestionKind.SINGLE, "题", ("甲", "乙"), frozenset({0})) for n in range(count)
    ]
    answers = {n: {0} for n in range(right)}
    found = exam_rules.grade(paper, answers, pass_percent)
    assert found.passed is (right * 100 >= pass_percent * count)


def test_time_runs_by_the_server_with_a_grace_for_the_road() -> None:
    assert exam_rules.in_time(NOW + exam_rules.GRACE, NOW)
    assert not exam_rules.in_time(NOW + exam_rules.GRACE + timedelta(seconds=1), NOW)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"passed": True}, Conflict),
        ({"enough_hours": False}, RuleBroken),
        ({"used": 2}, RuleBroken),
        ({"last_at": NOW - timedelta(seconds=1)}, RuleBroken),
    ],
)
def test_an_attempt_needs_hours_time_and_a_chance_left(
    changed: dict[str, object], error: type[Exception]
) -> None:
    good: dict[str, object] = {
        "passed": False,
        "used": 1,
        "allowed": 2,
        "enough_hours": True,
        "last_at": NOW,
        "now": NOW,
    }
    exam_rules.check_start(**good)
    with pytest.raises(error):
        exam_rules.check_start(**(good | changed))


@pytest.mark.parametrize(
    ("kind", "options", "right", "field"),
    [
        (QuestionKind.SINGLE, ["甲", "乙"], [0, 1], "right"),
        (QuestionKind.MULTIPLE, ["甲", "乙"], [0], "right"),
        (QuestionKind.SINGLE, ["甲"], [0], "options"),
        (QuestionKind.SINGLE, ["甲", "甲"], [0], "options"),
        (QuestionKind.SINGLE, ["甲", "乙"], [2], "right"),
        (QuestionKind.SINGLE, ["甲", "乙"], [], "right"),
    ],
)
def test_a_question_that_nobody_can_answer_is_refused(
    kind: QuestionKind, options: list[str], right: list[int], field: str
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        exam_rules.check_question(kind, text="题", options=options, right=right)
    assert [problem.field for problem in refusal.value.problems] == [field]
