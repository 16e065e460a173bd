"""Answers teach: verdicts, signed deals and accepted terms become terms that matches look for."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.brokerage.models import Deal
from marketplace.brokerage.rules import DealSource, DealStage
from marketplace.discovery import learning_queries, learning_service, service
from marketplace.discovery.finding import Finder, MatchList, Wishes
from marketplace.discovery.models import LearnedPair, MatchVerdict
from marketplace.discovery.rules import Verdict
from marketplace.foundation import audit
from marketplace.foundation.access import ANONYMOUS, SYSTEM, Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.needs import queries as needs
from marketplace.needs import service as needs_service
from search.expansion import ACCEPTED, LEARNED
from search.matching import ACCEPTED_WEIGHT
from tests.conftest import MovableClock
from tests.discovering import Market, market_on
from tests.world import World

PROBLEM = "大棚里的番茄一到阴天就谢花，坐不住果，去年减产三成，想找个办法。"


@pytest.fixture
def market(world: World, database: Database, clock: MovableClock, tmp_path: Path) -> Market:
    """A greenhouse's need, the achievement it means, and one that only sounds like it."""
    made = market_on(world, database, clock, tmp_path)
    made.catalyst = made.achievement(
        title="设施蔬菜保花保果技术",
        problem="低温弱光下花器发育不良，落花落果严重，设施蔬菜冬春季减产三到五成。",
        solution="以复配的生长调节剂处理花序，配合壁蜂棚放法与夜温管理，形成全季的操作规程。",
        benefit="坐果率提高 30 %，每亩增收 4,000 元。",
        keywords=("壁蜂棚放法",),
    )
    made.need = made.open_need(
        title="大棚番茄谢花怎么办", problem=PROBLEM, present_solution="", expert_terms=()
    )
    made.settle()
    return made


def buyers(market: Market, count: int, *, verified: bool = True) -> list[Actor]:
    return [
        market.world.actor(
            Role.ENTERPRISE,
            market.world.organisation(
                OrganisationKind.ENTERPRISE, name=f"农场{n}{verified}", verified=verified
            ),
        )
        for n in range(count)
    ]


def agency(market: Market) -> OrganisationView:
    return market.world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
    )


def judge(
    market: Market, actor: Actor, verdict: Verdict = Verdict.USEFUL, achievement: int = 0
) -> None:
    with market.services.database.transaction() as session:
        service.judge_match(
            session,
            actor=actor,
            now=market.clock.forward(seconds=1),
            need_id=market.need,
            achievement_id=achievement or market.catalyst,
            verdict=verdict,
        )


def learn(market: Market) -> set[tuple[str, str]]:
    with market.services.database.transaction() as session:
        learning_service.relearn(session, now=market.clock.now())
    with market.services.database.reading() as session:
        rows = session.scalars(select(LearnedPair).where(LearnedPair.refused.is_(False)))
        return {(row.said, row.meant) for row in rows}


def found(market: Market, actor: Actor = ANONYMOUS, wishes: Wishes | None = None) -> MatchList:
    with market.services.database.reading() as session:
        finder = Finder(
            market.index, session, actor, market.clock.now(), wishes or Wishes(expand=True)
        )
        return finder.of_need(market.need, owner_id=market.buyer.organisation_id)


def test_three_organisations_teach_a_pair_that_matches_look_for(market: Market) -> None:
    for buyer in buyers(market, 2):
        judge(market, buyer)
    assert learn(market) == set()
    judge(market, buyers(market, 3)[-1])
    assert ("番茄", "壁蜂棚放法") in learn(market)
    learned = [term for term in found(market).terms if term.source == LEARNED]
    assert "壁蜂棚放法" in {term.text for term in learned}
    [best] = [m for m in found(market).matches if m.record_id == market.catalyst]
    assert any(text == "壁蜂棚放法" and taught for _, text, taught in best.bridges)
    off = found(market, wishes=Wishes(learned=False))
    assert not [term for term in off.terms if term.source == LEARNED]
    without = found(market, wishes=Wishes(without=("壁蜂棚放法",)))
    assert "壁蜂棚放法" not in {term.text for term in without.terms}


def test_one_organisation_with_many_accounts_teaches_nothing(market: Market) -> None:
    company = market.world.organisation(OrganisationKind.ENTERPRISE, name="水军有限公司")
    for number in range(12):
        judge(market, market.world.actor(Role.ENTERPRISE, company, name=f"号{number}"))
    assert learn(market) == set()


