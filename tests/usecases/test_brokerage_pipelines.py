"""Deals in several pipelines: opened, moved, changed, on the board, in lists, with their clocks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import AchievementState
from marketplace.brokerage import (
    facts_queries,
    pipeline_queries,
    queries,
    service,
    step_queries,
    talk_queries,
)
from marketplace.brokerage.models import Deal, Introduction
from marketplace.brokerage.parameters import stale_days_on
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import DealFacts
from marketplace.brokerage.queries import DealFilter
from marketplace.brokerage.room_rules import FileReach
from marketplace.brokerage.rules import DealStage, LostReason
from marketplace.brokerage.talk_rules import Slot, TalkKind
from marketplace.brokerage.today_rules import Pressing
from marketplace.foundation import audit, reference
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from marketplace.listings import service as listing_service
from marketplace.listings.rules import PricingMode
from marketplace.listings.trial_rules import PriceFormula, TrialTerms
from tests.dealing import PRICE, Market, events, propose
from tests.statements import statements
from tests.trading import Hall, offer
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def opened(market: Market, pipeline: str | None = None, **changed: Any) -> int:
    """Let the broker open a deal, in a pipeline of his choice."""
    arguments: dict[str, Any] = {
        "achievement_id": market.achievement(),
        "buyer_organisation_id": market.firm.id,
        "pipeline": pipeline,
    }
    return int(market.do(service.open_deal, market.broker, **(arguments | changed)))


def stand(market: Market, deal_id: int) -> tuple[str, str, DealStage]:
    """Return pipeline, step and stage of a deal."""
    with market.database.reading() as session:
        deal = session.get_one(Deal, deal_id)
        return deal.pipeline, deal.step, deal.stage


def plan(market: Market, deal_id: int) -> None:
    """Set the next step of a deal."""
    market.do(
        service.add_task, market.broker, deal_id=deal_id, what="发试用约定", due_on=market.today
    )


def meet(market: Market, deal_id: int, kind: TalkKind) -> None:
    """Hold a meeting of both sides and write its minutes."""
    begins = market.now + timedelta(hours=1)
    talk_id = market.do(
        service.propose_talk,
        market.broker,
        deal_id=deal_id,
        kind=kind,
        topic="看安装位置",
        place="历城厂区",
        slots=[Slot(begins, begins + timedelta(hours=1))],
    )
    with market.database.reading() as session:
        [slot] = talk_queries.get_talk(session, market.buyer, talk_id).slots
    market.do(service.choose_slots, market.buyer, talk_id=talk_id, slot_ids=[slot.id])
    market.do(service.fix_talk, market.broker, talk_id=talk_id, slot_id=slot.id)
    market.now += timedelta(hours=3)
    market.do(
        service.write_minutes,
        market.broker,
        talk_id=talk_id,
        minutes="位置够，先试三个月，指标写进约定",
    )


def on_trial(market: Market) -> int:
    """Bring a deal to its trial."""
    deal_id = opened(market, "trial")
    market.contact(deal_id)
    plan(market, deal_id)
    market.move(deal_id, "contacted", "trial_terms")
    market.agree(deal_id)
    meet(market, deal_id, TalkKind.SITE)
    market.terms(deal_id, amount_fen=None, trading_mode=TradingMode.TRIAL, signed_on=None)
    market.move(deal_id, "on_trial")
    return deal_id


def test_a_trial_goes_its_own_way_to_the_common_end(market: Market) -> None:
    deal_id = opened(market, "trial")
    assert stand(market, deal_id) == ("trial", "lead", DealStage.LEAD)
    market.contact(deal_id)
    market.move(deal_id, "contacted")
    with pytest.raises(RuleBroken) as refusal:
        market.move(deal_id, "trial_terms")
    assert refusal.value.code == "deal.no_next_task"
    plan(market, deal_id)
    market.move(deal_id, "trial_terms")
    with pytest.raises(RuleBroken) as refusal:
        market.move(deal_id, "on_trial")
    assert {problem.code for problem in refusal.value.problems} == {
        "deal.no_agreement",
        "deal.no_trial",
        "deal.no_site_visit",
    }
    market.agree(deal_id)
    meet(market, deal_id, TalkKind.OFFICE)
    market.terms(deal_id, amount_fen=None, trading_mode=TradingMode.TRIAL, signed_on=None)
    with pytest.raises(RuleBroken) as refusal:
        market.move(deal_id, "on_trial")
    assert [problem.code for problem in refusal.value.problems] == ["deal.no_site_visit"]
    meet(market, deal_id, TalkKind.SITE)
    market.move(deal_id, "on_trial")
    assert stand(market, deal_id) == ("trial", "on_trial", DealStage.TECHNICAL_TALK)
    market.move(deal_id, "trial_review")
    market.terms(deal_id, trading_mode=TradingMode.TRIAL)
    market.move(deal_id, "contract_draft", "signed")
    market.do(
        service.mark_registered, SYSTEM, deal_id=deal_id, contract_no="JN-1", amount_fen=PRICE
    )
    market.move(deal_id, "paid")
    assert stand(market, deal_id) == ("trial", "paid", DealStage.PAID)
    told = events(market, "brokerage.DealStageChanged")
    assert [each["to_label"] for each in told] == [
        "已接触", "试用约定", "试用中", "试用评价", "合同草拟", "已签约", "已登记", "已付款",
    ]  # fmt: skip
    with market.database.reading() as session:
        lines = queries.history(session, deal_id)
        assert audit.verify(session)[1] is None
    assert "进入：试用中" in [line.what for line in lines]


def test_what_a_broker_brings_is_asked_of_brokered_deals(market: Market) -> None:
    deal_id = opened(market, "development")
    market.contact(deal_id)
    plan(market, deal_id)
    market.move(deal_id, "clarifying", "confidentiality")
    market.agree(deal_id)
    meet(market, deal_id, TalkKind.ONLINE)
    market.move(deal_id, "solution")
    introduction_id = market.do(service.introduce, market.broker, deal_id=deal_id)
    for party in (None, market.officer, market.buyer):
        if party is not None:
            market.do(service.acknowledge_introduction, party, introduction_id=introduction_id)
        if party is not market.buyer:
            with pytest.raises(RuleBroken) as refusal:
                market.move(deal_id, "quotation")
            assert refusal.value.code == "deal.no_introduction"
    market.move(deal_id, "quotation")


def test_facts_are_read_from_what_people_did(market: Market) -> None:
    deal_id = opened(market)

    def facts() -> DealFacts:
        with market.database.reading() as session:
            deal = session.get_one(Deal, deal_id)
            return facts_queries.facts_of(session, deal, today=market.today)

    bare = facts()
    assert (bare.has_need, bare.file_shared, bare.commission_agreed) == (False, False, False)
    market.agree(deal_id)
    room_id = market.do(service.open_room, market.officer, deal_id=deal_id)
    assert not facts().file_shared
    [file_id] = market.do(
        service.add_files,
        market.officer,
        room_id=room_id,
        reach=FileReach.ROOM,
        uploads=[Upload("试用规程.txt", "逐日记录合格率".encode())],
        store=market.store,
    )
    assert facts().file_shared
    commission_id = propose(market, deal_id)
    assert not facts().commission_agreed
    market.do(service.confirm_commission, market.buyer, commission_id=commission_id)
    assert facts().commission_agreed
    market.do(service.close_room, market.officer, room_id=room_id, reason="先收起来，改好再开")
    assert not facts().file_shared
    market.do(service.open_room, market.officer, deal_id=deal_id)
    assert facts().file_shared
    market.do(service.withdraw_file, market.officer, file_id=file_id)
    assert not facts().file_shared
    introduction_id = market.do(service.introduce, market.broker, deal_id=deal_id)
    acknowledge = service.acknowledge_introduction
    market.do(acknowledge, market.buyer, introduction_id=introduction_id)
    assert not facts().introduction_acknowledged
    market.do(acknowledge, market.officer, introduction_id=introduction_id)
    assert facts().introduction_acknowledged
    with market.database.engine.begin() as connection:
        connection.execute(update(Introduction).values(ended_at=market.now))
    assert not facts().introduction_acknowledged
    market.do(
        service.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=LostReason.TIMING,
        reason="企业今年没有预算，明年再谈这件事",
    )
    assert not facts().commission_agreed


def test_a_listing_on_trial_begins_the_trials_pipeline(market: Market) -> None:
    hall = Hall(market.database, market.world, market.now)
    listing_id = hall.do(
        listing_service.apply,
        hall.officer,
        achievement_id=hall.achievement(modes=(TradingMode.TRIAL,)),
        content=offer(
            PricingMode.NEGOTIATED,
            trading_mode=TradingMode.TRIAL,
            deposit_fen=Fen(0),
            trial=TrialTerms(6, "连续运行三十天，合格率不低于 98 %", PriceFormula.FIXED, PRICE),
        ),
    )
    hall.do(listing_service.accept, hall.operator, listing_id=listing_id)
    hall.do(listing_service.announce, hall.operator, listing_id=listing_id)
    achievement_id = hall.listing(listing_id).achievement_id
    deal_id = opened(market, achievement_id=achievement_id)
    assert stand(market, deal_id)[0] == "trial"


def test_a_deal_changes_its_pipeline_and_keeps_its_history(market: Market) -> None:
    deal_id = opened(market)
    market.contact(deal_id)
    market.move(deal_id, "contacted", "confidentiality")
    plan(market, deal_id)
    with market.database.reading() as session:
        view = queries.get_deal(session, market.broker, deal_id)
        ways = pipeline_queries.ways_of(session, view, now=market.now)
    assert [(way.pipeline.code, way.landing.code, way.following.code) for way in ways] == [
        ("development", "confidentiality", "solution"),
        ("trial", "trial_terms", "on_trial"),
        ("service", "contacted", "quotation"),
    ]
    assert [each.met for each in ways[1].checks] == [False, False, False]
    market.do(service.change_pipeline, market.broker, deal_id=deal_id, to="trial")
    assert stand(market, deal_id) == ("trial", "trial_terms", DealStage.CONFIDENTIALITY)
    [told] = events(market, "brokerage.DealPipelineChanged")
    assert (told["from_pipeline"], told["to_pipeline"]) == ("transfer", "trial")
    assert (told["pipeline_name"], told["step_label"]) == ("先使用后付费", "试用约定")
    with market.database.reading() as session:
        [line, *earlier] = queries.history(session, deal_id)
        rows = audit.history(session, f"deal:{deal_id}")
    assert line.what == "换流程：先使用后付费，在“试用约定”"
    assert "进入：保密协议" in [each.what for each in earlier]
    assert rows[-1].before == {
        "stage": "confidentiality", "pipeline": "转让与许可", "step": "保密协议",
    }  # fmt: skip


def test_a_change_back_takes_the_achievement_out_of_the_deal(market: Market) -> None:
    achievement_id = market.achievement()
    deal_id = opened(market, achievement_id=achievement_id)
    market.contact(deal_id)
    market.move(deal_id, "contacted", "confidentiality")
    market.agree(deal_id)
    market.move(deal_id, "technical_talk")

    def state() -> AchievementState:
        with market.database.reading() as session:
            return achievements.get_internal(session, achievement_id).state

    assert state() is AchievementState.IN_DEAL
    market.do(service.change_pipeline, market.broker, deal_id=deal_id, to="service")
    assert stand(market, deal_id) == ("service", "contacted", DealStage.CONTACTED)
    assert state() is not AchievementState.IN_DEAL


def test_only_who_leads_changes_the_pipeline_and_only_while_it_is_talked_over(
    market: Market,
) -> None:
    deal_id = opened(market)

    def change(actor: Actor, to: str) -> None:
        market.do(service.change_pipeline, actor, deal_id=deal_id, to=to)

    with pytest.raises(NotAllowed):
        change(market.officer, "trial")
    with pytest.raises(NotAllowed):
        change(market.buyer, "trial")
    with pytest.raises(NotFound):
        change(market.world.actor(Role.BROKER, market.agency), "trial")
    with pytest.raises(RuleBroken) as refusal:
        change(market.broker, "nothing")
    assert refusal.value.code == "deal.unknown_pipeline"
    market.do(
        service.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=LostReason.TIMING,
        reason="企业今年没有预算，明年再谈这件事",
    )
    with pytest.raises(Conflict):
        change(market.broker, "trial")
    assert stand(market, deal_id) == ("transfer", "lead", DealStage.LOST)


def test_the_board_shows_one_pipeline_with_its_own_columns(market: Market) -> None:
    moved, lost = opened(market), opened(market)
    trial = opened(market, "trial")
    for deal_id in (moved, trial):
        market.contact(deal_id)
        market.move(deal_id, "contacted")
    market.do(
        service.lose,
        market.broker,
        deal_id=lost,
        reason_code=LostReason.TIMING,
        reason="企业今年没有预算，明年再谈这件事",
    )

    def board(**chosen: Any) -> queries.Board:
        with market.database.reading() as session:
            return queries.board(
                session, market.broker, chosen=DealFilter(**chosen), now=market.now
            )

    first = board()
    assert first.pipeline.code == "transfer"
    assert [(tab.pipeline.code, tab.count) for tab in first.tabs] == [
        ("transfer", 1), ("development", 0), ("trial", 1), ("service", 0),
    ]  # fmt: skip
    assert (first.deal_count, first.counts[DealStage.LOST]) == (2, 1)
    other = board(pipeline="trial", step="on_trial", stage=DealStage.PAID)
    assert [lane.step.label for lane in other.lanes] == [
        "线索", "已接触", "试用约定", "试用中", "试用评价", "合同草拟",
    ]  # fmt: skip
    assert [(lane.count, [row.id for row in lane.deals]) for lane in other.lanes[:3]] == [
        (0, []), (1, [trial]), (0, []),
    ]  # fmt: skip
    [row] = other.lanes[1].deals
    assert [step.code for step in row.choices] == ["trial_terms", "lost"]
    market.do(service.change_pipeline, market.broker, deal_id=moved, to="trial")
    assert board().pipeline.code == "trial"


def test_the_number_of_statements_does_not_grow_with_pipelines_or_deals(market: Market) -> None:
    opened(market)

    def sent() -> list[int]:
        found = []
        for read in (
            lambda s: queries.board(s, market.broker, chosen=DealFilter(), now=market.now),
            lambda s: queries.today_list(s, market.broker, now=market.now),
            lambda s: queries.list_deals(s, market.broker, chosen=DealFilter(), now=market.now),
            lambda s: pipeline_queries.pipelines_with_use(s, market.broker, now=market.now),
        ):
            with statements(market.database) as asked, market.database.reading() as session:
                read(session)
            found.append(len(asked))
        return found

    before = sent()
    for pipeline in ("trial", "development", "service", "transfer"):
        plan(market, opened(market, pipeline))
    assert sent() == before


def test_a_list_is_narrowed_to_a_pipeline_and_a_step(market: Market) -> None:
    trial = opened(market, "trial")
    opened(market)
    market.contact(trial)
    market.move(trial, "contacted")

    def found(**chosen: Any) -> list[int]:
        with market.database.reading() as session:
            page = queries.list_deals(
                session, market.broker, chosen=DealFilter(**chosen), now=market.now
            )
            return [row.id for row in page.items]

    assert found(pipeline="trial") == [trial]
    assert found(pipeline="trial", step="contacted") == [trial]
    assert found(pipeline="trial", step="lead") == []
    market.do(
        service.lose,
        market.broker,
        deal_id=trial,
        reason_code=LostReason.TIMING,
        reason="企业今年没有预算，明年再谈这件事",
    )
    assert found(pipeline="trial", step="contacted") == []
    assert found(pipeline="trial", stage=DealStage.LOST) == [trial]


def test_a_step_may_have_a_clock_of_its_own(market: Market) -> None:
    trial, plain = on_trial(market), opened(market)
    market.contact(trial)
    market.contact(plain)
    platform_days = stale_days_on(market.today)
    trial_days = pipelines().get("trial").step("on_trial").stale_days or 0
    assert trial_days > platform_days

    def stale() -> tuple[set[int], set[int], set[int]]:
        """Return what is stale as the filter, as the rows and as the day's list say."""
        with market.database.reading() as session:
            everything = queries.list_deals(
                session, market.broker, chosen=DealFilter(), now=market.now
            )
            narrowed = queries.list_deals(
                session, market.broker, chosen=DealFilter(stale=True), now=market.now
            )
            day = queries.today_list(session, market.broker, now=market.now)
        return (
            {row.id for row in narrowed.items},
            {row.id for row in everything.items if row.stale},
            {item.deal_id for item in day.now if item.pressing is Pressing.STALE},
        )

    with market.database.reading() as session:
        [task] = queries.open_tasks(session, market.broker)
    market.do(service.finish_task, market.broker, task_id=task.id)
    market.now += timedelta(days=platform_days, hours=1)
    assert stale() == ({plain}, {plain}, {plain})
    market.now += timedelta(days=trial_days - platform_days)
    assert stale() == ({plain, trial}, {plain, trial}, {plain, trial})


