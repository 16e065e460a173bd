"""Deals, introductions, agreements, commission and filing on both databases."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event, func, select

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import AchievementState
from marketplace.brokerage import due, handlers, queries, service
from marketplace.brokerage.models import Agreement, Commission, Deal, Filing, Introduction, Note
from marketplace.brokerage.queries import DealFilter
from marketplace.brokerage.register_rules import (
    BrokerLevel,
    Certificate,
    FilingFigures,
    FilingStatus,
    RequestStatus,
)
from marketplace.brokerage.rules import DealSource, DealStage, LostReason, NoteKind, NoteVisibility
from marketplace.brokerage.terms_rules import (
    AgreementStatus,
    CommissionBasis,
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
)
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.foundation.trade import TradingMode
from marketplace.listings.events import IntentRegistered, ListingAwarded
from marketplace.needs import service as needs
from marketplace.needs.events import AnswerDecided
from tests.achievement_contents import complete_need
from tests.dealing import PRICE, Market
from tests.trading import Hall
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def stage(market: Market, deal_id: int) -> DealStage:
    with market.database.reading() as session:
        return session.get_one(Deal, deal_id).stage


def events(market: Market, name: str) -> list[dict[str, Any]]:
    with market.database.reading() as session:
        rows = session.scalars(
            select(OutboxEvent).where(OutboxEvent.name == name).order_by(OutboxEvent.id)
        )
        return [row.body for row in rows]


def count(market: Market, model: type[Any]) -> int:
    with market.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def at_once(market: Market, *calls: Callable[[], Any]) -> list[Any]:
    """Run calls in threads that start together; a refusal comes back as its error."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return call()
        except DomainError as refusal:
            return refusal

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_a_deal_goes_its_whole_way(market: Market) -> None:
    achievement_id = market.achievement()
    deal_id = market.drafted_deal(achievement_id)
    market.move(deal_id, DealStage.SIGNED)
    market.do(
        service.mark_registered,
        SYSTEM,
        deal_id=deal_id,
        contract_no="JN-2024-0001",
        amount_fen=PRICE,
    )
    market.move(deal_id, DealStage.PAID)
    assert stage(market, deal_id) is DealStage.PAID
    passed = [told["to_stage"] for told in events(market, "brokerage.DealStageChanged")]
    assert passed == [s.value for s in list(DealStage)[1:-1]]
    with market.database.reading() as session:
        lines = queries.history(session, deal_id)
        view = queries.get_deal(session, market.buyer, deal_id)
        assert audit.verify(session)[1] is None
    assert lines[0].what == "进入阶段：已付款"
    assert view.contract_no == "JN-2024-0001"
    assert view.paid_on == market.today


def test_a_skipped_stage_leaves_nothing(market: Market) -> None:
    deal_id = market.deal()
    before = count(market, OutboxEvent), count(market, audit.AuditRow)
    with pytest.raises(RuleBroken):
        market.move(deal_id, DealStage.TECHNICAL_TALK)
    with pytest.raises(RuleBroken):
        market.move(deal_id, DealStage.CONTACTED)  # nobody was contacted yet
    assert stage(market, deal_id) is DealStage.LEAD
    assert (count(market, OutboxEvent), count(market, audit.AuditRow)) == before


def test_the_achievement_is_in_a_deal_while_talks_are_serious(market: Market) -> None:
    achievement_id = market.achievement()

    def state() -> AchievementState:
        with market.database.reading() as session:
            return achievements.get_internal(session, achievement_id).state

    deal_id = market.drafted_deal(achievement_id)
    assert state() is AchievementState.IN_DEAL
    market.do(
        service.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=LostReason.PRICE,
        reason="企业最多出一百二十万，成果方不降",
    )
    assert state() is AchievementState.PUBLISHED


