"""Two deals of the same parties become one: what goes with it, who reads it, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.achievements.models import Achievement
from marketplace.achievements.rules import AchievementState
from marketplace.brokerage import (
    feedback_queries,
    merge_queries,
    queries,
    service,
    talk_queries,
)
from marketplace.brokerage.commission_models import CommissionEntry
from marketplace.brokerage.introduction_models import Recognition
from marketplace.brokerage.introduction_rules import DisputeGround
from marketplace.brokerage.merge_rules import MergedPrice
from marketplace.brokerage.models import Commission, Deal
from marketplace.brokerage.rules import DealStage, LostReason, NoteKind, NoteVisibility
from marketplace.brokerage.talk_rules import Slot, TalkKind
from marketplace.brokerage.terms_rules import CommissionStatus
from marketplace.contracts import handlers as contract_handlers
from marketplace.contracts import queries as contract_queries
from marketplace.contracts import service as contracts
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, NotFound
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Outbox, OutboxEvent
from tests.dealing import PRICE, Market, at_once, count, events, propose, stage
from tests.trading import Hall
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def merge(
    market: Market,
    deal_id: int,
    into: int,
    *,
    actor: Actor | None = None,
    price: MergedPrice = MergedPrice.KEEP,
) -> None:
    market.do(
        service.merge_deals,
        actor or market.broker,
        deal_id=deal_id,
        into_deal_id=into,
        price=price,
    )


def refused(market: Market, deal_id: int, into: int, **changed: Any) -> str:
    """Return the code with which a merge is refused, after seeing that it left nothing."""
    before = count(market, OutboxEvent), count(market, audit.AuditRow)
    with pytest.raises(DomainError) as refusal:
        merge(market, deal_id, into, **changed)
    assert (count(market, OutboxEvent), count(market, audit.AuditRow)) == before
    return refusal.value.code


def note(market: Market, deal_id: int, body: str, actor: Actor, *, private: bool = False) -> None:
    market.do(
        service.add_note,
        actor,
        deal_id=deal_id,
        kind=NoteKind.REMARK,
        visibility=NoteVisibility.PRIVATE if private else NoteVisibility.SHARED,
        body=body,
    )


def read(market: Market, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with market.database.reading() as session:
        return call(session, *arguments, **named)


def row(market: Market, deal_id: int) -> Deal:
    with market.database.reading() as session:
        return session.get_one(Deal, deal_id)


def test_what_was_said_and_done_is_read_from_the_deal_that_stands(market: Market) -> None:
    ending, standing = market.deal(), market.deal()
    note(market, ending, "锐泉想先看检测报告", market.broker)
    note(market, ending, "我觉得价格还能谈", market.broker, private=True)
    note(market, standing, "另一项在等中试数据", market.officer)
    due_on = market.today + timedelta(days=3)
    market.do(service.add_task, market.broker, deal_id=ending, what="寄样品", due_on=due_on)
    slot = Slot(market.now + timedelta(days=2), market.now + timedelta(days=2, hours=1))
    market.do(
        service.propose_talk,
        market.broker,
        deal_id=ending,
        kind=TalkKind.OFFICE,
        topic="看中试线",
        place="历城",
        slots=[slot],
    )
    market.do(service.introduce, market.broker, deal_id=ending)
    merge(market, ending, standing)

    bodies = [each.body for each in read(market, queries.notes, market.broker, standing)]
    assert bodies == ["另一项在等中试数据", "我觉得价格还能谈", "锐泉想先看检测报告"]
    # What the broker wrote for himself stays his.
    for reader in (market.officer, market.buyer, market.head):
        bodies = [each.body for each in read(market, queries.notes, reader, standing)]
        assert bodies == ["另一项在等中试数据", "锐泉想先看检测报告"]
    tasks = read(market, queries.tasks_of_deal, market.broker, standing)
    assert [each.what for each in tasks] == ["寄样品"]
    assert row(market, standing).next_task_on == due_on
    assert [t.topic for t in read(market, talk_queries.talks_of_deal, market.buyer, standing)] == [
        "看中试线"
    ]
    introductions = read(market, queries.introductions_of_deal, market.officer, standing)
    assert [each.deal_id for each in introductions] == [ending]
    # Its own page still says what it said.
    assert len(read(market, queries.notes, market.broker, ending)) == 2


def test_the_one_that_ended_says_into_what(market: Market) -> None:
    ending, standing = market.deal(), market.deal()
    merge(market, ending, standing)
    view = read(market, queries.get_deal, market.buyer, ending)
    assert view.stage is DealStage.MERGED
    assert view.merged_into_id == standing
    assert not view.is_open
    assert (view.onward, view.may_end, view.lost_reason) == (None, False, None)
    for reader in (market.officer, market.broker):
        around = read(market, merge_queries.relatives_of, reader, view)
        assert around.into is not None
        assert around.into.id == standing
    with market.database.reading() as session:
        here = queries.history(session, standing)[0]
        there = queries.history(session, ending)[0]
        assert audit.verify(session)[1] is None
    assert (here.what, here.note) == ("另一个项目并了进来", f"项目 {ending}")
    assert (there.what, there.note) == ("并入另一个项目", f"项目 {standing}")
    (told,) = events(market, "brokerage.DealMerged")
    assert (told["deal_id"], told["into_deal_id"]) == (ending, standing)
    assert events(market, "brokerage.DealLost") == []


def test_it_is_no_loss_and_counts_nowhere(market: Market) -> None:
    ending, standing = market.drafted_deal(), market.deal()
    before = read(market, queries.deal_figures, market.broker, now=market.now)
    merge(market, standing, ending)  # the younger into the older one
    after = read(market, queries.deal_figures, market.broker, now=market.now)
    assert [step.reached_count for step in before.funnel][:2] == [2, 1]
    assert [step.reached_count for step in after.funnel][:2] == [1, 1]
    assert after.reasons == ()
    assert [figure.lost_count for figure in after.fields] == [0]
    assert sum(figure.count for figure in after.fields) == 1
    # The achievement of the one that ended is still spoken about.
    board = read(market, queries.board, market.broker, chosen=queries.DealFilter(), now=market.now)
    assert [lane.count for lane in board.lanes if lane.count] == [1]


def test_an_inventor_reads_no_more_than_before(market: Market) -> None:
    mine, theirs = market.achievement(), market.achievement()
    ending, standing = market.deal(mine), market.deal(theirs)
    inventor = market.world.actor(Role.INVENTOR, market.university, name="孟昭")
    note(market, ending, "只与第一项有关的话", market.broker)
    note(market, standing, "只与第二项有关的话", market.broker)
    seen = _let_see(market, inventor, theirs)
    before = [each.body for each in read(market, queries.notes, seen, standing)]
    merge(market, ending, standing)
    assert [each.body for each in read(market, queries.notes, seen, standing)] == before
    assert read(market, queries.tasks_of_deal, seen, standing) == []
    with pytest.raises(NotFound):
        read(market, queries.get_deal, seen, ending)


def _let_see(market: Market, inventor: Actor, achievement_id: int) -> Actor:
    """Make an achievement the inventor's own."""
    with market.database.transaction() as session:
        session.execute(
            update(Achievement)
            .where(Achievement.id == achievement_id)
            .values(author_id=inventor.user_id)
        )
    return inventor


