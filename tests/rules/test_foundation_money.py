"""Amounts: exact, bounded, and refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.capitals import capital_yuan
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import MAX_FEN, Fen, format_yuan, parse_yuan, scale


@pytest.mark.parametrize(
    ("typed", "fen"),
    [
        ("2600000", 260_000_000),
        ("2,600,000.50", 260_000_050),
        ("０.０１", 1),
        ("¥12.3", 1_230),
        (" 80 元", 8_000),
        ("0", 0),
        ("100000000000", MAX_FEN),
    ],
)
def test_what_people_type_is_read_exactly(typed: str, fen: int) -> None:
    assert parse_yuan(typed) == fen


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("1.234", "money.too_precise"),
        ("-1", "money.negative"),
        ("二百万", "money.not_a_number"),
        ("260万", "money.not_a_number"),
        ("1e5", "money.not_a_number"),
        ("1..2", "money.not_a_number"),
        ("", "money.not_a_number"),
        ("nan", "money.not_a_number"),
        ("1000000000000000", "money.too_large"),
        ("100000000000.01", "money.too_large"),
    ],
)
def test_what_is_no_amount_is_refused_with_its_reason(typed: str, code: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        parse_yuan(typed)
    assert refused.value.code == code


@given(st.integers(min_value=0, max_value=MAX_FEN))
def test_written_and_read_again_it_is_the_same(fen: int) -> None:
    assert parse_yuan(format_yuan(Fen(fen))) == fen


@given(st.integers(min_value=0, max_value=MAX_FEN))
def test_a_shortened_amount_never_promises_more(fen: int) -> None:
    figure, unit = scale(Fen(fen))
    size = {"元": 100, "万元": 10**6, "亿元": 10**10}[unit]
    whole, _, part = figure.replace(",", "").partition(".")
    assert int(whole) * size + int((part or "0").ljust(2, "0")) * size // 100 <= fen


@pytest.mark.parametrize(
    ("fen", "written"),
    [
        (260_000_000, "贰佰陆拾万元整"),
        (146_000_050, "壹佰肆拾陆万元伍角"),
        (1, "壹分"),
        (10_000_000_000_000, "壹仟亿元整"),
    ],
)
def test_capital_numerals(fen: int, written: str) -> None:
    assert capital_yuan(Fen(fen)) == written
