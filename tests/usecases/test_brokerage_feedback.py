"""Answers owed, monthly digests, meetings and three-party drafts on both databases."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from pathlib import Path

import docx
import pytest
from sqlalchemy import select

from marketplace.brokerage import (
    feedback_due,
    feedback_queries,
    paper,
    paper_queries,
    queries,
    service,
    talk_queries,
)
from marketplace.brokerage.feedback_models import Digest, Enquiry
from marketplace.brokerage.models import Note, Task
from marketplace.brokerage.paper_rules import PaperType, type_of, values_of
from marketplace.brokerage.rules import DealStage, LostReason, NoteKind, NoteVisibility
from marketplace.brokerage.talk_rules import Slot, TalkKind, TalkState
from marketplace.brokerage.terms_rules import (
    CommissionBasis,
    CommissionPayer,
    CommissionTerms,
)
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from tests.dealing import Market, events
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def run_due(market: Market) -> None:
    """Let time pass to the next due moment and do what is due then."""
    with market.database.reading() as session:
        moments = [
            task.next_due(session, market.now) for task in feedback_due.TASKS if task.next_due
        ]
    market.now = min(moment for moment in moments if moment is not None and moment > market.now)
    for task in feedback_due.TASKS:
        with market.database.transaction() as session:
            task.run(session, market.now)


def ask(market: Market, actor: Actor | None = None) -> int:
    return int(
        market.do(
            service.express_interest,
            actor or market.buyer,
            achievement_id=market.achievement(),
            message="焦炉 2 号线想试用三个月",
        )
    )


def note(market: Market, actor: Actor, deal_id: int, *, shared: bool = True) -> None:
    market.do(
        service.add_note,
        actor,
        deal_id=deal_id,
        kind=NoteKind.MESSAGE,
        visibility=NoteVisibility.SHARED if shared else NoteVisibility.PRIVATE,
        body="检测报告今天寄出",
    )


def enquiry(market: Market) -> Enquiry:
    with market.database.reading() as session:
        return session.scalars(select(Enquiry).order_by(Enquiry.id.desc()).limit(1)).one()


def test_an_unanswered_message_is_reminded_of_twice_and_then_told_to_the_operator(
    market: Market,
) -> None:
    deal_id = ask(market)
    days = []
    for _step in range(3):
        run_due(market)
        days.append(local_date(market.now))
    # Asked on Friday the 15th: after 3, 5 and 7 working days, on the following morning.
    assert days == [date(2024, 3, 21), date(2024, 3, 23), date(2024, 3, 27)]
    told = events(market, "brokerage.AnswerOverdue")
    assert [(each["workdays"], each["to_operator"]) for each in told] == [
        (3, False),
        (5, False),
        (7, True),
    ]
    assert {each["organisation_id"] for each in told} == {market.university.id}
    assert enquiry(market).next_step_on is None
    with market.database.reading() as session:
        (owed,) = feedback_queries.owed_answers(session, market.officer)
        assert owed.deal_id == deal_id
        stranger = market.world.actor(Role.OFFICER)
        assert feedback_queries.owed_answers(session, stranger) == []


def test_an_answer_ends_the_wait_and_counts_its_working_days(market: Market) -> None:
    deal_id = ask(market)
    market.now += timedelta(days=4)
    note(market, market.officer, deal_id, shared=False)
    assert enquiry(market).closed_at is None  # what only its author reads answers nobody
    note(market, market.officer, deal_id)
    assert enquiry(market).answer_workdays == 2
    note(market, market.buyer, deal_id)
    note(market, market.buyer, deal_id)
    assert enquiry(market).closed_at is None
    market.now += timedelta(days=1)
    market.move(deal_id, DealStage.CONTACTED, actor=market.officer)
    assert enquiry(market).answer_workdays == 1
    with market.database.reading() as session:
        found = feedback_queries.answer_time_of(session, market.university.id, now=market.now)
    assert found is not None
    assert (found.median_workdays, found.answered_count, found.waiting_count) == (1.5, 2, 0)


def test_a_buyer_who_ends_the_deal_was_not_answered(market: Market) -> None:
    deal_id = ask(market)
    market.do(
        service.lose,
        market.buyer,
        deal_id=deal_id,
        reason_code=LostReason.CHOSE_ANOTHER,
        reason="等不到答复，选了别家的技术",
    )
    row = enquiry(market)
    assert (row.closed_at is not None, row.answer_workdays) == (True, None)


def test_a_broker_s_agency_owes_the_answer_on_his_deals(market: Market) -> None:
    deal_id = market.deal()
    note(market, market.buyer, deal_id)
    assert enquiry(market).organisation_id == market.agency.id
    other = market.world.actor(Role.BROKER, market.agency)
    with market.database.reading() as session:
        assert len(feedback_queries.owed_answers(session, market.broker)) == 1
        assert feedback_queries.owed_answers(session, other) == []


def test_a_month_of_losses_is_told_once_with_advice(market: Market) -> None:
    for reason in (LostReason.PRICE, LostReason.VAGUE, LostReason.PRICE):
        market.do(
            service.lose,
            market.broker,
            deal_id=market.deal(),
            reason_code=reason,
            reason="企业最多出一百二十万，成果方不降",
        )
    (advised, *_rest) = events(market, "brokerage.DealLost")
    assert "评估定价" in advised["advice"]
    run_due(market)
    assert local_date(market.now) == date(2024, 4, 1)
    (told,) = events(market, "brokerage.FeedbackDigested")
    assert (told["organisation_id"], told["month"], told["lost_count"], told["leading_reason"]) == (
        market.university.id,
        "2024-03",
        3,
        "price",
    )
    for task in feedback_due.TASKS:
        with market.database.transaction() as session:
            assert task.run(session, market.now) == 0
    with market.database.reading() as session:
        assert len(session.scalars(select(Digest)).all()) == 1
        digest = feedback_queries.month_digest(session, market.university.id, date(2024, 3, 1))
        assert [len(digest.losses), digest.before_count, digest.months] == [
            3,
            0,
            (date(2024, 3, 1),),
        ]
        nobody = market.world.organisation().id
        assert feedback_queries.month_digest(session, nobody, date(2024, 3, 1)).losses == ()


def propose(market: Market, deal_id: int, *hours: int) -> int:
    slots = [
        Slot(market.now + timedelta(hours=each), market.now + timedelta(hours=each + 1))
        for each in hours
    ]
    return int(
        market.do(
            service.propose_talk,
            market.broker,
            deal_id=deal_id,
            kind=TalkKind.SITE,
            topic="看 2 号线安装位置",
            place="历城厂区",
            slots=slots,
        )
    )


def test_a_visit_is_proposed_chosen_fixed_and_minuted_with_tasks(market: Market) -> None:
    deal_id = market.deal()
    talk_id = propose(market, deal_id, 30, 24)

    def view(actor: Actor) -> talk_queries.TalkView:
        with market.database.reading() as session:
            return talk_queries.get_talk(session, actor, talk_id)

    first, second = view(market.buyer).slots
    assert first.starts_at < second.starts_at
    fix = {"talk_id": talk_id, "slot_id": first.id}
    with pytest.raises(RuleBroken):
        market.do(service.fix_talk, market.broker, **fix)
    with pytest.raises(NotAllowed):
        market.do(service.choose_slots, market.broker, talk_id=talk_id, slot_ids=[first.id])
    market.do(service.choose_slots, market.buyer, talk_id=talk_id, slot_ids=[second.id])
    market.do(service.choose_slots, market.buyer, talk_id=talk_id, slot_ids=[first.id])
    assert [slot.suits for slot in view(market.officer).slots] == [("锐泉精密",), ()]
    with pytest.raises(NotAllowed):
        market.do(service.fix_talk, market.buyer, **fix)
    market.do(service.fix_talk, market.broker, **fix)
    with pytest.raises(Conflict):
        market.do(service.fix_talk, market.broker, **fix)
    minutes = {
        "talk_id": talk_id,
        "minutes": "安装位置够，先做三个月中试，月底前寄样品",
        "tasks": [("寄样品", market.today + timedelta(days=9), market.buyer.user_id)],
    }
    with pytest.raises(RuleBroken):
        market.do(service.write_minutes, market.officer, **minutes)  # it has not begun
    market.now += timedelta(hours=25)
    stranger = {**minutes, "tasks": [("寄样品", market.today + timedelta(days=9), 9_999)]}
    with pytest.raises(RuleBroken):
        market.do(service.write_minutes, market.officer, **stranger)
    market.do(service.write_minutes, market.officer, **minutes)
    assert view(market.buyer).state is TalkState.HELD
    with market.database.reading() as session:
        (task,) = session.scalars(select(Task)).all()
        (written,) = session.scalars(select(Note)).all()
        assert [item.what for item in queries.open_tasks(session, market.buyer)] == ["寄样品"]
    assert task.owner_user_id == market.buyer.user_id
    assert (written.kind, written.visibility) == (NoteKind.VISIT, NoteVisibility.SHARED)
    colleague = market.world.actor(Role.BROKER, market.agency)
    for actor in (market.world.actor(Role.ENTERPRISE), colleague):
        with pytest.raises(NotFound):
            view(actor)
        with pytest.raises(NotFound):
            market.do(service.cancel_talk, actor, talk_id=talk_id, reason="不开了")


def test_a_meeting_is_cancelled_once_with_its_reason(market: Market) -> None:
    talk_id = propose(market, market.deal(), 24)
    with pytest.raises(RuleBroken):
        market.do(service.cancel_talk, market.buyer, talk_id=talk_id, reason="")
    market.do(service.cancel_talk, market.buyer, talk_id=talk_id, reason="设备检修")
    with pytest.raises(Conflict):
        market.do(service.cancel_talk, market.buyer, talk_id=talk_id, reason="设备检修")


@pytest.mark.parametrize("kind", list(PaperType))
def test_every_three_party_draft_is_filled_from_the_deal(market: Market, kind: PaperType) -> None:
    deal_id = market.drafted_deal()
    market.do(service.introduce, market.broker, deal_id=deal_id)
    market.do(
        service.propose_commission,
        market.broker,
        deal_id=deal_id,
        payer=CommissionPayer.BUYER,
        terms=CommissionTerms(CommissionBasis.RATE, 325, None, Fen(5_000_000)),
    )
    with market.database.reading() as session:
        facts = paper_queries.paper_facts(session, market.buyer, deal_id, today=market.today)
        with pytest.raises(NotFound):
            paper_queries.paper_facts(
                session, market.world.actor(Role.ENTERPRISE), deal_id, today=market.today
            )
    document = docx.Document(io.BytesIO(paper.draft(kind, values_of(facts))))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    whole = "\n".join([*(line.text for line in document.paragraphs), *cells])
    for expected in (
        "锐泉精密",
        "泉城理工大学",
        "明湖技术转移",
        market.firm.uscc,
        "李静舒",
        "1,800,000.00",
        "壹佰捌拾万元整",
        facts.introduction_digest,
        "成交额的 3.25 %，不低于人民币 50,000.00 元",
    ):
        assert expected in whole
    assert "{" not in whole


def test_what_is_typed_into_a_deal_stays_text_in_the_draft(market: Market) -> None:
    deal_id = market.deal()
    market.terms(deal_id, title="{{ 7 * 7 }} <b>&合同</b>", amount_fen=None, signed_on=None)
    with market.database.reading() as session:
        facts = paper_queries.paper_facts(session, market.officer, deal_id, today=market.today)
    document = docx.Document(io.BytesIO(paper.draft(PaperType.LICENCE, values_of(facts))))
    whole = "\n".join(line.text for line in document.paragraphs)
    assert "{{ 7 * 7 }} <b>&合同</b>" in whole
    assert "＿＿＿＿＿＿ 元（大写：＿＿＿＿＿＿）" in whole


def test_the_type_follows_the_trading_mode() -> None:
    assert type_of(None) is PaperType.LICENCE
    assert type_of(TradingMode.EQUITY) is PaperType.TRANSFER
    assert type_of(TradingMode.LICENCE_SOLE) is PaperType.LICENCE
    assert type_of(TradingMode.SERVICE) is PaperType.SERVICE