def test_a_loss_reaches_the_university_with_its_words(market: Market) -> None:
    achievement_id = market.achievement()
    deal_id = market.deal(achievement_id)
    words = "企业说只有实验室数据，等中试以后再看"
    market.do(
        service.lose,
        market.buyer,
        deal_id=deal_id,
        reason_code=LostReason.TOO_EARLY,
        reason=words,
    )
    (told,) = events(market, "brokerage.DealLost")
    assert (told["reason_code"], told["reason"], told["stage"]) == ("too_early", words, "lead")
    assert told["seller_organisation_id"] == market.university.id
    with market.database.reading() as session:
        (lesson,) = queries.lessons(session, market.officer, now=market.now)
        assert lesson.achievement_id == achievement_id
        assert lesson.deals[0].words == words
        assert queries.lost_counts(session, market.officer)[0].reason is LostReason.TOO_EARLY
        stranger = market.world.actor(Role.OFFICER)
        assert queries.lessons(session, stranger, now=market.now) == []
    with pytest.raises(Conflict):
        market.move(deal_id, DealStage.CONTACTED)


def test_a_pair_has_one_deal_at_a_time(market: Market) -> None:
    achievement_id = market.achievement()
    market.deal(achievement_id)
    other = market.world.actor(Role.BROKER, market.agency)
    with pytest.raises(Conflict):
        market.deal(achievement_id, broker=other)
    assert count(market, Deal) == 1


def test_two_deals_opened_in_one_instant_are_one(market: Market) -> None:
    achievement_id = market.achievement()
    other = market.world.actor(Role.BROKER, market.agency)
    results = at_once(
        market,
        lambda: market.deal(achievement_id),
        lambda: market.deal(achievement_id, broker=other),
    )
    assert sorted(isinstance(result, Conflict) for result in results) == [False, True]
    assert count(market, Deal) == 1


def test_who_sees_a_deal(market: Market) -> None:
    deal_id = market.deal()
    second_broker = market.world.actor(Role.BROKER, market.agency)
    other_head = market.world.actor(
        Role.AGENCY_HEAD,
        market.world.organisation(
            OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
        ),
    )
    sees = (market.broker, market.head, market.officer, market.buyer)
    not_sees = (
        second_broker,
        other_head,
        market.world.actor(Role.OFFICER),
        market.world.actor(Role.ENTERPRISE),
        market.registrar,
    )
    with market.database.reading() as session:
        for actor in sees:
            assert queries.get_deal(session, actor, deal_id).id == deal_id
            listed = queries.list_deals(session, actor, chosen=DealFilter(), now=market.now)
            assert [row.id for row in listed.items] == [deal_id]
        for actor in not_sees:
            with pytest.raises(NotFound):
                queries.get_deal(session, actor, deal_id)
            listed = queries.list_deals(session, actor, chosen=DealFilter(), now=market.now)
            assert listed.items == []
    for actor in not_sees[:2]:
        with pytest.raises(NotFound):
            market.contact(deal_id, actor)


def test_an_inventor_sees_the_deals_of_his_own_results_only(market: Market) -> None:
    inventor = market.world.actor(Role.INVENTOR, market.university, name="丁文韬")
    deal_id = market.deal()
    with market.database.reading() as session:
        mine = achievements.owned_ids(session, inventor, achievements.OwnedFilter(), limit=10)
        expected = [deal_id] if mine else []
        listed = queries.list_deals(session, inventor, chosen=DealFilter(), now=market.now)
        assert [row.id for row in listed.items] == expected


def test_private_notes_stay_private(market: Market) -> None:
    deal_id = market.deal()
    secret = "企业底价一百五十万，先不说"
    market.do(
        service.add_note,
        market.broker,
        deal_id=deal_id,
        kind=NoteKind.REMARK,
        visibility=NoteVisibility.PRIVATE,
        body=secret,
    )
    market.contact(deal_id)
    with market.database.reading() as session:
        assert len(queries.notes(session, market.broker, deal_id)) == 2
        for actor in (market.officer, market.buyer, market.head):
            assert [n.body for n in queries.notes(session, actor, deal_id)] == [
                "企业想先看检测报告"
            ]
        rows = session.scalars(select(audit.AuditRow)).all()
        assert not any(secret in str(row.after) for row in rows)
    assert len(events(market, "brokerage.NoteShared")) == 1