def test_a_task_of_the_one_that_ended_is_still_somebodys_to_do(market: Market) -> None:
    ending, standing = market.deal(), market.deal()
    due_on = market.today + timedelta(days=1)
    task_id = market.do(
        service.add_task, market.broker, deal_id=ending, what="回电话", due_on=due_on
    )
    later = due_on + timedelta(days=7)
    market.do(service.add_task, market.broker, deal_id=standing, what="寄样品", due_on=later)
    merge(market, ending, standing)
    mine = read(market, queries.open_tasks, market.broker)
    assert [each.what for each in mine] == ["回电话", "寄样品"]
    today = read(market, queries.today_list, market.broker, now=market.now)
    assert [item.deal_id for item in (*today.now, *today.waiting, *today.coming)] == [standing]
    left = market.do(
        service.finish_task,
        market.broker,
        task_id=task_id,
        result="对方要看报告",
        kind=NoteKind.CALL,
    )
    assert left == standing
    assert row(market, standing).next_task_on == later
    assert row(market, standing).last_contact_at == market.now


def test_a_buyer_who_waits_is_not_forgotten(market: Market) -> None:
    ending, standing = market.deal(), market.deal()
    note(market, ending, "请问能不能先寄样品", market.buyer)
    merge(market, ending, standing)
    owed = read(market, feedback_queries.open_enquiry, standing)
    assert owed is not None
    assert (owed.deal_id, owed.asked_on) == (standing, market.today)
    (line,) = read(market, feedback_queries.owed_answers, market.broker)
    assert line.deal_id == standing
    note(market, standing, "明天就寄", market.broker)
    assert read(market, feedback_queries.open_enquiry, standing) is None


