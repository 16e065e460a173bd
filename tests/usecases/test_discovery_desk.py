"""The match desk: what waits for whom, what lays it aside, what a proposal leads to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.brokerage import due, followup_queries, proposal_queries, proposal_service
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage import service as brokerage_service
from marketplace.brokerage.models import Deal, Introduction
from marketplace.brokerage.proposal_models import Proposal
from marketplace.brokerage.proposal_queries import ProposalView
from marketplace.brokerage.proposal_rules import ProposalState, ProposalTo
from marketplace.brokerage.register_rules import Certificate
from marketplace.brokerage.rules import LostReason
from marketplace.brokerage.terms_service import already_introduced
from marketplace.discovery import desk_queries, desk_service
from marketplace.discovery.desk_models import DeskAnswer, MatchPair
from marketplace.discovery.desk_queries import Desk, DeskItem
from marketplace.discovery.desk_rules import DeskState, DismissReason
from marketplace.discovery.models import MatchVerdict
from marketplace.discovery.pairing import Pairing
from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.outbox import OutboxEvent
from marketplace.foundation.trade import TechnologyField
from marketplace.needs import queries as needs
from marketplace.needs import service as need_service
from marketplace.notifications.queries import inbox
from search.errors import SearchUnavailable
from tests.conftest import MovableClock
from tests.discovering import Market, market_on
from tests.statements import statements
from tests.world import World

WORDS = "双方资料已看过，催化剂在 180 ℃ 就能达标，建议先通个电话。"


class DeskMarket:
    """A market with two brokers and everything paired."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.achievement = market.achievement()
        self.need = market.open_need()
        world = market.world
        agencies = [
            world.organisation(
                OrganisationKind.SERVICE_INSTITUTION,
                subkinds=(OrganisationSubkind.AGENCY,),
                name=name,
            )
            for name in ("明湖技术转移", "泉畔转化服务")
        ]
        self.broker = world.actor(Role.BROKER, agencies[0], name="李静舒")
        self.other = world.actor(Role.BROKER, agencies[1], name="赵一")
        self.pair_up()

    def pair_up(self) -> None:
        """Let the worker take in every change and find the pairs."""
        self.market.settle()
        pairing: Pairing = self.market.services.resources[Pairing]
        for _ in range(20):
            if pairing.work(now=self.market.clock.now()) == 0:
                return
        raise AssertionError("pairing never becomes quiet")

    def do(self, use_case: Callable[..., Any], actor: Actor | None = None, **arguments: Any) -> Any:
        with self.market.services.database.transaction() as session:
            return use_case(
                session, actor=actor or self.broker, now=self.market.clock.now(), **arguments
            )

    def read(self, query: Callable[..., Any], actor: Actor | None = None, *more: Any) -> Any:
        with self.market.services.database.reading() as session:
            return query(session, actor or self.broker, *more, now=self.market.clock.now())

    def desk(self, actor: Actor | None = None) -> Desk:
        found: Desk = self.read(desk_queries.desk, actor)
        return found

    @property
    def pair(self) -> int:
        """The number of the one pair."""
        with self.market.services.database.reading() as session:
            return session.scalars(select(MatchPair.id).where(MatchPair.current)).one()

    def item(self, actor: Actor | None = None) -> DeskItem:
        found: DeskItem = self.read(desk_queries.item, actor, self.pair)
        return found

    def propose(self, to: ProposalTo = ProposalTo.BOTH, actor: Actor | None = None) -> int:
        return int(self.do(desk_service.propose, actor, pair_id=self.pair, to=to, words=WORDS))

    def answer(
        self, actor: Actor, proposal_id: int, *, accepted: bool = True, words: str = ""
    ) -> int | None:
        made: int | None = self.do(
            brokerage_service.answer_proposal,
            actor,
            proposal_id=proposal_id,
            accepted=accepted,
            words=words,
        )
        return made

    def proposal(self, actor: Actor, proposal_id: int) -> ProposalView:
        found: ProposalView = self.read(proposal_queries.get_proposal, actor, proposal_id)
        return found

    def change_need(self, **changed: Any) -> None:
        def save(session: Session, *, actor: Actor, now: Any) -> None:
            view = needs.get_own(session, actor, self.need)
            need_service.save_draft(
                session,
                actor=actor,
                now=now,
                need_id=self.need,
                content=replace(view.content, **changed),
                version=view.version,
            )

        self.market.clock.forward(seconds=5)
        self.do(save, self.market.buyer)
        self.pair_up()

    def verdicts(self) -> list[Verdict]:
        with self.market.services.database.reading() as session:
            return list(session.scalars(select(MatchVerdict.verdict)))

    def dismiss(
        self, reason: DismissReason = DismissReason.FIGURES, actor: Actor | None = None
    ) -> None:
        self.do(desk_service.dismiss, actor, pair_id=self.pair, reason=reason, words="")


