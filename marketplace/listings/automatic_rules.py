"""Automatic bids (委托报价): bid for somebody, up to a private limit, whenever outbid.

Pure. The strongest order leads at one increment above the next; where two limits are the same,
the earlier order reaches the price first. Every bid that results is an ordinary bid of the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import MAX_FEN, Fen, format_yuan
from marketplace.listings import bidding_rules as bidding
from marketplace.listings.bidding_rules import Mark, Standing, Terms


@dataclass(frozen=True)
class Order:
    """A bidder's limit; ``rank`` tells which of two orders was given earlier."""

    plate: str
    limit_fen: Fen
    rank: int


def check_limit(terms: Terms, standing: Standing, *, plate: str, limit_fen: Fen) -> None:
    """Refuse a limit below what the bidder's next bid would need, or beyond all measure."""
    if limit_fen > MAX_FEN:
        raise RuleBroken("bidding.too_large", "上限超过 1000 亿元，请检查单位", "limit_fen")
    last = standing.last
    leads = last is not None and last.plate == plate
    least = last.amount_fen if last is not None and leads else bidding.minimum(terms, standing)
    if limit_fen < least:
        raise RuleBroken(
            "bidding.limit_low",
            f"委托上限不能低于 {format_yuan(Fen(least))} 元，否则一次也出不了价；请提高上限",
            "limit_fen",
        )


def reach(terms: Terms, order: Order) -> Fen:
    """Return the highest amount of the session's increments that an order may bid."""
    over = (order.limit_fen - terms.base_fen) % terms.increment_fen
    return Fen(order.limit_fen - over)


def follow_up(
    terms: Terms, standing: Standing, orders: Sequence[Order], now: datetime
) -> list[Mark]:
    """Return the bids that the orders make at ``now``, in order, until none can raise any more."""
    marks: list[Mark] = []
    while True:
        least = bidding.minimum(terms, standing)
        leader = standing.last.plate if standing.last else None
        able = [order for order in orders if reach(terms, order) >= least]
        challengers = [order for order in able if order.plate != leader]
        if not challengers:
            return marks
        best = max(challengers, key=lambda order: (reach(terms, order), -order.rank))
        rivals = [order for order in able if order is not best]
        amount = _amount(terms, best, rivals, least)
        mark = bidding.judge(terms, standing, plate=best.plate, amount_fen=amount, now=now)
        marks.append(mark)
        standing = Standing(mark)


def _amount(terms: Terms, best: Order, rivals: Sequence[Order], least: Fen) -> Fen:
    own = reach(terms, best)
    if not rivals:
        return least
    rival = max(rivals, key=lambda order: (reach(terms, order), -order.rank))
    strongest = reach(terms, rival)
    if strongest == own and rival.rank < best.rank:
        # The earlier of two equal limits is to stand at the top: leave it the last step.
        return Fen(max(least, own - terms.increment_fen))
    return Fen(min(own, max(least, strongest + terms.increment_fen)))
