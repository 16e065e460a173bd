"""Tokens: shown once, kept hashed, with scopes and an end, revoked at once."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from marketplace.accounts import access_token_service, service
from marketplace.accounts.access_token_models import AccessToken
from marketplace.accounts.access_token_queries import find_bearer, tokens_of
from marketplace.accounts.access_token_rules import MOST_LIVING
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.api import CallLimit, Scope
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken, TooMany
from marketplace.wiring import Services
from tests.api.conftest import MakeProgram, Program
from tests.conftest import Browser, MovableClock
from tests.world import World


def _create(world: World, actor: Actor, **changes: Any) -> Any:
    with world.database.transaction() as session:
        return access_token_service.create_token(
            session,
            **{
                "actor": actor,
                "now": world.now,
                "name": "程序",
                "scopes": [Scope.READ],
                "days": 30,
                **changes,
            },
        )


def test_only_a_hash_is_kept(world: World) -> None:
    made = _create(world, world.actor(Role.OFFICER))
    with world.database.reading() as session:
        row = session.scalars(select(AccessToken)).one()
        kept = " ".join(str(value) for value in vars(row).values())
    assert made.token not in kept
    assert made.token.removeprefix("jtm_") not in kept


def test_a_token_ends(world: World) -> None:
    actor = world.actor(Role.OFFICER)
    made = _create(world, actor, days=1)
    clock = MovableClock(world.now)
    with world.database.reading() as session:
        assert find_bearer(session, made.token, now=clock.forward(hours=23)) is not None
        assert find_bearer(session, made.token, now=clock.forward(hours=1)) is None


def test_a_token_is_revoked_by_its_owner_and_the_head_only(world: World) -> None:
    university = world.organisation()
    owner, colleague = (world.actor(Role.OFFICER, university) for _ in range(2))
    head = world.actor(Role.ORG_ADMIN, university)
    stranger = world.actor(Role.ORG_ADMIN)
    for revoker in (owner, head):
        made = _create(world, owner)
        for other in (colleague, stranger):
            with pytest.raises(NotFound), world.database.transaction() as session:
                access_token_service.revoke_token(
                    session, actor=other, now=world.now, token_id=made.id
                )
        with world.database.transaction() as session:
            access_token_service.revoke_token(
                session, actor=revoker, now=world.now, token_id=made.id
            )
        with world.database.reading() as session:
            assert find_bearer(session, made.token, now=world.now) is None


def test_rights_end_with_the_membership(world: World) -> None:
    university = world.organisation()
    head = world.actor(Role.ORG_ADMIN, university)
    member = world.actor(Role.OFFICER, university)
    made = _create(world, member)
    with world.database.transaction() as session:
        service.end_membership(session, actor=head, now=world.now, user_id=member.user_id or 0)
    with world.database.reading() as session:
        assert find_bearer(session, made.token, now=world.now) is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": " "}, RuleBroken),
        ({"name": "长" * 61}, RuleBroken),
        ({"scopes": []}, RuleBroken),
        ({"days": 0}, RuleBroken),
        ({"days": 367}, RuleBroken),
    ],
)
def test_a_token_needs_a_name_a_scope_and_an_end(
    world: World, changes: dict[str, object], error: type[Exception]
) -> None:
    actor = world.actor(Role.OFFICER)
    with pytest.raises(error):
        _create(world, actor, **changes)
    with world.database.reading() as session:
        assert tokens_of(session, organisation_id=actor.organisation_id, now=world.now) == []


def test_there_are_not_too_many(world: World) -> None:
    actor = world.actor(Role.OFFICER)
    for _ in range(MOST_LIVING):
        _create(world, actor)
    with pytest.raises(Conflict):
        _create(world, actor)


def test_a_token_makes_no_token(world: World) -> None:
    made = _create(world, world.actor(Role.OFFICER))
    with world.database.reading() as session:
        bearer = find_bearer(session, made.token, now=world.now)
    assert bearer is not None
    with pytest.raises(NotAllowed):
        _create(world, bearer.actor)


def test_without_a_token_nothing_is_told(app: Flask, program: MakeProgram) -> None:
    for caller in (Program(app.test_client(), ""), Program(app.test_client(), "jtm_forged")):
        answer = caller.get("/achievements")
        assert (answer.status_code, answer.json["status"]) == (401, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "achievements" not in answer.get_data(as_text=True)


def test_a_token_opens_its_scopes_only(page_world: World, program: MakeProgram) -> None:
    caller = program(page_world.actor(Role.OFFICER), Scope.READ)
    assert caller.get("/achievements").status_code == 200
    answer = caller.post("/achievements", {"title": "甲"})
    assert (answer.status_code, answer.json["code"]) == (403, "api.scope")
    writer = program(page_world.actor(Role.OFFICER), Scope.WRITE_NEEDS)
    assert writer.get("/achievements").status_code == 403


def test_a_token_may_no_more_than_its_owner(page_world: World, program: MakeProgram) -> None:
    caller = program(page_world.actor(Role.ENTERPRISE))
    answer = caller.post("/achievements", {"title": "甲"})
    assert (answer.status_code, answer.json["code"]) == (403, "access.role")


def test_a_cookie_opens_no_operation(client: Browser, page_world: World) -> None:
    client.sign_in_as(page_world.actor(Role.OFFICER))
    assert client.get("/my/achievements").status_code == 200
    assert client.get("/api/v1/achievements").status_code == 401
    assert client.post("/api/v1/achievements", json={"title": "甲"}).status_code == 401


def test_the_last_use_is_kept(
    page_world: World, program: MakeProgram, sqlite_database: Database
) -> None:
    actor = page_world.actor(Role.OFFICER)
    caller = program(actor)

    def used() -> object:
        with sqlite_database.reading() as session:
            return tokens_of(
                session, organisation_id=actor.organisation_id, now=SystemClock().now()
            )[0].used_at

    assert used() is None
    caller.get("/achievements")
    assert used() is not None


def _use_up(limit: CallLimit, caller: str) -> None:
    with suppress(TooMany):
        while True:
            limit.count(caller)


def test_calls_are_limited_with_the_time_to_wait(
    page_world: World, services: Services, program: MakeProgram
) -> None:
    limit = services.resources[CallLimit]
    actor = page_world.actor(Role.OFFICER)
    caller, other = program(actor), program(page_world.actor(Role.OFFICER))
    _use_up(limit, "token:1")
    answer = caller.get("/achievements")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert other.get("/achievements").status_code == 200


def test_guessing_tokens_is_limited(app: Flask, services: Services) -> None:
    limit = services.resources[CallLimit]
    _use_up(limit, "address:127.0.0.1")
    answer = Program(app.test_client(), "jtm_guess").get("/achievements")
    assert answer.status_code == 429


def test_the_page_shows_a_token_once_and_a_double_click_makes_one(
    client: Browser, page_world: World, sqlite_database: Database
) -> None:
    actor = page_world.actor(Role.OFFICER)
    client.sign_in_as(actor)
    form = {
        "name": "同步",
        "scopes": ["read"],
        "days": "30",
        "submission_key": "one-click-of-this-form",
    }
    pages = [client.send("/account/tokens", **form).get_data(as_text=True) for _ in range(2)]
    first, second = (set(re.findall(r"jtm_[\w-]+", page)) for page in pages)
    assert first == second
    assert len(first) == 1
    with sqlite_database.reading() as session:
        row = session.scalars(select(AccessToken)).one()
        assert find_bearer(session, first.pop(), now=SystemClock().now()) is not None
    page = client.get("/account/tokens").get_data(as_text=True)
    assert "同步" in page
    assert "jtm_" not in page
    assert client.send(f"/account/tokens/{row.id}/revoke").status_code == 303
    assert "已撤销" in client.get("/account/tokens").get_data(as_text=True)


def test_the_page_keeps_what_was_typed(client: Browser, page_world: World) -> None:
    client.sign_in_as(page_world.actor(Role.OFFICER))
    answer = client.send("/account/tokens", name="科研系统", days="400", scopes=["read"])
    assert answer.status_code == 422
    assert "科研系统" in answer.get_data(as_text=True)