def test_the_parties_do_not_move_a_broker_s_deal(market: Market) -> None:
    deal_id = market.deal()
    market.contact(deal_id)
    with pytest.raises(NotAllowed):
        market.move(deal_id, DealStage.CONTACTED, actor=market.officer)
    with pytest.raises(NotAllowed):
        market.move(deal_id, DealStage.CONTACTED, actor=market.buyer)
    market.move(deal_id, DealStage.CONTACTED, actor=market.head)


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
        market,
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
    (task,) = due.TASKS
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


def propose(market: Market, deal_id: int, rate: int = 300) -> int:
    return int(
        market.do(
            service.propose_commission,
            market.broker,
            deal_id=deal_id,
            payer=CommissionPayer.BUYER,
            terms=CommissionTerms(CommissionBasis.RATE, rate, None),
        )
    )


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


def test_tasks_set_the_next_step_and_their_result_becomes_a_note(market: Market) -> None:
    deal_id = market.deal()
    today = market.today
    late = market.do(service.add_task, market.broker, deal_id=deal_id, what="回电话", due_on=today)
    market.do(
        service.add_task,
        market.broker,
        deal_id=deal_id,
        what="寄样品",
        due_on=today + timedelta(days=3),
    )
    market.now += timedelta(days=1)
    with market.database.reading() as session:
        board = queries.board(session, market.broker, chosen=DealFilter(), now=market.now)
        assert board.overdue_count == 1
        assert dict(board.lanes)[DealStage.LEAD][0].overdue
        listed = queries.open_tasks(session, market.broker)
        assert [task.what for task in listed] == ["回电话", "寄样品"]
    for _ in range(2):
        market.do(
            service.finish_task,
            market.broker,
            task_id=late,
            result="问清了粒度 3 毫米",
            kind=NoteKind.CALL,
            next_what="发检测报告",
            next_due_on=market.today,
        )
    with market.database.reading() as session:
        deal = session.get_one(Deal, deal_id)
        assert deal.next_task_on == market.today
        assert deal.last_contact_at == market.now
        assert [task.what for task in queries.open_tasks(session, market.broker)] == [
            "发检测报告",
            "寄样品",
        ]
        assert len(queries.notes(session, market.broker, deal_id)) == 1
    with pytest.raises(RuleBroken):
        market.do(
            service.add_task,
            market.broker,
            deal_id=deal_id,
            what="补记",
            due_on=market.today - timedelta(days=1),
        )


def test_awarded_prices_and_stale_forms_are_refused(market: Market) -> None:
    deal_id = market.deal()
    market.terms(deal_id, version=1)
    with pytest.raises(Conflict):
        market.terms(deal_id, version=1, amount_fen=Fen(1))
    with market.database.reading() as session:
        assert session.get_one(Deal, deal_id).amount_fen == PRICE


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


def test_the_operator_confirms_a_certificate_until_it_changes(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)

    def save(number: str) -> None:
        market.do(
            service.save_profile,
            market.broker,
            certificate=Certificate(BrokerLevel.SENIOR, number, "中国技术市场协会", None),
            fields=[],
            introduction="",
        )

    def confirmed() -> bool:
        with market.database.reading() as session:
            view = queries.get_broker(session, market.broker.user_id or 0)
            return view.confirmed_at is not None

    save("JS-001")
    assert not confirmed()
    with pytest.raises(NotAllowed):
        market.do(service.confirm_profile, market.broker, user_id=market.broker.user_id)
    market.do(service.confirm_profile, operator, user_id=market.broker.user_id)
    assert confirmed()
    save("JS-001")
    assert confirmed()
    save("JS-002")
    assert not confirmed()


GOOD = FilingFigures(False, Fen(20_000_000), Fen(500_000_000), 5)