def test_unverified_organisations_and_the_owner_itself_teach_nothing(market: Market) -> None:
    for buyer in buyers(market, 2):
        judge(market, buyer)
    for number in range(5):
        person = market.world.actor(Role.OFFICER, market.university, name=f"作者{number}")
        judge(market, person)
    for buyer in buyers(market, 4, verified=False):
        judge(market, buyer)
    assert learn(market) == set()


def test_terms_accepted_by_askers_teach_as_well(market: Market) -> None:
    for number, buyer in enumerate(buyers(market, 3)):
        market.buyer = buyer
        market.open_need(
            title=f"第 {number} 个大棚的番茄谢花",
            problem=PROBLEM,
            present_solution="",
            expert_terms=("花器脱落",),
        )
    assert ("番茄", "花器脱落") in learn(market)


def test_signed_deals_teach_as_the_buyers_word(market: Market) -> None:
    pair = ("番茄", "壁蜂棚放法")
    farms = buyers(market, 3)
    deals = [bargain(market, farm) for farm in farms]
    assert pair not in learn(market), "a deal that is talked about has not found its answer yet"
    for deal_id in deals[:2]:
        sign(market, deal_id)
    assert pair not in learn(market)
    sign(market, deals[2])
    assert pair in learn(market)
    with market.services.database.reading() as session:
        [learned] = [
            row for row in session.scalars(select(LearnedPair)) if (row.said, row.meant) == pair
        ]
        assert learned.supporters == len(farms)
    market.withdraw(market.catalyst)
    assert pair not in learn(market), "what is not public any more teaches nothing"


def bargain(market: Market, buyer: Actor) -> int:
    """Open a buyer's own need, and a deal over it that has come to the price."""
    market.buyer = buyer
    need_id = market.open_need(
        title="番茄谢花怎么办", problem=PROBLEM, present_solution="", expert_terms=()
    )
    now = market.clock.now()
    assert buyer.organisation_id is not None
    with market.services.database.transaction() as session:
        deal = Deal(
            title="保花保果",
            source=DealSource.BROKER,
            pipeline="transfer",
            step=DealStage.PRICE_TALK,
            stage=DealStage.PRICE_TALK,
            stage_since=now,
            opened_at=now,
            touched_at=now,
            achievement_id=market.catalyst,
            need_id=need_id,
            seller_organisation_id=market.university.id,
            buyer_organisation_id=buyer.organisation_id,
        )
        session.add(deal)
        session.flush()
        audit.record(session, actor=SYSTEM, action="test", subject=f"deal:{deal.id}", now=now)
        return deal.id


def sign(market: Market, deal_id: int) -> None:
    with market.services.database.transaction() as session:
        deal = session.get_one(Deal, deal_id)
        deal.stage = deal.step = DealStage.SIGNED
        now = market.clock.now()
        audit.record(session, actor=SYSTEM, action="test", subject=f"deal:{deal_id}", now=now)


def test_what_is_not_public_any_more_is_forgotten(market: Market) -> None:
    for buyer in buyers(market, 3):
        judge(market, buyer)
    assert learn(market)
    market.withdraw(market.catalyst)
    with market.services.database.transaction() as session:
        needs_service.close(
            session,
            actor=market.buyer,
            now=market.clock.now(),
            need_id=market.need,
            reason="已自行解决",
        )
    assert learn(market) == set()


def test_what_the_operator_refuses_stays_out(market: Market) -> None:
    for buyer in buyers(market, 3):
        judge(market, buyer)
    learn(market)
    with market.services.database.reading() as session:
        pair = next(p for p in learning_queries.list_pairs(session) if p.meant == "壁蜂棚放法")
    for actor, allowed in ((market.buyer, False), (market.operator, True)):
        with market.services.database.transaction() as session:
            if not allowed:
                with pytest.raises(NotAllowed):
                    learning_service.refuse_pair(
                        session, actor=actor, now=market.clock.now(), pair_id=pair.id, refused=True
                    )
                continue
            learning_service.refuse_pair(
                session, actor=actor, now=market.clock.now(), pair_id=pair.id, refused=True
            )
    assert (pair.said, pair.meant) not in learn(market)
    with market.services.database.reading() as session:
        [row] = audit.history(session, f"learned_pair:{pair.id}")
        assert row.action == "discovery.refuse_pair"


