"""What stays hidden on pages stays hidden from programs."""

from __future__ import annotations

from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.needs import service as needs
from tests.achievement_contents import complete_need
from tests.api.conftest import MakeProgram
from tests.trading import Hall
from tests.world import World


def test_an_anonymous_need_tells_neither_name_nor_secret(
    page_world: World, program: MakeProgram, sqlite_database: Database
) -> None:
    asker = page_world.actor(Role.ENTERPRISE)
    now = page_world.now
    with sqlite_database.transaction() as session:
        need_id = needs.create_draft(
            session, actor=asker, now=now, content=complete_need(anonymous=True)
        )
    with sqlite_database.transaction() as session:
        needs.submit(session, actor=asker, now=now, need_id=need_id)
    with sqlite_database.transaction() as session:
        needs.accept(session, actor=page_world.actor(Role.OPERATOR), now=now, need_id=need_id)
    own = program(asker).get(f"/needs/{need_id}").json
    assert own["organisation_id"] == asker.organisation_id
    assert "ZY-3381" in own["content"]["confidential"]
    answer = program(page_world.actor(Role.OFFICER)).get(f"/needs/{need_id}")
    assert answer.status_code == 200
    assert answer.json["organisation_id"] is None
    assert answer.json["confidential_hidden"] is True
    text = answer.get_data(as_text=True)
    assert "ZY-3381" not in text
    assert asker.organisation_name not in text


def test_an_achievements_confidential_part_needs_an_agreement(
    sqlite_database: Database, page_world: World, program: MakeProgram
) -> None:
    hall = Hall(sqlite_database, page_world, page_world.now)
    made = hall.achievement(confidential="盐浴配方 KNO3 53 %")
    stranger = program(page_world.actor(Role.ENTERPRISE)).get(f"/achievements/{made}")
    assert stranger.status_code == 200
    assert "KNO3" not in stranger.get_data(as_text=True)
    assert "confidential" in stranger.json["hidden"]
    assert "KNO3" in program(hall.officer).get(f"/achievements/{made}").get_data(as_text=True)


def test_a_bidder_is_known_by_plate_only_and_a_limit_by_nobody(
    sqlite_database: Database, page_world: World, program: MakeProgram
) -> None:
    hall = Hall(sqlite_database, page_world, page_world.now)
    listing_id, buyers = hall.bidding()
    callers = [program(buyer) for buyer in buyers]
    record = callers[0].get(f"/listings/{listing_id}")
    bids = callers[1].get(f"/listings/{listing_id}/bids")
    assert (record.status_code, bids.status_code) == (200, 200)
    text = record.get_data(as_text=True) + bids.get_data(as_text=True)
    assert all(buyer.organisation_name not in text for buyer in buyers)
    assert "limit" not in record.json
    own = callers[0].get("/intents").json["items"]
    assert [line["listing_id"] for line in own] == [listing_id]


def test_a_listing_is_not_shown_before_it_is_announced(
    sqlite_database: Database, page_world: World, program: MakeProgram
) -> None:
    hall = Hall(sqlite_database, page_world, page_world.now)
    listing_id = hall.applied()
    caller = program(page_world.actor(Role.ENTERPRISE))
    assert caller.get(f"/listings/{listing_id}").status_code == 404
    assert caller.get("/listings").json["items"] == []


def test_a_draft_is_not_shown_to_others(page_world: World, program: MakeProgram) -> None:
    own = page_world.organisation()
    number = (
        program(page_world.actor(Role.OFFICER, own))
        .post("/achievements", {"title": "草稿"})
        .json["id"]
    )
    for role in (Role.ENTERPRISE, Role.OPERATOR, Role.REGISTRAR):
        answer = program(page_world.actor(role)).get(f"/achievements/{number}")
        assert answer.status_code == 404, role
