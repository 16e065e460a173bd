"""The file of a payment list that a bank reads; its format stands in docs/payment-file.md. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.money import Fen, format_yuan

VERSION = "JNTM-PAY-1"
_SEPARATOR = "|"
_LINE_END = "\r\n"


@dataclass(frozen=True)
class PaymentOrder:
    """One payment of the file."""

    claim_no: str
    payee: str
    uscc: str
    bank_name: str
    bank_account: str
    amount_fen: Fen
    purpose: str


def write(number: str, prepared_on: date, orders: Sequence[PaymentOrder]) -> str:
    """Write a head line, a line for each payment, and a foot line with their count and sum."""
    total = Fen(sum(order.amount_fen for order in orders))
    head = ("H", VERSION, number, prepared_on.strftime("%Y%m%d"), "CNY")
    foot = ("T", str(len(orders)), _amount(total))
    details = [
        (
            "D",
            str(place),
            order.claim_no,
            order.payee,
            order.uscc,
            order.bank_name,
            order.bank_account,
            _amount(order.amount_fen),
            order.purpose,
        )
        for place, order in enumerate(orders, start=1)
    ]
    return "".join(_line(fields) for fields in (head, *details, foot))


def _amount(fen: Fen) -> str:
    return format_yuan(fen).replace(",", "")


def _line(fields: Sequence[str]) -> str:
    return _SEPARATOR.join(_field(field) for field in fields) + _LINE_END


def _field(text: str) -> str:
    """Write a value so that it can neither end its field nor its line."""
    return " ".join(text.replace(_SEPARATOR, "\uff5c").split())
