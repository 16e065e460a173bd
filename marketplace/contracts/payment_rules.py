"""What a contract agrees to be paid, what was received, and how much of it is technology income.

Pure. Rests on 国科发政字〔2000〕063号 (技术性收入的核定) and 技术合同司法解释 14: the part of a
payment that pays for equipment or material is no technology income.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.errors import Problem, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.trade import PaymentMode
from marketplace.foundation.words import Word


class ReceiptState(Word):
    """Where a received payment stands with the registrar."""

    DECLARED = "declared", "待核定", "run"
    CONFIRMED = "confirmed", "已核定", "ok"
    WITHDRAWN = "withdrawn", "已撤回", "neutral"


@dataclass(frozen=True)
class Instalment:
    """A payment that a contract agrees on: the last day, after what, and how much."""

    due_on: date
    label: str
    amount_fen: Fen


@dataclass(frozen=True)
class Received:
    """A payment received: the day, the whole, and the part that pays for technology."""

    received_on: date
    amount_fen: Fen
    technology_amount_fen: Fen


@dataclass(frozen=True)
class Price:
    """What a contract is worth, and how it is paid."""

    amount_fen: Fen
    technology_amount_fen: Fen
    payment_mode: PaymentMode | None
    signed_on: date | None

    @property
    def open_ended(self) -> bool:
        """Tell whether payments follow the buyer's sales, so that they may pass the amount."""
        return self.payment_mode in (PaymentMode.ROYALTY, PaymentMode.ENTRY_FEE_ROYALTY)


def schedule_problems(
    schedule: Sequence[Instalment], *, amount_fen: Fen | None, begins_on: date | None
) -> list[Problem]:
    """List what contradicts itself in a payment schedule."""
    problems: list[Problem] = []
    for row, instalment in enumerate(schedule, start=1):
        if instalment.amount_fen <= 0:
            problems.append(
                Problem(
                    "contracts.instalment",
                    f"第 {row} 期的金额应大于 0，没有这一期就整行留空",
                    "schedule",
                )
            )
        if begins_on is not None and instalment.due_on < begins_on:
            problems.append(
                Problem(
                    "contracts.instalment_early",
                    f"第 {row} 期的付款日 {instalment.due_on.isoformat()} 早于签订日期 "
                    f"{begins_on.isoformat()}，请核对年份",
                    "schedule",
                )
            )
    days = [instalment.due_on for instalment in schedule]
    if days != sorted(days):
        problems.append(
            Problem("contracts.instalment_order", "各期付款日应由早到晚填写", "schedule")
        )
    planned = sum(instalment.amount_fen for instalment in schedule)
    if amount_fen is not None and planned > amount_fen:
        problems.append(
            Problem(
                "contracts.instalments_above_amount",
                f"各期合计比成交总额多 {format_yuan(Fen(planned - amount_fen))} 元，请核对各期金额",
                "schedule",
            )
        )
    return problems


def technology_part(price: Price, before: Sequence[Received], amount_fen: Fen) -> Fen:
    """Return how much of a payment pays for technology: the contract's share.

    The share of all payments together is floored to the fen, so that no fen is lost in the parts.
    """
    got = sum(each.amount_fen for each in before)
    credited = sum(each.technology_amount_fen for each in before)
    due = (got + amount_fen) * price.technology_amount_fen // price.amount_fen
    return Fen(min(max(due - credited, 0), amount_fen))


def check_receipt(price: Price, before: Sequence[Received], new: Received, *, today: date) -> None:
    """Refuse a payment that cannot be: after today, before the signing, or above the contract."""
    problems: list[Problem] = []
    if new.amount_fen <= 0:
        problems.append(Problem("contracts.receipt", "到账金额应大于 0", "amount_fen"))
    if not 0 <= new.technology_amount_fen <= new.amount_fen:
        problems.append(
            Problem(
                "contracts.receipt_technology",
                f"其中的技术性收入应在 0 到 {format_yuan(new.amount_fen)} 元之间",
                "technology_amount_fen",
            )
        )
    if new.received_on > today:
        problems.append(
            Problem("contracts.receipt_later", "到账日期在今天之后，到账以后再登记", "received_on")
        )
    if price.signed_on is not None and new.received_on < price.signed_on:
        problems.append(
            Problem(
                "contracts.receipt_early",
                f"到账日期早于合同签订日期 {price.signed_on.isoformat()}，请核对回单",
                "received_on",
            )
        )
    if not price.open_ended:
        problems.extend(_beyond(price, before, new))
    raise_if_any(problems)


def _beyond(price: Price, before: Sequence[Received], new: Received) -> list[Problem]:
    problems: list[Problem] = []
    over = sum(r.amount_fen for r in before) + new.amount_fen - price.amount_fen
    if over > 0:
        problems.append(
            Problem(
                "contracts.receipt_above_amount",
                f"加上这一笔，到账合计比成交总额多 {format_yuan(Fen(over))} 元；"
                "价款增加的，请先申请变更登记",
                "amount_fen",
            )
        )
    over = (
        sum(r.technology_amount_fen for r in before)
        + new.technology_amount_fen
        - price.technology_amount_fen
    )
    if over > 0:
        problems.append(
            Problem(
                "contracts.receipt_technology_above",
                f"加上这一笔，技术性收入合计比登记的技术交易额多 {format_yuan(Fen(over))} 元",
                "technology_amount_fen",
            )
        )
    return problems


@dataclass(frozen=True)
class InstalmentStanding:
    """An instalment with what of it has come; payments fill the instalments in their order."""

    instalment: Instalment
    received_fen: Fen
    late: bool

    @property
    def rest_fen(self) -> Fen:
        """Return what has not come yet."""
        return Fen(self.instalment.amount_fen - self.received_fen)


def standings(
    schedule: Sequence[Instalment], received_fen: Fen, *, today: date
) -> list[InstalmentStanding]:
    """Spread what was received over the instalments in their order, and say which are late."""
    rest = int(received_fen)
    lines = []
    for instalment in schedule:
        part = min(rest, instalment.amount_fen)
        rest -= part
        late = part < instalment.amount_fen and instalment.due_on < today
        lines.append(InstalmentStanding(instalment, Fen(part), late))
    return lines