def test_a_confirmed_commission_goes_with_it_and_falls_due_once(market: Market) -> None:
    ending, standing = market.deal(), market.drafted_deal()
    market.do(service.introduce, market.broker, deal_id=ending)
    commission_id = propose(market, ending)
    market.do(service.confirm_commission, market.buyer, commission_id=commission_id)
    beside = propose(market, standing)
    merge(market, ending, standing)
    # What nobody had confirmed may not be confirmed beside it.
    with pytest.raises(Conflict):
        market.do(service.confirm_commission, market.buyer, commission_id=beside)
    with pytest.raises(Conflict):
        propose(market, standing)
    listed = read(market, queries.commissions_of_deal, market.buyer, standing)
    assert [(each.deal_id, each.status.value) for each in listed] == [
        (standing, "agreed"),
        (standing, "void"),
    ]
    market.move(standing, DealStage.SIGNED)
    _register(market, standing)
    with market.database.reading() as session:
        entries = session.scalars(select(CommissionEntry)).all()
        assert [(each.commission_id, each.amount_fen) for each in entries] == [
            (commission_id, PRICE * 300 // 10_000)
        ]
        (found,) = session.scalars(select(Recognition)).all()
        assert found.state.value == "recognised"
    assert stage(market, standing) is DealStage.REGISTERED
    assert stage(market, ending) is DealStage.MERGED


def _register(market: Market, deal_id: int) -> None:
    market.registered(deal_id=deal_id)
    Outbox(contract_handlers.SUBSCRIPTIONS).deliver_due(market.database, now=market.now)
    Outbox(contract_handlers.SUBSCRIPTIONS).deliver_due(market.database, now=market.now)


def test_the_draft_of_the_one_that_ended_registers_the_other(market: Market) -> None:
    ending, standing = market.drafted_deal(), market.drafted_deal()
    contract_id = market.contract(deal_id=ending)
    merge(market, ending, standing)
    # Nobody draws it up twice.
    assert market.do(contracts.draft_from_deal, market.officer, deal_id=standing) == contract_id
    listed = read(market, contract_queries.find_of_deal, market.officer, standing)
    assert listed.id == contract_id
    market.do(contracts.submit, market.officer, contract_id=contract_id)
    market.do(contracts.register, market.registrar, contract_id=contract_id)
    Outbox(contract_handlers.SUBSCRIPTIONS).deliver_due(market.database, now=market.now)
    assert stage(market, standing) is DealStage.REGISTERED


def test_its_achievement_is_free_again_when_the_other_ends(market: Market) -> None:
    mine, theirs = market.achievement(), market.achievement()
    ending, standing = market.drafted_deal(mine), market.drafted_deal(theirs)
    merge(market, ending, standing)

    def states() -> list[AchievementState]:
        with market.database.reading() as session:
            return [achievements.get_internal(session, each).state for each in (mine, theirs)]

    assert states() == [AchievementState.IN_DEAL] * 2
    market.do(
        service.lose,
        market.broker,
        deal_id=standing,
        reason_code=LostReason.PRICE,
        reason="价格差了三成，谈不拢，半年后再说",
    )
    assert states() == [AchievementState.PUBLISHED] * 2


def test_a_second_interest_finds_the_deal_that_stands(market: Market) -> None:
    mine = market.achievement()
    ending, standing = market.deal(mine), market.deal()
    merge(market, ending, standing)
    found = market.do(
        service.express_interest, market.buyer, achievement_id=mine, message="想用在新线上"
    )
    assert found == standing
    with pytest.raises(Conflict):
        market.deal(mine)


def test_what_went_before_follows_when_it_is_merged_on(market: Market) -> None:
    first, second, third = market.deal(), market.deal(), market.deal()
    note(market, first, "第一个项目的话", market.broker)
    merge(market, first, second)
    merge(market, second, third)
    assert {row(market, each).merged_into_id for each in (first, second)} == {third}
    assert [each.body for each in read(market, queries.notes, market.buyer, third)] == [
        "第一个项目的话"
    ]


def test_the_price_is_kept_or_added(market: Market) -> None:
    for price, expected in ((MergedPrice.KEEP, 100), (MergedPrice.ADD, 400)):
        ending, standing = market.deal(), market.deal()
        market.terms(ending, amount_fen=Fen(300), signed_on=None)
        market.terms(standing, amount_fen=Fen(100), signed_on=None)
        merge(market, ending, standing, price=price)
        assert row(market, standing).amount_fen == expected
        assert row(market, ending).amount_fen == 300


def test_whoever_does_not_lead_both_is_refused(market: Market) -> None:
    ending, standing = market.deal(), market.deal()
    other = market.world.actor(Role.BROKER, market.agency, name="何同")
    elsewhere = market.world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
    )
    stranger = market.world.actor(Role.BROKER, elsewhere, name="路人")
    for actor, error in ((other, NotFound), (stranger, NotFound), (market.officer, NotAllowed)):
        with pytest.raises(error):
            merge(market, ending, standing, actor=actor)
    merge(market, ending, standing, actor=market.head)