@pytest.fixture
def desk(world: World, database: Database, clock: MovableClock, tmp_path: Path) -> DeskMarket:
    return DeskMarket(market_on(world, database, clock, tmp_path))


def test_a_pair_waits_with_its_reasons_and_a_draft(desk: DeskMarket) -> None:
    found = desk.desk()
    assert found.count == 1
    item = desk.item()
    assert [point.label for point in item.points][:2] == ["领域", "方式"]
    assert any(point.tone == "no" and point.label == "供货工期" for point in item.points)
    assert "脱硝率要达到 ≥90%" in item.draft
    assert "还要弄清：" in item.draft
    assert item.buyer_name in item.draft


def test_the_draft_and_the_pair_hold_nothing_confidential(desk: DeskMarket) -> None:
    desk.change_need(anonymous=True)
    item = desk.item()
    with desk.market.services.database.reading() as session:
        row = session.get_one(MatchPair, desk.pair)
        stored = f"{row.points}{row.terms}{row.sentence}"
    for secret in ("图号 ZY-3381", "320 ℃ 分两段", "锐泉"):
        assert secret not in item.draft
        assert secret not in stored
    assert item.anonymous


def test_only_the_brokers_own_fields_wait(desk: DeskMarket) -> None:
    def in_field(field: TechnologyField) -> int:
        desk.do(
            brokerage_service.save_profile,
            certificate=Certificate(None, "", "", None),
            fields=[field],
            introduction="",
        )
        return desk.desk().count

    assert in_field(TechnologyField.ENVIRONMENT) == 1
    assert in_field(TechnologyField.AEROSPACE) == 0


def test_a_dismissed_pair_returns_only_when_a_record_says_something_else(desk: DeskMarket) -> None:
    desk.dismiss()
    assert desk.desk().count == 0
    desk.market.clock.forward(seconds=60)
    desk.pair_up()
    assert desk.desk().count == 0
    desk.change_need(problem="烘炉烟气 150 ℃，氮氧化物超标，希望低温脱硝，要带一年质保。")
    assert desk.desk().count == 1


def test_a_dismissal_teaches_the_ranking_only_where_it_says_something_of_the_match(
    desk: DeskMarket,
) -> None:
    desk.dismiss(DismissReason.KNOWN)
    assert desk.verdicts() == []
    desk.do(desk_service.take_back, pair_id=desk.pair)
    desk.dismiss(DismissReason.OTHER_TECHNOLOGY)
    assert desk.verdicts() == [Verdict.USELESS]
    desk.do(desk_service.take_back, pair_id=desk.pair)
    assert desk.verdicts() == []
    assert desk.desk().count == 1


def test_a_colleagues_verdict_lays_a_pair_aside_for_the_agency_alone(desk: DeskMarket) -> None:
    agency = desk.market.world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
    )
    first, colleague = (desk.market.world.actor(Role.BROKER, agency) for _ in range(2))
    desk.dismiss(actor=first)
    assert desk.desk(colleague).count == 0
    assert desk.desk().count == 1


def test_another_reason_must_be_said(desk: DeskMarket) -> None:
    with pytest.raises(RuleBroken, match="说明原因"):
        desk.dismiss(DismissReason.OTHER)
    assert desk.desk().count == 1


def test_a_pair_rests_until_its_day(desk: DeskMarket) -> None:
    today = desk.market.clock.now().date()
    desk.do(desk_service.snooze, pair_id=desk.pair, until=today + timedelta(days=7))
    assert desk.desk().count == 0
    desk.market.clock.forward(days=6)
    assert desk.desk().count == 0
    desk.market.clock.forward(days=1)
    assert desk.desk().count == 1


def test_what_leaves_the_market_leaves_the_desk(desk: DeskMarket) -> None:
    number = desk.pair
    desk.market.withdraw(desk.achievement)
    assert desk.desk().entries == ()
    desk.pair_up()
    assert desk.desk().count == 0
    with pytest.raises(NotFound):
        desk.read(desk_queries.item, None, number)


def test_both_sides_agree_and_the_deal_carries_the_introduction(desk: DeskMarket) -> None:
    proposal_id = desk.propose()
    assert desk.desk().count == 0
    assert desk.verdicts() == [Verdict.USEFUL]
    assert desk.answer(desk.market.buyer, proposal_id) is None
    deal_id = desk.answer(desk.market.officer, proposal_id)
    assert deal_id is not None
    with desk.market.services.database.reading() as session:
        deal = session.get_one(Deal, deal_id)
        introduction = session.scalars(select(Introduction)).one()
        notes = brokerage.notes(session, desk.market.buyer, deal_id)
    assert (deal.broker_user_id, deal.need_id) == (desk.broker.user_id, desk.need)
    assert introduction.deal_id == deal_id
    assert introduction.seller_acknowledged_at is not None
    assert introduction.buyer_acknowledged_at is None
    assert [note.body for note in notes] == [WORDS]