def test_a_filing_is_applied_for_decided_and_valid_in_its_days(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)
    filing_id = market.do(service.apply_for_filing, market.head, figures=GOOD, figures_year=2023)
    with pytest.raises(Conflict):
        market.do(service.apply_for_filing, market.head, figures=GOOD, figures_year=2023)
    with pytest.raises(NotAllowed):
        market.do(
            service.approve_filing,
            market.head,
            filing_id=filing_id,
            valid_from=market.today,
            valid_to=market.today,
        )
    last = market.today + timedelta(days=365)
    market.do(
        service.approve_filing,
        operator,
        filing_id=filing_id,
        valid_from=market.today,
        valid_to=last,
    )
    with market.database.reading() as session:
        for offset, valid in ((-1, False), (0, True), (365, True), (366, False)):
            day = market.today + timedelta(days=offset)
            found = queries.agency_filing_on(session, market.agency.id, day)
            assert (found is not None) == valid
        assert queries.agency_filing_on(session, market.firm.id, market.today) is None
    with pytest.raises(Conflict):
        market.do(service.decline_filing, operator, filing_id=filing_id, reason="数据没有证明")
    assert len(events(market, "brokerage.FilingApproved")) == 1


def test_a_filing_below_the_conditions_leaves_nothing(market: Market) -> None:
    poor = FilingFigures(False, Fen(20_000_000), Fen(299_999_999), 5)
    with pytest.raises(RuleBroken) as refusal:
        market.do(service.apply_for_filing, market.head, figures=poor, figures_year=2023)
    assert "0.01 元" in refusal.value.message
    with pytest.raises(RuleBroken):
        market.do(
            service.apply_for_filing,
            market.world.actor(Role.ORG_ADMIN, market.firm),
            figures=GOOD,
            figures_year=2023,
        )
    assert count(market, Filing) == 0


def test_a_declined_agency_applies_again(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)
    first = market.do(service.apply_for_filing, market.head, figures=GOOD, figures_year=2023)
    market.do(service.decline_filing, operator, filing_id=first, reason="缺审计报告")
    market.do(service.apply_for_filing, market.head, figures=GOOD, figures_year=2023)
    with market.database.reading() as session:
        states = [view.status for view in queries.filings_of(session, market.agency.id)]
    assert states == [FilingStatus.APPLIED, FilingStatus.DECLINED]


def waits_for(market: Market, actor: Actor) -> list[str]:
    with market.database.reading() as session:
        return [item.endpoint for item in queries.waiting(session, actor, now=market.now)]


def test_what_waits_for_whom(market: Market) -> None:
    deal_id = market.deal()
    market.do(service.introduce, market.broker, deal_id=deal_id)
    market.do(service.offer_agreement, market.officer, deal_id=deal_id)
    propose(market, deal_id)
    market.do(service.add_task, market.broker, deal_id=deal_id, what="回电话", due_on=market.today)
    market.do(service.apply_for_filing, market.head, figures=GOOD, figures_year=2023)
    assert waits_for(market, market.broker) == ["brokerage.show"]
    assert waits_for(market, market.officer) == ["brokerage.show"]
    assert sorted(waits_for(market, market.buyer)) == [
        "brokerage.agreement",
        "brokerage.show",
        "brokerage.show",
    ]
    assert waits_for(market, market.world.actor(Role.OPERATOR)) == ["brokerage.filing"]
    assert waits_for(market, market.world.actor(Role.ENTERPRISE)) == []


def test_the_board_asks_the_database_a_constant_number_of_questions(market: Market) -> None:
    def questions() -> int:
        asked: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            asked.append(statement)

        event.listen(market.database.engine, "before_cursor_execute", note)
        try:
            with market.database.reading() as session:
                found = queries.board(session, market.broker, chosen=DealFilter(), now=market.now)
                assert found.counts[DealStage.LEAD] == made
                queries.list_deals(session, market.broker, chosen=DealFilter(), now=market.now)
        finally:
            event.remove(market.database.engine, "before_cursor_execute", note)
        return len(asked)

    made = 2
    for _ in range(2):
        market.deal()
    few = questions()
    made = 6
    for _ in range(4):
        market.deal()
    assert questions() == few
