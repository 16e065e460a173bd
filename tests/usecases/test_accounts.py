"""Registration, verification, membership and sign-in on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from marketplace.accounts import queries, service, session_service, sign_in, tries
from marketplace.accounts.rules import OrganisationKind, OrganisationState
from marketplace.accounts.service import OrganisationContent, PersonContent
from marketplace.accounts.sign_in import SecondStep, SignedIn
from marketplace.accounts.sign_in_rules import SignInPolicy
from marketplace.accounts.tries import Client, SignInRefused
from marketplace.foundation import audit
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from tests.world import PASSWORD, PASSWORD_HASH, World, give_licence, make_uscc


def _content(number: int = 900) -> OrganisationContent:
    return OrganisationContent(
        uscc=make_uscc(number), name="测试大学", short_name="测大", kind=OrganisationKind.UNIVERSITY
    )


def _person(number: int = 900) -> PersonContent:
    return PersonContent(f"p{number}@test.example", "张三", PASSWORD_HASH)


def test_a_registered_organisation_waits_and_is_verified_by_the_operator(
    database: Database, world: World, now: datetime, tmp_path: Path
) -> None:
    operator = world.actor(Role.OPERATOR)
    with database.transaction() as session:
        organisation_id, user_id = service.register(
            session, now=now, organisation=_content(), person=_person()
        )
    with database.reading() as session:
        assert [view.id for view in queries.awaiting_verification(session)] == [organisation_id]
        actor = queries.actor_for(session, user_id, organisation_id)
        assert actor is not None
        assert {Role.ORG_ADMIN, Role.OFFICER} <= actor.roles
        assert not actor.verified
    with pytest.raises(RuleBroken, match="营业执照"), database.transaction() as session:
        service.verify(session, actor=operator, now=now, organisation_id=organisation_id)
    give_licence(database, organisation_id, now=now, folder=tmp_path)
    with database.transaction() as session:
        service.verify(session, actor=operator, now=now, organisation_id=organisation_id)
    with database.reading() as session:
        view = queries.get_organisation(session, organisation_id)
        assert view.state is OrganisationState.VERIFIED
        actions = [e.action for e in audit.history(session, f"organisation:{organisation_id}")]
        assert actions == ["accounts.register", "accounts.verified"]
        assert audit.verify(session)[1] is None


def test_the_same_code_or_address_registers_once(
    database: Database, world: World, now: datetime
) -> None:
    with database.transaction() as session:
        service.register(session, now=now, organisation=_content(), person=_person())
    with pytest.raises(Conflict) as twice, database.transaction() as session:
        service.register(session, now=now, organisation=_content(), person=_person(901))
    assert twice.value.problems[0].field == "uscc"
    with pytest.raises(Conflict) as same_mail, database.transaction() as session:
        service.register(session, now=now, organisation=_content(901), person=_person())
    assert same_mail.value.problems[0].field == "email"
    with database.reading() as session:
        assert queries.find_organisation_by_uscc(session, make_uscc(901)) is None


def test_government_and_operator_do_not_register_themselves(
    database: Database, now: datetime
) -> None:
    for kind in (OrganisationKind.GOVERNMENT, OrganisationKind.OPERATOR):
        content = OrganisationContent(
            uscc=make_uscc(902), name="某局", short_name="某局", kind=kind
        )
        with pytest.raises(RuleBroken), database.transaction() as session:
            service.register(session, now=now, organisation=content, person=_person())


def test_only_the_operator_verifies(database: Database, world: World, now: datetime) -> None:
    officer = world.actor(Role.OFFICER)
    waiting = world.organisation(verified=False)
    with pytest.raises(NotAllowed), database.transaction() as session:
        service.verify(session, actor=officer, now=now, organisation_id=waiting.id)


def test_an_invitation_works_once_and_ends_after_a_week(
    database: Database, world: World, now: datetime
) -> None:
    admin = world.actor(Role.ORG_ADMIN)
    with database.transaction() as session:
        token = service.invite(
            session, actor=admin, now=now, email="new@test.example", roles={Role.INVENTOR}
        )
        late = service.invite(
            session, actor=admin, now=now, email="late@test.example", roles={Role.INVENTOR}
        )
    with database.transaction() as session:
        user_id = service.accept_invitation(session, now=now, token=token, person=_person())
    with database.reading() as session:
        actor = queries.actor_for(session, user_id, admin.organisation_id)
        assert actor is not None
        assert actor.roles == {Role.INVENTOR}
        assert queries.get_user(session, user_id).email == "new@test.example"
    with pytest.raises(Conflict), database.transaction() as session:
        service.accept_invitation(session, now=now, token=token, person=_person(903))
    with pytest.raises(Conflict), database.transaction() as session:
        service.accept_invitation(
            session, now=now + service.INVITATION_LIFE, token=late, person=_person(904)
        )


def test_a_role_foreign_to_the_kind_is_refused(
    database: Database, world: World, now: datetime
) -> None:
    admin = world.actor(Role.ORG_ADMIN)
    with pytest.raises(RuleBroken), database.transaction() as session:
        service.invite(
            session, actor=admin, now=now, email="x@test.example", roles={Role.REGISTRAR}
        )


def test_rights_end_with_the_membership(database: Database, world: World, now: datetime) -> None:
    home = world.organisation()
    admin = world.actor(Role.ORG_ADMIN, home)
    officer = world.actor(Role.OFFICER, home)
    with database.transaction() as session:
        token = sign_in.open_session(
            session, now=now, user_id=officer.user_id or 0, address="::1", device="test"
        )
    with database.transaction() as session:
        service.set_roles(session, actor=admin, now=now, user_id=officer.user_id or 0, roles=())
    with database.reading() as session:
        assert session_service.resume(session, now=now, token=token, policy=SignInPolicy()) is None
        assert queries.actor_for(session, officer.user_id or 0, home.id) is None


def test_the_last_administrator_stays(database: Database, world: World, now: datetime) -> None:
    admin = world.actor(Role.ORG_ADMIN)
    with pytest.raises(RuleBroken), database.transaction() as session:
        service.set_roles(
            session, actor=admin, now=now, user_id=admin.user_id or 0, roles={Role.OFFICER}
        )


def _attempt(
    database: Database, now: datetime, password: str, *, address: str = "10.0.0.1"
) -> SignedIn | SecondStep | SignInRefused:
    client = Client(address, "test")
    with database.transaction() as session:
        knock = tries.knock(session, now=now, email="p900@test.example", client=client)
    if isinstance(knock, SignInRefused):
        return knock
    with database.transaction() as session:
        return sign_in.attempt(session, now=now, knock=knock, password=password, client=client)


def test_lock_out_counts_account_and_address(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        service.register(session, now=now, organisation=_content(), person=_person())
    for _ in range(5):
        assert isinstance(_attempt(database, now, "wrong"), SignInRefused)
    locked = _attempt(database, now, PASSWORD)
    assert isinstance(locked, SignInRefused)
    assert locked.wait_seconds > 0
    # The owner, elsewhere, is not locked out by the stranger's attempts.
    assert isinstance(_attempt(database, now, PASSWORD, address="10.0.0.2"), SignedIn)
    later = now + timedelta(minutes=15, seconds=1)
    assert isinstance(_attempt(database, later, PASSWORD), SignedIn)


def test_sessions_end_by_idleness_by_age_and_by_hand(
    database: Database, world: World, now: datetime
) -> None:
    actor = world.actor(Role.OFFICER)
    with database.transaction() as session:
        token = sign_in.open_session(
            session, now=now, user_id=actor.user_id or 0, address="::1", device="test"
        )
    with database.reading() as session:
        living = session_service.resume(
            session, now=now + timedelta(minutes=30), token=token, policy=SignInPolicy()
        )
        assert living is not None
        late = now + timedelta(minutes=30, seconds=1)
        assert session_service.resume(session, now=late, token=token, policy=SignInPolicy()) is None
    stranger = world.actor(Role.OFFICER)
    with pytest.raises(NotFound), database.transaction() as session:
        session_service.end_session(session, actor=stranger, now=now, session_id=living.id)
    with database.transaction() as session:
        session_service.end_session(session, actor=actor, now=now, session_id=living.id)
    with database.reading() as session:
        assert session_service.resume(session, now=now, token=token, policy=SignInPolicy()) is None


def test_the_setup_link_makes_the_operator_once(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        token = service.create_setup_link(session, now=now)
    operator = OrganisationContent(
        uscc=make_uscc(905), name="交易中心", short_name="交易中心", kind=OrganisationKind.OPERATOR
    )
    with database.transaction() as session:
        user_id = service.complete_setup(
            session, now=now, token=token, organisation=operator, person=_person()
        )
    with database.reading() as session:
        assert Role.OPERATOR in {
            role
            for member in queries.members(session, 1)
            for role in member.roles
            if member.user_id == user_id
        }
    with pytest.raises(Conflict), database.transaction() as session:
        service.create_setup_link(session, now=now)
