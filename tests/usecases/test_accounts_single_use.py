"""What counts once counts once, also when it is used twice at one moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pyotp
import pytest

from marketplace.accounts import password_service, second_factor_service, sign_in, sign_in_queries
from marketplace.accounts.sign_in import Client, SecondStep, SignedIn
from marketplace.accounts.tokens import Vault, new_recovery_codes
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict
from tests.world import PASSWORD, PASSWORD_HASH, World

VAULT = Vault("test-key-" + "x" * 32)


@pytest.fixture
def person(world: World) -> Actor:
    """Somebody who has a second factor to use."""
    return world.actor(Role.OFFICER)


def _at_once(what: Callable[[int], bool], times: int = 4) -> int:
    with ThreadPoolExecutor(times) as pool:
        return sum(pool.map(what, range(times)))


def _enrol(database: Database, person: Actor, now: datetime) -> tuple[str, list[str]]:
    codes = new_recovery_codes()
    with database.transaction() as session:
        second_factor_service.begin_enrolment(session, actor=person, now=now, vault=VAULT)
    with database.reading() as session:
        waiting = sign_in_queries.enrolment(session, person.user_id or 0, vault=VAULT)
    assert waiting is not None
    with database.transaction() as session:
        second_factor_service.confirm_enrolment(
            session,
            actor=person,
            now=now,
            code=pyotp.TOTP(waiting.secret).generate_otp(int(now.timestamp()) // 30),
            recovery=codes,
            vault=VAULT,
        )
    return waiting.secret, list(codes.shown)


@pytest.mark.parametrize("kind", ["one-time", "recovery"])
def test_one_code_opens_one_session(
    database: Database, person: Actor, now: datetime, kind: str
) -> None:
    secret, recovery = _enrol(database, person, now)
    later = now + timedelta(minutes=1)
    code = recovery[2]
    if kind == "one-time":
        code = pyotp.TOTP(secret).generate_otp(int(later.timestamp()) // 30)
    with database.reading() as session:
        email = sign_in_queries.get_person(session, person.user_id or 0).email
    halfway = []
    for _ in range(4):
        with database.transaction() as session:
            step = sign_in.attempt(
                session, now=later, email=email, password=PASSWORD, client=Client("::1", "test")
            )
        assert isinstance(step, SecondStep)
        halfway.append(step.token)

    def finish(number: int) -> bool:
        with database.transaction() as session:
            outcome = sign_in.second_step(
                session,
                now=later,
                token=halfway[number],
                code=code,
                client=Client("::1", "test"),
                vault=VAULT,
            )
        return isinstance(outcome, SignedIn)

    assert _at_once(finish) == 1


def test_one_link_sets_one_password(database: Database, person: Actor, now: datetime) -> None:
    with database.reading() as session:
        email = sign_in_queries.get_person(session, person.user_id or 0).email
    with database.transaction() as session:
        token = password_service.make_reset_link(session, now=now, email=email, vault=VAULT)

    def reset(_number: int) -> bool:
        try:
            with database.transaction() as session:
                password_service.reset_password(
                    session,
                    now=now,
                    token=token,
                    judge=lambda _names: None,
                    new_hash=PASSWORD_HASH,
                    vault=VAULT,
                )
        except Conflict:
            return False
        return True

    assert _at_once(reset) == 1
