"""Ratings of brokers on both databases: once a contract stands in the register, once a side."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from marketplace.brokerage import personal_service, rating_queries, service
from marketplace.brokerage.models import Broker
from marketplace.brokerage.rating_models import Rating
from marketplace.brokerage.rating_queries import Standing
from marketplace.brokerage.rating_rules import Criterion
from marketplace.brokerage.register_rules import Certificate
from marketplace.brokerage.rules import DealStage
from marketplace.contracts import handlers as contract_handlers
from marketplace.contracts import service as contracts
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.outbox import Outbox
from marketplace.oversight import report_queries, report_service
from marketplace.oversight.report_rules import ReportReason
from marketplace.oversight.report_service import ReportContent
from tests.dealing import Market, at_once, count, events
from tests.statements import statements
from tests.world import World

WORDS = "材料备得齐，问题当天就有答复"


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    made = Market(database, world, now, tmp_path / "files")
    made.do(
        service.save_profile,
        made.broker,
        certificate=Certificate(None, "", "", None),
        fields=[],
        introduction="",
    )
    return made


def deliver(market: Market) -> None:
    Outbox(contract_handlers.SUBSCRIPTIONS).deliver_due(market.database, now=market.now)


def registered(market: Market) -> tuple[int, int]:
    """Bring a deal of the broker into the register; return its and the contract's id."""
    deal_id = market.drafted_deal()
    market.move(deal_id, DealStage.SIGNED)
    contract_id = market.registered(deal_id=deal_id, project_name=f"低温脱硝许可 {deal_id}")
    deliver(market)
    return deal_id, contract_id


def rate(market: Market, actor: Actor, deal_id: int, score: int = 5, **more: Any) -> int:
    return int(
        market.do(
            service.rate_broker,
            actor,
            deal_id=deal_id,
            scores=dict.fromkeys(Criterion, score),
            **more,
        )
    )


def standing(market: Market) -> Standing:
    with market.database.reading() as session:
        return rating_queries.standing_of(session, market.broker.user_id or 0)


def test_nobody_rates_before_the_contract_is_registered(market: Market) -> None:
    deal_id = market.drafted_deal()
    with pytest.raises(RuleBroken) as refusal:
        rate(market, market.buyer, deal_id)
    assert refusal.value.code == "rating.not_registered"
    assert count(market, Rating) == 0


def test_a_rating_is_in_the_copy_of_who_wrote_it(market: Market) -> None:
    deal_id, _ = registered(market)
    rate(market, market.buyer, deal_id, 5)
    with market.database.reading() as session:
        mine = personal_service.own_data(session, user_id=market.buyer.user_id or 0)
        others = personal_service.own_data(session, user_id=market.officer.user_id or 0)
    (kept,) = mine["对技术经理人的评价"]
    assert kept["合同编号"] == "JN-2024-0001"
    assert [kept[criterion.label] for criterion in Criterion] == [5, 5, 5]
    assert others["对技术经理人的评价"] == []


def test_both_sides_rate_once_and_an_average_needs_three(market: Market) -> None:
    first, _ = registered(market)
    second, _ = registered(market)
    rate(market, market.buyer, first, 5)
    rate(market, market.officer, first, 4)
    with pytest.raises(Conflict):
        rate(market, market.world.actor(Role.ENTERPRISE, market.firm), first, 1)
    assert standing(market).count == 2
    assert [mean.tenths for mean in standing(market).means] == [None, None, None]
    rate(market, market.buyer, second, 4)
    assert [mean.text for mean in standing(market).means] == ["4.3", "4.3", "4.3"]
    assert len(events(market, "brokerage.BrokerRated")) == 3


def test_two_of_one_side_at_once_leave_one_rating(market: Market) -> None:
    deal_id, _ = registered(market)
    colleague = market.world.actor(Role.ENTERPRISE, market.firm)
    done = at_once(
        lambda: rate(market, market.buyer, deal_id),
        lambda: rate(market, colleague, deal_id),
    )
    assert sorted(type(each).__name__ for each in done) == ["Conflict", "int"]
    assert count(market, Rating) == 1


