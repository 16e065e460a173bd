"""Sealed and weighted bidding: one bid, exact weights, and sealing that only k officers undo."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import MAX_FEN, Fen
from marketplace.listings import sealed_rules as sealed
from marketplace.listings import sealing
from marketplace.listings.sealed_rules import Criterion, SealedTerms, SealedText
from marketplace.listings.sealing import CannotOpen
from tests.bidding_simulation import START

MS = timedelta(milliseconds=1)
TERMS = SealedTerms(Fen(100_00), START, START + timedelta(hours=2))
WEIGHTED = SealedTerms(
    Fen(100_00), START, START + timedelta(hours=2), (Criterion("方案", 30), Criterion("落地", 20))
)


def bid(plate: str, fen: int, minutes: float = 1) -> SealedText:
    at = START + timedelta(minutes=minutes)
    return SealedText("GP-1/1", plate, Fen(fen), at, "ab" * 32)


def refusal(fen: int, wait: timedelta) -> str:
    with pytest.raises(RuleBroken) as caught:
        sealed.judge(TERMS, amount_fen=Fen(fen), now=START + wait)
    return caught.value.code


def test_time_and_base_price_are_kept_to_the_millisecond_and_the_fen() -> None:
    sealed.judge(TERMS, amount_fen=Fen(100_00), now=START)
    sealed.judge(TERMS, amount_fen=Fen(100_00), now=START + timedelta(hours=2) - MS)
    assert refusal(100_00, -MS) == "bidding.not_open"
    assert refusal(100_00, timedelta(hours=2)) == "bidding.over"
    assert refusal(99_99, MS) == "bidding.below_minimum"
    assert refusal(MAX_FEN + 1, MS) == "bidding.too_large"
    assert refusal(10**18, MS) == "bidding.too_large"


def test_the_highest_price_wins_and_of_two_the_earlier() -> None:
    ranked = sealed.ranking(TERMS, [bid("03", 200, 5), bid("07", 300, 9), bid("11", 300, 8)])
    assert [standing.plate for standing in ranked] == ["11", "07", "03"]


def test_weights_count_exactly() -> None:
    scores = {"03": [90, 80], "07": [60, 50]}
    first, second = sealed.ranking(WEIGHTED, [bid("03", 200), bid("07", 300)], scores)
    # 50 × 200/300 + 30 × .9 + 20 × .8 against 50 + 30 × .6 + 20 × .5
    assert (second.plate, second.total) == ("03", Fraction(50 * 200, 300) + 27 + 16)
    assert (first.plate, first.total) == ("07", Fraction(50 + 18 + 10))


@pytest.mark.parametrize(
    ("criteria", "code"),
    [
        ([], "bidding.no_criteria"),
        ([Criterion("方案", 71)], "bidding.price_weight"),
        ([Criterion("方案", 0)], "bidding.weight"),
        ([Criterion("方案", 10), Criterion("方案", 10)], "bidding.criteria"),
        ([Criterion("方", 10)], "bidding.criteria"),
        ([Criterion(f"方案{n}", 1) for n in range(11)], "bidding.criteria"),
    ],
)
def test_weights_that_cannot_be_published_are_refused(criteria: list[Criterion], code: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        sealed.check_criteria(criteria, least_price_weight=30)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("scores", "code"),
    [
        ({"03": [1, 2]}, "bidding.scores_missing"),
        ({"03": [1, 2], "07": [1, 2], "11": [1, 2]}, "bidding.scores_missing"),
        ({"03": [1], "07": [1, 2]}, "bidding.scores_range"),
        ({"03": [1, 101], "07": [1, 2]}, "bidding.scores_range"),
        ({"03": [1, -1], "07": [1, 2]}, "bidding.scores_range"),
    ],
)
def test_scores_are_whole_for_every_plate(scores: dict[str, list[int]], code: str) -> None:
    with pytest.raises(RuleBroken) as caught:
        sealed.check_scores(WEIGHTED, ["03", "07"], scores)
    assert caught.value.code == code


@given(st.integers(0, MAX_FEN), st.integers(0, MAX_FEN))
def test_the_length_of_a_sealed_text_tells_nothing(one: int, other: int) -> None:
    texts = [sealed.write(bid("03", fen)) for fen in (one, other)]
    assert len(texts[0]) == len(texts[1])
    assert [sealed.read(text).amount_fen for text in texts] == [one, other]


def test_k_officers_open_and_fewer_do_not() -> None:
    public_key, shares = sealing.split_key(3, 5)
    locked = sealing.seal(public_key, "壹佰万元".encode())
    for chosen in ([0, 1, 2], [4, 2, 0]):
        private_key = sealing.join_key(public_key, [shares[n] for n in chosen])
        assert sealing.unseal(private_key, locked).decode() == "壹佰万元"
    for count in (0, 1, 2):
        with pytest.raises(CannotOpen):
            sealing.join_key(public_key, shares[:count])
    other_key, other_shares = sealing.split_key(3, 5)
    with pytest.raises(CannotOpen):
        sealing.join_key(public_key, [*shares[:2], other_shares[2]])
    with pytest.raises(CannotOpen):
        sealing.unseal(sealing.join_key(other_key, other_shares[:3]), locked)
    with pytest.raises(CannotOpen):
        sealing.unseal(private_key, locked[:-1] + bytes([locked[-1] ^ 1]))


def test_a_passphrase_opens_its_own_key_only() -> None:
    public_key, locked = sealing.make_personal_key("correct horse battery")
    private_key = sealing.unlock_personal_key(locked, "correct horse battery")
    assert sealing.unseal(private_key, sealing.seal(public_key, b"share")) == b"share"
    with pytest.raises(CannotOpen):
        sealing.unlock_personal_key(locked, "correct horse batterz")
