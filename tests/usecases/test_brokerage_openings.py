"""How a deal opens: interest, intents, awards, answers to needs, requests to brokers."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.brokerage import handlers, queries, service
from marketplace.brokerage.models import Deal, Note
from marketplace.brokerage.register_rules import (
    BrokerLevel,
    Certificate,
    RequestStatus,
)
from marketplace.brokerage.rules import DealSource, DealStage
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from marketplace.listings.events import IntentRegistered, ListingAwarded
from marketplace.needs import service as needs
from marketplace.needs.events import AnswerDecided
from tests.achievement_contents import complete_need
from tests.dealing import Market, count, events
from tests.trading import Hall
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def test_interest_makes_a_lead_that_the_owner_leads(market: Market) -> None:
    achievement_id = market.achievement()

    def express() -> int:
        return int(
            market.do(
                service.express_interest,
                market.buyer,
                achievement_id=achievement_id,
                message="焦炉 2 号线想试用三个月",
            )
        )

    deal_id = express()
    assert express() == deal_id
    market.move(deal_id, DealStage.CONTACTED, actor=market.officer)
    with market.database.reading() as session:
        deal = session.get_one(Deal, deal_id)
        assert deal.source is DealSource.INTEREST
        assert deal.broker_user_id is None
    assert count(market, Note) == 2
    with pytest.raises(RuleBroken):
        market.do(
            service.express_interest,
            market.world.actor(Role.ORG_ADMIN, market.university),
            achievement_id=achievement_id,
            message="自己要自己的成果",
        )


def test_an_intent_opens_a_lead_and_an_award_brings_it_to_the_contract(
    market: Market, now: datetime
) -> None:
    hall = Hall(market.database, market.world, now)
    listing_id = hall.announced()
    achievement_id = hall.listing(listing_id).achievement_id
    intent = IntentRegistered(
        intent_id=hall.intent(listing_id, market.buyer),
        listing_id=listing_id,
        achievement_id=achievement_id,
        seller_organisation_id=hall.university.id,
        buyer_organisation_id=market.firm.id,
    )
    award = ListingAwarded(
        listing_id=listing_id,
        achievement_id=achievement_id,
        seller_organisation_id=hall.university.id,
        buyer_organisation_id=market.firm.id,
        price_fen=146_000_000,
        trading_mode=TradingMode.TRANSFER.value,
        title="等温淬火曲轴",
        sign_by=market.today,
    )

    def only() -> Deal:
        with market.database.reading() as session:
            return session.scalars(select(Deal)).one()

    for _ in range(2):
        with market.database.transaction() as session:
            handlers.open_for_intent(session, intent, now=market.now)
    assert (only().stage, only().listing_id) == (DealStage.LEAD, listing_id)
    for _ in range(2):
        with market.database.transaction() as session:
            handlers.take_award(session, award, now=market.now)
    assert (only().stage, only().amount_fen) == (DealStage.CONTRACT_DRAFT, 146_000_000)
    with pytest.raises(RuleBroken) as refusal:
        market.do(
            service.set_terms,
            hall.officer,
            deal_id=only().id,
            title="曲轴",
            amount_fen=Fen(1),
            trading_mode=TradingMode.TRANSFER,
            signed_on=None,
        )
    assert refusal.value.code == "deal.awarded_price"


def test_an_award_without_an_intent_still_has_its_deal(market: Market) -> None:
    achievement_id = market.achievement()
    hall = Hall(market.database, market.world, market.now)
    award = ListingAwarded(
        listing_id=hall.announced(),
        achievement_id=achievement_id,
        seller_organisation_id=market.university.id,
        buyer_organisation_id=market.firm.id,
        price_fen=146_000_000,
        trading_mode="",
        title="低温脱硝",
        sign_by=market.today,
    )
    with market.database.transaction() as session:
        handlers.take_award(session, award, now=market.now)
    with market.database.reading() as session:
        deal = session.scalars(select(Deal)).one()
    assert (deal.source, deal.stage) == (DealSource.AWARD, DealStage.CONTRACT_DRAFT)


def test_an_accepted_answer_to_a_need_opens_a_lead(market: Market) -> None:
    need_id = int(market.do(needs.create_draft, market.buyer, content=complete_need()))
    market.do(needs.submit, market.buyer, need_id=need_id)
    operator = market.world.actor(Role.OPERATOR)
    market.do(needs.accept, operator, need_id=need_id)
    answer_id = int(
        market.do(
            needs.answer,
            market.officer,
            need_id=need_id,
            text="用在线测氢旋转除气，把氢含量压到 0.1 以下，三个月内交样件",
        )
    )
    market.do(needs.decide_answer, market.buyer, answer_id=answer_id, accepted=True, reason="")
    (told,) = events(market, "needs.AnswerDecided")
    for _ in range(2):
        with market.database.transaction() as session:
            handlers.open_for_answer(session, AnswerDecided(**told), now=market.now)
    with market.database.reading() as session:
        deal = session.scalars(select(Deal)).one()
    assert (deal.need_id, deal.source) == (need_id, DealSource.ANSWER)
    assert deal.seller_organisation_id == market.university.id


def test_an_anonymous_need_is_not_paired_behind_its_owner_s_back(market: Market) -> None:
    content = complete_need(anonymous=True)
    need_id = int(market.do(needs.create_draft, market.buyer, content=content))
    market.do(needs.submit, market.buyer, need_id=need_id)
    market.do(needs.accept, market.world.actor(Role.OPERATOR), need_id=need_id)
    achievement_id = market.achievement()

    def pair() -> int:
        return int(
            market.do(
                service.open_deal, market.broker, achievement_id=achievement_id, need_id=need_id
            )
        )

    with pytest.raises(RuleBroken) as refusal:
        pair()
    assert refusal.value.code == "deal.need_anonymous"
    market.do(
        service.save_profile,
        market.broker,
        certificate=Certificate(None, "", "", None),
        fields=[],
        introduction="",
    )
    request_id = market.do(
        service.request_contact,
        market.buyer,
        broker_user_id=market.broker.user_id,
        message="请替我们找技术",
        contact_name="孙工",
        need_id=need_id,
    )
    market.do(
        service.answer_request,
        market.broker,
        request_id=request_id,
        accepted=True,
        answer="好的，我来找",
    )
    assert pair() > 0


def test_a_request_becomes_a_deal_with_its_broker(market: Market) -> None:
    achievement_id = market.achievement()
    deal_id = market.do(
        service.express_interest,
        market.buyer,
        achievement_id=achievement_id,
        message="想了解供货周期",
    )
    market.do(
        service.save_profile,
        market.broker,
        certificate=Certificate(BrokerLevel.SENIOR, "JS-001", "中国技术市场协会", None),
        fields=[],
        introduction="做过二十个环保项目",
    )
    request_id = market.do(
        service.request_contact,
        market.buyer,
        broker_user_id=market.broker.user_id,
        message="请帮我们谈下来",
        contact_name="孙工",
        achievement_id=achievement_id,
    )
    with pytest.raises(NotFound):
        market.do(
            service.answer_request,
            market.world.actor(Role.BROKER, market.agency),
            request_id=request_id,
            accepted=True,
            answer="我来联系您",
        )
    assert (
        market.do(
            service.answer_request,
            market.broker,
            request_id=request_id,
            accepted=True,
            answer="下周一上午给您电话",
        )
        == deal_id
    )
    with market.database.reading() as session:
        assert session.get_one(Deal, deal_id).broker_user_id == market.broker.user_id
        (sent,) = queries.requests_for(session, market.buyer)
        assert (sent.status, sent.phone) == (RequestStatus.ACCEPTED, "")
    with pytest.raises(Conflict):
        market.do(
            service.answer_request,
            market.broker,
            request_id=request_id,
            accepted=False,
            answer="没有时间了",
        )
