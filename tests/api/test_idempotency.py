"""One key, one call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Role
from marketplace.foundation.api.idempotency import IdempotencyKey, Outcome, once
from marketplace.foundation.errors import Conflict, RuleBroken
from tests.api.conftest import MakeProgram
from tests.world import World


def _call(world: World, use_case: Callable[[Session], Outcome], **changes: object) -> Outcome:
    given: dict[str, Any] = {
        "token_id": 1,
        "key": "k",
        "request": b"POST /x\n{}",
        "now": world.now,
        "transaction": world.database.transaction,
        **changes,
    }
    return once(world.database, use_case=use_case, **given)


def test_a_repeated_call_is_answered_and_not_carried_out(world: World) -> None:
    calls: list[int] = []

    def use_case(_session: Session) -> Outcome:
        calls.append(1)
        return Outcome(201, f"{len(calls)}")

    first = _call(world, use_case)
    second = _call(world, use_case)
    assert (first.status, first.body, first.repeated) == (201, "1", False)
    assert (second.status, second.body, second.repeated) == (201, "1", True)
    assert len(calls) == 1


def test_the_same_key_with_another_request_is_refused(world: World) -> None:
    _call(world, lambda _session: Outcome(200, "a"))
    with pytest.raises(Conflict):
        _call(world, lambda _session: Outcome(200, "b"), request=b"POST /x\n{1}")


def test_a_key_counts_for_one_token(world: World) -> None:
    _call(world, lambda _session: Outcome(200, "a"))
    other = _call(world, lambda _session: Outcome(200, "b"), token_id=2)
    assert (other.body, other.repeated) == ("b", False)


def test_a_refused_call_uses_no_key_up(world: World) -> None:
    def refuse(_session: Session) -> Outcome:
        raise RuleBroken("x", "不行")

    with pytest.raises(RuleBroken):
        _call(world, refuse)
    assert _call(world, lambda _session: Outcome(200, "a")).body == "a"


def test_keys_are_forgotten_after_two_days(world: World) -> None:
    _call(world, lambda _session: Outcome(200, "a"))
    later = world.now + timedelta(days=2, minutes=1)
    _call(world, lambda _session: Outcome(200, "b"), key="other", now=later)
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1


def test_calls_at_one_instant_are_carried_out_once(world: World) -> None:
    calls: list[int] = []
    outcomes: list[Outcome] = []
    barrier = threading.Barrier(8)

    def use_case(_session: Session) -> Outcome:
        calls.append(1)
        return Outcome(200, "done")

    def run() -> None:
        barrier.wait()
        outcomes.append(_call(world, use_case))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert {outcome.body for outcome in outcomes} == {"done"}
    assert len(outcomes) == 8


def test_a_program_that_sends_again_makes_one_thing(
    page_world: World, program: MakeProgram
) -> None:
    caller = program(page_world.actor(Role.OFFICER))
    answers = [
        caller.post("/achievements", {"title": "甲"}, Idempotency_Key="once") for _ in range(2)
    ]
    assert answers[0].json == answers[1].json
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert len(caller.get("/achievements").json["items"]) == 1
    other = caller.post("/achievements", {"title": "乙"}, Idempotency_Key="once")
    assert (other.status_code, other.json["code"]) == (409, "api.key_reused")
    assert caller.post("/achievements", {"title": "丙"}, Idempotency_Key="长" * 3).status_code < 500
