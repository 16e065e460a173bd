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
        ("X12", "money.not_a_number"),
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


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("二百万", "这里要填以元为单位的数字，例如 2600000 或 2,600,000.50"),
        ("1..2", "这里要填以元为单位的数字，例如 2600000 或 2,600,000.50"),
        ("-0.01", "金额不能是负数，请填写实际金额"),
        ("0.001", "金额最多两位小数，即精确到分"),
        ("100000000000.01", "金额超过 1000 亿元，请检查单位：这里以元计，不是万元"),
    ],
)
def test_a_refusal_says_what_to_do(typed: str, message: str) -> None:
    with pytest.raises(RuleBroken) as refused:
        parse_yuan(typed)
    assert refused.value.message == f"{message}。"


@pytest.mark.parametrize(
    ("typed", "fen"),
    [("+12", 1_200), ("¥¥ 7", 700), ("1 000.5", 100_050), ("12元", 1_200), ("１，０００", 100_000)],
)
def test_ways_of_writing_an_amount(typed: str, fen: int) -> None:
    assert parse_yuan(typed) == fen


@pytest.mark.parametrize(
    ("fen", "written"),
    [
        (-1, "-0.01"),
        (0, "0.00"),
        (-260_000_005, "-2,600,000.05"),
        (123_456_789_00, "123,456,789.00"),
    ],
)
def test_an_amount_is_written_with_its_sign_and_commas(fen: int, written: str) -> None:
    assert format_yuan(Fen(fen)) == written


@pytest.mark.parametrize(
    ("fen", "figure", "unit"),
    [
        (9_999_99, "9,999.99", "元"),
        (9_999_00, "9,999", "元"),
        (10_000_00, "1", "万元"),
        (-10_000_00, "-1", "万元"),
        (99_999_999_99, "9,999.99", "万元"),
        (100_000_000_00, "1", "亿元"),
        (123_456_789_012_34, "1,234.56", "亿元"),
    ],
)
def test_a_unit_begins_at_its_own_size(fen: int, figure: str, unit: str) -> None:
    assert scale(Fen(fen)) == (figure, unit)


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
