"""Ascending bidding (多次报价): a free period, then limited cycles restarted by each valid bid.

Pure: the same bids at the same moments always give the same record and the same winner. Only the
server's time counts; a bid at the very moment of the end is too late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.local_time import LOCAL
from marketplace.foundation.money import MAX_FEN, Fen, format_yuan
from marketplace.foundation.words import Word

BELOW_MINIMUM = "bidding.below_minimum"
"""The code of the one refusal that no later bid of another can undo."""


class BiddingKind(Word):
    """How bids are given in a session; chosen by the seller and published with the notice."""

    ASCENDING = "ascending", "多次报价"
    SEALED = "sealed", "一次报价"
    WEIGHTED = "weighted", "权重报价"


class Phase(Word):
    """Where a bidding session stands at a moment."""

    PLANNED = "planned", "待开始", "neutral"
    FREE = "free", "自由报价", "run"
    LIMITED = "limited", "限时报价", "run"
    SEALING = "sealing", "密封报价", "run"
    UNSEALING = "unsealing", "已截止，待开标", "run"
    VOIDED = "voided", "本场作废", "warn"
    OVER = "over", "已结束", "neutral"


@dataclass(frozen=True)
class Terms:
    """What a session is held under; fixed before it begins."""

    base_fen: Fen
    increment_fen: Fen
    starts_at: datetime
    free_ends_at: datetime
    cycle: timedelta


@dataclass(frozen=True)
class Mark:
    """One valid bid in the record; ``cycle`` 0 is the free period, then 1, 2, …"""

    sequence: int
    plate: str
    amount_fen: Fen
    placed_at: datetime
    cycle: int


@dataclass(frozen=True)
class Standing:
    """The least that is needed to judge the next bid: the last mark and how many there are."""

    last: Mark | None = None

    @property
    def count(self) -> int:
        """Return the number of valid bids so far."""
        return self.last.sequence if self.last else 0


def closes_at(terms: Terms, standing: Standing) -> datetime:
    """Return the moment at which the session ends unless another valid bid comes first."""
    last = standing.last
    restarted = last.placed_at if last and last.cycle > 0 else terms.free_ends_at
    return restarted + terms.cycle


def phase(terms: Terms, standing: Standing, now: datetime) -> Phase:
    """Return where the session stands at ``now``."""
    if now < terms.starts_at:
        return Phase.PLANNED
    if now < terms.free_ends_at:
        return Phase.FREE
    return Phase.LIMITED if now < closes_at(terms, standing) else Phase.OVER


def current_cycle(terms: Terms, standing: Standing, now: datetime) -> int:
    """Return 0 in the free period, else the number of the limited cycle that runs at ``now``."""
    if now < terms.free_ends_at:
        return 0
    return standing.last.cycle + 1 if standing.last else 1


def minimum(terms: Terms, standing: Standing) -> Fen:
    """Return the least amount that the next bid may have."""
    last = standing.last
    return Fen(last.amount_fen + terms.increment_fen) if last else terms.base_fen


def judge(terms: Terms, standing: Standing, *, plate: str, amount_fen: Fen, now: datetime) -> Mark:
    """Return the mark that a bid makes in the record, or refuse it with its reason.

    ``now`` is when the request arrived; one that had to wait behind another is recorded no
    earlier than that other.
    """
    last = standing.last
    moment = max(now, last.placed_at) if last else now
    _check_time(terms, standing, moment)
    if last and last.plate == plate:
        raise RuleBroken(
            "bidding.own_highest",
            "当前最高报价就是您的，不用再加价；被超过后可以再出价",
            "amount_fen",
        )
    _check_amount(terms, standing, amount_fen)
    return Mark(
        sequence=standing.count + 1,
        plate=plate,
        amount_fen=amount_fen,
        placed_at=moment,
        cycle=current_cycle(terms, standing, moment),
    )


def _check_time(terms: Terms, standing: Standing, moment: datetime) -> None:
    stands = phase(terms, standing, moment)
    if stands is Phase.PLANNED:
        begins = terms.starts_at.astimezone(LOCAL)
        raise RuleBroken(
            "bidding.not_open", f"竞价还没有开始，{begins:%Y-%m-%d %H:%M} 起可以报价（服务器时间）"
        )
    if stands is Phase.OVER:
        ended = closes_at(terms, standing).astimezone(LOCAL)
        raise RuleBroken(
            "bidding.over",
            f"竞价已于 {ended:%Y-%m-%d %H:%M:%S} 结束（服务器时间），这次报价没有计入",
        )


def _check_amount(terms: Terms, standing: Standing, amount_fen: Fen) -> None:
    least = minimum(terms, standing)
    if amount_fen > MAX_FEN:
        raise RuleBroken(
            "bidding.too_large", "报价超过 1000 亿元，请检查单位：这里以元计", "amount_fen"
        )
    if amount_fen < least:
        raise RuleBroken(
            BELOW_MINIMUM,
            f"报价不能低于 {format_yuan(least)} 元；请按最低报价或更高出价",
            "amount_fen",
        )
    if (amount_fen - least) % terms.increment_fen:
        below = Fen(amount_fen - (amount_fen - least) % terms.increment_fen)
        above = Fen(below + terms.increment_fen)
        raise RuleBroken(
            "bidding.not_whole",
            f"加价须是 {format_yuan(terms.increment_fen)} 元的整数倍；"
            f"最近的有效报价是 {format_yuan(below)} 元或 {format_yuan(above)} 元",
            "amount_fen",
        )


def winner(record: Sequence[Mark]) -> Mark | None:
    """Return the winning mark: the highest amount, which in a valid record is the last."""
    return max(record, key=lambda mark: mark.amount_fen, default=None)


def rank(record: Sequence[Mark], plate: str) -> int | None:
    """Return a bidder's place by its own highest bid, 1 for the highest, None without a bid."""
    best: dict[str, int] = {}
    for mark in record:
        best[mark.plate] = max(best.get(mark.plate, 0), mark.amount_fen)
    if plate not in best:
        return None
    return 1 + sum(amount > best[plate] for amount in best.values())


def replay(terms: Terms, record: Sequence[Mark]) -> Standing:
    """Judge a whole record again, bid by bid, and return where it ends.

    Raise ``RuleBroken`` at the first bid that the rules did not allow or that was recorded
    otherwise than they say.
    """
    standing = Standing()
    for mark in record:
        again = judge(
            terms, standing, plate=mark.plate, amount_fen=mark.amount_fen, now=mark.placed_at
        )
        if again != mark:
            raise RuleBroken("bidding.record", f"第 {mark.sequence} 次报价的记录与规则推算不一致")
        standing = Standing(again)
    return standing
