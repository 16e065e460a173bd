"""Random bidding sessions played under the pure rules, with the record that they leave.

Shared by the tests and by ``benchmarks/bidding_sessions.py``, which plays a million of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import automatic_rules, record_rules
from marketplace.listings import bidding_rules as bidding
from marketplace.listings import sealed_rules as sealed
from marketplace.listings.automatic_rules import Order
from marketplace.listings.bidding_rules import BiddingKind, Mark, Standing, Terms
from marketplace.listings.record_rules import Entry, RecordKind
from marketplace.listings.sealed_rules import Criterion, SealedTerms, SealedText

START = datetime(2024, 4, 2, 1, 0, tzinfo=UTC)
PLATES = ("03", "07", "11", "42", "58", "61")


@dataclass
class Played:
    """What a simulated session came to, as the platform would know it."""

    entries: list[Entry] = field(default_factory=list)
    winner: tuple[str, int] | None = None
    refused: int = 0

    def add(self, kind: RecordKind, body: dict[str, Any], at: datetime) -> None:
        """Add an entry to the record."""
        last = self.entries[-1] if self.entries else None
        self.entries.append(record_rules.chain(last, at=at, kind=kind, body=body))


def play(chance: Random, kind: BiddingKind) -> Played:
    """Play one session of a kind from its terms to its result, or to its voiding."""
    played = Played()
    base = Fen(chance.randrange(10_000, 100_000_000))
    plates = list(PLATES[: chance.randrange(1, len(PLATES) + 1)])
    nonce = f"{chance.getrandbits(256):064x}"
    body: dict[str, Any] = {
        "listing": "GP-2024-0001",
        "title": "模拟",
        "attempt": 1,
        "session": "GP-2024-0001/1",
        "kind": kind.value,
        "base_fen": base,
        "starts_at": record_rules.moment_text(START),
        "late_limit_seconds": 120,
        "plates_digest": record_rules.list_digest(plates, nonce),
    }
    closing = {"plates": plates, "plates_nonce": nonce}
    if kind is BiddingKind.ASCENDING:
        _play_ascending(chance, played, body, closing, base, plates)
    else:
        _play_sealed(chance, played, body, closing, base, plates, kind)
    return played


def _play_ascending(
    chance: Random,
    played: Played,
    body: dict[str, Any],
    closing: dict[str, Any],
    base: Fen,
    plates: list[str],
) -> None:
    step = Fen(chance.randrange(1, max(2, base // 10)))
    terms = Terms(base, step, START, START + timedelta(minutes=30), timedelta(minutes=5))
    opening = bidding.closes_at(terms, Standing())
    played.add(
        RecordKind.TERMS,
        {
            **body,
            "increment_fen": step,
            "free_ends_at": record_rules.moment_text(terms.free_ends_at),
            "cycle_seconds": 300,
            "closes_at": record_rules.moment_text(opening),
        },
        START - timedelta(days=2),
    )
    now = START + timedelta(milliseconds=chance.randrange(0, 3_000))
    played.add(RecordKind.OPENED, {}, now)
    standing = Standing()
    orders: list[Order] = []
    for _ in range(chance.randrange(0, 14)):
        now += timedelta(milliseconds=chance.randrange(0, 400_000))
        plate = chance.choice(plates)
        reach = bidding.minimum(terms, standing) + step * chance.choice((-1, 0, 0, 0, 1, 2, 7))
        amount = Fen(reach + chance.choice((0, 0, 0, 0, 1, -1)))
        marks: list[Mark] = []
        try:
            if chance.random() < 0.15:
                automatic_rules.check_limit(terms, standing, plate=plate, limit_fen=amount)
                orders = [order for order in orders if order.plate != plate]
                orders.append(Order(plate, amount, len(played.entries)))
            else:
                mark = bidding.judge(terms, standing, plate=plate, amount_fen=amount, now=now)
                marks.append(mark)
                standing = Standing(mark)
        except RuleBroken:
            played.refused += 1
            continue
        if now < bidding.closes_at(terms, standing):
            marks += automatic_rules.follow_up(terms, standing, orders, now)
        for mark in marks:
            played.add(
                RecordKind.BID,
                {
                    "number": mark.sequence,
                    "plate": mark.plate,
                    "amount_fen": mark.amount_fen,
                    "cycle": mark.cycle,
                },
                mark.placed_at,
            )
            standing = Standing(mark)
    ends = bidding.closes_at(terms, standing) + timedelta(milliseconds=chance.randrange(0, 500))
    played.add(RecordKind.CLOSED, {**closing, "bids": standing.count}, ends)
    last = standing.last
    played.winner = (last.plate, last.amount_fen) if last else None
    _end(played, ends)


def _play_sealed(
    chance: Random,
    played: Played,
    body: dict[str, Any],
    closing: dict[str, Any],
    base: Fen,
    plates: list[str],
    kind: BiddingKind,
) -> None:
    weights = [chance.randrange(1, 20) for _ in range(chance.randrange(1, 4))]
    criteria = [
        {"name": f"评分{n}", "weight": weight}
        for n, weight in enumerate(weights)
        if kind is BiddingKind.WEIGHTED
    ]
    terms = SealedTerms(
        base,
        START,
        START + timedelta(hours=2),
        # A record holds plain JSON: a name and a whole number each.
        tuple(Criterion(str(c["name"]), int(str(c["weight"]))) for c in criteria),
    )
    played.add(
        RecordKind.TERMS,
        {
            **body,
            "closes_at": record_rules.moment_text(terms.closes_at),
            "criteria": criteria,
            "public_key": "00" * 32,
            "threshold": 2,
        },
        START - timedelta(days=2),
    )
    played.add(RecordKind.OPENED, {}, START)
    texts = []
    for plate in plates:
        at = START + timedelta(milliseconds=chance.randrange(-1_000, 7_300_000))
        amount = Fen(base + chance.choice((-1, 0, 0, 5, 100, chance.randrange(0, base))))
        try:
            sealed.judge(terms, amount_fen=amount, now=at)
        except RuleBroken:
            played.refused += 1
            continue
        nonce = f"{chance.getrandbits(256):064x}"
        texts.append(sealed.write(SealedText("GP-2024-0001/1", plate, amount, at, nonce)))
    hashes = sorted(sealed.commitment(text) for text in texts)
    played.add(
        RecordKind.CLOSED, {**closing, "bids": len(texts), "hashes": hashes}, terms.closes_at
    )
    opened = [sealed.read(text) for text in texts]
    scores = {bid.plate: [chance.randrange(0, 101) for _ in criteria] for bid in opened}
    at = terms.closes_at + timedelta(hours=1)
    if criteria and texts:
        played.add(RecordKind.SCORED, {"scores": scores}, at)
    if texts:
        played.add(RecordKind.UNSEALED, {"bids": texts, "officers": 2}, at)
    ranked = sealed.ranking(terms, opened, scores if criteria else None)
    played.winner = (ranked[0].plate, ranked[0].amount_fen) if ranked else None
    _end(played, at)


def _end(played: Played, at: datetime) -> None:
    plate, amount = played.winner or (None, None)
    played.add(RecordKind.RESULT, {"plate": plate, "amount_fen": amount}, at)
