"""Which contracts an introduction is recognised in, disputes, data room, answers, meetings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from marketplace.brokerage import feedback_rules, room_rules, talk_rules
from marketplace.brokerage.introduction_rules import (
    ContractFacts,
    DisputeGround,
    DisputeState,
    IntroductionFacts,
    RecognitionGround,
    RecognitionState,
    check_dispute,
    check_open,
    recognise,
)
from marketplace.brokerage.room_rules import LinkFacts, RoomFacts
from marketplace.brokerage.rules import LostReason
from marketplace.brokerage.talk_rules import Slot, TalkState
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken

NOW = datetime(2024, 3, 15, 1, tzinfo=UTC)
DAY = date(2024, 3, 15)
SEEN = IntroductionFacts(
    id=1,
    deal_id=7,
    subject="achievement:5",
    seller_uscc="A" * 18,
    buyer_uscc="B" * 18,
    introduced_on=DAY,
    valid_to=DAY + timedelta(days=730),
    acknowledged=True,
    deal_open=False,
    lookback=timedelta(days=180),
)
CONTRACT = ContractFacts(
    contract_id=1,
    contract_no="JN-1",
    project_name="低温脱硝催化剂普通许可",
    seller_uscc="A" * 18,
    buyer_uscc="B" * 18,
    signed_on=DAY + timedelta(days=30),
    registered_on=DAY + timedelta(days=40),
    deal_id=None,
    achievement_id=5,
)


def found(
    contract: ContractFacts, *introductions: IntroductionFacts
) -> list[tuple[RecognitionGround, RecognitionState]]:
    return [(each.ground, each.state) for each in recognise(contract, introductions or (SEEN,))]


def test_the_same_parties_and_subject_are_recognised_whoever_is_the_seller() -> None:
    sure = [(RecognitionGround.SAME_SUBJECT, RecognitionState.RECOGNISED)]
    assert found(CONTRACT) == sure
    turned = replace(CONTRACT, seller_uscc="B" * 18, buyer_uscc="A" * 18)
    assert found(turned) == sure


def test_a_contract_without_a_subject_is_recognised_by_its_parties_alone() -> None:
    unnamed = replace(CONTRACT, achievement_id=None)
    assert found(unnamed) == [(RecognitionGround.SAME_PARTIES, RecognitionState.RECOGNISED)]
    going_on = replace(SEEN, deal_open=True)
    assert found(unnamed, going_on) == [(RecognitionGround.SAME_PARTIES, RecognitionState.TO_CHECK)]
    assert found(CONTRACT, going_on)[0][1] is RecognitionState.RECOGNISED
    second = replace(SEEN, id=2, subject="achievement:6")
    assert {state for _ground, state in found(unnamed, SEEN, second)} == {RecognitionState.TO_CHECK}


def test_what_nobody_confirmed_is_left_to_a_person() -> None:
    unseen = replace(SEEN, acknowledged=False)
    assert found(CONTRACT, unseen) == [(RecognitionGround.SAME_SUBJECT, RecognitionState.TO_CHECK)]
    of_deal = replace(CONTRACT, deal_id=7)
    assert found(of_deal, unseen) == [(RecognitionGround.SAME_DEAL, RecognitionState.RECOGNISED)]


@pytest.mark.parametrize(
    "changed",
    [
        {"buyer_uscc": "C" * 18},
        {"signed_on": DAY - timedelta(days=181)},
        {"signed_on": DAY - timedelta(days=1), "registered_on": DAY - timedelta(days=1)},
        {"signed_on": SEEN.valid_to + timedelta(days=1)},
        {"achievement_id": 6},
    ],
)
def test_other_parties_days_and_subjects_are_not_recognised(changed: dict[str, Any]) -> None:
    assert found(replace(CONTRACT, **changed)) == []


@pytest.mark.parametrize("day", [SEEN.introduced_on, SEEN.valid_to])
def test_both_ends_of_the_term_count(day: date) -> None:
    assert len(found(replace(CONTRACT, signed_on=day))) == 1


def test_a_day_of_signing_shortly_before_the_introduction_is_looked_at() -> None:
    for days in (1, 180):
        written_back = replace(CONTRACT, signed_on=DAY - timedelta(days=days))
        assert found(written_back) == [
            (RecognitionGround.SIGNED_EARLIER, RecognitionState.TO_CHECK)
        ]


def test_a_contract_about_an_achievement_may_answer_an_introduced_need() -> None:
    of_need = replace(SEEN, subject="need:3")
    assert found(CONTRACT, of_need) == [(RecognitionGround.SAME_PARTIES, RecognitionState.TO_CHECK)]


def test_a_dispute_names_a_ground_of_its_own_side() -> None:
    words = "我们早在介绍之前就有来往"
    assert check_dispute(DisputeGround.NOT_INTRODUCED, words, by_broker=False) == words
    with pytest.raises(RuleBroken):
        check_dispute(DisputeGround.BYPASSED, words, by_broker=False)
    with pytest.raises(RuleBroken):
        check_dispute(DisputeGround.NOT_INTRODUCED, words, by_broker=True)
    with pytest.raises(RuleBroken):
        check_dispute(DisputeGround.AMOUNT, "不对", by_broker=True)
    with pytest.raises(Conflict):
        check_open(DisputeState.UPHELD)


LINK = LinkFacts(4, 9, True, DAY, None, None)


@pytest.mark.parametrize(
    ("link", "user", "day", "code"),
    [
        (LINK, 5, DAY, "room.link_of_another"),
        (replace(LINK, revoked_at=NOW), 4, DAY, "room.link_revoked"),
        (LINK, 4, DAY + timedelta(days=1), "room.link_over"),
        (replace(LINK, used_at=NOW), 4, DAY, "room.link_used"),
    ],
)
def test_a_link_opens_for_its_reader_in_its_time(
    link: LinkFacts, user: int, day: date, code: str
) -> None:
    room_rules.check_link(LINK, user_id=4, organisation_id=9, today=DAY)
    several = replace(LINK, single_use=False, used_at=NOW)
    room_rules.check_link(several, user_id=4, organisation_id=9, today=DAY)
    with pytest.raises(NotAllowed) as refusal:
        room_rules.check_link(link, user_id=user, organisation_id=9, today=day)
    assert refusal.value.code == code


def test_a_room_needs_to_be_open_and_the_agreement_in_force() -> None:
    room_rules.check_enter(RoomFacts(True, True))
    for facts in (RoomFacts(False, True), RoomFacts(True, False)):
        with pytest.raises(NotAllowed):
            room_rules.check_enter(facts)
    assert room_rules.may_fetch(opened_at=NOW, now=NOW + timedelta(minutes=5))
    assert not room_rules.may_fetch(opened_at=NOW, now=NOW + timedelta(minutes=5, seconds=1))


def test_a_link_ends_within_half_a_year() -> None:
    room_rules.check_link_terms(DAY, today=DAY)
    for day in (DAY - timedelta(days=1), DAY + timedelta(days=184)):
        with pytest.raises(RuleBroken):
            room_rules.check_link_terms(day, today=DAY)


def test_the_middle_of_answer_times_and_the_leading_reason() -> None:
    assert feedback_rules.median([]) is None
    assert feedback_rules.median([4, 1, 2]) == 2
    assert feedback_rules.median([4, 1]) == 2.5
    reasons = [LostReason.PRICE, LostReason.VAGUE, LostReason.PRICE, LostReason.VAGUE]
    assert feedback_rules.leading(reasons) is LostReason.VAGUE
    assert feedback_rules.month_before(date(2024, 1, 9)) == date(2023, 12, 1)
    assert feedback_rules.month_after(date(2024, 12, 9)) == date(2025, 1, 1)
    assert feedback_rules.read_month("2024-02") == date(2024, 2, 1)
    assert feedback_rules.read_month("2024-13") is None


def slot(hours: float, length: float = 1) -> Slot:
    return Slot(NOW + timedelta(hours=hours), NOW + timedelta(hours=hours + length))


@pytest.mark.parametrize(
    ("slots", "code"),
    [
        ([], "talk.no_slot"),
        ([slot(-1)], "talk.past"),
        ([slot(1, 0)], "talk.order"),
        ([slot(1, 13)], "talk.order"),
        ([slot(1), slot(1)], "talk.same_slot"),
        ([slot(n) for n in range(1, 7)], "talk.many_slots"),
    ],
)
def test_a_proposal_needs_usable_times(slots: list[Slot], code: str) -> None:
    assert talk_rules.check_proposal("看现场", [slot(1)], now=NOW) == "看现场"
    with pytest.raises(RuleBroken) as refusal:
        talk_rules.check_proposal("看现场", slots, now=NOW)
    assert code in {problem.code for problem in refusal.value.problems}


def test_a_time_is_fixed_once_when_it_suits_another_and_minuted_afterwards() -> None:
    def fix(state: TalkState = TalkState.PROPOSED, suits: bool = True, hours: int = 1) -> None:
        talk_rules.check_fix(
            state, suits_others=suits, starts_at=NOW + timedelta(hours=hours), now=NOW
        )

    fix()
    with pytest.raises(Conflict):
        fix(state=TalkState.FIXED)
    with pytest.raises(RuleBroken):
        fix(suits=False)
    with pytest.raises(RuleBroken):
        fix(hours=-1)
    words = "双方同意先做三个月中试"
    done = talk_rules.check_minutes(TalkState.FIXED, words, starts_at=NOW, now=NOW)
    assert done == words
    with pytest.raises(RuleBroken):
        talk_rules.check_minutes(
            TalkState.FIXED, words, starts_at=NOW + timedelta(hours=1), now=NOW
        )
    with pytest.raises(Conflict):
        talk_rules.check_minutes(TalkState.HELD, words, starts_at=NOW, now=NOW)
