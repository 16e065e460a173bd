"""What counts once counts once, also when it is used twice at one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import func, select

from marketplace.accounts import (
    consent_service,
    membership_service,
    password_service,
    second_factor_service,
    sign_in,
    sign_in_queries,
    tries,
)
from marketplace.accounts.consent_rules import ConsentPurpose
from marketplace.accounts.models import Membership, Organisation, User
from marketplace.accounts.personal_models import Consent
from marketplace.accounts.rules import OrganisationKind
from marketplace.accounts.service import OrganisationContent, PersonContent
from marketplace.accounts.sign_in import SecondStep, SignedIn
from marketplace.accounts.sign_in_models import (
    FactorReset,
    MailedLink,
    SignInFailure,
    UserSession,
)
from marketplace.accounts.sign_in_rules import FAILURES_BEFORE_WAIT, FAILURES_PER_ADDRESS
from marketplace.accounts.tokens import Vault, new_recovery_codes
from marketplace.accounts.tries import Client, Knock
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict
from tests.world import PASSWORD, PASSWORD_HASH, World, make_uscc

VAULT = Vault("test-key-" + "x" * 32)


@pytest.fixture
def person(world: World) -> Actor:
    """Somebody who has a second factor to use."""
    return world.actor(Role.OFFICER)


def _at_once(what: Callable[[int], bool], times: int = 4) -> int:
    """Do it from several threads that set out together; return how often it was done."""
    together = threading.Barrier(times)

    def one(number: int) -> bool:
        together.wait()
        try:
            return what(number)
        except Conflict:
            return False

    with ThreadPoolExecutor(times) as pool:
        return sum(pool.map(one, range(times)))


def _count(database: Database, model: type[Any]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


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
    client = Client("::1", "test")
    for _ in range(4):
        with database.transaction() as session:
            knock = tries.knock(session, now=later, email=email, client=client)
        assert isinstance(knock, Knock)
        with database.transaction() as session:
            step = sign_in.attempt(
                session, now=later, knock=knock, password=PASSWORD, client=client
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


def test_passwords_tried_at_one_moment_are_no_more_than_the_rule_lets(
    database: Database, person: Actor, now: datetime
) -> None:
    """Each try counts before its password is looked at, not after all were tried."""
    with database.reading() as session:
        email = sign_in_queries.get_person(session, person.user_id or 0).email

    def tried(_number: int) -> bool:
        with database.transaction() as session:
            knock = tries.knock(session, now=now, email=email, client=Client("10.0.0.9", "test"))
        return isinstance(knock, Knock)

    assert _at_once(tried, times=16) == FAILURES_BEFORE_WAIT
    assert _count(database, SignInFailure) == FAILURES_BEFORE_WAIT


def test_one_address_tries_no_more_accounts_at_one_moment(
    database: Database, person: Actor, now: datetime
) -> None:
    with database.transaction() as session:
        session.add_all(
            SignInFailure(email=f"p{n}@test.example", address="10.0.0.9", failed_at=now)
            for n in range(FAILURES_PER_ADDRESS - 3)
        )

    def tried(number: int) -> bool:
        with database.transaction() as session:
            knock = tries.knock(
                session,
                now=now,
                email=f"guess{number}@test.example",
                client=Client("10.0.0.9", "test"),
            )
        return isinstance(knock, Knock)

    assert _at_once(tried, times=12) == 3


def test_a_password_that_was_right_counts_as_no_failure(
    database: Database, person: Actor, now: datetime
) -> None:
    with database.reading() as session:
        email = sign_in_queries.get_person(session, person.user_id or 0).email
    client = Client("10.0.0.9", "test")
    for _ in range(2 * FAILURES_BEFORE_WAIT):
        with database.transaction() as session:
            knock = tries.knock(session, now=now, email=email, client=client)
        assert isinstance(knock, Knock)
        with database.transaction() as session:
            done = sign_in.attempt(session, now=now, knock=knock, password=PASSWORD, client=client)
        assert isinstance(done, SignedIn)
    assert _count(database, SignInFailure) == 0


def test_one_link_sets_one_password(database: Database, person: Actor, now: datetime) -> None:
    with database.reading() as session:
        email = sign_in_queries.get_person(session, person.user_id or 0).email
    with database.transaction() as session:
        token = password_service.make_reset_link(session, now=now, email=email, vault=VAULT)

    def reset(_number: int) -> bool:
        with database.transaction() as session:
            password_service.reset_password(
                session,
                now=now,
                token=token,
                judge=lambda _names: None,
                new_hash=PASSWORD_HASH,
                vault=VAULT,
            )
        return True

    assert _at_once(reset) == 1


def test_one_set_up_link_makes_one_operator(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        token = membership_service.create_setup_link(session, now=now)

    def set_up(number: int) -> bool:
        organisation = OrganisationContent(
            uscc=make_uscc(900 + number),
            name=f"交易中心{number}",
            short_name="中心",
            kind=OrganisationKind.OPERATOR,
        )
        person = PersonContent(f"first{number}@test.example", "首人", PASSWORD_HASH)
        with database.transaction() as session:
            membership_service.complete_setup(
                session, now=now, token=token, organisation=organisation, person=person
            )
        return True

    assert _at_once(set_up) == 1
    assert (_count(database, Organisation), _count(database, User)) == (1, 1)


def _invited(database: Database, world: World, now: datetime, email: str) -> str:
    admin = world.actor(Role.ORG_ADMIN)
    with database.transaction() as session:
        return membership_service.invite(
            session, actor=admin, now=now, email=email, roles=[Role.OFFICER]
        )


def test_one_invitation_lets_one_person_in(database: Database, world: World, now: datetime) -> None:
    token = _invited(database, world, now, "new@test.example")
    before = _count(database, User)

    def accept(number: int) -> bool:
        person = PersonContent("", f"新人{number}", PASSWORD_HASH)
        with database.transaction() as session:
            membership_service.accept_invitation(session, now=now, token=token, person=person)
        return True

    assert _at_once(accept) == 1
    assert _count(database, User) == before + 1


def test_one_invitation_lets_a_known_person_in_once(
    database: Database, world: World, person: Actor, now: datetime
) -> None:
    with database.reading() as session:
        email = sign_in_queries.get_person(session, person.user_id or 0).email
    token = _invited(database, world, now, email)
    before = _count(database, Membership)

    def join(_number: int) -> bool:
        with database.transaction() as session:
            membership_service.join_as_known(session, actor=person, now=now, token=token)
        return True

    assert _at_once(join) == 1
    assert _count(database, Membership) == before + 1


def test_one_letter_changes_an_address_once(
    database: Database, person: Actor, now: datetime
) -> None:
    with database.transaction() as session:
        password_service.ask_new_address(
            session, actor=person, now=now, email="moved@test.example", address="::1"
        )
    with database.reading() as session:
        row = session.scalars(select(MailedLink)).one()
        token = VAULT.link_token(row.id, row.nonce)

    def confirm(_number: int) -> bool:
        with database.transaction() as session:
            password_service.confirm_new_address(session, now=now, token=token, vault=VAULT)
        return True

    assert _at_once(confirm) == 1
    assert _count(database, MailedLink) == 2  # the link, and one letter to the old mailbox


def test_one_agreement_stands_once_and_ends_once(
    database: Database, person: Actor, now: datetime
) -> None:
    def agree(_number: int) -> bool:
        with database.transaction() as session:
            consent_service.give_consent(
                session,
                actor=person,
                now=now,
                user_id=person.user_id or 0,
                purpose=ConsentPurpose.PHONE_TO_BROKER,
                recipient="user:7",
            )
        return True

    assert _at_once(agree) == 4
    assert _count(database, Consent) == 1
    with database.reading() as session:
        consent_id = session.scalars(select(Consent.id)).one()

    def withdraw(_number: int) -> bool:
        with database.transaction() as session:
            consent_service.withdraw_consent(session, actor=person, now=now, consent_id=consent_id)
        return True

    assert _at_once(withdraw) == 1


def test_one_code_proves_one_session_again(
    database: Database, person: Actor, now: datetime
) -> None:
    secret, _recovery = _enrol(database, person, now)
    later = now + timedelta(minutes=1)
    code = pyotp.TOTP(secret).generate_otp(int(later.timestamp()) // 30)
    for _ in range(4):
        with database.transaction() as session:
            sign_in.open_session(
                session,
                now=now,
                user_id=person.user_id or 0,
                address="::1",
                device="test",
                second_factor=True,
            )
    with database.reading() as session:
        opened = list(session.scalars(select(UserSession.id)))

    client = Client("::1", "test")

    def prove(number: int) -> bool:
        with database.transaction() as session:
            knock = tries.knock_again(session, actor=person, now=later, client=client)
        assert isinstance(knock, Knock)
        with database.transaction() as session:
            refused = sign_in.prove_again(
                session,
                actor=person,
                now=later,
                session_id=opened[number],
                knock=knock,
                password=PASSWORD,
                code=code,
                client=client,
                vault=VAULT,
            )
        return refused is None

    assert _at_once(prove) == 1


def test_one_request_for_a_reset_is_made_and_decided_once(
    database: Database, world: World, person: Actor, now: datetime
) -> None:
    _enrol(database, person, now)
    centre = world.organisation(OrganisationKind.OPERATOR)
    desk = [world.actor(Role.OPERATOR, centre) for _ in range(5)]

    def ask(number: int) -> bool:
        with database.transaction() as session:
            second_factor_service.ask_reset(
                session,
                actor=desk[0],
                now=now,
                user_id=person.user_id or 0,
                reason=f"当面核对证件 {number}",
            )
        return True

    assert _at_once(ask) == 1
    with database.reading() as session:
        reset_id = session.scalars(select(FactorReset.id)).one()

    def decide(number: int) -> bool:
        with database.transaction() as session:
            second_factor_service.decide_reset(
                session, actor=desk[number + 1], now=now, reset_id=reset_id, grant=True
            )
        return True

    assert _at_once(decide) == 1
