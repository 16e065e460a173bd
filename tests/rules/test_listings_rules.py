"""Listings: the states' guards, the offer's limits, what follows an announcement."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import rules
from marketplace.listings.rules import (
    IntentState,
    Limits,
    ListingState,
    Offer,
    Outcome,
    PricingMode,
)

LIMITS = Limits(deposit_minimum_per_mille=100, deposit_maximum_per_mille=300)
OFFER = Offer(
    title="等温淬火球铁曲轴工艺，独占许可五年",
    pricing_mode=PricingMode.BIDDING,
    base_price_fen=Fen(120_000_000),
    increment_fen=Fen(2_000_000),
    deposit_fen=Fen(18_000_000),
    payment_terms="合同生效后 30 日内一次付清",
    conditions="",
)


def codes(offer: Offer) -> set[str | None]:
    with pytest.raises(RuleBroken) as caught:
        rules.check_offer(offer, LIMITS)
    return {problem.field for problem in caught.value.problems}


def test_a_complete_offer_is_accepted() -> None:
    rules.check_offer(OFFER, LIMITS)


@pytest.mark.parametrize("deposit", [11_999_999, 36_000_001, 0])
def test_a_deposit_outside_ten_to_thirty_per_cent_is_refused(deposit: int) -> None:
    assert codes(replace(OFFER, deposit_fen=Fen(deposit))) == {"deposit_fen"}


@pytest.mark.parametrize("deposit", [12_000_000, 36_000_000])
def test_both_ends_of_the_deposits_range_are_allowed(deposit: int) -> None:
    rules.check_offer(replace(OFFER, deposit_fen=Fen(deposit)), LIMITS)


def test_an_odd_base_price_keeps_the_deposits_limits_exact() -> None:
    offer = replace(OFFER, base_price_fen=Fen(1_000_001), increment_fen=Fen(100))
    assert codes(replace(offer, deposit_fen=Fen(100_000))) == {"deposit_fen"}
    rules.check_offer(replace(offer, deposit_fen=Fen(100_001)), LIMITS)
    rules.check_offer(replace(offer, deposit_fen=Fen(300_000)), LIMITS)


def test_only_a_negotiated_price_may_go_without_deposit_and_increment() -> None:
    bare = replace(OFFER, deposit_fen=Fen(0), increment_fen=Fen(0))
    rules.check_offer(replace(bare, pricing_mode=PricingMode.NEGOTIATED), LIMITS)
    assert codes(bare) == {"deposit_fen", "increment_fen"}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert codes(replace(OFFER, title="曲轴", increment_fen=Fen(-1), payment_terms="")) == {
        "title",
        "increment_fen",
        "payment_terms",
    }


@pytest.mark.parametrize(
    ("base_yuan", "chosen", "expected"),
    [(10_000_000, None, 10), (10_000_001, None, 20), (10_000_001, 5, 5), (100, 7, 7)],
)
def test_the_announcements_length(base_yuan: int, chosen: int | None, expected: int) -> None:
    days = rules.announcement_workdays(
        Fen(base_yuan * 100),
        chosen=chosen,
        usual=10,
        large=20,
        large_above_fen=Fen(10_000_000 * 100),
        least=5,
    )
    assert days == expected


def test_an_announcement_of_four_working_days_is_refused() -> None:
    with pytest.raises(RuleBroken) as caught:
        rules.announcement_workdays(
            Fen(100), chosen=4, usual=10, large=20, large_above_fen=Fen(10**9), least=5
        )
    assert caught.value.code == "listings.announcement_short"


def test_a_term_ends_with_its_last_day() -> None:
    assert rules.end_of(date(2024, 3, 29)) == datetime(2024, 3, 30, tzinfo=LOCAL)


@pytest.mark.parametrize(
    ("qualified", "extended", "expected"),
    [
        (0, 0, Outcome.EXTEND),
        (0, 2, Outcome.EXTEND),
        (0, 3, Outcome.FAIL),
        (1, 3, Outcome.DEAL),
        (2, 0, Outcome.BID),
        (9, 3, Outcome.BID),
    ],
)
def test_what_follows_an_announcement(qualified: int, extended: int, expected: Outcome) -> None:
    assert rules.outcome(qualified, extension_count=extended, extension_limit=3) is expected


def test_an_intent_below_the_listed_price_is_refused() -> None:
    with pytest.raises(RuleBroken) as caught:
        rules.check_intent(offer_fen=Fen(99), base_price_fen=Fen(100), promised=False, plan="试产")
    assert {problem.field for problem in caught.value.problems} == {
        "offer_fen",
        "plan",
        "promised",
    }


def test_a_negotiated_price_never_goes_below_the_announced_one() -> None:
    rules.check_agreed_price(Fen(100), Fen(100))
    with pytest.raises(RuleBroken):
        rules.check_agreed_price(Fen(99), Fen(100))


@given(st.integers(1, 10_000), st.sets(st.integers(1, 10_000), max_size=120))
def test_plates_are_never_given_twice(listing_id: int, intents: set[int]) -> None:
    taken: set[str] = set()
    for intent_id in intents:
        plate = rules.plate(listing_id, intent_id, frozenset(taken))
        assert plate not in taken
        taken.add(plate)


ALLOWED = {
    (ListingState.APPLIED, ListingState.ACCEPTED),
    (ListingState.ACCEPTED, ListingState.ANNOUNCED),
    (ListingState.ANNOUNCED, ListingState.QUALIFYING),
    (ListingState.QUALIFYING, ListingState.BIDDING),
    (ListingState.BIDDING, ListingState.RESULT_PUBLICITY),
    (ListingState.RESULT_PUBLICITY, ListingState.AWARDED),
    (ListingState.AWARDED, ListingState.SIGNED),
}


def test_the_main_way_is_open() -> None:
    for state, to in ALLOWED:
        assert rules.move(state, to) is to


@pytest.mark.parametrize(
    ("state", "to"),
    [
        (ListingState.APPLIED, ListingState.ANNOUNCED),
        (ListingState.ANNOUNCED, ListingState.AWARDED),
        (ListingState.ANNOUNCED, ListingState.BIDDING),
        (ListingState.BIDDING, ListingState.AWARDED),
        (ListingState.BIDDING, ListingState.WITHDRAWN),
        (ListingState.PRICE_PUBLICITY, ListingState.SIGNED),
        (ListingState.RESULT_PUBLICITY, ListingState.WITHDRAWN),
        (ListingState.SIGNED, ListingState.FAILED),
        (ListingState.FAILED, ListingState.ANNOUNCED),
    ],
)
def test_no_step_can_be_skipped(state: ListingState, to: ListingState) -> None:
    with pytest.raises(RuleBroken):
        rules.move(state, to)


@given(st.lists(st.sampled_from(ListingState), max_size=30))
def test_no_walk_reaches_the_award_without_a_publicity(tries: list[ListingState]) -> None:
    state, walked = ListingState.APPLIED, [ListingState.APPLIED]
    for to in tries:
        try:
            state = rules.move(state, to)
        except RuleBroken:
            continue
        walked.append(state)
    if ListingState.AWARDED in walked:
        before = walked[walked.index(ListingState.AWARDED) - 1]
        assert before in (ListingState.PRICE_PUBLICITY, ListingState.RESULT_PUBLICITY)
        assert ListingState.ANNOUNCED in walked


@pytest.mark.parametrize("state", [IntentState.LOST, IntentState.REJECTED, IntentState.WITHDRAWN])
def test_an_ended_intent_does_not_come_back(state: IntentState) -> None:
    for to in IntentState:
        with pytest.raises(RuleBroken):
            rules.move_intent(state, to)
