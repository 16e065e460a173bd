"""Sealed and weighted bidding on both databases: unreadable before, provable after the opening."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import LargeBinary, select, text

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Base, Database
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import record_queries, sealing, service
from marketplace.listings.bidding_models import BiddingSession, KeyShare, SealedBid
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.replay_rules import read_document, replay
from marketplace.listings.rules import ListingState
from marketplace.listings.sealed_rules import Criterion
from marketplace.listings.sealing import CannotOpen, Share
from tests.trading import BASE, Hall, local
from tests.world import World

OPENS = local(2024, 4, 2, 9, 0)
CLOSES = OPENS + timedelta(hours=2)
PHRASES = ("first officer's words", "second officer's words", "third officer's words")


class SealedHall(Hall):
    """A hall with three officers who hold opening keys."""

    def __init__(self, database: Database, world: World, now: Any) -> None:
        super().__init__(database, world, now)
        third = world.actor(Role.OPERATOR, self.centre)
        self.officers = (self.operator, self.second_operator, third)
        for officer, phrase in zip(self.officers, PHRASES, strict=True):
            self.do(service.make_key, officer, passphrase=phrase)

    def sealed(
        self, kind: BiddingKind = BiddingKind.SEALED, *criteria: Criterion, count: int = 3
    ) -> tuple[int, list[Actor]]:
        """Bring a listing to its session of sealed bids, planned for OPENS."""
        listing_id = self.applied()
        self.do(
            service.choose_bidding,
            self.officer,
            listing_id=listing_id,
            kind=kind,
            criteria=criteria,
        )
        self.do(service.accept, self.operator, listing_id=listing_id)
        self.do(service.announce, self.operator, listing_id=listing_id)
        buyers = [self.enterprise()[1] for _ in range(count)]
        for buyer in buyers:
            self.qualified(listing_id, buyer)
        self.at(local(2024, 3, 30))
        self.do(service.close_qualification, self.operator, listing_id=listing_id)
        self.settle()
        return listing_id, buyers

    def seal(self, buyer: Actor, listing_id: int, fen: int, key: str = "k") -> Any:
        """Submit one sealed bid."""
        return self.do(
            service.submit_sealed_bid,
            buyer,
            listing_id=listing_id,
            amount_fen=Fen(fen),
            submission_key=key,
        )

    def give(self, number: int, listing_id: int, phrase: str = "") -> bool:
        """Let one officer give a share."""
        opened: bool = self.do(
            service.give_opening_share,
            self.officers[number],
            listing_id=listing_id,
            passphrase=phrase or PHRASES[number],
        )
        return opened

    def session_of(self, listing_id: int) -> BiddingSession:
        """Return the latest session."""
        row: BiddingSession = self.read(
            lambda s: s.scalars(
                select(BiddingSession)
                .where(BiddingSession.listing_id == listing_id)
                .order_by(BiddingSession.attempt.desc())
            ).first()
        )
        return row


@pytest.fixture
def hall(database: Database, world: World, now: Any) -> SealedHall:
    return SealedHall(database, world, now)


def dump(database: Database) -> str:
    """Write every row of every table as a dump would, binary columns in hexadecimal."""
    written = []
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            binary = {c.name for c in table.columns if isinstance(c.type, LargeBinary)}
            for row in session.execute(text(f'SELECT * FROM "{table.name}"')).mappings():
                for name, value in row.items():
                    plain = bytes(value).hex() if name in binary and value is not None else value
                    written.append(f"{table.name}.{name}={plain}")
    return "\n".join(written)


def test_a_dump_before_the_opening_holds_no_price_in_any_form(hall: SealedHall) -> None:
    listing_id, buyers = hall.sealed()
    hall.at(OPENS)
    # Prices that no other number of the database resembles.
    prices = [313_377_717, 424_488_838, 535_599_959]
    for buyer, fen in zip(buyers, prices, strict=True):
        hall.seal(buyer, listing_id, fen)
    with pytest.raises(Conflict):
        hall.seal(buyers[0], listing_id, prices[0] + 1, key="again")
    hall.at(CLOSES)
    hall.give(0, listing_id)
    found = dump(hall.database)
    for fen in prices:
        forms = [str(fen), f"{fen:016d}", f"{fen / 100:.2f}", f"{fen / 100:,.2f}", str(fen // 100)]
        forms += [f"{fen:x}", str(fen).encode().hex(), f"{fen:016d}".encode().hex()]
        forms += [fen.to_bytes(8, order).hex().strip("0") for order in ("big", "little")]
        assert not [form for form in forms if form in found], fen
    row = hall.session_of(listing_id)
    bids = hall.read(lambda s: s.scalars(select(SealedBid)).all())
    shares = hall.read(lambda s: s.scalars(select(KeyShare).order_by(KeyShare.number)).all())
    given = [Share(s.number, s.given) for s in shares if s.given is not None]
    assert len(given) == row.threshold - 1
    with pytest.raises(CannotOpen):
        sealing.join_key(row.public_key, given)
    # The length tells nothing either: every sealed text of a session is as long as the others.
    assert len({len(bid.ciphertext) for bid in bids}) == 1


def test_sealed_once_opened_by_two_of_three_and_verified(hall: SealedHall) -> None:
    listing_id, buyers = hall.sealed()
    hall.at(OPENS)
    receipts = [
        hall.seal(buyer, listing_id, BASE + extra)
        for buyer, extra in zip(buyers, (500, 900, 100), strict=True)
    ]
    assert hall.seal(buyers[1], listing_id, BASE) == receipts[1]  # the same key, whatever it says
    hall.at(CLOSES - timedelta(milliseconds=1))
    with pytest.raises(RuleBroken) as early:
        hall.give(0, listing_id)
    assert early.value.code == "bidding.not_closed"
    hall.at(CLOSES)
    document = hall.read(lambda s: record_queries.document(s, listing_id))
    closed = document["entries"][-1]
    assert closed["kind"] == "closed"
    assert closed["body"]["hashes"] == sorted(r.commitment for r in receipts)
    assert not replay(read_document(document)).over
    with pytest.raises(RuleBroken) as wrong:
        hall.give(0, listing_id, "some other officer's words")
    assert wrong.value.code == "bidding.wrong_passphrase"
    assert hall.give(0, listing_id) is False
    with pytest.raises(Conflict):
        hall.give(0, listing_id)
    assert hall.listing(listing_id).state is ListingState.BIDDING
    outsider = hall.world.actor(Role.OPERATOR, hall.centre)
    with pytest.raises(NotAllowed):
        hall.do(service.give_opening_share, outsider, listing_id=listing_id, passphrase=PHRASES[0])
    assert hall.give(2, listing_id) is True
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.RESULT_PUBLICITY
    assert listing.price_fen == BASE + 900
    assert listing.buyer_id == buyers[1].organisation_id
    document = hall.read(lambda s: record_queries.document(s, listing_id))
    verdict = replay(read_document(json.loads(json.dumps(document))))
    assert verdict.over
    assert verdict.amount_fen == BASE + 900
    assert verdict.plate == receipts[1].plate


def test_weighted_scores_come_before_the_prices(hall: SealedHall) -> None:
    criteria = (Criterion("实施方案", 40), Criterion("落地条件", 20))
    listing_id, buyers = hall.sealed(BiddingKind.WEIGHTED, *criteria, count=2)
    hall.at(OPENS)
    dear, good = (
        hall.seal(buyer, listing_id, fen)
        for buyer, fen in zip(buyers, (2 * BASE, BASE), strict=True)
    )
    hall.at(CLOSES)
    with pytest.raises(RuleBroken) as unscored:
        hall.give(0, listing_id)
    assert unscored.value.code == "bidding.unscored"
    scores = {dear.plate: [10, 10], good.plate: [90, 95]}
    hall.do(service.record_scores, hall.operator, listing_id=listing_id, scores=scores)
    with pytest.raises(Conflict):
        hall.do(service.record_scores, hall.operator, listing_id=listing_id, scores=scores)
    hall.give(1, listing_id)
    hall.give(2, listing_id)
    # 40 + 4 + 2 against 20 + 36 + 19.
    listing = hall.listing(listing_id)
    assert (listing.price_fen, listing.buyer_id) == (BASE, buyers[1].organisation_id)
    document = hall.read(lambda s: record_queries.document(s, listing_id))
    kinds = [entry["kind"] for entry in document["entries"]]
    assert kinds == ["terms", "opened", "closed", "scored", "unsealed", "result"]
    assert replay(read_document(document)).plate == good.plate


def test_without_officers_nothing_sealed_is_announced(
    database: Database, world: World, now: Any
) -> None:
    hall = Hall(database, world, now)
    listing_id = hall.applied()
    hall.do(service.choose_bidding, hall.officer, listing_id=listing_id, kind=BiddingKind.SEALED)
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    with pytest.raises(RuleBroken) as caught:
        hall.do(service.announce, hall.operator, listing_id=listing_id)
    assert caught.value.code == "bidding.officers"
    with pytest.raises(RuleBroken):
        hall.do(service.make_key, hall.operator, passphrase="too short")


def test_the_kind_is_fixed_by_the_announcement(hall: SealedHall) -> None:
    listing_id, _ = hall.sealed()
    with pytest.raises(RuleBroken) as caught:
        hall.do(
            service.choose_bidding,
            hall.officer,
            listing_id=listing_id,
            kind=BiddingKind.ASCENDING,
        )
    assert caught.value.code == "listings.bidding_fixed"


def test_what_is_refused_of_sealed_bids(hall: SealedHall) -> None:
    listing_id, (one, *_) = hall.sealed()
    refused: list[str] = []
    for moment, fen in (
        (OPENS - timedelta(milliseconds=1), BASE),
        (OPENS, BASE - 1),
        (OPENS, 10**18),
        (CLOSES, BASE),
    ):
        hall.now = moment
        if moment == OPENS:
            hall.settle()
        with pytest.raises(DomainError) as caught:
            hall.seal(one, listing_id, fen, key=str(moment))
        refused.append(caught.value.code)
    assert refused == [
        "bidding.not_open", "bidding.below_minimum", "bidding.too_large", "bidding.over",
    ]  # fmt: skip
    hall.now = OPENS
    with pytest.raises(RuleBroken):
        hall.do(service.place_bid, one, listing_id=listing_id, amount_fen=BASE, submission_key="x")
    with pytest.raises(RuleBroken):
        hall.do(service.set_limit, one, listing_id=listing_id, limit_fen=BASE)
    with pytest.raises(RuleBroken):
        hall.do(service.drop_limit, one, listing_id=listing_id)


def test_a_session_that_cannot_be_opened_is_voided_and_its_bids_stay_sealed(
    hall: SealedHall,
) -> None:
    listing_id, buyers = hall.sealed()
    hall.at(OPENS)
    hall.seal(buyers[0], listing_id, BASE)
    with pytest.raises(RuleBroken):
        hall.do(
            service.void_unopened, hall.operator, listing_id=listing_id, reason="两位开标人遗失口令"
        )
    hall.at(CLOSES)
    hall.do(
        service.void_unopened, hall.operator, listing_id=listing_id, reason="两位开标人遗失口令"
    )
    row = hall.session_of(listing_id)
    assert row.attempt == 2
    assert row.starts_at > CLOSES
    first = hall.read(lambda s: record_queries.document(s, listing_id, 1))
    verdict = replay(read_document(first))
    assert verdict.voided
    assert "unsealed" not in [entry["kind"] for entry in first["entries"]]
    hall.at(row.starts_at)
    assert hall.seal(buyers[0], listing_id, BASE + 7, key="new").plate


def test_nobody_sealed_a_bid(hall: SealedHall) -> None:
    listing_id, _ = hall.sealed()
    hall.at(OPENS)
    hall.at(CLOSES)
    assert hall.listing(listing_id).state is ListingState.FAILED
