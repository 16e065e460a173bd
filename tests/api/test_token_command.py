"""`marketplace token`: made for a member where no page helps, listed, ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from marketplace.accounts import people_service
from marketplace.accounts.access_token_commands import make_group
from marketplace.accounts.access_token_queries import find_bearer
from marketplace.accounts.models import User
from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.api import Scope
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database
from tests.world import World


class Shell:
    """An operator at the command line, and the member for whom he makes tokens."""

    def __init__(self, database: Database, world: World) -> None:
        self._group = make_group(lambda: database)
        self.database, self.world = database, world
        self.actor = world.actor(Role.OFFICER)
        self.email = self.email_of(self.actor)

    def email_of(self, actor: Actor) -> str:
        with self.database.reading() as session:
            found = session.scalar(select(User.email).where(User.id == actor.user_id))
        assert found
        return found

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(self._group, arguments)

    def create(self, *more: str, email: str = "") -> Result:
        return self.run("create", email or self.email, "--name", "同步程序", *more)


@pytest.fixture
def shell(database: Database, world: World) -> Shell:
    return Shell(database, world)


def test_a_token_made_here_opens_what_its_member_may(shell: Shell) -> None:
    made = shell.create("--scope", "read", "--scope", "write_needs", "--days", "7")
    assert made.exit_code == 0, made.output
    token, now = made.output.strip(), SystemClock().now()
    with shell.database.reading() as session:
        bearer = find_bearer(session, token, now=now)
        assert bearer is not None
        assert bearer.actor.user_id == shell.actor.user_id
        assert bearer.access.scopes == {Scope.READ, Scope.WRITE_NEEDS}
        assert find_bearer(session, token, now=now + timedelta(days=7, minutes=1)) is None
    listed = shell.run("list").output
    assert "同步程序" in listed
    assert "used never" in listed
    assert token not in listed


def test_without_a_scope_it_reads(shell: Shell) -> None:
    token = shell.create().output.strip()
    with shell.database.reading() as session:
        bearer = find_bearer(session, token, now=SystemClock().now())
    assert bearer is not None
    assert bearer.access.scopes == {Scope.READ}


def test_a_token_is_ended_at_once(shell: Shell) -> None:
    token = shell.create().output.strip()
    number = shell.run("list").output.split("\t")[0]
    ended = shell.run("revoke", number)
    assert (ended.exit_code, ended.output) == (0, "Revoked.\n")
    with shell.database.reading() as session:
        assert find_bearer(session, token, now=SystemClock().now()) is None
    assert "revoked" in shell.run("list").output
    unknown = shell.run("revoke", "999")
    assert unknown.exit_code == 1
    assert "没有找到" in unknown.output


def test_it_is_said_for_whom_and_for_which_organisation(shell: Shell) -> None:
    nobody = shell.create(email="nobody@test.example")
    assert nobody.exit_code == 1
    assert "no account signs in with this address" in nobody.output
    other = shell.world.organisation(OrganisationKind.ENTERPRISE)
    with shell.database.transaction() as session:
        people_service.join(session, other.id, shell.actor.user_id or 0, {Role.ENTERPRISE})
        audit.record(
            session, actor=SYSTEM, action="test", subject="user:1", now=SystemClock().now()
        )
    unsure = shell.create()
    assert unsure.exit_code == 1
    assert "--uscc" in unsure.output
    token = shell.create("--uscc", other.uscc).output.strip()
    with shell.database.reading() as session:
        bearer = find_bearer(session, token, now=SystemClock().now())
    assert bearer is not None
    assert bearer.actor.organisation_id == other.id


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--days", "0"), "有效期应在"),
        (("--days", "4000"), "有效期应在"),
        (("--scope", "everything"), "Invalid value"),
    ],
)
def test_what_cannot_be_is_refused_in_words(shell: Shell, more: tuple[str, ...], said: str) -> None:
    refused = shell.create(*more)
    assert refused.exit_code != 0
    assert said in refused.output
    assert shell.run("list").output == ""
