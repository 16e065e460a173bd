"""A deal about several things becomes two: what goes where, what covers both, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.brokerage import merge_queries, queries, service
from marketplace.brokerage.commission_models import CommissionEntry
from marketplace.brokerage.facts_queries import facts_of
from marketplace.brokerage.introduction_models import Recognition
from marketplace.brokerage.merge_rules import MergedPrice, SplitSubject
from marketplace.brokerage.models import Deal
from marketplace.brokerage.rules import DealStage, NoteKind, NoteVisibility
from marketplace.contracts import handlers as contract_handlers
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Outbox, OutboxEvent
from marketplace.needs import service as needs
from tests.achievement_contents import complete_need
from tests.dealing import PRICE, Market, at_once, count, events, propose, stage
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def split(market: Market, deal_id: int, *, actor: Actor | None = None, **changed: Any) -> int:
    values: dict[str, Any] = {
        "title": "第二件专利 × 锐泉精密",
        "what": SplitSubject.PART,
        "part": "第二件专利的许可",
        "amount_fen": None,
    }
    return int(
        market.do(service.split_deal, actor or market.broker, deal_id=deal_id, **values | changed)
    )


def refused(market: Market, deal_id: int, **changed: Any) -> str:
    """Return the code with which a split is refused, after seeing that it left nothing."""
    before = count(market, OutboxEvent), count(market, audit.AuditRow), count(market, Deal)
    with pytest.raises(DomainError) as refusal:
        split(market, deal_id, **changed)
    assert (
        count(market, OutboxEvent),
        count(market, audit.AuditRow),
        count(market, Deal),
    ) == before
    return refusal.value.code


def row(market: Market, deal_id: int) -> Deal:
    with market.database.reading() as session:
        return session.get_one(Deal, deal_id)


def read(market: Market, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    with market.database.reading() as session:
        return call(session, *arguments, **named)


def note(market: Market, deal_id: int, body: str, actor: Actor, *, private: bool = False) -> int:
    return int(
        market.do(
            service.add_note,
            actor,
            deal_id=deal_id,
            kind=NoteKind.REMARK,
            visibility=NoteVisibility.PRIVATE if private else NoteVisibility.SHARED,
            body=body,
        )
    )


def test_a_part_takes_its_tasks_notes_and_share_of_the_price(market: Market) -> None:
    deal_id = market.drafted_deal()
    moved = note(market, deal_id, "第二件专利企业另有用途", market.broker)
    note(market, deal_id, "第一件照旧", market.broker)
    due_on = market.today + timedelta(days=2)
    task_id = market.do(
        service.add_task, market.broker, deal_id=deal_id, what="另报一个价", due_on=due_on
    )
    new_id = split(
        market, deal_id, amount_fen=Fen(50_000_000), task_ids=[task_id], note_ids=[moved]
    )
    new, old = row(market, new_id), row(market, deal_id)
    assert (new.amount_fen, old.amount_fen) == (50_000_000, PRICE - 50_000_000)
    assert (new.part, new.split_from_id, new.achievement_id) == (
        "第二件专利的许可",
        deal_id,
        old.achievement_id,
    )
    assert (new.next_task_on, old.next_task_on) == (due_on, None)
    assert (new.broker_user_id, new.agency_organisation_id) == (
        old.broker_user_id,
        old.agency_organisation_id,
    )
    assert [n.id for n in read(market, queries.notes, market.buyer, new_id)] == [moved]
    assert moved not in [n.id for n in read(market, queries.notes, market.buyer, deal_id)]
    (told,) = events(market, "brokerage.DealSplit")
    assert (told["deal_id"], told["new_deal_id"]) == (deal_id, new_id)
    for each, what in ((deal_id, "分出一个项目"), (new_id, "从另一个项目分出")):
        line = read(market, queries.history, each)[0]
        other = new_id if each == deal_id else deal_id
        assert (line.what, line.note) == (what, f"项目 {other}")


def test_a_part_starts_where_its_own_conditions_are_met(market: Market) -> None:
    # The agreement is about the achievement: it covers each part of it.
    deal_id = market.drafted_deal()
    assert stage(market, split(market, deal_id)) is DealStage.PRICE_TALK  # it has no price yet
    priced = split(market, deal_id, part="第三件专利的许可", amount_fen=Fen(100))
    assert stage(market, priced) is DealStage.CONTRACT_DRAFT


def test_a_need_goes_without_the_agreement_on_the_achievement(market: Market) -> None:
    need_id = _need(market)
    deal_id = int(
        market.do(
            service.open_deal, market.broker, achievement_id=market.achievement(), need_id=need_id
        )
    )
    market.contact(deal_id)
    market.move(deal_id, DealStage.CONTACTED, DealStage.CONFIDENTIALITY)
    market.agree(deal_id)
    market.move(deal_id, DealStage.TECHNICAL_TALK)
    new_id = split(market, deal_id, what=SplitSubject.NEED, part="")
    new, old = row(market, new_id), row(market, deal_id)
    assert (new.need_id, new.achievement_id) == (need_id, None)
    assert (old.need_id, old.achievement_id is not None) == (None, True)
    assert new.stage is DealStage.CONFIDENTIALITY
    with pytest.raises(RuleBroken):
        market.move(new_id, DealStage.TECHNICAL_TALK)


def _need(market: Market) -> int:
    need_id = int(market.do(needs.create_draft, market.buyer, content=complete_need()))
    market.do(needs.submit, market.buyer, need_id=need_id)
    market.do(needs.accept, market.world.actor(Role.OPERATOR), need_id=need_id)
    return need_id


def test_the_introduction_covers_both(market: Market) -> None:
    deal_id = market.drafted_deal()
    introduction_id = market.do(service.introduce, market.broker, deal_id=deal_id)
    new_id = split(market, deal_id, amount_fen=Fen(100))
    for reader in (market.broker, market.officer, market.buyer):
        (found,) = read(market, queries.introductions_of_deal, reader, new_id)
        assert (found.id, found.deal_id) == (introduction_id, deal_id)
    with pytest.raises(Conflict):
        market.do(service.introduce, market.broker, deal_id=new_id)
    for party in (market.officer, market.buyer):
        market.do(service.acknowledge_introduction, party, introduction_id=introduction_id)
    with market.database.reading() as session:
        facts = facts_of(session, session.get_one(Deal, new_id), today=market.today)
    assert facts.introduction_acknowledged, "a step that asks for it is open to the part too"


def test_a_contract_of_one_part_makes_no_commission_of_the_other_due(market: Market) -> None:
    deal_id = market.drafted_deal()
    market.do(service.introduce, market.broker, deal_id=deal_id)
    commission_id = propose(market, deal_id)
    market.do(service.confirm_commission, market.buyer, commission_id=commission_id)
    new_id = split(market, deal_id, amount_fen=Fen(50_000_000))
    own = propose(market, new_id, rate=200)
    market.do(service.confirm_commission, market.buyer, commission_id=own)
    market.registered(deal_id=new_id)
    Outbox(contract_handlers.SUBSCRIPTIONS).deliver_due(market.database, now=market.now)
    # The introduction is known again, and what follows from it is the new deal's alone.
    with market.database.reading() as session:
        (found,) = session.scalars(select(Recognition)).all()
        assert (found.ground.value, found.state.value) == ("same_deal", "recognised")
        paid = session.scalars(select(CommissionEntry.commission_id)).all()
    assert paid == [own]
    assert stage(market, new_id) is DealStage.REGISTERED
    assert stage(market, deal_id) is DealStage.CONTRACT_DRAFT


def test_what_was_split_can_be_merged_again(market: Market) -> None:
    deal_id = market.drafted_deal()
    market.do(service.introduce, market.broker, deal_id=deal_id)
    new_id = split(market, deal_id, amount_fen=Fen(50_000_000))
    market.do(
        service.merge_deals,
        market.broker,
        deal_id=deal_id,
        into_deal_id=new_id,
        price=MergedPrice.ADD,
    )
    whole = row(market, new_id)
    assert (whole.amount_fen, whole.part) == (PRICE, "")
    assert len(read(market, queries.introductions_of_deal, market.broker, new_id)) == 1


def test_somebody_elses_private_note_stays(market: Market) -> None:
    deal_id = market.deal()
    secret = note(market, deal_id, "学校的底价", market.officer, private=True)
    own = note(market, deal_id, "我的打算", market.broker, private=True)
    offered = read(market, merge_queries.split_choices, market.broker, deal_id, now=market.now)
    assert [value for value, _label in offered.notes] == [str(own)]
    assert refused(market, deal_id, note_ids=[secret]) == "split.gone"


def test_a_finished_task_and_another_deals_stay(market: Market) -> None:
    deal_id, other = market.deal(), market.deal()
    due_on = market.today + timedelta(days=2)
    done = market.do(service.add_task, market.broker, deal_id=deal_id, what="回话", due_on=due_on)
    market.do(service.finish_task, market.broker, task_id=done)
    strange = market.do(service.add_task, market.broker, deal_id=other, what="寄样", due_on=due_on)
    for task_id in (done, strange):
        assert refused(market, deal_id, task_ids=[task_id]) == "split.gone"


def test_why_a_split_is_refused(market: Market) -> None:
    deal_id = market.drafted_deal()
    assert refused(market, deal_id, part=" ") == "split.part"
    assert refused(market, deal_id, what=SplitSubject.NEED) == "split.subject"
    for wrong in (0, PRICE, PRICE + 1):
        assert refused(market, deal_id, amount_fen=Fen(wrong)) == "split.amount"
    assert refused(market, market.deal(), amount_fen=Fen(100)) == "split.unpriced"
    assert refused(market, deal_id, version=1) == "deal.stale"
    split(market, deal_id)
    assert refused(market, deal_id) == "split.exists"
    market.move(deal_id, DealStage.SIGNED)
    assert refused(market, deal_id, part="第三件") == "split.closed"
    with pytest.raises(NotAllowed):
        split(market, market.deal(), actor=market.officer)


def test_a_merge_and_a_split_at_once_lose_nothing(market: Market) -> None:
    first, second = market.drafted_deal(), market.drafted_deal()
    due_on = market.today + timedelta(days=2)
    task_id = market.do(
        service.add_task, market.broker, deal_id=first, what="另报一个价", due_on=due_on
    )
    answers = at_once(
        lambda: market.do(
            service.merge_deals,
            market.broker,
            deal_id=first,
            into_deal_id=second,
            price=MergedPrice.ADD,
        ),
        lambda: split(market, first, amount_fen=Fen(100), task_ids=[task_id]),
        lambda: market.do(service.finish_task, market.broker, task_id=task_id),
    )
    assert answers[0] is None
    with market.database.reading() as session:
        deals = session.scalars(select(Deal).where(Deal.stage != DealStage.MERGED)).all()
        assert sum(deal.amount_fen or 0 for deal in deals) == 2 * PRICE
