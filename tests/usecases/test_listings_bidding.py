"""Bidding on both databases: valid bids only, exactly once, in an order that the rules allow."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.db import Database, lock
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import bidding_rules, service
from marketplace.listings.bidding_models import Bid, BiddingSession, RecordEntry
from marketplace.listings.bidding_queries import entries_of, mark_of, terms_of
from marketplace.listings.bidding_rules import Mark
from marketplace.listings.bidding_service import Passed
from marketplace.listings.models import Intent
from marketplace.listings.record_rules import RecordKind
from marketplace.listings.replay_rules import replay
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.payments.models import Payment
from marketplace.payments.rules import PaymentState
from tests.trading import BASE, STEP, Hall, day, local, offer
from tests.world import World

OPENS = local(2024, 4, 2, 9, 0)


@pytest.fixture
def hall(database: Database, world: World, now: datetime) -> Hall:
    return Hall(database, world, now)


def record(hall: Hall, listing_id: int) -> list[Mark]:
    return [mark_of(row) for row in stored(hall, listing_id)]


def stored(hall: Hall, listing_id: int) -> list[Bid]:
    rows: list[Bid] = hall.read(
        lambda s: s.scalars(
            select(Bid)
            .join(BiddingSession, BiddingSession.id == Bid.session_id)
            .where(BiddingSession.listing_id == listing_id)
            .order_by(Bid.sequence)
        ).all()
    )
    return rows


def session_of(hall: Hall, listing_id: int) -> BiddingSession:
    row: BiddingSession = hall.read(
        lambda s: s.scalars(
            select(BiddingSession).where(BiddingSession.listing_id == listing_id)
        ).one()
    )
    return row


def bid(hall: Hall, buyer: Actor, listing_id: int, fen: int, key: str) -> Mark:
    mark: Mark = hall.do(
        service.place_bid,
        buyer,
        listing_id=listing_id,
        amount_fen=Fen(fen),
        submission_key=key,
    )
    return mark


def test_two_qualified_buyers_lead_to_a_session_on_a_working_day(hall: Hall) -> None:
    listing_id, _ = hall.bidding()
    row = session_of(hall, listing_id)
    # Closed on Saturday 03-30: two working days later is Tuesday 04-02, from nine o'clock.
    assert row.starts_at == OPENS
    assert row.free_ends_at == OPENS + timedelta(minutes=30)
    assert row.closes_at == OPENS + timedelta(minutes=35)
    assert hall.listing(listing_id).state is ListingState.BIDDING


def test_a_session_runs_from_the_free_period_to_the_award(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS)
    bid(hall, one, listing_id, BASE, "a")
    hall.at(OPENS + timedelta(minutes=31))
    bid(hall, two, listing_id, BASE + STEP, "b")
    hall.at(OPENS + timedelta(minutes=35, seconds=59))
    bid(hall, one, listing_id, BASE + 3 * STEP, "c")
    closes = session_of(hall, listing_id).closes_at
    assert closes == hall.now + timedelta(minutes=5)
    hall.at(closes - timedelta(milliseconds=1))
    assert hall.listing(listing_id).state is ListingState.BIDDING
    hall.at(closes)
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.RESULT_PUBLICITY
    assert listing.price_fen == BASE + 3 * STEP
    assert listing.buyer_id == one.organisation_id
    intents: list[Intent] = hall.read(
        lambda s: s.scalars(select(Intent).where(Intent.listing_id == listing_id)).all()
    )
    assert {i.organisation_id: i.state for i in intents} == {
        one.organisation_id: IntentState.WON,
        two.organisation_id: IntentState.LOST,
    }
    payments: list[Payment] = hall.read(lambda s: s.scalars(select(Payment)).all())
    assert {p.payer_organisation_id: p.state for p in payments} == {
        one.organisation_id: PaymentState.CONFIRMED,
        two.organisation_id: PaymentState.REFUND_DUE,
    }
    lost = next(p for p in payments if p.state is PaymentState.REFUND_DUE)
    assert lost.refund_due_on == day("2024-04-08")  # 04-03, then 04-07 and 04-08 after Qingming
    marks = record(hall, listing_id)
    assert bidding_rules.replay(terms_of(session_of(hall, listing_id)), marks).count == 3


def test_a_refused_bid_says_why_and_leaves_nothing(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS - timedelta(milliseconds=1))
    attempts: list[tuple[Actor, int, str]] = [(one, BASE, "bidding.not_open")]
    for buyer, fen, code in attempts:
        with pytest.raises(RuleBroken) as caught:
            bid(hall, buyer, listing_id, fen, "early")
        assert caught.value.code == code
    hall.at(OPENS)
    bid(hall, one, listing_id, BASE, "first")
    seller_bidder = hall.world.actor(Role.OFFICER, hall.university, Role.ENTERPRISE)
    outsider = hall.enterprise()[1]
    refused: list[tuple[Actor, int, str]] = [
        (two, BASE + STEP - 1, "bidding.below_minimum"),
        (two, BASE + STEP + 1, "bidding.not_whole"),
        (two, 10**18, "bidding.too_large"),
        (one, BASE + STEP, "bidding.own_highest"),
        (seller_bidder, BASE + STEP, "bidding.seller"),
        (outsider, BASE + STEP, "bidding.unqualified"),
        (hall.operator, BASE + STEP, "access.role"),
    ]
    for number, (buyer, fen, code) in enumerate(refused):
        with pytest.raises(DomainError) as error:
            bid(hall, buyer, listing_id, fen, f"try-{number}")
        assert error.value.code == code
    assert len(record(hall, listing_id)) == 1
    closes = session_of(hall, listing_id).closes_at
    hall.now = closes  # the worker has not closed it yet: the rule refuses by itself
    with pytest.raises(RuleBroken) as caught:
        bid(hall, two, listing_id, BASE + STEP, "late")
    assert caught.value.code == "bidding.over"
    hall.settle()
    hall.now = closes - timedelta(milliseconds=1)  # a request that waited behind the closing
    with pytest.raises(RuleBroken) as caught:
        bid(hall, two, listing_id, BASE + STEP, "waited")
    assert caught.value.code == "bidding.over"
    assert len(record(hall, listing_id)) == 1


def test_one_submission_counts_once_and_its_key_carries_one_amount(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS)
    first = bid(hall, one, listing_id, BASE, "same")
    assert bid(hall, one, listing_id, BASE, "same") == first
    with pytest.raises(Conflict):
        bid(hall, one, listing_id, BASE + STEP, "same")
    with pytest.raises(Conflict):
        bid(hall, two, listing_id, BASE + STEP, "")
    assert bid(hall, two, listing_id, BASE + STEP, "same").sequence == 2  # the key is its own
    assert len(record(hall, listing_id)) == 2


def passed(hall: Hall, session: Session, buyer: Actor, listing_id: int, fen: int) -> Passed | None:
    return service.price_passed(
        session,
        actor=buyer,
        now=hall.now,
        listing_id=listing_id,
        amount_fen=Fen(fen),
        submission_key=f"{buyer.user_id}-{fen}",
    )


def place_impatiently(hall: Hall, buyer: Actor, listing_id: int, fen: int) -> None:
    with hall.database.transaction() as session:
        session.execute(text("SET LOCAL lock_timeout = '1ms'"))
        service.place_bid(
            session,
            actor=buyer,
            now=hall.now,
            listing_id=listing_id,
            amount_fen=Fen(fen),
            submission_key="waits",
        )


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_bid_that_the_price_has_passed_waits_for_nobody(hall: Hall) -> None:
    """On SQLite one write at a time is made, whatever is written."""
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS)
    bid(hall, one, listing_id, BASE, "first")
    with hall.database.transaction() as holding:
        lock(holding, BiddingSession, session_of(hall, listing_id).id)
        with hall.database.asking() as session:
            assert passed(hall, session, two, listing_id, BASE)
            assert passed(hall, session, two, listing_id, BASE + STEP) is None
        with pytest.raises(OperationalError):
            place_impatiently(hall, two, listing_id, BASE + STEP)


def test_a_passed_bid_is_known_in_one_statement_and_noted(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS)
    bid(hall, one, listing_id, BASE, "first")
    statements: list[str] = []
    event.listen(
        hall.database.engine, "before_cursor_execute", lambda *told: statements.append(told[2])
    )
    with hall.database.asking() as session:
        found = passed(hall, session, two, listing_id, BASE)
    assert len([each for each in statements if each.startswith("SELECT")]) == 1
    assert found is not None
    assert found.refusal.code == bidding_rules.BELOW_MINIMUM
    hall.do(service.note_passed, two, passed=found, typed="一百万")
    [noted] = hall.read(
        lambda s: s.scalars(select(AuditRow).where(AuditRow.action == "listings.bid_refused")).all()
    )
    assert noted.user_id == two.user_id
    assert noted.subject == f"bidding:{session_of(hall, listing_id).id}"
    assert noted.after["amount"] == "一百万"
    assert noted.after["code"] == bidding_rules.BELOW_MINIMUM


def test_who_may_not_bid_is_told_so_before_what_the_price_is(hall: Hall) -> None:
    listing_id, (one, _) = hall.bidding()
    hall.at(OPENS)
    bid(hall, one, listing_id, BASE, "first")
    _, stranger = hall.enterprise()
    with hall.database.asking() as session:
        for nobody in (stranger, hall.officer):
            with pytest.raises(NotAllowed):
                passed(hall, session, nobody, listing_id, BASE)


def test_what_was_accepted_before_is_not_told_to_be_passed(hall: Hall) -> None:
    """An impatient second click is answered by its mark, however high the price is by then."""
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS)
    first = bid(hall, one, listing_id, BASE, f"{one.user_id}-{BASE}")
    bid(hall, two, listing_id, BASE + STEP, "higher")
    with hall.database.asking() as session:
        assert passed(hall, session, one, listing_id, BASE) is None
        assert passed(hall, session, one, listing_id, BASE - STEP)
    assert bid(hall, one, listing_id, BASE, f"{one.user_id}-{BASE}") == first


def test_a_plate_counts_in_its_own_room_only(hall: Hall) -> None:
    first, (one, _) = hall.bidding()
    hall.at(OPENS)
    other = hall.announced(offer(PricingMode.LISTED))
    with pytest.raises(NotFound):
        bid(hall, one, other, BASE, "no-session")
    hall.now = OPENS
    second_hall = Hall(hall.database, hall.world, local(2024, 3, 15, 9))
    second, _ = second_hall.bidding()
    second_hall.now = OPENS
    with pytest.raises(NotAllowed):
        bid(second_hall, one, second, BASE, "other-room")
    assert record(hall, first) == []


def test_without_a_bid_nobody_wins(hall: Hall) -> None:
    listing_id, _ = hall.bidding()
    hall.at(OPENS)
    hall.at(OPENS + timedelta(minutes=35))
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.FAILED
    assert "没有人报价" in listing.reason
    payments: list[Payment] = hall.read(lambda s: s.scalars(select(Payment)).all())
    assert {p.state for p in payments} == {PaymentState.REFUND_DUE}


def test_fifty_threads_bidding_at_once_leave_a_record_that_the_rules_allow(hall: Hall) -> None:
    listing_id, buyers = hall.bidding(5)
    hall.at(OPENS)
    acknowledged: list[tuple[str, Mark]] = []
    refused: list[str] = []
    failures: list[BaseException] = []
    guard = threading.Lock()
    start = threading.Barrier(50)

    def compete(number: int) -> None:
        buyer = buyers[number % len(buyers)]
        start.wait()
        for turn in range(4):
            key = f"{number}-{turn}"
            fen = BASE + STEP * (number % 7 + turn * 3)
            for _attempt in range(2):  # every request is sent twice, as an impatient hand does
                try:
                    asked = {
                        "actor": buyer,
                        "now": OPENS + timedelta(seconds=number),
                        "listing_id": listing_id,
                        "amount_fen": Fen(fen),
                        "submission_key": key,
                    }
                    with hall.database.asking() as session:
                        known = service.price_passed(session, **asked)
                    if known is not None:
                        raise known.refusal
                    with hall.database.transaction() as session:
                        mark = service.place_bid(session, **asked)
                except DomainError as refusal:
                    with guard:
                        refused.append(refusal.code)
                except BaseException as failure:  # anything else is a fault of ours
                    with guard:
                        failures.append(failure)
                else:
                    with guard:
                        acknowledged.append((key, mark))

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert set(refused) <= {
        "bidding.below_minimum",
        "bidding.own_highest",
        "bidding.key_reused",
    }
    rows = stored(hall, listing_id)
    marks = [mark_of(row) for row in rows]
    assert marks
    bidding_rules.replay(terms_of(session_of(hall, listing_id)), marks)
    told = {mark.sequence: mark for _, mark in acknowledged}
    assert told == {mark.sequence: mark for mark in marks}
    assert len({key for key, _ in acknowledged}) == len(marks)
    entries = hall.read(
        lambda s: s.scalars(
            select(RecordEntry.body)
            .where(RecordEntry.kind == RecordKind.BID)
            .order_by(RecordEntry.sequence)
        ).all()
    )
    assert [entry["number"] for entry in entries] == [mark.sequence for mark in marks]
    hall.at(session_of(hall, listing_id).closes_at)
    assert hall.listing(listing_id).price_fen == marks[-1].amount_fen
    held = session_of(hall, listing_id)
    verdict = replay(hall.read(lambda s: entries_of(s, held.id)))
    assert verdict.amount_fen == marks[-1].amount_fen
    assert verdict.plate == marks[-1].plate
