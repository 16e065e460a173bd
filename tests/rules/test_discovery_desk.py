"""The match desk's rules: rests, dismissals, drafts, and what answers make of a proposal."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.achievements.rules import AchievementContent, Comparison
from marketplace.brokerage.proposal_rules import (
    ProposalState,
    ProposalTo,
    SideAnswer,
    asked,
    check_answerable,
    check_words,
    outcome,
)
from marketplace.discovery.desk_rules import DismissReason as Reason
from marketplace.discovery.desk_rules import Point, check_dismissal, check_snooze, draft
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.needs.rules import Indicator, NeedContent

TODAY = date(2024, 3, 15)


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_a_pair_rests_from_tomorrow_for_a_year_at_most(days: int) -> None:
    with pytest.raises(RuleBroken):
        check_snooze(TODAY + timedelta(days=days), today=TODAY)


def test_the_ends_of_the_rest_are_allowed() -> None:
    for days in (1, 365):
        day = TODAY + timedelta(days=days)
        assert check_snooze(day, today=TODAY) == day
    with pytest.raises(RuleBroken):
        check_snooze(None, today=TODAY)


def test_only_the_open_reason_needs_words() -> None:
    for reason in Reason:
        if reason is Reason.OTHER:
            with pytest.raises(RuleBroken):
                check_dismissal(reason, " 无 ")
        else:
            assert check_dismissal(reason, " ") == ""


def test_the_draft_says_what_is_asked_offered_and_missing() -> None:
    text = draft(
        NeedContent(
            title="铸造烘炉烟气达标",
            problem="氮氧化物超标",
            indicators=(Indicator("脱硝率", "41", "≥90", "%"),),
            budget_max_fen=Fen(200_000_000),
            confidential="图号 ZY-3381",
        ),
        AchievementContent(
            title="低温脱硝催化剂",
            solution="复合氧化物",
            comparison=(Comparison("去除率", "92", "%", "钒钛催化剂", "60", None),),
            trl=7,
            confidential="320 ℃ 焙烧",
        ),
        [Point("yes", "领域", "同属环保"), Point("no", "工期", "成果未说明，请询问")],
        buyer_name="",
        seller_name="泉城理工",
    )
    for part in ("匿名", "≥90%，现在 41%", "200 万元", "92%（钒钛催化剂 60%）", "7 级", "工期"):
        assert part in text
    for part in ("ZY-3381", "320", "领域：同属"):
        assert part not in text


def test_who_is_asked_waits_and_the_others_do_not() -> None:
    waits, silent = SideAnswer.WAITING, SideAnswer.NOT_ASKED
    assert asked(ProposalTo.BOTH, anonymous=False) == (waits, waits)
    assert asked(ProposalTo.BUYER, anonymous=True) == (waits, silent)
    assert asked(ProposalTo.SELLER, anonymous=False) == (silent, waits)


@given(
    to=st.sampled_from(ProposalTo),
    answers=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=6),
)
def test_a_proposal_is_agreed_only_when_everybody_asked_has_said_yes(
    to: ProposalTo, answers: list[tuple[bool, bool]]
) -> None:
    said = dict(zip(("buyer", "seller"), asked(to, anonymous=False), strict=True))
    state, given_yes, given_no = ProposalState.OPEN, 0, 0
    waiting = list(said.values()).count(SideAnswer.WAITING)
    for buyer, yes in answers:
        side = "buyer" if buyer else "seller"
        try:
            check_answerable(state, said[side], TODAY, today=TODAY)
        except Conflict:
            continue
        said[side] = SideAnswer.ACCEPTED if yes else SideAnswer.DECLINED
        given_yes, given_no = given_yes + yes, given_no + (not yes)
        state = outcome(said["buyer"], said["seller"])
    assert given_no <= 1
    assert (state is ProposalState.AGREED) == (given_yes == waiting)
    assert (state is ProposalState.DECLINED) == (given_no == 1)


def test_an_answer_after_the_last_day_comes_too_late() -> None:
    check_answerable(ProposalState.OPEN, SideAnswer.WAITING, TODAY, today=TODAY)
    with pytest.raises(Conflict, match="已过期"):
        check_answerable(
            ProposalState.OPEN, SideAnswer.WAITING, TODAY, today=TODAY + timedelta(days=1)
        )


def test_a_proposal_has_words_that_fit_its_page() -> None:
    assert check_words(" 字" * 10) == ("字 " * 10).strip()
    for words in ("太短", "长" * 2_001):
        with pytest.raises(RuleBroken):
            check_words(words)
