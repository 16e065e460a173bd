"""How money comes in and goes out: bank transfer by default, online behind the same door.

A gateway never changes a payment; it tells what it knows, and the service decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from marketplace.foundation.money import Fen
from marketplace.foundation.reference import load


@dataclass(frozen=True)
class PaymentOrder:
    """What a gateway needs to know of a payment; the number identifies it."""

    number: str
    amount_fen: Fen
    payer_name: str
    purpose: str


@dataclass(frozen=True)
class Instructions:
    """What the payer is told: (label, value) lines, and the address of a pay page if any."""

    lines: tuple[tuple[str, str], ...]
    url: str = ""


@dataclass(frozen=True)
class Receipt:
    """Money that arrived: the bank's reference, the amount, the name of the paying account."""

    reference: str
    amount_fen: Fen
    account_name: str


class Gateway(Protocol):
    """One way to pay."""

    def instructions(self, order: PaymentOrder) -> Instructions:
        """Tell how to pay this order."""

    def find_receipt(self, order: PaymentOrder) -> Receipt | None:
        """Return what arrived for this order, or None when nothing is known (yet)."""

    def refund(self, order: PaymentOrder, receipt_reference: str) -> str | None:
        """Send the money back and return the reference, or None when a person does it by hand."""


class SettlementAccount(BaseModel):
    """The operator's account for deposits and prices."""

    model_config = ConfigDict(extra="forbid")

    account_name: str
    bank: str
    account_number: str


class BankTransfer:
    """Transfer to the settlement account; the operator confirms from the bank statement."""

    def __init__(self, account: SettlementAccount) -> None:
        self._account = account

    def instructions(self, order: PaymentOrder) -> Instructions:
        """Tell the account, and the number to write into the remark."""
        return Instructions(
            (
                ("收款户名", self._account.account_name),
                ("开户银行", self._account.bank),
                ("收款账号", self._account.account_number),
                ("汇款附言", order.number),
                ("付款户名", f"须为 {order.payer_name}"),
            )
        )

    def find_receipt(self, order: PaymentOrder) -> Receipt | None:
        """Know nothing: a person reads the bank statement."""
        return None

    def refund(self, order: PaymentOrder, receipt_reference: str) -> str | None:
        """Leave the transfer to a person."""
        return None


@dataclass(frozen=True)
class Gateways:
    """The gateways wired once; ``default`` serves every payment."""

    default: Gateway


def bank_transfer() -> Gateways:
    """Build the default: bank transfer to the settlement account of seed/reference."""
    return Gateways(BankTransfer(load("settlement_account", SettlementAccount)))