def test_the_worker_learns_soon_after_an_answer(market: Market) -> None:
    services, now = market.services, market.clock
    services.due.run(services.database, now=now.now())
    for buyer in buyers(market, 3):
        judge(market, buyer)
    services.due.run(services.database, now=now.now())
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LearnedPair)) == 0
    services.due.run(services.database, now=now.forward(hours=1))
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(LearnedPair))


def test_a_dismissed_pair_ranks_lower_for_that_need_and_comes_back(market: Market) -> None:
    market.achievement(
        title="番茄采收机器人，大棚里昼夜采摘",
        problem="大棚里的番茄采摘费工，去年人工涨了三成，一到农忙就找不到人。",
        keywords=("采收",),
    )
    market.settle()
    best, *rest = [match.record_id for match in found(market).matches]
    assert rest
    judge(market, market.buyer, Verdict.USELESS, best)
    after = found(market)
    assert after.matches[0].record_id != best
    lowered = next(match for match in after.matches if match.record_id == best)
    assert lowered.opinion == "需求方认为无关"
    with market.services.database.transaction() as session:
        service.retract_verdict(
            session,
            actor=market.buyer,
            now=market.clock.now(),
            need_id=market.need,
            achievement_id=best,
        )
    assert found(market).matches[0].record_id == best
    with market.services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MatchVerdict)) == 0


def test_a_stranger_alone_cannot_lower_a_match_for_others(market: Market) -> None:
    market.achievement(
        title="番茄采收机器人，大棚里昼夜采摘",
        problem="大棚里的番茄采摘费工，去年人工涨了三成，一到农忙就找不到人。",
    )
    market.settle()
    before = [match.record_id for match in found(market).matches]
    stranger = buyers(market, 1)[0]
    judge(market, stranger, Verdict.USELESS, before[0])
    assert [match.record_id for match in found(market).matches] == before
    assert [match.record_id for match in found(market, stranger).matches] != before


def test_a_broker_may_accept_what_is_proposed_and_the_owner_takes_it_off(market: Market) -> None:
    broker = market.world.actor(Role.BROKER, agency(market))
    database, now = market.services.database, market.clock.now()

    def accept(actor: Actor, term: str, proposed: tuple[str, ...] = ("壁蜂棚放法",)) -> None:
        with database.transaction() as session:
            needs_service.accept_term(
                session,
                actor=actor,
                now=now,
                need_id=market.need,
                term=term,
                proposed=proposed,
            )

    with pytest.raises(NotAllowed):
        accept(ANONYMOUS, "壁蜂棚放法")
    with pytest.raises(NotAllowed):
        accept(market.officer, "壁蜂棚放法")
    with pytest.raises(RuleBroken):
        accept(broker, "请买我的产品")
    accept(broker, "壁蜂棚放法")
    market.settle()
    terms = found(market).terms
    assert [(t.text, t.source, t.weight) for t in terms if t.source == ACCEPTED] == [
        ("壁蜂棚放法", ACCEPTED, ACCEPTED_WEIGHT)
    ]
    with pytest.raises(NotAllowed), database.transaction() as session:
        needs_service.drop_term(
            session, actor=broker, now=now, need_id=market.need, term="壁蜂棚放法"
        )
    accept(market.buyer, "自己知道的词", ())
    with database.transaction() as session:
        needs_service.drop_term(
            session, actor=market.buyer, now=now, need_id=market.need, term="壁蜂棚放法"
        )
    with database.reading() as session:
        view = needs.get_own(session, market.buyer, market.need)
        assert view.content.expert_terms == ("自己知道的词",)
        lines = [line.what for line in needs.history(session, view)]
        assert lines.count("采纳专业词") == 2
        assert "去掉专业词" in lines


def test_terms_stay_as_they_are_once_a_need_is_closed(market: Market) -> None:
    database, now = market.services.database, market.clock.now()
    with database.transaction() as session:
        needs_service.close(
            session, actor=market.buyer, now=now, need_id=market.need, reason="已自行解决"
        )
    with pytest.raises(Conflict), database.transaction() as session:
        needs_service.accept_term(
            session, actor=market.buyer, now=now, need_id=market.need, term="壁蜂棚放法"
        )
    broker = market.world.actor(Role.BROKER, agency(market))
    with pytest.raises(NotFound), database.transaction() as session:
        needs_service.accept_term(
            session,
            actor=broker,
            now=now,
            need_id=market.need,
            term="壁蜂棚放法",
            proposed=["壁蜂棚放法"],
        )