def test_one_side_asked_is_enough(desk: DeskMarket) -> None:
    proposal_id = desk.propose(ProposalTo.BUYER)
    with pytest.raises(NotFound):
        desk.answer(desk.market.officer, proposal_id)
    with pytest.raises(NotFound):
        desk.proposal(desk.market.officer, proposal_id)
    assert desk.answer(desk.market.buyer, proposal_id) is not None


def test_a_refusal_says_why_and_ends_the_proposal(desk: DeskMarket) -> None:
    proposal_id = desk.propose()
    with pytest.raises(RuleBroken, match="为什么不接受"):
        desk.answer(desk.market.buyer, proposal_id, accepted=False)
    desk.answer(desk.market.buyer, proposal_id, accepted=False, words="今年没有改造计划")
    with pytest.raises(Conflict, match="不用再答复"):
        desk.answer(desk.market.officer, proposal_id)
    view = desk.proposal(desk.broker, proposal_id)
    assert (view.state, view.buyer_words) == (ProposalState.DECLINED, "今年没有改造计划")
    with desk.market.services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Deal)) == 0


def test_an_anonymous_need_is_asked_first_and_shows_its_name_only_when_it_agrees(
    desk: DeskMarket,
) -> None:
    desk.change_need(anonymous=True)
    for to in (ProposalTo.BOTH, ProposalTo.SELLER):
        with pytest.raises(RuleBroken, match="匿名"):
            desk.propose(to)
    proposal_id = desk.propose(ProposalTo.BUYER)
    assert desk.proposal(desk.broker, proposal_id).buyer_name == ""
    assert desk.answer(desk.market.buyer, proposal_id) is not None
    assert desk.proposal(desk.broker, proposal_id).buyer_name == "锐泉精密制造有限公司"


def test_the_second_broker_is_told_who_was_first_without_a_name(desk: DeskMarket) -> None:
    proposal_id = desk.propose()
    taken = desk.item(desk.other).taken
    assert taken is not None
    assert "另一位技术经理人已提出对接" in taken.said
    with pytest.raises(Conflict, match="先到"):
        desk.propose(actor=desk.other)
    desk.answer(desk.market.buyer, proposal_id)
    deal_id = desk.answer(desk.market.officer, proposal_id)
    assert desk.desk(desk.other).count == 0
    desk.do(
        brokerage_service.lose,
        deal_id=deal_id,
        reason_code=LostReason.TIMING,
        reason="企业今年没有改造计划，明年再谈",
    )
    taken = desk.item(desk.other).taken
    assert taken is not None
    assert "另一位技术经理人已先作介绍存证" in taken.said
    assert "李静舒" not in taken.said
    with pytest.raises(Conflict, match="以先到的为准"):
        desk.propose(actor=desk.other)


def test_an_introduction_that_another_commits_meanwhile_leaves_the_deal(
    desk: DeskMarket, mocker: MockerFixture
) -> None:
    def late(session: Session, **_arguments: Any) -> int:
        try:
            session.execute(text("INSERT INTO foundation_demo_clock VALUES (2, 0)"))
        except IntegrityError as taken:
            raise already_introduced(None) from taken
        raise AssertionError("the table takes one row")

    mocker.patch.object(proposal_service, "introduce", side_effect=late)
    proposal_id = desk.propose()
    desk.answer(desk.market.buyer, proposal_id)
    deal_id = desk.answer(desk.market.officer, proposal_id)
    assert deal_id is not None
    with desk.market.services.database.reading() as session:
        assert session.get_one(Deal, deal_id).broker_user_id == desk.broker.user_id
        assert session.scalar(select(func.count()).select_from(Introduction)) == 0


def test_a_proposal_ends_after_its_term_and_makes_room(desk: DeskMarket) -> None:
    proposal_id = desk.propose()
    desk.market.clock.forward(days=31)
    with pytest.raises(Conflict, match="已过期"):
        desk.answer(desk.market.buyer, proposal_id)
    assert desk.proposal(desk.broker, proposal_id).state is ProposalState.LAPSED
    assert desk.propose(actor=desk.other) != proposal_id


def _told(desk: DeskMarket, name: str) -> list[dict[str, Any]]:
    with desk.market.services.database.reading() as session:
        rows = session.scalars(
            select(OutboxEvent)
            .where(OutboxEvent.name == f"brokerage.{name}")
            .order_by(OutboxEvent.id)
        )
        return [row.body for row in rows]


