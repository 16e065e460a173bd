"""Programs read and write records through the services of the pages."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from marketplace.foundation.access import Role
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.db import Database
from tests.api.conftest import MakeProgram
from tests.world import World


def test_an_achievement_is_read_changed_and_read_again(
    page_world: World, program: MakeProgram
) -> None:
    caller = program(page_world.actor(Role.OFFICER))
    made = caller.post("/achievements", {"title": "低温脱硝催化剂"})
    assert made.status_code == 201, made.get_data(as_text=True)
    address = f"/achievements/{made.json['id']}"
    record = caller.get(address).json
    assert record["content"]["title"] == "低温脱硝催化剂"
    content = record["content"] | {
        "price": "2600000.00",
        "modes": ["licence_ordinary"],
        "comparison": [
            {"indicator": "起活温度", "value": "160", "unit": "℃", "alternative_value": "220"}
        ],
        "field": "materials",
        "version": record["version"],
    }
    saved = caller.put(address, content)
    assert saved.status_code == 200, saved.get_data(as_text=True)
    again = caller.get(address).json
    assert again["version"] == saved.json["version"] == record["version"] + 1
    assert again["content"]["price"] == "2600000.00"
    assert again["content"]["comparison"][0]["value"] == "160"
    assert [line["id"] for line in caller.get("/achievements").json["items"]] == [record["id"]]


def test_a_later_change_of_another_is_not_overwritten(
    page_world: World, program: MakeProgram
) -> None:
    caller = program(page_world.actor(Role.OFFICER))
    number = caller.post("/achievements", {"title": "甲"}).json["id"]
    assert caller.put(f"/achievements/{number}", {"title": "乙", "version": 1}).status_code == 200
    answer = caller.put(f"/achievements/{number}", {"title": "丙", "version": 1})
    assert answer.status_code == 409
    assert caller.get(f"/achievements/{number}").json["content"]["title"] == "乙"


def test_what_is_missing_is_said_field_by_field(page_world: World, program: MakeProgram) -> None:
    caller = program(page_world.actor(Role.ENTERPRISE))
    number = caller.post("/needs", {"title": "焊缝检测"}).json["id"]
    answer = caller.post(f"/needs/{number}/submission")
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"]
    assert {entry["field"] for entry in answer.json["errors"]} >= {"problem"}
    assert caller.get(f"/needs/{number}").json["state"] == "draft"


def test_an_unknown_field_is_refused(page_world: World, program: MakeProgram) -> None:
    caller = program(page_world.actor(Role.OFFICER))
    answer = caller.post("/achievements", {"title": "甲", "state": "published"})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "state"
    assert caller.get("/achievements").json["items"] == []
    assert caller.get("/achievements?colour=red").status_code == 422


@pytest.mark.parametrize("price", ["1,000", "-5", "1e9", "12345678901234567890", 12])
def test_an_amount_that_is_no_amount_is_refused(
    page_world: World, program: MakeProgram, price: object
) -> None:
    caller = program(page_world.actor(Role.OFFICER))
    number = caller.post("/achievements", {"title": "甲"}).json["id"]
    answer = caller.put(f"/achievements/{number}", {"title": "甲", "price": price, "version": 1})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "price"


def test_lists_are_read_page_by_page_without_gaps(page_world: World, program: MakeProgram) -> None:
    caller = program(page_world.actor(Role.OFFICER))
    made = [caller.post("/achievements", {"title": f"成果{n}"}).json["id"] for n in range(5)]
    seen, after = [], ""
    while True:
        page = caller.get(f"/achievements?limit=2{after}").json
        seen += [line["id"] for line in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == sorted(made)
    assert len(seen) == len(set(seen))
    assert caller.get("/achievements?after=forged").status_code == 422


def test_another_organisations_records_are_not_there(
    page_world: World, program: MakeProgram
) -> None:
    owner, stranger = (program(page_world.actor(Role.OFFICER)) for _ in range(2))
    number = owner.post("/achievements", {"title": "甲"}).json["id"]
    contract = owner.post("/contracts").json["id"]
    for answer in (
        stranger.get(f"/achievements/{number}"),
        stranger.put(f"/achievements/{number}", {"title": "乙", "version": 1}),
        stranger.post(f"/achievements/{number}/submission"),
        stranger.get(f"/contracts/{contract}"),
        stranger.put(f"/contracts/{contract}", {"version": 1}),
        stranger.post(f"/contracts/{contract}/submission"),
    ):
        assert answer.status_code == 404, answer.get_data(as_text=True)
        assert answer.json["code"] == "not_found"


def test_the_audit_names_the_token(
    page_world: World, program: MakeProgram, sqlite_database: Database
) -> None:
    actor = page_world.actor(Role.OFFICER, name="王玲")
    program(actor).post("/achievements", {"title": "甲"})
    with sqlite_database.reading() as session:
        name = session.scalar(
            select(AuditRow.actor_name).where(AuditRow.action == "achievements.create")
        )
    assert name == "王玲（令牌 1：同步程序）"


def test_a_contract_goes_there_and_back(page_world: World, program: MakeProgram) -> None:
    caller = program(page_world.actor(Role.OFFICER))
    number = caller.post("/contracts").json["id"]
    record = caller.get(f"/contracts/{number}").json
    content = record["content"] | {
        "project_name": "催化剂专利许可",
        "amount": "300000.00",
        "items": [{"label": "设备", "amount": "50000.00"}],
        "version": record["version"],
    }
    saved = caller.put(f"/contracts/{number}", content)
    assert saved.status_code == 200, saved.get_data(as_text=True)
    again = caller.get(f"/contracts/{number}").json
    assert again["content"]["items"] == [{"label": "设备", "amount": "50000.00"}]
    assert again["content"]["amount"] == "300000.00"
