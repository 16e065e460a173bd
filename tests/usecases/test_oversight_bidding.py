"""The operator sees what bidders of a session have in common; nobody else does."""

from __future__ import annotations

from datetime import datetime

import pytest

from marketplace.accounts.models import Organisation
from marketplace.foundation import audit
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed
from marketplace.foundation.money import Fen
from marketplace.listings import service
from marketplace.oversight.bidding_queries import bidding_signs
from marketplace.oversight.bidding_rules import BiddingSign
from tests.trading import BASE, STEP, Hall, local
from tests.world import World


def test_two_firms_at_one_address_and_one_telephone_are_named(
    database: Database, world: World, now: datetime
) -> None:
    hall = Hall(database, world, now)
    listing_id, (one, two) = hall.bidding()
    assert hall.read(lambda session: bidding_signs(session, hall.operator, listing_id)) == []
    hall.at(local(2024, 4, 2, 9, 1))
    with database.transaction() as session:
        for number, buyer in enumerate((one, two)):
            session.get_one(Organisation, buyer.organisation_id).contact_phone = "0531-66600000"
            audit.come_from(session, "203.0.113.9")
            service.place_bid(
                session,
                actor=buyer,
                now=hall.now,
                listing_id=listing_id,
                amount_fen=Fen(BASE + number * STEP),
                submission_key=f"key-{number}",
            )
    found = hall.read(lambda session: bidding_signs(session, hall.operator, listing_id))
    assert {sign.sign: sign.detail for sign in found} == {
        BiddingSign.SAME_ORIGIN: "203.0.113.9",
        BiddingSign.SAME_CONTACT: "0531-66600000",
    }
    with pytest.raises(NotAllowed):
        hall.read(lambda session: bidding_signs(session, hall.officer, listing_id))


def test_a_listing_without_a_session_shows_nothing(
    database: Database, world: World, now: datetime
) -> None:
    hall = Hall(database, world, now)
    listing_id = hall.announced()
    assert hall.read(lambda session: bidding_signs(session, hall.operator, listing_id)) == []
