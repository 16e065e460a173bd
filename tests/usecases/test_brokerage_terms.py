"""Introductions, confidentiality agreements and the commission of a deal."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.achievements import queries as achievements
from marketplace.brokerage import due, queries, service
from marketplace.brokerage.models import Agreement, Commission, Introduction
from marketplace.brokerage.rules import LostReason
from marketplace.brokerage.terms_rules import (
    AgreementStatus,
    CommissionBasis,
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
)
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from tests.dealing import PRICE, Market, at_once, count, events, propose
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def test_of_two_brokers_the_first_introduction_stands(market: Market) -> None:
    achievement_id = market.achievement()
    first = market.deal(achievement_id)
    introduction_id = market.do(service.introduce, market.broker, deal_id=first)
    with pytest.raises(Conflict) as repeated:
        market.do(service.introduce, market.broker, deal_id=first)
    assert repeated.value.code == "introduction.done"
    market.do(
        service.lose,
        market.broker,
        deal_id=first,
        reason_code=LostReason.TIMING,
        reason="企业今年不再上新线，明年再谈",
    )
    other = market.world.actor(Role.BROKER, market.agency)
    second = market.deal(achievement_id, broker=other)
    with pytest.raises(Conflict) as refusal:
        market.do(service.introduce, other, deal_id=second)
    assert refusal.value.code == "introduction.second"
    assert "（2024-03-15），以先到的为准" in refusal.value.message
    assert count(market, Introduction) == 1
    for actor in (market.officer, market.buyer, market.buyer):
        market.do(service.acknowledge_introduction, actor, introduction_id=introduction_id)
    told = events(market, "brokerage.IntroductionAcknowledged")
    assert [entry["complete"] for entry in told] == [False, True]
    with pytest.raises(NotFound):
        market.do(
            service.acknowledge_introduction,
            market.world.actor(Role.ENTERPRISE),
            introduction_id=introduction_id,
        )


def test_an_inventor_is_asked_only_about_deals_he_may_see(market: Market) -> None:
    stranger = market.world.actor(Role.INVENTOR, market.university)
    introduction_id = market.do(service.introduce, market.broker, deal_id=market.deal())
    with market.database.reading() as session:
        for_stranger = queries.waiting(session, stranger, now=market.now)
        for_officer = queries.waiting(session, market.officer, now=market.now)
    assert for_stranger == []
    assert [item.act for item in for_officer] == ["确认"]
    with pytest.raises(NotFound):
        market.do(service.acknowledge_introduction, stranger, introduction_id=introduction_id)


def test_two_introductions_in_one_instant_are_one(market: Market) -> None:
    deal_id = market.deal()
    results = at_once(
        *[lambda: market.do(service.introduce, market.broker, deal_id=deal_id)] * 4,
    )
    assert sum(isinstance(result, int) for result in results) == 1
    assert count(market, Introduction) == 1


def test_the_agreement_opens_the_confidential_layer_and_revocation_closes_it(
    market: Market,
) -> None:
    achievement_id = market.achievement()
    deal_id = market.deal(achievement_id)
    for actor in (market.broker, market.world.actor(Role.OFFICER, market.firm)):
        with pytest.raises(NotAllowed):
            market.do(service.offer_agreement, actor, deal_id=deal_id)

    def reads() -> bool:
        with market.database.reading() as session:
            view = achievements.get_for(session, market.buyer, achievement_id)
            held = queries.has_agreement(session, market.firm.id, achievement_id, market.today)
            assert held == bool(view.content.confidential)
            return held

    agreement_id = int(market.do(service.offer_agreement, market.officer, deal_id=deal_id))
    assert not reads()
    for stranger in (market.world.actor(Role.ENTERPRISE), market.officer):
        with pytest.raises(NotFound):
            market.do(service.accept_agreement, stranger, agreement_id=agreement_id)
    market.do(service.accept_agreement, market.buyer, agreement_id=agreement_id)
    market.do(service.accept_agreement, market.buyer, agreement_id=agreement_id)
    assert reads()
    assert len(events(market, "brokerage.AgreementAccepted")) == 1
    market.do(
        service.revoke_agreement,
        market.officer,
        agreement_id=agreement_id,
        reason="对方把资料转给了第三方",
    )
    assert not reads()
    with pytest.raises(Conflict):
        market.do(service.accept_agreement, market.buyer, agreement_id=agreement_id)
    assert market.do(service.offer_agreement, market.officer, deal_id=deal_id) == agreement_id
    market.do(service.accept_agreement, market.buyer, agreement_id=agreement_id)
    assert reads()


def test_an_agreement_that_runs_out_closes_the_layer(market: Market) -> None:
    achievement_id = market.achievement()
    deal_id = market.deal(achievement_id)
    market.agree(deal_id)
    task = due.TASKS[0]
    with market.database.reading() as session:
        ends = task.next_due(session, market.now)
    assert ends is not None
    with market.database.transaction() as session:
        assert task.run(session, ends - timedelta(seconds=1)) == 0
    with market.database.transaction() as session:
        assert task.run(session, ends) == 1
    with market.database.transaction() as session:
        assert task.run(session, ends) == 0
    with market.database.reading() as session:
        row = session.scalars(select(Agreement)).one()
        assert row.status is AgreementStatus.REVOKED
        assert not achievements.has_grant(session, achievement_id, market.firm.id)


def commission(market: Market, commission_id: int) -> Commission:
    with market.database.reading() as session:
        return session.get_one(Commission, commission_id)


def register(market: Market, deal_id: int) -> None:
    market.do(
        service.mark_registered,
        SYSTEM,
        deal_id=deal_id,
        contract_no="JN-2024-0001",
        amount_fen=PRICE,
    )


def test_an_agreed_commission_falls_due_once_with_the_registration(market: Market) -> None:
    deal_id = market.drafted_deal()
    commission_id = propose(market, deal_id)
    with pytest.raises(NotFound):
        market.do(service.confirm_commission, market.officer, commission_id=commission_id)
    market.do(service.confirm_commission, market.buyer, commission_id=commission_id)
    with pytest.raises(Conflict):
        propose(market, deal_id, 900)  # what is agreed stands
    register(market, deal_id)
    told_before = len(events(market, "brokerage.DealStageChanged"))
    register(market, deal_id)
    assert len(events(market, "brokerage.DealStageChanged")) == told_before
    row = commission(market, commission_id)
    assert (row.status, row.due_fen) == (CommissionStatus.DUE, PRICE * 3 // 100)
    (told,) = events(market, "brokerage.CommissionDue")
    assert told["amount_fen"] == PRICE * 3 // 100
    market.do(service.receive_commission, market.head, commission_id=commission_id)
    assert commission(market, commission_id).status is CommissionStatus.RECEIVED
    with market.database.reading() as session:
        totals = queries.commission_totals(session, market.broker.user_id or 0, 2024)
    assert (totals.received_fen, totals.due_fen) == (PRICE * 3 // 100, 0)


def test_without_a_contract_there_is_no_commission(market: Market) -> None:
    deal_id = market.deal()
    agreed = propose(market, deal_id)
    market.do(service.confirm_commission, market.buyer, commission_id=agreed)
    market.do(
        service.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=LostReason.OTHER,
        reason="企业被并购，项目取消，不再继续",
    )
    assert commission(market, agreed).status is CommissionStatus.VOID
    assert events(market, "brokerage.CommissionDue") == []


def test_what_was_only_proposed_is_not_owed(market: Market) -> None:
    deal_id = market.drafted_deal()
    proposed = propose(market, deal_id)
    register(market, deal_id)
    assert commission(market, proposed).status is CommissionStatus.VOID


def test_a_commission_above_the_price_is_refused(market: Market) -> None:
    deal_id = market.drafted_deal()
    with pytest.raises(RuleBroken) as refusal:
        market.do(
            service.propose_commission,
            market.broker,
            deal_id=deal_id,
            payer=CommissionPayer.SELLER,
            terms=CommissionTerms(CommissionBasis.FIXED, None, Fen(PRICE + 1)),
        )
    assert refusal.value.code == "commission.above_price"
    assert count(market, Commission) == 0