def test_why_a_merge_is_refused(market: Market) -> None:
    first = market.deal()
    assert refused(market, first, first) == "merge.itself"

    theirs = market.do(
        service.open_deal,
        market.broker,
        achievement_id=market.achievement(),
        buyer_organisation_id=market.world.organisation(OrganisationKind.ENTERPRISE).id,
    )
    assert refused(market, first, theirs) == "merge.parties"

    other = market.world.actor(Role.BROKER, market.agency, name="何同")
    led_by_other = market.deal(broker=other)
    assert refused(market, first, led_by_other, actor=market.head) == "merge.leaders"

    lost = market.deal()
    market.do(
        service.lose,
        market.broker,
        deal_id=lost,
        reason_code=LostReason.PRICE,
        reason="价格差了三成，谈不拢，半年后再说",
    )
    assert refused(market, lost, first) == "merge.closed"
    assert refused(market, first, lost) == "merge.closed"
    signed = market.drafted_deal()
    market.move(signed, DealStage.SIGNED)
    assert refused(market, signed, first) == "merge.closed"

    agreed = market.deal()
    market.contact(agreed)
    market.agree(agreed)
    market.do(service.waive_agreement, market.broker, deal_id=first, reason="只谈公开的专利")
    assert refused(market, agreed, first) == "merge.confidentiality"
    assert refused(market, first, agreed) == "merge.confidentiality"


def test_two_confirmed_commissions_or_a_dispute_refuse_it(market: Market) -> None:
    ending, standing = market.deal(), market.deal()
    for each in (ending, standing):
        commission_id = propose(market, each)
        market.do(service.confirm_commission, market.buyer, commission_id=commission_id)
    assert refused(market, ending, standing) == "merge.commissions"

    third = market.deal()
    introduction_id = market.do(service.introduce, market.broker, deal_id=third)
    market.do(
        service.open_dispute,
        market.buyer,
        introduction_id=introduction_id,
        ground=DisputeGround.NOT_INTRODUCED,
        words="我们去年就认识，不是这位经理人介绍的",
    )
    assert refused(market, third, standing) == "merge.disputed"


