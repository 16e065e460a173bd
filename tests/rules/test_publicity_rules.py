"""Public notices: the shortest period, who may object until when, when a notice is over."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import RuleBroken
from marketplace.publicity import rules
from marketplace.publicity.rules import ObjectionState, Objector, PublicityKind, PublicityState

OPENED = date(2022, 11, 14)
CLOSES = datetime(2022, 11, 30, tzinfo=LOCAL)
MS = timedelta(milliseconds=1)


def test_fifteen_days_are_counted_from_the_day_after() -> None:
    assert rules.earliest_end(OPENED, 15) == date(2022, 11, 29)
    assert rules.closes_at(date(2022, 11, 29)) == CLOSES


def test_a_price_publicity_of_fourteen_days_is_refused_with_the_earliest_day() -> None:
    with pytest.raises(RuleBroken) as caught:
        rules.check_period(
            PublicityKind.NEGOTIATED_PRICE,
            ends_on=date(2022, 11, 28),
            earliest=date(2022, 11, 29),
            least=15,
        )
    assert "2022-11-29" in caught.value.message
    assert "15 天" in caught.value.message
    rules.check_period(
        PublicityKind.NEGOTIATED_PRICE,
        ends_on=date(2022, 11, 29),
        earliest=date(2022, 11, 29),
        least=15,
    )


def test_prices_count_days_and_results_and_claims_count_working_days() -> None:
    assert not rules.counts_workdays(PublicityKind.NEGOTIATED_PRICE)
    assert rules.counts_workdays(PublicityKind.TRADING_RESULT)
    assert rules.counts_workdays(PublicityKind.SUBSIDY_CLAIM)


def object_at(moment: datetime, *, state: PublicityState = PublicityState.OPEN) -> None:
    rules.check_objection(
        state=state,
        closes=CLOSES,
        now=moment,
        text="受让方与第二发明人为近亲属，公告未注明。",
        objector=Objector("李明", "13800000000"),
    )


def test_an_objection_counts_until_the_last_moment() -> None:
    object_at(CLOSES - MS)
    object_at(CLOSES - MS, state=PublicityState.SUSPENDED)
    with pytest.raises(RuleBroken) as caught:
        object_at(CLOSES)
    assert "2022-11-29" in caught.value.message


@pytest.mark.parametrize("state", [PublicityState.PASSED, PublicityState.OVERTURNED])
def test_a_closed_notice_takes_no_objection(state: PublicityState) -> None:
    with pytest.raises(RuleBroken):
        object_at(CLOSES - MS, state=state)


def test_an_objection_needs_grounds_a_name_and_a_contact() -> None:
    with pytest.raises(RuleBroken) as caught:
        rules.check_objection(
            state=PublicityState.OPEN,
            closes=CLOSES,
            now=CLOSES - MS,
            text="不同意",
            objector=Objector(" ", "138"),
        )
    assert {problem.field for problem in caught.value.problems} == {"text", "name", "contact"}


def test_an_open_objection_keeps_the_notice_from_passing() -> None:
    assert rules.may_pass(PublicityState.OPEN, closes=CLOSES, now=CLOSES)
    assert not rules.may_pass(PublicityState.OPEN, closes=CLOSES, now=CLOSES - MS)
    assert not rules.may_pass(PublicityState.SUSPENDED, closes=CLOSES, now=CLOSES)


@pytest.mark.parametrize(
    ("state", "upheld", "others", "after"),
    [
        (PublicityState.SUSPENDED, False, False, PublicityState.OPEN),
        (PublicityState.SUSPENDED, False, True, PublicityState.SUSPENDED),
        (PublicityState.SUSPENDED, True, True, PublicityState.OVERTURNED),
        (PublicityState.OVERTURNED, False, False, PublicityState.OVERTURNED),
    ],
)
def test_what_a_decision_does_to_the_notice(
    state: PublicityState, upheld: bool, others: bool, after: PublicityState
) -> None:
    assert rules.after_decision(state, upheld=upheld, others_open=others) is after


def test_a_decision_is_made_once_and_with_an_answer() -> None:
    rules.check_answer(ObjectionState.OPEN, "经核查，受让方与发明人无关联关系。")
    with pytest.raises(RuleBroken):
        rules.check_answer(ObjectionState.OPEN, "不成立")
    with pytest.raises(RuleBroken):
        rules.check_answer(ObjectionState.UPHELD, "经核查，受让方与发明人无关联关系。")


def test_subsidies_are_not_decided_by_the_operator() -> None:
    assert "operator" in rules.deciders(PublicityKind.TRADING_RESULT)
    assert "operator" not in rules.deciders(PublicityKind.SUBSIDY_CLAIM)