def test_neither_strangers_nor_the_broker_s_house_rate(market: Market) -> None:
    deal_id, _ = registered(market)
    for stranger in (
        market.world.actor(Role.ENTERPRISE),
        market.world.actor(Role.ORG_ADMIN, market.agency),
    ):
        with pytest.raises(NotFound):
            rate(market, stranger, deal_id)
    with pytest.raises(NotAllowed):
        rate(market, market.broker, deal_id)
    # The broker moved to the seller meanwhile: its rating would be one of his own house.
    moved = market.world.actor(Role.ORG_ADMIN, market.university)
    with market.database.transaction() as session:
        session.get_one(Broker, market.broker.user_id).organisation_id = moved.organisation_id
        audit.record(
            session, actor=moved, action="brokerage.save_profile", subject="t", now=market.now
        )
    with pytest.raises(RuleBroken) as refusal:
        rate(market, market.officer, deal_id)
    assert refusal.value.code == "rating.own"
    with market.database.reading() as session:
        assert rating_queries.ratables(session, market.officer, now=market.now) == []
        assert len(rating_queries.ratables(session, market.buyer, now=market.now)) == 1


def test_words_are_shown_after_a_look_and_answered_once(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)
    deal_id, _ = registered(market)
    silent = rate(market, market.officer, deal_id, words=WORDS)
    rating_id = rate(market, market.buyer, deal_id, words=WORDS, consented=True)
    assert standing(market).words == ()
    with pytest.raises(Conflict):
        market.do(service.decide_words, operator, rating_id=silent, shown=True)
    with pytest.raises(Conflict):
        market.do(service.answer_rating, market.broker, rating_id=rating_id, answer=WORDS)
    with pytest.raises(NotAllowed):
        market.do(service.decide_words, market.buyer, rating_id=rating_id, shown=True)
    market.do(service.decide_words, operator, rating_id=rating_id, shown=True)
    assert [each.words for each in standing(market).words] == [WORDS]
    other = market.world.actor(Role.BROKER, market.agency)
    with pytest.raises(NotFound):
        market.do(service.answer_rating, other, rating_id=rating_id, answer=WORDS)
    market.do(service.answer_rating, market.broker, rating_id=rating_id, answer=WORDS)
    with pytest.raises(Conflict):
        market.do(service.answer_rating, market.broker, rating_id=rating_id, answer=WORDS)
    assert [each.answer for each in standing(market).words] == [WORDS]


def test_a_report_that_is_upheld_takes_the_words_away(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)
    deal_id, _ = registered(market)
    rating_id = rate(market, market.buyer, deal_id, words=WORDS, consented=True)
    with market.database.reading() as session, pytest.raises(NotFound):
        report_queries.find_reported(session, market.broker, "rating", rating_id)
    market.do(service.decide_words, operator, rating_id=rating_id, shown=True)
    with market.database.reading() as session:
        reported = report_queries.find_reported(session, market.broker, "rating", rating_id)
    for upheld, left in ((False, 1), (True, 0)):
        market.do(
            report_service.report,
            market.broker,
            reported=reported,
            content=ReportContent(ReportReason.FALSE, "与事实不符，沟通记录可以证明"),
            origin="10.0.0.1",
        )
        with market.database.reading() as session:
            page = report_queries.queue(
                session, operator, report_queries.ReportState.OPEN, after=None
            )
        market.do(
            report_service.decide,
            operator,
            report_id=page.items[0].id,
            upheld=upheld,
            words="核对了双方的沟通记录后作出认定",
        )
        assert len(standing(market).words) == left
    assert standing(market).count == 1


def test_a_cancelled_contract_takes_its_ratings_along(market: Market) -> None:
    deal_id, contract_id = registered(market)
    rate(market, market.buyer, deal_id)
    market.do(
        contracts.cancel,
        market.registrar,
        contract_id=contract_id,
        reason="双方协议解除合同，已退款",
    )
    deliver(market)
    assert standing(market).count == 0


def test_the_term_ends_and_what_waits_goes_with_it(market: Market) -> None:
    deal_id, _ = registered(market)
    market.now += timedelta(days=180)
    with market.database.reading() as session:
        assert len(rating_queries.waiting(session, market.buyer, now=market.now)) == 1
    market.now += timedelta(days=1)
    with market.database.reading() as session:
        assert rating_queries.waiting(session, market.buyer, now=market.now) == []
    with pytest.raises(RuleBroken) as refusal:
        rate(market, market.buyer, deal_id)
    assert refusal.value.code == "rating.over"


def test_the_standing_is_read_in_two_statements_however_many_there_are(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)
    for _ in range(2):
        deal_id, _ = registered(market)
        for actor in (market.buyer, market.officer):
            made = rate(market, actor, deal_id, words=WORDS, consented=True)
            market.do(service.decide_words, operator, rating_id=made, shown=True)
    with statements(market.database) as sent:
        found = standing(market)
    assert len(found.words) == 4
    assert len([s for s in sent if s.startswith("SELECT")]) == 2
