"""A priority right that was claimed is asked again at the price found, and steps into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements.rules import Owner
from marketplace.foundation.access import Actor
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.outbox import OutboxEvent
from marketplace.listings import notice_queries, service
from marketplace.listings.models import Intent
from marketplace.listings.priority_rules import HolderKind, PriorityState
from marketplace.listings.rules import IntentState, ListingState
from marketplace.payments import ledger_queries
from marketplace.payments import queries as payments
from marketplace.payments.rules import PaymentState
from marketplace.publicity import queries as publicity
from tests.trading import BASE, STEP, Hall, local, offer
from tests.world import World

OPENS = local(2024, 4, 2, 9, 0)


@dataclass
class Sale:
    """A bidding that a stranger won while owners of a share had claimed their right."""

    hall: Hall
    listing_id: int
    owners: list[Actor]
    winner: Actor

    def asked(self, owner: int = 0) -> notice_queries.PriorityView:
        found = self.hall.read(lambda s: notice_queries.priorities(s, self.listing_id))
        mine = self.owners[owner].organisation_id
        (one,) = [each for each in found if each.organisation_id == mine]
        return one

    def answer(self, takes: bool, owner: int = 0, by: Actor | None = None) -> None:
        self.hall.do(
            service.answer_offer,
            by or self.owners[owner],
            priority_id=self.asked(owner).id,
            takes=takes,
        )
        self.hall.settle()

    def intents(self) -> dict[int, IntentState]:
        rows = self.hall.read(
            lambda s: s.scalars(select(Intent).where(Intent.listing_id == self.listing_id)).all()
        )
        return {row.organisation_id: row.state for row in rows}

    def deposit(self, buyer: Actor) -> PaymentState:
        def read(session: Session) -> PaymentState:
            row = session.scalars(
                select(Intent).where(
                    Intent.listing_id == self.listing_id,
                    Intent.organisation_id == buyer.organisation_id,
                )
            ).one()
            assert row.payment_id is not None
            return payments.state_of(session, row.payment_id)

        state: PaymentState = self.hall.read(read)
        return state

    def last_day(self) -> datetime:
        listing = self.hall.listing(self.listing_id)
        notice = self.hall.read(lambda s: publicity.get_notice(s, listing.publicity_id))
        assert notice.ends_on == self.asked().answer_by
        return local(notice.ends_on.year, notice.ends_on.month, notice.ends_on.day, 12)

    def end_publicity(self) -> None:
        self.hall.at(self.last_day() + timedelta(days=1))


@pytest.fixture
def hall(database: Database, world: World, now: datetime) -> Hall:
    return Hall(database, world, now)


def sold(hall: Hall, *, owners: int = 1, taking_part: bool = True) -> Sale:
    """Let co-owners claim their right and take part, and a stranger win by one increment."""
    made = [hall.enterprise() for _ in range(owners)]
    share = 4_000 // owners
    achievement_id = hall.achievement(
        owners=(
            Owner(hall.university.name, 10_000 - share * owners, hall.university.id),
            *(Owner(view.name, share, view.id) for view, _ in made),
        )
    )
    listing_id = hall.do(
        service.apply, hall.officer, achievement_id=achievement_id, content=offer()
    )
    sale = Sale(hall, listing_id, [actor for _, actor in made], hall.enterprise()[1])
    for asked in hall.read(lambda s: notice_queries.priorities(s, listing_id)):
        if asked.kind is HolderKind.CO_OWNER:
            by = next(a for a in sale.owners if a.organisation_id == asked.organisation_id)
        else:
            by = hall.officer
        hall.do(
            service.answer_priority,
            by,
            priority_id=asked.id,
            claims=asked.kind is HolderKind.CO_OWNER,
            note="书面答复 2024-03-15",
        )
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    hall.do(service.announce, hall.operator, listing_id=listing_id)
    hall.settle()
    buyers = [*(sale.owners if taking_part else [hall.enterprise()[1]]), sale.winner]
    for buyer in buyers:
        intent_id = hall.intent(listing_id, buyer)
        hall.admit(intent_id, related=buyer in sale.owners)  # who owns a share is related
        hall.pay_deposit(intent_id)
    hall.at(local(2024, 3, 30))
    hall.do(service.close_qualification, hall.operator, listing_id=listing_id)
    hall.at(OPENS)
    for buyer, fen in ((buyers[0], BASE), (sale.winner, BASE + STEP)):
        hall.do(
            service.place_bid,
            buyer,
            listing_id=listing_id,
            amount_fen=fen,
            submission_key=f"bid-{fen}",
        )
    hall.at(OPENS + timedelta(minutes=35))
    return sale


def published(hall: Hall, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hall.read(
        lambda s: s.scalars(select(OutboxEvent.body).where(OutboxEvent.name == name)).all()
    )
    return found


def test_who_claimed_and_takes_part_is_asked_at_the_price(hall: Hall) -> None:
    sale = sold(hall)
    listing = hall.listing(sale.listing_id)
    assert listing.state is ListingState.RESULT_PUBLICITY
    asked = sale.asked()
    assert (asked.state, asked.price_fen) == (PriorityState.OFFERED, BASE + STEP)
    owner = sale.owners[0].organisation_id or 0
    assert sale.intents()[owner] is IntentState.QUALIFIED
    assert sale.deposit(sale.owners[0]) is PaymentState.CONFIRMED  # it may still be needed
    notice = hall.read(lambda s: publicity.get_notice(s, listing.publicity_id))
    assert "主张优先受让" in dict(notice.facts)["优先受让权"]
    bodies = published(hall, "listings.PriorityOffered")
    assert [(b["organisation_id"], b["price_fen"]) for b in bodies] == [(owner, BASE + STEP)]


def test_who_takes_it_becomes_the_buyer_at_the_same_price(hall: Hall) -> None:
    sale = sold(hall)
    sale.answer(takes=True)
    assert hall.listing(sale.listing_id).buyer_id == sale.winner.organisation_id  # until the end
    (told,) = published(hall, "listings.PriorityExercised")
    assert told["former_buyer_organisation_id"] == sale.winner.organisation_id
    assert told["price_fen"] == BASE + STEP
    sale.end_publicity()
    listing = hall.listing(sale.listing_id)
    assert listing.state is ListingState.AWARDED
    assert listing.buyer_id == sale.owners[0].organisation_id
    assert listing.price_fen == BASE + STEP
    assert sale.intents() == {
        sale.owners[0].organisation_id: IntentState.WON,
        sale.winner.organisation_id: IntentState.LOST,
    }
    assert sale.deposit(sale.winner) is PaymentState.REFUND_DUE
    assert sale.deposit(sale.owners[0]) is PaymentState.CONFIRMED
    assert hall.read(ledger_queries.ledger_problems) == []


def test_who_leaves_it_gets_the_deposit_back_at_once(hall: Hall) -> None:
    sale = sold(hall)
    sale.answer(takes=False)
    assert sale.asked().state is PriorityState.WAIVED
    assert sale.deposit(sale.owners[0]) is PaymentState.REFUND_DUE
    with pytest.raises(Conflict):
        sale.answer(takes=True)
    sale.end_publicity()
    assert hall.listing(sale.listing_id).buyer_id == sale.winner.organisation_id
    assert sale.intents()[sale.owners[0].organisation_id or 0] is IntentState.LOST


def test_who_says_nothing_leaves_it_too(hall: Hall) -> None:
    sale = sold(hall)
    hall.now = sale.last_day() + timedelta(days=1)  # the worker has not closed the notice yet
    with pytest.raises(RuleBroken, match="为止"):
        sale.answer(takes=True)
    hall.settle()
    assert sale.asked().state is PriorityState.LAPSED
    assert hall.listing(sale.listing_id).buyer_id == sale.winner.organisation_id
    assert sale.deposit(sale.owners[0]) is PaymentState.REFUND_DUE
    assert hall.read(ledger_queries.ledger_problems) == []


def test_only_the_holder_answers(hall: Hall) -> None:
    sale = sold(hall)
    for other in (hall.officer, hall.operator, sale.winner):
        with pytest.raises(NotFound):
            sale.answer(takes=True, by=other)
    assert sale.asked().state is PriorityState.OFFERED


def test_who_claimed_and_stayed_away_is_not_asked(hall: Hall) -> None:
    sale = sold(hall, taking_part=False)
    assert sale.asked().state is PriorityState.CLAIMED
    with pytest.raises(Conflict, match="不需要再答复"):
        sale.answer(takes=True)
    listing = hall.listing(sale.listing_id)
    notice = hall.read(lambda s: publicity.get_notice(s, listing.publicity_id))
    assert "优先受让权" not in dict(notice.facts)


def test_of_two_holders_the_first_who_takes_it_does(hall: Hall) -> None:
    sale = sold(hall, owners=2)
    sale.answer(takes=True, owner=1)
    with pytest.raises(Conflict, match="协商份额"):
        sale.answer(takes=True, owner=0)
    sale.end_publicity()
    assert hall.listing(sale.listing_id).buyer_id == sale.owners[1].organisation_id
    assert sale.asked(0).state is PriorityState.LAPSED
    assert sale.deposit(sale.owners[0]) is PaymentState.REFUND_DUE


@pytest.mark.parametrize("takes", [True, False], ids=["taken", "unanswered"])
def test_a_sale_that_ends_in_its_publicity_gives_all_deposits_back(hall: Hall, takes: bool) -> None:
    sale = sold(hall)
    if takes:
        sale.answer(takes=True)
    listing = hall.listing(sale.listing_id)
    with hall.database.transaction() as session:
        service.publicity_closed(
            session,
            now=hall.now,
            listing_id=sale.listing_id,
            publicity_id=listing.publicity_id or 0,
            upheld=True,
        )
    hall.settle()
    assert hall.listing(sale.listing_id).state is ListingState.FAILED
    for buyer in (sale.owners[0], sale.winner):
        assert sale.deposit(buyer) is PaymentState.REFUND_DUE
    with pytest.raises(Conflict, match="不需要再答复"):  # the question went with the sale
        sale.answer(takes=True)
