"""Programs leave the same traces and meet the same bounds as people who use the pages."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.accounts import personal_service, suspension_service
from marketplace.accounts.access_token_models import AccessToken
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database
from marketplace.foundation.handover import Handovers
from marketplace.wiring import PERSONAL
from tests.api.conftest import MakeProgram
from tests.dealing import Market
from tests.world import World

ADDRESS = "203.0.113.7"


@pytest.mark.parametrize("key", ["", "order-1"])
def test_the_audit_knows_from_where_a_program_called(
    page_world: World, program: MakeProgram, sqlite_database: Database, key: str
) -> None:
    caller = program(page_world.actor(Role.OFFICER))
    caller.client.environ_base["REMOTE_ADDR"] = ADDRESS
    headers = {"Idempotency_Key": key} if key else {}
    assert caller.post("/achievements", {"title": "甲"}, **headers).status_code == 201
    with sqlite_database.reading() as session:
        origin = session.scalar(
            select(AuditRow.origin).where(AuditRow.action == "achievements.create")
        )
    assert origin == ADDRESS


def _suspend(database: Database, world: World, organisation_id: int | None) -> None:
    operator = world.actor(Role.OPERATOR)
    with database.transaction() as session:
        suspension_service.suspend(
            session,
            actor=operator,
            now=SystemClock().now(),
            organisation_id=organisation_id or 0,
            reason="核查期间暂停，说明情况后恢复",
        )


def test_a_suspended_organisations_program_reads_and_changes_nothing(
    page_world: World, program: MakeProgram, sqlite_database: Database
) -> None:
    actor = page_world.actor(Role.ENTERPRISE)
    caller = program(actor)
    number = caller.post("/needs", {"title": "焊缝检测"}).json["id"]
    _suspend(sqlite_database, page_world, actor.organisation_id)
    assert caller.get(f"/needs/{number}").status_code == 200
    refused = caller.post(f"/needs/{number}/submission")
    assert refused.status_code == 403
    assert refused.json["code"] == "access.suspended"
    assert caller.get(f"/needs/{number}").json["state"] == "draft"


def test_a_deal_with_a_suspended_side_is_not_moved_by_a_program(
    page_world: World,
    program: MakeProgram,
    sqlite_database: Database,
    now: datetime,
    tmp_path: Path,
) -> None:
    market = Market(sqlite_database, page_world, now, tmp_path / "attachments")
    deal_id = market.deal()
    caller = program(market.broker)
    step = caller.get(f"/deals/{deal_id}").json["onward"]
    _suspend(sqlite_database, page_world, market.firm.id)
    refused = caller.post(f"/deals/{deal_id}/moves/{step}")
    assert refused.status_code == 422
    assert refused.json["code"] == "accounts.suspended"
    assert market.firm.name in refused.json["detail"]


def _close(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        personal_service.close_account(
            session,
            actor=actor,
            now=SystemClock().now(),
            works=Handovers(()),
            parts=PERSONAL,
        )


def test_a_persons_tokens_are_in_the_copy_and_end_with_the_account(
    page_world: World, program: MakeProgram, sqlite_database: Database
) -> None:
    actor = page_world.actor(Role.OFFICER)
    caller = program(actor)
    assert caller.get("/achievements").status_code == 200
    with sqlite_database.reading() as session:
        held = personal_service.own_data(session, user_id=actor.user_id or 0)
    assert [token["名称"] for token in held["接口令牌"]] == ["同步程序"]
    _close(sqlite_database, actor)
    assert caller.get("/achievements").status_code == 401
    with sqlite_database.reading() as session:
        token = session.scalars(select(AccessToken)).one()
    assert token.revoked_at is not None
    assert token.revoked_by_id == actor.user_id
