"""The commission ledger: shares of several brokers, what has fallen due, where it stands.

Pure. An amount that falls due is divided among the brokers to the fen and written once for each
cause, so that the entries of a commission always sum to what is owed. Rests on 民法典 963–965: pay
for a contract that came about, necessary expenses without one, pay also where a party goes round
the intermediary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.brokerage.rules import DealStage
from marketplace.brokerage.terms_rules import WHOLE_RATE, CommissionStatus
from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen
from marketplace.foundation.words import Word

MOST_BROKERS = 5


@dataclass(frozen=True)
class Share:
    """A broker's part of a commission, in ten-thousandths of it."""

    broker_user_id: int
    organisation_id: int | None
    per_myriad: int


def check_shares(shares: Sequence[Share]) -> None:
    """Refuse shares that do not come to the whole, an empty one, and a broker named twice."""
    problems: list[Problem] = []
    if any(share.per_myriad <= 0 for share in shares):
        problems.append(Problem("commission.share_empty", "每位经理人的份额都应大于 0", "partners"))
    if len({share.broker_user_id for share in shares}) != len(shares):
        problems.append(
            Problem("commission.share_twice", "同一位经理人只写一行，请合并他的份额", "partners")
        )
    if len(shares) > MOST_BROKERS:
        problems.append(
            Problem("commission.share_many", f"最多由 {MOST_BROKERS} 位经理人分佣", "partners")
        )
    total = sum(share.per_myriad for share in shares)
    if total != WHOLE_RATE:
        problems.append(
            Problem(
                "commission.share_sum",
                f"各位经理人的份额之和应为 100 %，现在是 {total / 100:g} %；请调整",
                "partners",
            )
        )
    raise_if_any(problems)


def split(amount_fen: Fen, shares: Sequence[Share]) -> tuple[Fen, ...]:
    """Divide an amount by the shares to the fen, in their order; the parts sum to the amount.

    What the floors leave over goes to the largest remainders, of equal ones to the first named.
    """
    exact = [amount_fen * share.per_myriad for share in shares]
    parts = [each // WHOLE_RATE for each in exact]
    left = amount_fen - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda place: -(exact[place] % WHOLE_RATE))
    for place in by_remainder[:left]:
        parts[place] += 1
    return tuple(Fen(part) for part in parts)


def fallen_due(total_fen: Fen, *, received_fen: Fen, price_fen: Fen) -> Fen:
    """Return how much of a commission is due once so much of the price has been received.

    Cumulative and floored; the whole price makes the whole commission due.
    """
    if received_fen >= price_fen:
        return total_fen
    return Fen(total_fen * max(received_fen, 0) // price_fen)


class EntryCause(Word):
    """What made a part of a commission fall due."""

    REGISTRATION = "registration", "合同登记"
    RECEIPT = "receipt", "合同款到账"
    PAID = "paid", "合同款付清"


@dataclass(frozen=True)
class EntryFacts:
    """One broker's part that has fallen due, and how far its payment has come."""

    amount_fen: Fen
    invoiced_on: date | None
    received_on: date | None


def ledger_status(total_fen: Fen, entries: Sequence[EntryFacts]) -> CommissionStatus:
    """Return where an agreed commission stands by its entries.

    Received only when the whole has fallen due and arrived; between two parts it is agreed.
    """
    waiting = [entry for entry in entries if entry.received_on is None]
    if any(entry.invoiced_on is None for entry in waiting):
        return CommissionStatus.DUE
    if waiting:
        return CommissionStatus.INVOICED
    if entries and sum(entry.amount_fen for entry in entries) >= total_fen:
        return CommissionStatus.RECEIVED
    return CommissionStatus.AGREED


def check_invoice(number: str, entry: EntryFacts) -> str:
    """Return the trimmed number of an invoice; refuse a short one and an entry that is paid."""
    if entry.received_on is not None:
        raise Conflict("commission.paid_already", "这一笔已经到账，不必再登记发票")
    text = number.strip()
    if len(text) < 4:
        raise RuleBroken(
            "commission.invoice_no", "请填写发票号码，至少 4 位，供付款方核对", "invoice_no"
        )
    return text


class ExpenseStatus(Word):
    """Where a broker's necessary expenses of a deal without a contract stand."""

    CLAIMED = "claimed", "待对方答复", "neutral"
    ACCEPTED = "accepted", "同意支付", "run"
    DECLINED = "declined", "不同意", "danger"
    SETTLED = "settled", "费用已到账", "ok"


EXPENSE_STEPS: dict[ExpenseStatus, frozenset[ExpenseStatus]] = {
    ExpenseStatus.CLAIMED: frozenset({ExpenseStatus.ACCEPTED, ExpenseStatus.DECLINED}),
    ExpenseStatus.ACCEPTED: frozenset({ExpenseStatus.SETTLED}),
    ExpenseStatus.DECLINED: frozenset({ExpenseStatus.CLAIMED}),
    ExpenseStatus.SETTLED: frozenset(),
}


def check_expense(*, stage: DealStage, amount_fen: Fen, words: str, commission_owed: bool) -> str:
    """Return the trimmed statement of necessary expenses (民法典 964; 技术合同司法解释 39–40).

    Refused while the deal goes on, where a commission is owed, without an amount or a statement.
    """
    if stage is not DealStage.LOST:
        raise Conflict(
            "expense.deal_open",
            f"项目现在是“{stage.label}”；没有促成合同、项目记为未成以后，才能请求必要费用",
        )
    if commission_owed:
        raise Conflict(
            "expense.commission_owed", "这一方已应付佣金，活动费用由经理人负担，不能再请求"
        )
    problems: list[Problem] = []
    text = words.strip()
    if amount_fen <= 0:
        problems.append(Problem("expense.amount", "费用应大于 0", "amount_fen"))
    if len(text) < 10:
        problems.append(
            Problem(
                "expense.words",
                "请用至少 10 个字写明费用明细和约定依据，例如“样品检测费，依项目备注中的约定”",
                "words",
            )
        )
    raise_if_any(problems)
    return text


def move_expense(status: ExpenseStatus, to: ExpenseStatus) -> ExpenseStatus:
    """Return the new status of an expense, or refuse a step that does not exist."""
    if to not in EXPENSE_STEPS[status]:
        raise Conflict(
            "expense.status",
            f"费用请求现在是“{status.label}”，不能变为“{to.label}”；请刷新页面看最新状态",
        )
    return to
