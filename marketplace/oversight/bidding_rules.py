"""Signs that bidders of one session act together, for the operator to look into; pure.

A sign is no proof and stops nothing: related parties are barred by the operator, before the
session, and a result is objected to in its publicity.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from marketplace.foundation.words import Word


class BiddingSign(Word):
    """What bidders have in common that strangers seldom have."""

    SAME_ORIGIN = "same_origin", "从同一网络地址报价"
    SAME_CONTACT = "same_contact", "联系人、电话或地址相同"
    SAME_PERSON = "same_person", "同一人为两家办理"
    SHADOW = "shadow", "只与同一家交替，每次只加一个加价幅度"


@dataclass(frozen=True)
class Bidder:
    """Who bids under a plate, as far as signs go; empty texts tell nothing."""

    plate: str
    name: str
    contacts: frozenset[str]
    origins: frozenset[str]
    user_ids: frozenset[int]


@dataclass(frozen=True)
class PlacedBid:
    """One bid in its order."""

    plate: str
    amount_fen: int


@dataclass(frozen=True)
class FoundSign:
    """One sign between two bidders, with what it rests on."""

    sign: BiddingSign
    names: tuple[str, str]
    detail: str


SHORTEST_SHADOW = 6


def signs(
    bidders: Collection[Bidder], bids: Sequence[PlacedBid], *, increment_fen: int
) -> list[FoundSign]:
    """Find all signs between any two bidders of a session, in the order of their plates."""
    found = []
    for one, other in combinations(sorted(bidders, key=lambda b: b.plate), 2):
        names = (one.name, other.name)
        for sign, common in (
            (BiddingSign.SAME_ORIGIN, one.origins & other.origins),
            (BiddingSign.SAME_CONTACT, one.contacts & other.contacts),
        ):
            if common:
                found.append(FoundSign(sign, names, "、".join(sorted(common))))
        if one.user_ids & other.user_ids:
            found.append(FoundSign(BiddingSign.SAME_PERSON, names, ""))
        length = _alternating(bids, {one.plate, other.plate}, increment_fen)
        if length >= SHORTEST_SHADOW and len(bidders) > 2:
            found.append(FoundSign(BiddingSign.SHADOW, names, f"连续 {length} 次"))
    return found


def _alternating(bids: Sequence[PlacedBid], pair: set[str], increment_fen: int) -> int:
    """Return the longest run in which only these two bid in turn, each the least raise."""
    longest = run = 0
    for before, bid in pairwise(bids):
        in_turn = {before.plate, bid.plate} == pair
        run = run + 1 if in_turn and bid.amount_fen - before.amount_fen == increment_fen else 0
        longest = max(longest, run)
    return longest + 1 if longest else 0
