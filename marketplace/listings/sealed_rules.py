"""Sealed bidding (一次报价) and weighted bidding (权重报价): one bid each, unreadable until opened.

Pure. Before the opening only a bid's commitment is known: the SHA-256 of its sealed text, which
carries 256 random bits and therefore tells nothing. After it anybody can check the texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from marketplace.foundation.errors import Problem, RuleBroken, raise_if_any
from marketplace.foundation.local_time import LOCAL
from marketplace.foundation.money import MAX_FEN, Fen, format_yuan
from marketplace.listings.bidding_rules import Phase

WHOLE = 100
MAX_CRITERIA = 10
# Amounts are written with a fixed number of digits: the length of a sealed text tells nothing.
_DIGITS = 16


@dataclass(frozen=True)
class Criterion:
    """What is scored beside the price, 0 to 100, and its weight in per cent."""

    name: str
    weight: int


@dataclass(frozen=True)
class SealedTerms:
    """What a session of sealed bids is held under; without criteria the price alone counts."""

    base_fen: Fen
    starts_at: datetime
    closes_at: datetime
    criteria: tuple[Criterion, ...] = ()

    @property
    def price_weight(self) -> int:
        """Return the weight of the price in per cent: what the criteria leave."""
        return WHOLE - sum(criterion.weight for criterion in self.criteria)


@dataclass(frozen=True)
class SealedText:
    """What is sealed: the whole bid, with the random text that hides it in its commitment."""

    session: str
    plate: str
    amount_fen: Fen
    received_at: datetime
    nonce: str


@dataclass(frozen=True)
class Standing:
    """A bidder's result: its place, amount and total of points out of 100, exact."""

    place: int
    plate: str
    amount_fen: Fen
    total: Fraction


def check_criteria(criteria: Sequence[Criterion], *, least_price_weight: int) -> None:
    """Refuse weights that do not leave the price its least share, or cannot be told apart."""
    problems = []
    if not criteria:
        problems.append(Problem("bidding.no_criteria", "权重报价至少要有一项评分内容", "criteria"))
    if len(criteria) > MAX_CRITERIA:
        problems.append(
            Problem("bidding.criteria", f"评分内容最多 {MAX_CRITERIA} 项，请合并", "criteria")
        )
    names = [criterion.name.strip() for criterion in criteria]
    if any(len(name) < 2 for name in names) or len(set(names)) < len(names):
        problems.append(
            Problem("bidding.criteria", "每项评分内容要有名称（至少 2 字），不能重名", "criteria")
        )
    if any(criterion.weight < 1 for criterion in criteria):
        problems.append(Problem("bidding.weight", "每项权重至少 1%，须为整数", "criteria"))
    elif sum(criterion.weight for criterion in criteria) > WHOLE - least_price_weight:
        problems.append(
            Problem(
                "bidding.price_weight",
                f"价格权重不能低于 {least_price_weight}%，"
                f"其余各项合计不能超过 {WHOLE - least_price_weight}%",
                "criteria",
            )
        )
    raise_if_any(problems)


def phase(terms: SealedTerms, now: datetime) -> Phase:
    """Return where a session that was not opened yet stands at ``now``."""
    if now < terms.starts_at:
        return Phase.PLANNED
    return Phase.SEALING if now < terms.closes_at else Phase.UNSEALING


def judge(terms: SealedTerms, *, amount_fen: Fen, now: datetime) -> None:
    """Refuse a sealed bid outside of the time, below the base price, or beyond all measure."""
    stands = phase(terms, now)
    if stands is Phase.PLANNED:
        begins = terms.starts_at.astimezone(LOCAL)
        raise RuleBroken(
            "bidding.not_open", f"竞价还没有开始，{begins:%Y-%m-%d %H:%M} 起可以报价（服务器时间）"
        )
    if stands is not Phase.SEALING:
        ended = terms.closes_at.astimezone(LOCAL)
        raise RuleBroken(
            "bidding.over",
            f"报价已于 {ended:%Y-%m-%d %H:%M:%S} 截止（服务器时间），这次报价没有计入",
        )
    if amount_fen > MAX_FEN:
        raise RuleBroken(
            "bidding.too_large", "报价超过 1000 亿元，请检查单位：这里以元计", "amount_fen"
        )
    if amount_fen < terms.base_fen:
        raise RuleBroken(
            "bidding.below_minimum",
            f"报价不能低于底价 {format_yuan(terms.base_fen)} 元；请按底价或更高出价",
            "amount_fen",
        )


def write(sealed: SealedText) -> str:
    """Write the text that is sealed; texts of one session have one length whatever the amount."""
    return json.dumps(
        {
            "session": sealed.session,
            "plate": sealed.plate,
            "amount_fen": f"{sealed.amount_fen:0{_DIGITS}d}",
            "received_at": sealed.received_at.isoformat(timespec="microseconds"),
            "nonce": sealed.nonce,
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def read(text: str) -> SealedText:
    """Read an opened text; ``RuleBroken`` when it is none."""
    try:
        found: dict[str, Any] = json.loads(text)
        return SealedText(
            session=str(found["session"]),
            plate=str(found["plate"]),
            amount_fen=Fen(int(found["amount_fen"])),
            received_at=datetime.fromisoformat(found["received_at"]),
            nonce=str(found["nonce"]),
        )
    except (ValueError, KeyError, TypeError) as broken:
        raise RuleBroken("bidding.sealed_text", "开出的内容不是一份报价") from broken


def commitment(text: str) -> str:
    """Return the hash by which a sealed bid is known before it is opened."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_scores(
    terms: SealedTerms, plates: Sequence[str], scores: Mapping[str, Sequence[int]]
) -> None:
    """Refuse scores that leave out a bidder or a criterion, or lie outside of 0 to 100."""
    if not terms.criteria:
        raise RuleBroken("bidding.no_scores", "这场竞价只比价格，不评分")
    if set(scores) != set(plates):
        raise RuleBroken("bidding.scores_missing", "每个号牌都要评分，且只评已报价的号牌")
    for given in scores.values():
        if len(given) != len(terms.criteria) or any(not 0 <= value <= WHOLE for value in given):
            raise RuleBroken("bidding.scores_range", "每项评分都要填，应为 0 到 100 的整数")


def ranking(
    terms: SealedTerms,
    bids: Sequence[SealedText],
    scores: Mapping[str, Sequence[int]] | None = None,
) -> list[Standing]:
    """Rank the opened bids: by total, then by price, then by who came first.

    The highest price gets 100 points, the others in proportion; each score counts by its weight.
    Without criteria the total is the price's points alone. Exact fractions throughout.
    """
    highest = max((bid.amount_fen for bid in bids), default=Fen(1))
    given = scores or {}

    def total(bid: SealedText) -> Fraction:
        points = Fraction(terms.price_weight * bid.amount_fen, highest)
        for criterion, score in zip(terms.criteria, given.get(bid.plate, ()), strict=True):
            points += Fraction(criterion.weight * score, WHOLE)
        return points

    rated = [(total(bid), bid) for bid in bids]
    rated.sort(key=lambda pair: (-pair[0], -pair[1].amount_fen, pair[1].received_at, pair[1].plate))
    return [
        Standing(place, bid.plate, bid.amount_fen, points)
        for place, (points, bid) in enumerate(rated, 1)
    ]