def test_today_offers_the_next_step_of_the_deals_own_pipeline(market: Market) -> None:
    deal_id = on_trial(market)
    with market.database.reading() as session:
        day = queries.today_list(session, market.broker, now=market.now)
    [item] = [*day.now, *day.waiting, *day.coming]
    assert (item.deal_id, item.step.label) == (deal_id, "试用中")
    assert item.following is not None
    assert item.following.label == "试用评价"


@pytest.fixture
def with_equity(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add a pipeline to the file, and nothing anywhere else."""
    written = reference.text("pipelines")
    added = """
  - code: equity
    name: 作价入股
    purpose: 成果作价投到企业里。
    steps:
      - {code: lead, label: 线索, stage: lead, does: 弄清谁出什么}
      - {code: valuation, label: 评估作价, stage: price_talk, does: 评估, needs: [contact]}
      - {code: articles, label: 章程, stage: contract_draft, does: 写章程, needs: [agreed_amount]}
"""
    read = reference.text
    monkeypatch.setattr(
        reference, "text", lambda name: written + added if name == "pipelines" else read(name)
    )
    pipelines.cache_clear()
    yield
    pipelines.cache_clear()


@pytest.mark.usefixtures("with_equity")
def test_a_pipeline_is_added_without_touching_code(market: Market) -> None:
    deal_id = opened(market, "equity")
    with pytest.raises(RuleBroken) as refusal:
        market.move(deal_id, "valuation")
    assert refusal.value.code == "deal.no_contact"
    market.contact(deal_id)
    market.move(deal_id, "valuation")
    with market.database.reading() as session:
        shown = queries.board(session, market.broker, chosen=DealFilter(), now=market.now)
    assert shown.pipeline.name == "作价入股"
    assert [(lane.step.label, lane.count) for lane in shown.lanes] == [
        ("线索", 0), ("评估作价", 1), ("章程", 0),
    ]  # fmt: skip
    market.terms(deal_id, trading_mode=TradingMode.EQUITY)
    market.move(deal_id, "articles", "signed")
    assert stand(market, deal_id) == ("equity", "signed", DealStage.SIGNED)


@pytest.mark.parametrize("pipeline", ["trial", "service"])
def test_a_registration_overrides_the_board_of_any_pipeline(market: Market, pipeline: str) -> None:
    deal_id = opened(market, pipeline)
    market.do(
        service.mark_registered, SYSTEM, deal_id=deal_id, contract_no="JN-1", amount_fen=PRICE
    )
    assert stand(market, deal_id) == (pipeline, "registered", DealStage.REGISTERED)


def test_deals_in_a_step_that_the_file_lost_are_named(market: Market) -> None:
    deal_id = opened(market, "service")

    def problems() -> list[str]:
        with market.database.reading() as session:
            return step_queries.step_problems(session)

    assert problems() == []
    with market.database.engine.begin() as connection:
        connection.execute(update(Deal).where(Deal.id == deal_id).values(step="gone"))
    [problem] = problems()
    assert problem.startswith("pipelines: 1 deals stand in service/gone")
