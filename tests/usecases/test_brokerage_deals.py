"""Deals on their way: stages, who sees and moves them, notes, tasks and the board."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import AchievementState
from marketplace.brokerage import queries, service
from marketplace.brokerage.models import Deal
from marketplace.brokerage.queries import DealFilter
from marketplace.brokerage.rules import ORDER, DealStage, LostReason, NoteKind, NoteVisibility
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from tests.dealing import GOOD_FIGURES, PRICE, Market, at_once, count, events, propose, stage
from tests.statements import statements
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


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
    assert passed == [s.value for s in ORDER[1:]]
    with market.database.reading() as session:
        lines = queries.history(session, deal_id)
        view = queries.get_deal(session, market.buyer, deal_id)
        assert audit.verify(session)[1] is None
    assert lines[0].what == "进入：已付款"
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
        assert board.lanes[0].deals[0].overdue
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


def waits_for(market: Market, actor: Actor) -> list[str]:
    with market.database.reading() as session:
        return [item.endpoint for item in queries.waiting(session, actor, now=market.now)]


def test_what_waits_for_whom(market: Market) -> None:
    deal_id = market.deal()
    market.do(service.introduce, market.broker, deal_id=deal_id)
    market.do(service.offer_agreement, market.officer, deal_id=deal_id)
    propose(market, deal_id)
    market.do(service.add_task, market.broker, deal_id=deal_id, what="回电话", due_on=market.today)
    market.do(service.apply_for_filing, market.head, figures=GOOD_FIGURES, figures_year=2023)
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
        with statements(market.database) as asked, market.database.reading() as session:
            found = queries.board(session, market.broker, chosen=DealFilter(), now=market.now)
            assert found.counts[DealStage.LEAD] == made
            queries.list_deals(session, market.broker, chosen=DealFilter(), now=market.now)
        return len(asked)

    made = 2
    for _ in range(2):
        market.deal()
    few = questions()
    made = 6
    for _ in range(4):
        market.deal()
    assert questions() == few