def test_a_deal_of_the_trading_hall_can_only_stand(market: Market) -> None:
    listed, other = market.deal(), market.deal()
    with market.database.transaction() as session:
        session.execute(update(Deal).where(Deal.id == listed).values(intent_id=77, amount_fen=900))
    market.terms(other, amount_fen=Fen(300), signed_on=None)
    assert refused(market, listed, other) == "merge.listed"
    assert refused(market, other, listed, price=MergedPrice.ADD) == "merge.awarded_price"
    merge(market, other, listed)
    assert row(market, listed).amount_fen == 900


def test_crosswise_at_once_one_stands_and_the_other_is_told(market: Market) -> None:
    first, second = market.deal(), market.deal()
    answers = at_once(
        lambda: merge(market, first, second),
        lambda: merge(market, second, first, actor=market.head),
    )
    (refusal,) = [each for each in answers if each is not None]
    assert isinstance(refusal, Conflict)
    assert refusal.code == "merge.done"
    rows = [row(market, each) for each in (first, second)]
    assert sorted(each.stage.value for each in rows) == ["lead", "merged"]
    (ended,) = [each for each in rows if each.merged_into_id is not None]
    assert ended.merged_into_id != ended.id


def test_while_it_is_merged_its_commission_cannot_be_confirmed_beside_another(
    market: Market,
) -> None:
    ending, standing = market.deal(), market.deal()
    commission_id = propose(market, standing)
    market.do(service.confirm_commission, market.buyer, commission_id=commission_id)
    other = propose(market, ending)
    answers = at_once(
        lambda: merge(market, ending, standing),
        lambda: market.do(service.confirm_commission, market.buyer, commission_id=other),
    )
    assert any(isinstance(each, DomainError) for each in answers)
    with market.database.reading() as session:
        in_force = session.scalars(
            select(Commission.id).where(
                Commission.status == CommissionStatus.AGREED,
                Commission.deal_id.in_((ending, standing)),
            )
        ).all()
    merged = stage(market, ending) is DealStage.MERGED
    assert len(in_force) == (1 if merged else 2)


def test_the_preview_says_what_would_happen(market: Market) -> None:
    ending, standing = market.deal(), market.deal()
    note(market, ending, "双方可见", market.broker)
    note(market, ending, "只给自己", market.officer, private=True)
    market.terms(ending, amount_fen=Fen(300), signed_on=None)
    propose(market, ending)
    found = read(
        market,
        merge_queries.preview,
        market.broker,
        deal_id=ending,
        into_deal_id=standing,
        now=market.now,
    )
    assert (found.note_count, found.proposed_count, found.sum_fen) == (1, 1, 300)
    assert (found.price, list(found.problems)) == (MergedPrice.ADD, [])
    listed = read(market, merge_queries.candidates, market.broker, ending)
    assert [each.id for each in listed] == [standing]
    for actor in (market.buyer, market.officer):
        with pytest.raises(NotFound):
            read(
                market,
                merge_queries.preview,
                actor,
                deal_id=ending,
                into_deal_id=standing,
                now=market.now,
            )


def test_an_award_of_the_hall_leaves_the_price_of_several_things_alone(market: Market) -> None:
    mine = market.achievement()
    ending, standing = market.deal(mine), market.deal()
    market.terms(standing, amount_fen=Fen(300), signed_on=None)
    merge(market, ending, standing)
    hall = Hall(market.database, market.world, market.now)
    opened = market.do(
        service.take_award,
        SYSTEM,
        listing_id=hall.announced(),
        achievement_id=mine,
        seller_organisation_id=market.university.id,
        buyer_organisation_id=market.firm.id,
        price_fen=Fen(900),
        trading_mode=None,
    )
    assert opened not in (ending, standing)
    assert row(market, opened).amount_fen == 900
    assert row(market, standing).amount_fen == 300