def test_who_has_not_answered_is_reminded_once_before_the_end(desk: DeskMarket) -> None:
    proposal_id = desk.propose()
    desk.answer(desk.market.buyer, proposal_id)
    database, clock = desk.market.services.database, desk.market.clock
    clock.forward(days=24)
    desk.market.services.due.run(database, now=clock.now())
    assert _told(desk, "ProposalReminded") == []
    clock.forward(days=1)
    for _again in range(2):
        desk.market.services.due.run(database, now=clock.now())
    (told,) = _told(desk, "ProposalReminded")
    assert told["proposal_id"] == proposal_id
    assert told["seller_organisation_id"] == desk.market.university.id
    assert told["buyer_organisation_id"] is None  # it has answered


def test_an_end_without_an_answer_is_told_to_both(desk: DeskMarket) -> None:
    proposal_id = desk.propose(ProposalTo.BUYER)
    database, clock = desk.market.services.database, desk.market.clock
    clock.forward(days=30)
    desk.market.services.due.run(database, now=clock.now())
    assert _told(desk, "ProposalLapsed") == []  # its last day counts
    with database.reading() as session:
        following = due.next_proposal_end(session, clock.now())
    assert following == local_midnight(local_date(clock.now()) + timedelta(days=1))
    clock.forward(days=1)
    for _again in range(2):
        desk.market.services.due.run(database, now=clock.now())
    (told,) = _told(desk, "ProposalLapsed")
    assert told["broker_user_id"] == desk.broker.user_id
    assert told["buyer_organisation_id"] == desk.market.buyer.organisation_id
    assert told["seller_organisation_id"] is None  # it was not asked
    with pytest.raises(Conflict, match="过期"):
        desk.answer(desk.market.buyer, proposal_id)
    desk.market.settle()
    for reader, words in ((desk.broker, "过期没有答复"), (desk.market.buyer, "已失效")):
        with database.reading() as session:
            titles = [each.title for each in inbox(session, reader).items]
        assert any(words in title for title in titles)


def test_strangers_see_and_answer_nothing(desk: DeskMarket) -> None:
    proposal_id = desk.propose()
    stranger = desk.market.world.actor(Role.ENTERPRISE)
    with pytest.raises(NotFound):
        desk.answer(stranger, proposal_id)
    with pytest.raises(NotFound):
        desk.proposal(stranger, proposal_id)
    with pytest.raises(NotFound):
        desk.proposal(desk.other, proposal_id)
    with pytest.raises(NotAllowed):
        desk.desk(stranger)


def test_who_is_asked_finds_it_among_what_waits(desk: DeskMarket) -> None:
    desk.propose(ProposalTo.BUYER)
    waiting = desk.read(followup_queries.waiting, desk.market.buyer)
    assert [each.endpoint for each in waiting] == ["brokerage.proposal"]
    assert desk.read(followup_queries.waiting, desk.market.officer) == []


def test_an_engine_that_is_away_leaves_the_work_for_later(
    desk: DeskMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(type(desk.market.index.engine), "get", _away)
        desk.market.achievement(title="低温脱硝催化剂再生：180 ℃ 原位清洗")
        desk.market.settle()
        pairing: Pairing = desk.market.services.resources[Pairing]
        assert pairing.work(now=desk.market.clock.now()) == 0
    desk.pair_up()
    assert desk.desk().count == 2


def _away(*_arguments: Any, **_more: Any) -> None:
    raise SearchUnavailable("away")


def test_the_number_of_statements_does_not_grow(desk: DeskMarket) -> None:
    def sent() -> int:
        with statements(desk.market.services.database) as asked:
            desk.desk()
        return len(asked)

    one = sent()
    for number in range(4):
        desk.market.achievement(title=f"低温脱硝催化剂第 {number} 代：{150 + number} ℃ 达标")
    desk.pair_up()
    assert desk.desk().count > 2
    assert sent() == one


def test_what_was_proposed_is_no_longer_the_desks_to_lay_aside(desk: DeskMarket) -> None:
    desk.propose()
    for change, more in (
        (desk_service.snooze, {"until": None}),
        (desk_service.dismiss, {"reason": DismissReason.PRICE, "words": ""}),
        (desk_service.take_back, {}),
    ):
        with pytest.raises(Conflict, match="已经提出对接"):
            desk.do(change, pair_id=desk.pair, **more)
    with desk.market.services.database.reading() as session:
        assert session.scalars(select(DeskAnswer.state)).all() == [DeskState.PROPOSED]


def test_two_at_once_ask_nobody_twice(desk: DeskMarket) -> None:
    desk.propose()
    with pytest.raises(Conflict):
        desk.propose()
    with desk.market.services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Proposal)) == 1
