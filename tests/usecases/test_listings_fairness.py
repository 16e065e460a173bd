"""What keeps bidding fair: late sessions are void, refusals are noted, limits stay private."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import record_queries, room_queries, service
from marketplace.listings.bidding_models import BiddingSession
from marketplace.listings.bidding_rules import Phase
from marketplace.listings.models import Intent
from marketplace.listings.qualification_queries import signs_of_relation
from marketplace.listings.qualification_rules import JUDGED
from marketplace.listings.replay_rules import read_document, replay
from marketplace.listings.rules import IntentState, ListingState
from marketplace.payments.models import Payment
from marketplace.payments.rules import PaymentState
from tests.trading import BASE, STEP, Hall, local
from tests.usecases.test_listings_bidding import bid
from tests.world import World

OPENS = local(2024, 4, 2, 9, 0)
LATE = timedelta(seconds=120)
MS = timedelta(milliseconds=1)


@pytest.fixture
def hall(database: Database, world: World, now: Any) -> Hall:
    return Hall(database, world, now)


def sessions(hall: Hall, listing_id: int) -> list[BiddingSession]:
    rows: list[BiddingSession] = hall.read(
        lambda s: s.scalars(
            select(BiddingSession)
            .where(BiddingSession.listing_id == listing_id)
            .order_by(BiddingSession.attempt)
        ).all()
    )
    return rows


def room(hall: Hall, actor: Actor, listing_id: int, **asked: Any) -> room_queries.Room:
    found: room_queries.Room = hall.read(
        lambda s: room_queries.room(s, actor, listing_id, now=hall.now, **asked)
    )
    return found


def test_120_seconds_late_is_held_and_a_moment_more_is_voided_and_planned_anew(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.at(OPENS + LATE)
    (first,) = sessions(hall, listing_id)
    assert first.opened_at == OPENS + LATE
    bid(hall, one, listing_id, BASE, "a")
    hall.at(first.closes_at + LATE + MS)
    voided, planned = sessions(hall, listing_id)
    assert "结束晚于规定时间 120 秒" in voided.void_reason
    assert (planned.attempt, planned.bid_count) == (2, 0)
    assert planned.starts_at == local(2024, 4, 7, 9, 0)  # two working days on, past Qingming
    assert hall.listing(listing_id).state is ListingState.BIDDING
    verdict = replay(read_document(hall.read(lambda s: record_queries.document(s, listing_id, 1))))
    assert verdict.voided
    assert room(hall, one, listing_id, attempt=1).phase is Phase.VOIDED
    hall.at(planned.starts_at)
    bid(hall, two, listing_id, BASE + STEP, "b")
    hall.at(planned.closes_at)
    assert hall.listing(listing_id).buyer_id == two.organisation_id
    assert {p.state for p in _payments(hall)} == {PaymentState.CONFIRMED, PaymentState.REFUND_DUE}


def test_a_session_that_did_not_open_in_time_takes_no_bid(hall: Hall) -> None:
    listing_id, (one, _two) = hall.bidding()
    hall.now = OPENS + LATE + MS  # the worker was away
    with pytest.raises(RuleBroken) as caught:
        bid(hall, one, listing_id, BASE, "a")
    assert caught.value.code == "bidding.late"
    hall.settle()
    voided, planned = sessions(hall, listing_id)
    assert voided.voided_at is not None
    assert planned.opened_at is None


def test_the_first_bid_opens_a_session_that_the_worker_has_not_reached_yet(hall: Hall) -> None:
    listing_id, (one, _two) = hall.bidding()
    hall.now = OPENS + timedelta(seconds=1)
    bid(hall, one, listing_id, BASE, "a")
    (held,) = sessions(hall, listing_id)
    assert held.opened_at == hall.now
    hall.settle()
    hall.at(held.closes_at)
    assert hall.listing(listing_id).price_fen == BASE


def test_a_private_limit_bids_when_outbid_and_nobody_else_sees_it(hall: Hall) -> None:
    listing_id, (one, two) = hall.bidding()
    hall.do(service.set_limit, one, listing_id=listing_id, limit_fen=Fen(BASE + 5 * STEP))
    hall.at(OPENS)
    assert sessions(hall, listing_id)[0].last_fen == BASE  # the only limit takes the first place
    bid(hall, two, listing_id, BASE + STEP, "a")
    held = sessions(hall, listing_id)[0]
    assert (held.last_fen, held.bid_count) == (BASE + 2 * STEP, 3)
    assert room(hall, one, listing_id).limit_fen == BASE + 5 * STEP
    assert room(hall, two, listing_id).limit_fen is None
    hall.do(service.set_limit, two, listing_id=listing_id, limit_fen=Fen(BASE + 9 * STEP))
    held = sessions(hall, listing_id)[0]
    assert held.last_fen == BASE + 6 * STEP
    assert room(hall, two, listing_id).leads
    document = str(hall.read(lambda s: record_queries.document(s, listing_id)))
    history = hall.read(lambda s: audit.history(s, f"bidding:{held.id}"))
    for secret in (BASE + 5 * STEP + 1, BASE + 9 * STEP):
        assert str(secret) not in document
    assert not [h for h in history if h.action == "listings.set_limit" and "limit" in str(h.after)]
    hall.do(service.drop_limit, two, listing_id=listing_id)
    bid(hall, one, listing_id, BASE + 7 * STEP, "b")
    assert room(hall, one, listing_id).leads
    with pytest.raises(RuleBroken):
        hall.do(service.set_limit, two, listing_id=listing_id, limit_fen=BASE)


def test_a_barred_related_party_cannot_bid_and_gets_its_deposit_back(hall: Hall) -> None:
    listing_id, (one, two, three) = hall.bidding(3)
    intents = hall.read(lambda s: service_intents(s, listing_id))
    tied = intents[three.organisation_id]
    reason = "经查与成果完成人为近亲属且未申报"
    hall.do(service.bar_intent, hall.operator, intent_id=tied, reason=reason)
    assert hall.stored_intent(tied).state is IntentState.BARRED
    hall.at(OPENS)
    with pytest.raises(NotAllowed) as caught:
        bid(hall, three, listing_id, BASE, "a")
    assert caught.value.code == "bidding.barred"
    assert reason in caught.value.message
    bid(hall, one, listing_id, BASE, "b")
    with pytest.raises(RuleBroken) as late:
        hall.do(
            service.bar_intent,
            hall.operator,
            intent_id=intents[two.organisation_id],
            reason="竞价开始以后才想起来",
        )
    assert late.value.code == "listings.bar_late"
    hall.at(sessions(hall, listing_id)[0].closes_at)
    assert replay(read_document(hall.read(lambda s: record_queries.document(s, listing_id)))).over
    states = {p.payer_organisation_id: p.state for p in _payments(hall)}
    assert states[three.organisation_id] is PaymentState.REFUND_DUE


def test_relations_are_found_in_the_data_and_must_be_decided(hall: Hall) -> None:
    listing_id = hall.announced()
    organisation, member = hall.enterprise()
    hall.world.actor(Role.ENTERPRISE, organisation, name="孟祥铸")
    intent_id = hall.intent(listing_id, member)
    signs = hall.read(lambda s: signs_of_relation(s, listing_id, organisation.id))
    assert any("孟祥铸与成果完成人同名" in sign for sign in signs)
    with pytest.raises(RuleBroken) as undecided:
        hall.do(service.admit_intent, hall.operator, intent_id=intent_id, ticked=JUDGED)
    assert undecided.value.code == "listings.relation_undecided"
    with pytest.raises(RuleBroken) as unchecked:
        hall.do(service.admit_intent, hall.operator, intent_id=intent_id, ticked=(), related=True)
    assert {problem.code for problem in unchecked.value.problems} == {"listings.unchecked"}
    hall.admit(intent_id, related=True)
    intent = hall.stored_intent(intent_id)
    assert intent.related_party
    assert "同名" in intent.relation
    assert len(intent.checks) == 7


def service_intents(session: Any, listing_id: int) -> dict[int | None, int]:
    from_queries = session.execute(
        select(Intent.organisation_id, Intent.id).where(Intent.listing_id == listing_id)
    )
    return {row.organisation_id: row.id for row in from_queries}


def _payments(hall: Hall) -> list[Any]:
    rows: list[Any] = hall.read(lambda s: s.scalars(select(Payment)).all())
    return rows
