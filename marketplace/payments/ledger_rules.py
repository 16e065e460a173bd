"""The ledger in double entry: what is posted when, so that the sum of all entries is always zero.

Pure. An asset is positive, what the platform owes is negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.words import Word
from marketplace.payments.rules import PaymentState


class LedgerAccount(Word):
    """Where money of the settlement account belongs."""

    BANK = "bank", "专户存款"
    SUSPENSE = "suspense", "待认领来款"
    HELD = "held", "在管款项"
    REFUNDABLE = "refundable", "应退款项"
    FORFEITED = "forfeited", "扣罚待付"


class PostingKind(Word):
    """What happened to money."""

    RECORDED = "recorded", "银行来款入账"
    CONFIRMED = "confirmed", "确认到账"
    RECEIVED_ONLINE = "received_online", "在线到账"
    REFUND_REQUESTED = "refund_requested", "转为应退"
    REFUNDED = "refunded", "退款付出"
    FORFEIT_REQUESTED = "forfeit_requested", "转为扣罚"
    FORFEITED = "forfeited", "扣罚款付出"
    RETURNED = "returned", "错汇退回"


_A, _P = LedgerAccount, PostingKind
# Each posting takes from one account and gives to another.
_MOVES: Mapping[PostingKind, tuple[LedgerAccount, LedgerAccount]] = {
    _P.RECORDED: (_A.SUSPENSE, _A.BANK),
    _P.CONFIRMED: (_A.HELD, _A.SUSPENSE),
    _P.RECEIVED_ONLINE: (_A.HELD, _A.BANK),
    _P.REFUND_REQUESTED: (_A.REFUNDABLE, _A.HELD),
    _P.REFUNDED: (_A.BANK, _A.REFUNDABLE),
    _P.FORFEIT_REQUESTED: (_A.FORFEITED, _A.HELD),
    _P.FORFEITED: (_A.BANK, _A.FORFEITED),
    _P.RETURNED: (_A.BANK, _A.SUSPENSE),
}
# Where the money of a payment lies while the payment is in a state.
LIES_IN: Mapping[PaymentState, LedgerAccount] = {
    PaymentState.CONFIRMED: _A.HELD,
    PaymentState.REFUND_DUE: _A.REFUNDABLE,
    PaymentState.FORFEIT_DUE: _A.FORFEITED,
}


@dataclass(frozen=True)
class LedgerLine:
    """One entry of a posting."""

    account: LedgerAccount
    amount_fen: Fen


def lines(kind: PostingKind, amount_fen: Fen) -> tuple[LedgerLine, LedgerLine]:
    """Return the two entries of a posting; their sum is zero."""
    if amount_fen <= 0:
        raise RuleBroken("ledger.amount", "入账金额要大于 0")
    credited, debited = _MOVES[kind]
    return LedgerLine(debited, amount_fen), LedgerLine(credited, Fen(-amount_fen))


def balances(entries: Iterable[LedgerLine]) -> dict[LedgerAccount, int]:
    """Sum entries by account; every account is there."""
    found = dict.fromkeys(LedgerAccount, 0)
    for entry in entries:
        found[entry.account] += entry.amount_fen
    return found
