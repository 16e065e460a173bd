"""Ascending bidding: no illegal bid gets in, the highest wins, the record replays."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import MAX_FEN, Fen
from marketplace.listings import bidding_rules as bidding
from marketplace.listings.bidding_rules import Mark, Phase, Standing, Terms

START = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)
TERMS = Terms(
    base_fen=Fen(120_000_000),
    increment_fen=Fen(2_000_000),
    starts_at=START,
    free_ends_at=START + timedelta(minutes=30),
    cycle=timedelta(minutes=5),
)
MS = timedelta(milliseconds=1)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def held(*bids: tuple[str, int, float]) -> list[Mark]:
    """Judge bids given as (plate, yuan, minutes) and return the record."""
    record: list[Mark] = []
    for plate, yuan, minutes in bids:
        standing = Standing(record[-1] if record else None)
        amount = Fen(yuan * 100)
        record.append(
            bidding.judge(TERMS, standing, plate=plate, amount_fen=amount, now=at(minutes))
        )
    return record


def refusal(standing: Standing, plate: str, fen: int, moment: datetime) -> str:
    with pytest.raises(RuleBroken) as caught:
        bidding.judge(TERMS, standing, plate=plate, amount_fen=Fen(fen), now=moment)
    return caught.value.code


def test_the_first_bid_may_be_the_base_price_and_the_next_is_one_increment_more() -> None:
    assert bidding.minimum(TERMS, Standing()) == 120_000_000
    (first,) = held(("03", 1_200_000, 1))
    assert bidding.minimum(TERMS, Standing(first)) == 122_000_000


def test_one_fen_under_the_minimum_is_refused() -> None:
    (first,) = held(("03", 1_200_000, 1))
    assert refusal(Standing(first), "07", 121_999_999, at(2)) == "bidding.below_minimum"
    assert refusal(Standing(), "07", 119_999_999, at(2)) == "bidding.below_minimum"


def test_a_raise_that_is_no_whole_number_of_increments_names_the_nearest_two() -> None:
    (first,) = held(("03", 1_200_000, 1))
    with pytest.raises(RuleBroken) as caught:
        bidding.judge(TERMS, Standing(first), plate="07", amount_fen=Fen(125_000_001), now=at(2))
    assert caught.value.code == "bidding.not_whole"
    assert "1,240,000.00" in caught.value.message
    assert "1,260,000.00" in caught.value.message


def test_an_amount_of_ten_to_the_eighteen_is_refused() -> None:
    assert refusal(Standing(), "07", 10**18, at(2)) == "bidding.too_large"
    assert refusal(Standing(), "07", MAX_FEN + 1, at(2)) == "bidding.too_large"


def test_the_highest_bidder_cannot_outbid_itself() -> None:
    (first,) = held(("03", 1_200_000, 1))
    assert refusal(Standing(first), "03", 122_000_000, at(2)) == "bidding.own_highest"


def test_before_the_start_and_from_the_end_on_no_bid_counts() -> None:
    assert refusal(Standing(), "03", 120_000_000, START - MS) == "bidding.not_open"
    end = bidding.closes_at(TERMS, Standing())
    assert end == at(35)
    last_moment = bidding.judge(
        TERMS, Standing(), plate="03", amount_fen=Fen(120_000_000), now=end - MS
    )
    assert last_moment.cycle == 1
    assert refusal(Standing(), "03", 120_000_000, end) == "bidding.over"
    assert refusal(Standing(), "03", 120_000_000, end + MS) == "bidding.over"


def test_each_valid_bid_of_the_limited_time_restarts_the_five_minutes() -> None:
    record = held(("03", 1_200_000, 20), ("07", 1_220_000, 33), ("03", 1_260_000, 37.5))
    assert [mark.cycle for mark in record] == [0, 1, 2]
    assert bidding.closes_at(TERMS, Standing(record[0])) == at(35)
    assert bidding.closes_at(TERMS, Standing(record[1])) == at(38)
    assert bidding.closes_at(TERMS, Standing(record[2])) == at(42.5)
    assert bidding.current_cycle(TERMS, Standing(record[2]), at(40)) == 3


def test_phases_follow_the_servers_time() -> None:
    assert bidding.phase(TERMS, Standing(), START - MS) is Phase.PLANNED
    assert bidding.phase(TERMS, Standing(), START) is Phase.FREE
    assert bidding.phase(TERMS, Standing(), at(30)) is Phase.LIMITED
    assert bidding.phase(TERMS, Standing(), at(35)) is Phase.OVER


def test_a_request_that_waited_is_recorded_no_earlier_than_the_one_before_it() -> None:
    (first,) = held(("03", 1_200_000, 10))
    mark = bidding.judge(TERMS, Standing(first), plate="07", amount_fen=Fen(122_000_000), now=at(9))
    assert mark.placed_at == first.placed_at


def test_ranks_are_of_each_bidders_own_highest() -> None:
    record = held(("03", 1_200_000, 1), ("07", 1_240_000, 2), ("03", 1_300_000, 3))
    assert bidding.rank(record, "03") == 1
    assert bidding.rank(record, "07") == 2
    assert bidding.rank(record, "11") is None


attempts = st.lists(
    st.tuples(
        st.sampled_from(["03", "07", "11", "42"]),
        st.integers(min_value=118_000_000, max_value=150_000_000)
        | st.integers(min_value=60, max_value=75).map(lambda n: n * 2_000_000),
        st.integers(min_value=-120_000, max_value=1_200_000),
    ),
    max_size=40,
)


def play(tries: list[tuple[str, int, int]]) -> list[Mark]:
    record: list[Mark] = []
    moment = START - timedelta(minutes=1)
    for plate, fen, wait_ms in tries:
        moment += timedelta(milliseconds=max(0, wait_ms))
        standing = Standing(record[-1] if record else None)
        try:
            mark = bidding.judge(TERMS, standing, plate=plate, amount_fen=Fen(fen), now=moment)
        except RuleBroken:
            continue
        record.append(mark)
    return record


@given(attempts)
def test_whatever_is_tried_the_record_obeys_the_rules(tries: list[tuple[str, int, int]]) -> None:
    record = play(tries)
    for before, after in itertools.pairwise(record):
        step = after.amount_fen - before.amount_fen
        assert step > 0
        assert step % TERMS.increment_fen == 0
        assert after.plate != before.plate
        assert after.placed_at >= before.placed_at
        assert after.sequence == before.sequence + 1
        if after.cycle > 0:
            restarted = before.placed_at if before.cycle > 0 else TERMS.free_ends_at
            assert after.placed_at < restarted + TERMS.cycle
    if record:
        assert record[0].amount_fen >= TERMS.base_fen
        assert (record[0].amount_fen - TERMS.base_fen) % TERMS.increment_fen == 0
        won = bidding.winner(record)
        assert won == record[-1]
        assert bidding.rank(record, record[-1].plate) == 1


@given(attempts)
def test_the_record_replays_to_the_same_end(tries: list[tuple[str, int, int]]) -> None:
    record = play(tries)
    assert bidding.replay(TERMS, record) == Standing(record[-1] if record else None)


@given(attempts.filter(lambda tries: len(tries) > 5), st.data())
def test_a_changed_record_does_not_replay(
    tries: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    record = play(tries)
    if not record:
        return
    index = data.draw(st.integers(0, len(record) - 1))
    changed = list(record)
    changed[index] = replace(record[index], amount_fen=Fen(record[index].amount_fen + 1))
    with pytest.raises(RuleBroken):
        bidding.replay(TERMS, changed)
