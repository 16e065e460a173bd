"""Automatic bids: the strongest limit leads at one increment above the next, and never beyond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import automatic_rules as automatic
from marketplace.listings import bidding_rules as bidding
from marketplace.listings.automatic_rules import Order
from marketplace.listings.bidding_rules import Mark, Standing
from tests.rules.test_listings_bidding import TERMS, at

BASE, STEP = TERMS.base_fen, TERMS.increment_fen


def led(plate: str, steps: int) -> Standing:
    return Standing(Mark(1, plate, Fen(BASE + steps * STEP), at(1), 0))


def bids(standing: Standing, *orders: Order) -> list[tuple[str, int]]:
    made = automatic.follow_up(TERMS, standing, orders, at(2))
    return [(mark.plate, (mark.amount_fen - BASE) // STEP) for mark in made]


def order(plate: str, steps: float, rank: int = 1) -> Order:
    return Order(plate, Fen(int(BASE + steps * STEP)), rank)


def test_an_outbid_limit_answers_with_the_least_raise() -> None:
    assert bids(led("03", 0), order("07", 5)) == [("07", 1)]


def test_a_leader_is_not_raised_without_need() -> None:
    assert bids(led("07", 3), order("07", 9)) == []


def test_of_two_limits_the_stronger_leads_one_step_above_the_weaker() -> None:
    assert bids(led("03", 0), order("07", 5, 1), order("11", 9, 2)) == [("11", 6)]
    assert bids(led("11", 2), order("11", 9, 1), order("07", 5, 2)) == [("07", 5), ("11", 6)]


def test_of_two_equal_limits_the_earlier_is_at_the_top() -> None:
    assert bids(led("03", 0), order("07", 5, 1), order("11", 5, 2))[-1] == ("07", 5)
    assert bids(led("07", 1), order("07", 5, 1), order("11", 5, 2))[-1] == ("07", 5)
    assert bids(led("11", 1), order("07", 5, 1), order("11", 5, 2))[-1] == ("07", 5)


def test_a_limit_between_two_steps_reaches_the_lower() -> None:
    assert automatic.reach(TERMS, order("07", 2.5)) == BASE + 2 * STEP


def test_a_limit_below_the_next_bid_is_refused() -> None:
    for standing, fen in ((Standing(), BASE - 1), (led("03", 2), BASE + 3 * STEP - 1)):
        with pytest.raises(RuleBroken) as caught:
            automatic.check_limit(TERMS, standing, plate="07", limit_fen=Fen(fen))
        assert caught.value.code == "bidding.limit_low"
    automatic.check_limit(TERMS, led("07", 2), plate="07", limit_fen=Fen(BASE + 2 * STEP))
    with pytest.raises(RuleBroken):
        automatic.check_limit(TERMS, Standing(), plate="07", limit_fen=Fen(10**18))


@given(
    st.lists(st.tuples(st.sampled_from(["03", "07", "11", "42"]), st.integers(0, 40)), max_size=6),
    st.sampled_from(["03", "07", "11", "99"]),
    st.integers(0, 20),
)
def test_no_limit_is_passed_and_the_strongest_leads(
    limits: list[tuple[str, int]], leader: str, steps: int
) -> None:
    orders = [order(plate, top, rank) for rank, (plate, top) in enumerate(dict(limits).items(), 1)]
    standing = led(leader, steps)
    marks = automatic.follow_up(TERMS, standing, orders, at(2))
    assert len(marks) <= 3
    reach = {entry.plate: automatic.reach(TERMS, entry) for entry in orders}
    for mark in marks:
        assert mark.amount_fen <= reach[mark.plate]
    end = marks[-1] if marks else standing.last
    assert end is not None
    least = bidding.minimum(TERMS, Standing(end))
    assert all(top < least for plate, top in reach.items() if plate != end.plate)
    strongest = max(reach.values(), default=0)
    if strongest > BASE + (steps + 1) * STEP:
        assert reach.get(end.plate, 0) == strongest or end.plate == leader == "99"
