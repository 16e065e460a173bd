"""Amounts as exact integer fen; yuan exist only in form fields and on the screen."""

from __future__ import annotations

import unicodedata
from decimal import Decimal, InvalidOperation
from typing import NewType

from marketplace.foundation.errors import RuleBroken

Fen = NewType("Fen", int)

FEN_PER_YUAN = 100
# A hundred billion yuan: above any contract of a city whose yearly turnover is 140 billion.
MAX_FEN = Fen(100_000_000_000 * FEN_PER_YUAN)

_WAN = 10_000 * FEN_PER_YUAN
_YI = 100_000_000 * FEN_PER_YUAN


def parse_yuan(text: str) -> Fen:
    """Read an amount in yuan as a person types it and return exact fen.

    Accept digits in either width, thousands separators and a leading ¥; refuse words, more than
    two decimals, negative amounts and amounts above ``MAX_FEN`` with ``RuleBroken``.
    """
    written = unicodedata.normalize("NFKC", text).strip().lstrip("¥").strip()
    plain = written.replace(",", "").replace(" ", "").removesuffix("元")
    if not plain or not all(c.isdigit() or c in ".-+" for c in plain):
        raise RuleBroken(
            "money.not_a_number", "这里要填以元为单位的数字，例如 2600000 或 2,600,000.50"
        )
    try:
        yuan = Decimal(plain)
    except InvalidOperation as broken:
        raise RuleBroken(
            "money.not_a_number", "这里要填以元为单位的数字，例如 2600000 或 2,600,000.50"
        ) from broken
    if yuan < 0:
        raise RuleBroken("money.negative", "金额不能是负数，请填写实际金额")
    fen = yuan * FEN_PER_YUAN
    if fen != fen.to_integral_value():
        raise RuleBroken("money.too_precise", "金额最多两位小数，即精确到分")
    if fen > MAX_FEN:
        raise RuleBroken("money.too_large", "金额超过 1000 亿元，请检查单位：这里以元计，不是万元")
    return Fen(int(fen))


def format_yuan(fen: Fen) -> str:
    """Write fen as exact yuan with two decimals and thousands separators."""
    sign = "-" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), FEN_PER_YUAN)
    return f"{sign}{yuan:,}.{rest:02d}"


def scale(fen: Fen) -> tuple[str, str]:
    """Return figure and unit for a list: 元 below ten thousand, then 万元, then 亿元.

    The figure is shortened to two decimals, never rounded up: it must not promise a fen more.
    """
    for size, unit in ((_YI, "亿元"), (_WAN, "万元")):
        if abs(fen) >= size:
            shown = (Decimal(fen) / size).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
            return f"{shown.normalize():,f}", unit
    return format_yuan(fen).removesuffix(".00"), "元"
