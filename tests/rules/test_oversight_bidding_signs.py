"""Signs that bidders act together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from marketplace.oversight.bidding_rules import (
    SHORTEST_SHADOW,
    Bidder,
    BiddingSign,
    FoundSign,
    PlacedBid,
    signs,
)

ONE = Bidder("01", "甲公司", frozenset({"0531-1"}), frozenset({"10.0.0.1"}), frozenset({1}))
TWO = Bidder("02", "乙公司", frozenset({"0531-2"}), frozenset({"10.0.0.2"}), frozenset({2}))
THREE = Bidder("03", "丙公司", frozenset(), frozenset(), frozenset({3}))


def run_of(length: int, step: int = 100) -> list[PlacedBid]:
    """Let two plates raise each other in turn."""
    return [PlacedBid(("01", "02")[number % 2], 1_000 + number * step) for number in range(length)]


def test_strangers_show_no_sign() -> None:
    assert signs([ONE, TWO, THREE], run_of(3), increment_fen=100) == []


@pytest.mark.parametrize(
    ("changed", "sign", "detail"),
    [
        ({"origins": frozenset({"10.0.0.1"})}, BiddingSign.SAME_ORIGIN, "10.0.0.1"),
        ({"contacts": frozenset({"0531-1"})}, BiddingSign.SAME_CONTACT, "0531-1"),
        ({"user_ids": frozenset({1, 2})}, BiddingSign.SAME_PERSON, ""),
    ],
)
def test_what_two_have_in_common_is_named(
    changed: dict[str, frozenset[str]], sign: BiddingSign, detail: str
) -> None:
    found = signs([replace(TWO, **changed), ONE], [], increment_fen=100)
    assert found == [FoundSign(sign, ("甲公司", "乙公司"), detail)]


def test_two_that_only_raise_each_other_shadow() -> None:
    assert signs([ONE, TWO, THREE], run_of(SHORTEST_SHADOW - 1), increment_fen=100) == []
    (found,) = signs([ONE, TWO, THREE], run_of(SHORTEST_SHADOW), increment_fen=100)
    assert (found.sign, found.detail) == (BiddingSign.SHADOW, f"连续 {SHORTEST_SHADOW} 次")
    # Of two bidders nobody else can come between, and larger raises are a contest.
    assert signs([ONE, TWO], run_of(20), increment_fen=100) == []
    assert signs([ONE, TWO, THREE], run_of(20, step=200), increment_fen=100) == []
