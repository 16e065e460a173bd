"""The bank's statement: what a line must hold, and whose payment it seems to be. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.errors import Problem, RuleBroken
from marketplace.foundation.money import Fen, format_yuan, parse_yuan
from marketplace.foundation.words import Word
from marketplace.payments.rules import same_name


class LineState(Word):
    """Where a line of the statement stands."""

    OPEN = "open", "待认领", "warn"
    MATCHED = "matched", "已匹配，待另一人确认", "run"
    CONFIRMED = "confirmed", "已认领", "ok"
    RETURNED = "returned", "已退回", "neutral"


COLUMNS = ("流水号", "日期", "金额", "户名", "附言")
MOST_ROWS = 5_000
_NUMBER = re.compile(r"PM-?(\d{4})-?(\d{4,})", re.IGNORECASE)


@dataclass(frozen=True)
class Line:
    """One line as it was typed or imported."""

    reference: str
    booked_on: date
    amount_fen: Fen
    account_name: str
    remark: str = ""


@dataclass(frozen=True)
class Awaited:
    """A payment that may be what a line is for."""

    payment_id: int
    number: str
    amount_fen: Fen
    payer_name: str


@dataclass(frozen=True)
class Match:
    """The payment that a line seems to be for, None where a person must look, and why."""

    payment_id: int | None
    finding: str


def read_row(row: Mapping[str, str]) -> Line:
    """Read one row of a statement; ``RuleBroken`` names what is wrong in it."""
    reference = row.get("流水号", "").strip()
    if len(reference) < 4:
        raise RuleBroken("statement.reference", "流水号是空的或太短")
    name = row.get("户名", "").strip()
    if len(name) < 2:
        raise RuleBroken("statement.account_name", "户名是空的")
    amount = parse_yuan(row.get("金额", "").strip())
    if amount <= 0:
        raise RuleBroken("statement.amount", "金额要大于 0；付出的流水不用导入")
    return Line(reference, _day(row.get("日期", "")), amount, name, row.get("附言", "").strip())


def _day(written: str) -> date:
    digits = re.findall(r"\d+", written)
    if len(digits) == 1 and len(digits[0]) == 8:
        digits = [digits[0][:4], digits[0][4:6], digits[0][6:]]
    try:
        year, month, day = (int(part) for part in digits[:3])
        return date(year, month, day)
    except ValueError as wrong:
        raise RuleBroken("statement.day", f"日期“{written}”读不出来，应写成 2026-11-20") from wrong


def check_line(line: Line, today: date) -> None:
    """Refuse a line without a reference, from the future, or of nothing."""
    if len(line.reference.strip()) < 4:
        raise RuleBroken("payments.reference", "请填写银行到账流水号", "reference")
    if line.booked_on > today:
        raise RuleBroken("statement.future", "入账日期不能晚于今天，请按流水填写", "booked_on")
    if line.amount_fen <= 0:
        raise RuleBroken("statement.amount", "到账金额要大于 0", "amount_fen")


def match(line: Line, awaited: Sequence[Awaited]) -> Match:
    """Find the payment that a line is for: by the number in its remark, else by name and amount.

    Only what agrees in the account's name and the exact amount is matched; for the rest the
    finding says what disagrees.
    """
    found = _NUMBER.search(line.remark)
    if found is not None:
        number = f"PM-{found.group(1)}-{found.group(2)}"
        named = next((payment for payment in awaited if payment.number == number), None)
        if named is None:
            return Match(None, f"附言写的 {number} 不在待付款项中")
        wrong = _disagreement(line, named)
        return Match(None, wrong) if wrong else Match(named.payment_id, "附言、户名、金额一致")
    same = [payment for payment in awaited if not _disagreement(line, payment)]
    if len(same) == 1:
        return Match(same[0].payment_id, "没有写附言；户名、金额一致，且只有这一笔")
    if same:
        return Match(None, f"户名、金额一致的待付款项有 {len(same)} 笔，请按付款方说明认领")
    by_name = [payment for payment in awaited if same_name(payment.payer_name, line.account_name)]
    if by_name:
        return Match(None, _disagreement(line, by_name[0]))
    return Match(None, f"没有“{line.account_name}”的待付款项")


def _disagreement(line: Line, payment: Awaited) -> str:
    if not same_name(payment.payer_name, line.account_name):
        return f"{payment.number} 的付款方是“{payment.payer_name}”，来款户名不符，应退回"
    if payment.amount_fen != line.amount_fen:
        return (
            f"{payment.number} 应付 {format_yuan(payment.amount_fen)} 元，"
            f"来款 {format_yuan(line.amount_fen)} 元，金额不符"
        )
    return ""


def missing_columns(header: Sequence[str]) -> list[Problem]:
    """List what is missing in a statement's head; the remark may be missing."""
    absent = [name for name in COLUMNS[:4] if name not in header]
    if not absent:
        return []
    return [
        Problem(
            "statement.columns",
            f"表头缺少：{'、'.join(absent)}；需要的列是 {'、'.join(COLUMNS)}",
            "file",
        )
    ]
