"""Personal data: consents stand alone, numbers are masked and let go, an account can be closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.accounts import consent_service, personal_queries, personal_service
from marketplace.accounts import service as accounts
from marketplace.accounts.consent_rules import ConsentPurpose
from marketplace.accounts.models import Membership, User
from marketplace.accounts.personal_models import Consent
from marketplace.accounts.sign_in_models import KnownDevice, UserSession
from marketplace.brokerage import contact_service
from marketplace.brokerage import queries as brokerage_queries
from marketplace.brokerage import service as brokerage
from marketplace.brokerage.models import ContactRequest
from marketplace.brokerage.register_rules import Certificate
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.outbox import Outbox
from marketplace.foundation.personal import masked
from marketplace.foundation.processing import records, term_of
from marketplace.wiring import HANDOVERS, PERSONAL, SUBSCRIPTIONS
from tests.dealing import Market
from tests.world import World

PHONE = "13805310001"


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    """A market whose broker stands in the register."""
    made = Market(database, world, now, tmp_path)
    made.do(
        brokerage.save_profile,
        made.broker,
        certificate=Certificate(None, "", "", None),
        fields=(),
        introduction="",
        listed=True,
        version=None,
    )
    return made


def _ask(market: Market, phone: str = PHONE) -> int:
    return int(
        market.do(
            brokerage.request_contact,
            market.buyer,
            broker_user_id=market.broker.user_id,
            message="想谈谈这项成果",
            contact_name="高远",
            phone=phone,
        )
    )


def _close(market: Market, actor: Actor) -> None:
    market.do(
        personal_service.close_account,
        actor,
        works=HANDOVERS,
        parts=PERSONAL,
    )


def _deliver(market: Market) -> None:
    while Outbox(SUBSCRIPTIONS).deliver_due(market.database, now=market.now):
        pass


def _one(market: Market, model: type[Any]) -> Any:
    with market.database.reading() as session:
        return session.scalars(select(model)).one()


def test_a_number_goes_to_one_broker_by_its_own_consent(market: Market) -> None:
    request_id = _ask(market)
    consent = _one(market, Consent)
    assert consent.purpose is ConsentPurpose.PHONE_TO_BROKER
    assert consent.recipient == f"user:{market.broker.user_id}"
    assert len(consent.text_digest) == 64
    with market.database.reading() as session:
        view = brokerage_queries.get_request(session, market.broker, request_id)
    assert view.phone == PHONE
    other = market.world.actor(Role.BROKER, market.agency)
    with market.database.reading() as session, pytest.raises(NotFound):
        brokerage_queries.get_request(session, other, request_id)


def test_without_a_number_nothing_is_agreed_to(market: Market) -> None:
    _ask(market, phone="")
    with market.database.reading() as session:
        assert session.scalars(select(Consent)).all() == []


def test_a_consent_stands_once_and_is_withdrawn_once(market: Market) -> None:
    _ask(market)
    _ask(market)
    consent = _one(market, Consent)
    with pytest.raises(NotFound):
        market.do(consent_service.withdraw_consent, market.officer, consent_id=consent.id)
    market.do(consent_service.withdraw_consent, market.buyer, consent_id=consent.id)
    _deliver(market)
    with market.database.reading() as session:
        assert {row.phone for row in session.scalars(select(ContactRequest))} == {""}
        (view,) = personal_queries.consents_of(session, market.buyer.user_id or 0)
    assert view.withdrawn_at == market.now
    assert view.recipient == market.broker.name
    with pytest.raises(Conflict):
        market.do(consent_service.withdraw_consent, market.buyer, consent_id=consent.id)


def test_a_number_does_not_follow_a_request_into_another_hand(market: Market) -> None:
    request_id = _ask(market)
    colleague = market.world.actor(Role.BROKER, market.agency)
    admin = market.world.actor(Role.ORG_ADMIN, market.agency)
    market.do(
        accounts.hand_over,
        admin,
        giver_id=market.broker.user_id,
        taker_id=colleague.user_id,
        leaving=False,
        works=HANDOVERS,
    )
    with market.database.reading() as session:
        assert brokerage_queries.get_request(session, colleague, request_id).phone == ""


def test_numbers_are_let_go_when_their_term_has_ended(market: Market) -> None:
    request_id = _ask(market)
    market.do(
        brokerage.answer_request,
        market.broker,
        request_id=request_id,
        accepted=False,
        answer="近期排期已满，请找同事",
    )
    for days, gone in (
        (term_of("phone_to_broker").days, 0),
        (term_of("phone_to_broker").days + 1, 1),
    ):
        with market.database.transaction() as session:
            moment = market.now + timedelta(days=days)
            assert contact_service.remove_expired(session, moment) == gone
    assert _one(market, ContactRequest).phone == ""


def test_traces_of_signing_in_end(database: Database, world: World, now: datetime) -> None:
    person = world.actor(Role.OFFICER)
    with database.transaction() as session:
        for days in (0, 200):
            session.add(
                KnownDevice(
                    user_id=person.user_id,
                    token_hash=f"{days:064d}",
                    seen_at=now - timedelta(days=days),
                )
            )
    with database.transaction() as session:
        assert personal_service.remove_expired(session, now) == 1
    with database.transaction() as session:
        assert personal_service.remove_expired(session, now) == 0


def test_registering_agrees_to_the_platform_and_that_ends_with_the_account(
    database: Database, world: World, now: datetime
) -> None:
    world.organisation(verified=False)
    with database.reading() as session:
        consent = session.scalars(select(Consent)).one()
        user = session.get_one(User, consent.user_id)
    actor = Actor(user.id, None, name=user.name)
    with pytest.raises(Conflict), database.transaction() as session:
        consent_service.withdraw_consent(session, actor=actor, now=now, consent_id=consent.id)


def test_a_copy_holds_what_every_slice_holds(market: Market) -> None:
    _ask(market)
    with market.database.reading() as session:
        found = PERSONAL.own_data(session, user_id=market.buyer.user_id or 0)
    assert found["账号"]["姓名"] == "高远"
    assert found["联系请求"][0]["电话"] == PHONE
    assert found["同意"][0]["用途"] == ConsentPurpose.PHONE_TO_BROKER.label
    assert {"消息", "订阅", "登录", "操作留痕", "单位"} <= set(found)


def test_a_closed_account_keeps_a_number_instead_of_a_name(market: Market) -> None:
    _ask(market)
    user_id = market.buyer.user_id
    _close(market, market.buyer)
    _deliver(market)
    with market.database.reading() as session:
        user = session.get_one(User, user_id)
        assert (user.name, user.phone, user.email) == (
            f"已注销用户 {user_id}", "", f"closed-{user_id}@invalid",
        )  # fmt: skip
        assert user.disabled
        assert user.erased_at == market.now
        assert session.scalars(select(Membership).where(Membership.user_id == user_id)).all() == []
        assert (
            session.scalars(select(UserSession).where(UserSession.user_id == user_id)).all() == []
        )
        request = session.scalars(select(ContactRequest)).one()
        assert (request.contact_name, request.phone) == ("", "")
        assert session.scalars(select(Consent)).one().withdrawn_at is not None
        assert audit.verify(session)[1] is None


def test_nobody_closes_an_account_that_others_count_on(market: Market) -> None:
    market.deal()
    with pytest.raises(RuleBroken, match="还有没办完的"):
        _close(market, market.broker)
    admin = market.world.actor(Role.ORG_ADMIN, market.firm)
    with pytest.raises(RuleBroken, match="唯一的机构管理员"):
        _close(market, admin)
    market.world.actor(Role.ORG_ADMIN, market.firm)
    _close(market, admin)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (PHONE, "138****0001"),
        ("0531-66600000", "053******0000"),
        ("66600000", "******00"),
        ("12", "**"),
        ("", ""),
    ],
)
def test_the_middle_of_a_number_is_hidden(number: str, shown: str) -> None:
    assert masked(number) == shown


def test_every_term_that_a_job_keeps_stands_in_the_record() -> None:
    kept = {record.code for record in records() if record.term_days}
    assert kept == {"phone_to_broker", "sign_in", "report"}
    with pytest.raises(LookupError):
        term_of("audit")
