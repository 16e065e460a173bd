"""The words and rules of money that passes through the platform's settlement account."""

from __future__ import annotations

import unicodedata
from datetime import date

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import NotAllowed, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word


class PaymentPurpose(Word):
    """What a payment is for."""

    DEPOSIT = "deposit", "交易保证金"
    PRICE = "price", "成交价款"
    ASSESSMENT_FEE = "assessment_fee", "评估费"
    SERVICE_FEE = "service_fee", "服务费"
    COMMISSION = "commission", "佣金"


class PaymentState(Word):
    """Where a payment stands."""

    EXPECTED = "expected", "待付款", "warn"
    REPORTED = "reported", "已付款，待核对", "run"
    CONFIRMED = "confirmed", "已到账", "ok"
    REFUND_DUE = "refund_due", "待退款", "run"
    REFUNDED = "refunded", "已退款", "neutral"
    FORFEIT_DUE = "forfeit_due", "待扣罚付出", "warn"
    FORFEITED = "forfeited", "已扣罚", "danger"
    CANCELLED = "cancelled", "已取消", "neutral"


_S = PaymentState
TRANSITIONS: dict[PaymentState, frozenset[PaymentState]] = {
    # Back to expected: what was reported did not arrive as it should.
    _S.EXPECTED: frozenset({_S.REPORTED, _S.CONFIRMED, _S.CANCELLED}),
    _S.REPORTED: frozenset({_S.EXPECTED, _S.CONFIRMED, _S.CANCELLED}),
    _S.CONFIRMED: frozenset({_S.REFUND_DUE, _S.FORFEIT_DUE}),
    _S.REFUND_DUE: frozenset({_S.REFUNDED}),
    _S.REFUNDED: frozenset(),
    _S.FORFEIT_DUE: frozenset({_S.FORFEITED}),
    _S.FORFEITED: frozenset(),
    _S.CANCELLED: frozenset(),
}
UNPAID = (_S.EXPECTED, _S.REPORTED)
# What the platform holds: it arrived and has not gone back.
HELD = (_S.CONFIRMED, _S.REFUND_DUE, _S.FORFEIT_DUE)

PAY = Permission(
    "payments.pay",
    frozenset(
        {
            Role.ENTERPRISE,
            Role.OFFICER,
            Role.LEADER,
            Role.ORG_ADMIN,
            Role.PROVIDER,
            Role.BROKER,
            Role.AGENCY_HEAD,
        }
    ),
)
RECONCILE = Permission("payments.reconcile", frozenset({Role.OPERATOR}))
SEE = Permission("payments.see", frozenset({*(PAY.roles or ()), Role.OPERATOR, Role.ASSESSOR}))


def move(state: PaymentState, to: PaymentState) -> PaymentState:
    """Return the next state, or refuse a step that money cannot take."""
    if to not in TRANSITIONS[state]:
        raise RuleBroken(
            "payments.step",
            f"这笔款项刚被别人改过，现在是“{state.label}”，不能转为“{to.label}”；请刷新页面",
        )
    return to


def check_expected(amount_fen: Fen) -> None:
    """Refuse to expect nothing."""
    if amount_fen <= 0:
        raise RuleBroken("payments.amount", "应付金额要大于 0")


def check_report(*, reference: str, transferred_on: date, today: date) -> None:
    """Refuse a payer's report without a reference or from the future."""
    problems = []
    if len(reference.strip()) < 4:
        problems.append(
            Problem("payments.reference", "请填写银行回单上的流水号，便于核对到账", "reference")
        )
    if transferred_on > today:
        problems.append(
            Problem("payments.future", "付款日期不能晚于今天，请按回单填写", "transferred_on")
        )
    raise_if_any(problems)


def same_name(one: str, other: str) -> bool:
    """Tell whether two account names are the same, whatever the width of brackets and spaces."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).replace(" ", "")


def check_receipt(
    *, expected_fen: Fen, received_fen: Fen, payer_name: str, account_name: str, reference: str
) -> None:
    """Refuse money of another amount, or from an account that is not in the payer's own name."""
    problems = []
    if received_fen != expected_fen:
        difference = format_yuan(Fen(abs(expected_fen - received_fen)))
        word = "少" if received_fen < expected_fen else "多"
        problems.append(
            Problem(
                "payments.difference",
                f"到账金额比应付{word} {difference} 元，不能确认；请通知付款方补足或退回后重付",
                "amount_fen",
            )
        )
    if not same_name(payer_name, account_name):
        problems.append(
            Problem(
                "payments.other_account",
                f"付款账户户名不是“{payer_name}”；款项须从付款方本单位账户汇出，请退回后重付",
                "account_name",
            )
        )
    if len(reference.strip()) < 4:
        problems.append(Problem("payments.reference", "请填写银行到账流水号", "reference"))
    raise_if_any(problems)


def check_second_person(
    user_id: int | None, *, confirmed_by: int | None, requested_by: int | None
) -> None:
    """Refuse a payout by who confirmed the money or asked for the payout: it takes two persons."""
    first = {person for person in (confirmed_by, requested_by) if person is not None}
    if not first:
        raise RuleBroken(
            "payments.no_first_person", "退款或扣罚须两人办理，请先由一人复核申请，再由另一人付出"
        )
    if user_id is None or user_id in first:
        raise NotAllowed(
            "payments.second_person",
            "退款或扣罚须两人办理：您确认过这笔到账或提出过申请，请由另一位业务员付出",
        )
