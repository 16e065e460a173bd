"""The notice through its use cases: asked first, checked twice, revised, held outside, tried."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import update

from marketplace.achievements.models import IPRightRow
from marketplace.achievements.rules import LegalStatus
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.foundation.trade import TradingMode
from marketplace.listings import notice_queries, service
from marketplace.listings.announcement_rules import VersionKind
from marketplace.listings.priority_rules import PriorityState
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.listings.trial_rules import PriceFormula, TrialState, TrialTerms
from tests.trading import BASE, Hall, day, local, offer
from tests.world import World

TERMS = TrialTerms(
    6,
    "连续运行三十天，合格率不低于 98 %",
    PriceFormula.PER_UNIT,
    Fen(12_00),
    unit="根",
    cap_fen=Fen(900_000_00),
)


@pytest.fixture
def hall(database: Database, world: World) -> Hall:
    return Hall(database, world, local(2024, 3, 15, 10))


def bare(hall: Hall, **changes: object) -> int:
    """Apply without answers of the holders."""
    made: int = hall.do(
        service.apply, hall.officer, achievement_id=hall.achievement(), content=offer(**changes)
    )
    return made


def test_no_notice_before_the_holders_were_asked(hall: Hall) -> None:
    listing_id = bare(hall)
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    with pytest.raises(RuleBroken, match="孟祥铸还没有答复"):
        hall.do(service.announce, hall.operator, listing_id=listing_id)
    hall.at(local(2024, 3, 22, 23))  # the last of five working days
    with pytest.raises(RuleBroken, match="2024-03-22 期满"):
        hall.do(service.announce, hall.operator, listing_id=listing_id)
    hall.at(local(2024, 3, 23, 9))
    hall.do(service.announce, hall.operator, listing_id=listing_id)
    (asked,) = hall.read(lambda s: notice_queries.priorities(s, listing_id))
    assert asked.state is PriorityState.SILENT


def test_an_inventor_with_an_account_answers_himself(hall: Hall) -> None:
    listing_id = bare(hall)
    (asked,) = hall.read(lambda s: notice_queries.priorities(s, listing_id))
    stranger = hall.world.actor(Role.OFFICER)
    with pytest.raises(NotFound):
        hall.do(
            service.answer_priority, stranger, priority_id=asked.id, claims=True, note="我要买下来"
        )
    with pytest.raises(RuleBroken, match="书面答复"):
        hall.do(service.answer_priority, hall.officer, priority_id=asked.id, claims=False, note="")
    hall.do(
        service.answer_priority,
        hall.officer,
        priority_id=asked.id,
        claims=True,
        note="书面主张，2024-03-16",
    )
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    hall.do(service.announce, hall.operator, listing_id=listing_id)
    (after,) = hall.read(lambda s: notice_queries.priorities(s, listing_id))
    assert after.state is PriorityState.CLAIMED


def test_a_licence_asks_nobody(hall: Hall) -> None:
    listing_id = bare(hall, trading_mode=TradingMode.LICENCE_EXCLUSIVE)
    assert hall.read(lambda s: notice_queries.priorities(s, listing_id)) == []


def set_rights(hall: Hall, **values: object) -> None:
    with hall.database.transaction() as session:
        session.execute(update(IPRightRow).values(**values))


def test_rights_are_looked_at_before_the_notice_and_before_the_contract(hall: Hall) -> None:
    listing_id = hall.applied()
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    set_rights(hall, legal_status=LegalStatus.LAPSED)
    with pytest.raises(RuleBroken, match="公告前核对知识产权"):
        hall.do(service.announce, hall.operator, listing_id=listing_id)
    assert hall.listing(listing_id).state is ListingState.ACCEPTED
    set_rights(hall, legal_status=LegalStatus.SECRET)
    hall.do(service.announce, hall.operator, listing_id=listing_id)
    hall.do(service.check_before_signing, hall.officer, listing_id=listing_id)
    set_rights(hall, legal_status=LegalStatus.LAPSED)
    with pytest.raises(RuleBroken, match="签约前核对知识产权"):
        hall.do(service.check_before_signing, hall.officer, listing_id=listing_id)
    found = hall.read(lambda s: notice_queries.checks(s, listing_id))
    assert [one.moment.value for one in found] == ["signing", "listing"]
    assert found[1].findings[0].status == "未公开"


def test_an_openly_licensed_patent_is_not_sold(hall: Hall) -> None:
    listing_id = hall.applied()
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    set_rights(hall, open_licensed=True)
    with pytest.raises(RuleBroken, match="已声明开放许可"):
        hall.do(service.announce, hall.operator, listing_id=listing_id)


def test_a_material_change_begins_anew_and_lets_intents_go(hall: Hall) -> None:
    listing_id = hall.announced()
    _buyer, actor = hall.enterprise()
    intent_id = hall.qualified(listing_id, actor)
    hall.at(local(2024, 3, 20, 9))
    kind = hall.do(
        service.revise,
        hall.operator,
        listing_id=listing_id,
        content=offer(base_price_fen=Fen(BASE + 10_000_000)),
        reason="评估报告更新，底价上调",
    )
    assert kind is VersionKind.MATERIAL
    hall.settle()
    listing = hall.listing(listing_id)
    assert listing.announcement_ends_on == day("2024-04-03")
    assert listing.base_price_fen == BASE + 10_000_000
    assert hall.stored_intent(intent_id).state is IntentState.LOST
    newest, first = hall.read(lambda s: notice_queries.versions(s, listing_id))
    assert (newest.number, newest.kind, first.kind) == (2, VersionKind.MATERIAL, VersionKind.FIRST)
    assert [(c.label, c.before, c.after) for c in newest.changes] == [
        ("挂牌底价", "1,200,000.00 元", "1,300,000.00 元")
    ]
    hall.intent(listing_id, actor, offer_fen=Fen(BASE + 10_000_000))  # registers under the new one


def test_a_correction_keeps_the_period_and_the_intents(hall: Hall) -> None:
    listing_id = hall.announced()
    _buyer, actor = hall.enterprise()
    intent_id = hall.intent(listing_id, actor)
    before = hall.listing(listing_id).announcement_ends_on
    hall.at(local(2024, 3, 20, 9))
    kind = hall.do(
        service.revise,
        hall.operator,
        listing_id=listing_id,
        content=offer(title="等温淬火球铁曲轴工艺及两项专利"),
        reason="标的名称笔误更正",
    )
    assert kind is VersionKind.CORRECTION
    assert hall.listing(listing_id).announcement_ends_on == before
    assert hall.stored_intent(intent_id).state is IntentState.REGISTERED


def test_only_the_operator_revises_and_only_a_standing_notice(hall: Hall) -> None:
    listing_id = hall.announced()
    with pytest.raises(NotAllowed):
        hall.do(
            service.revise,
            hall.officer,
            listing_id=listing_id,
            content=offer(),
            reason="想改一下条件",
        )
    with pytest.raises(RuleBroken, match="没有变化"):
        hall.do(
            service.revise,
            hall.operator,
            listing_id=listing_id,
            content=offer(),
            reason="想改一下条件",
        )


def test_an_extension_is_a_version(hall: Hall) -> None:
    listing_id = hall.announced()
    hall.at(local(2024, 3, 30, 1))
    newest = hall.read(lambda s: notice_queries.versions(s, listing_id))[0]
    assert (newest.number, newest.kind) == (2, VersionKind.EXTENSION)


AGENT = {"agent_name": "济南正源拍卖有限公司", "agent_licence": "鲁拍批 2015-031"}


def test_an_auction_names_its_auctioneer_and_records_the_result(hall: Hall) -> None:
    with pytest.raises(RuleBroken, match="拍卖企业"):
        hall.applied(offer(PricingMode.AUCTION))
    listing_id = hall.announced(offer(PricingMode.AUCTION, **AGENT))
    buyers = [hall.enterprise()[1] for _ in range(2)]
    first, second = (hall.qualified(listing_id, buyer) for buyer in buyers)
    hall.at(local(2024, 3, 30, 1))
    hall.do(service.close_qualification, hall.operator, listing_id=listing_id)
    assert hall.listing(listing_id).state is ListingState.OUTSIDE
    with pytest.raises(RuleBroken, match="底价"):
        hall.do(
            service.record_outside,
            hall.operator,
            intent_id=first,
            price_fen=Fen(BASE - 1),
            document="成交确认书 7",
        )
    hall.do(
        service.record_outside,
        hall.operator,
        intent_id=first,
        price_fen=Fen(BASE + 5),
        document="成交确认书 7",
    )
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.RESULT_PUBLICITY
    assert (listing.price_fen, listing.outside_document) == (BASE + 5, "成交确认书 7")
    assert hall.stored_intent(second).state is IntentState.LOST


def test_an_auction_without_a_buyer_ends(hall: Hall) -> None:
    listing_id = hall.announced(offer(PricingMode.AUCTION, **AGENT))
    for _ in range(2):
        hall.qualified(listing_id, hall.enterprise()[1])
    hall.at(local(2024, 3, 30, 1))
    hall.do(service.close_qualification, hall.operator, listing_id=listing_id)
    hall.do(service.fail_outside, hall.operator, listing_id=listing_id, reason="无人应价，拍卖流拍")
    assert hall.listing(listing_id).state is ListingState.FAILED


def tried(hall: Hall) -> tuple[int, object]:
    """Bring a listing of a trial to its award; return it with the buyer."""
    content = offer(
        PricingMode.NEGOTIATED, trading_mode=TradingMode.TRIAL, deposit_fen=Fen(0), trial=TERMS
    )
    made = hall.do(
        service.apply,
        hall.officer,
        achievement_id=hall.achievement(modes=(TradingMode.TRIAL,)),
        content=content,
    )
    hall.do(service.accept, hall.operator, listing_id=made)
    hall.do(service.announce, hall.operator, listing_id=made)
    _organisation, buyer = hall.enterprise()
    intent_id = hall.intent(made, buyer)
    hall.admit(intent_id)
    hall.settle()
    hall.do(service.agree_price, hall.officer, intent_id=intent_id, price_fen=BASE)
    hall.at(local(2024, 4, 2, 9))
    return made, buyer


def test_a_trial_runs_and_its_price_follows_the_formula(hall: Hall) -> None:
    listing_id, buyer = tried(hall)
    assert hall.listing(listing_id).state is ListingState.AWARDED
    with pytest.raises(NotAllowed):
        hall.do(service.begin_trial, buyer, listing_id=listing_id)
    hall.do(service.begin_trial, hall.officer, listing_id=listing_id)
    running = hall.read(lambda s: notice_queries.trial_of(s, listing_id))
    assert (running.state, running.ends_on) == (TrialState.RUNNING, day("2024-10-02"))
    ended = {"adopted": True, "units": 50_000, "revenue_fen": Fen(0), "result": "三十天合格率 99 %"}
    with pytest.raises(NotFound):
        hall.do(service.end_trial, hall.enterprise()[1], listing_id=listing_id, **ended)
    price = hall.do(service.end_trial, buyer, listing_id=listing_id, **ended)
    assert price == 600_000_00
    adopted = hall.read(lambda s: notice_queries.trial_of(s, listing_id))
    assert (adopted.state, adopted.price_fen) == (TrialState.ADOPTED, 600_000_00)


def test_a_trial_that_fails_costs_nothing(hall: Hall) -> None:
    listing_id, buyer = tried(hall)
    hall.do(service.begin_trial, hall.officer, listing_id=listing_id)
    price = hall.do(
        service.end_trial,
        buyer,
        listing_id=listing_id,
        adopted=False,
        units=0,
        revenue_fen=Fen(0),
        result="合格率没有达到约定",
    )
    assert price is None
    dropped = hall.read(lambda s: notice_queries.trial_of(s, listing_id))
    assert (dropped.state, dropped.price_fen) == (TrialState.DROPPED, None)


def test_a_trial_without_terms_is_refused(hall: Hall) -> None:
    with pytest.raises(RuleBroken, match="试用期"):
        hall.do(
            service.apply,
            hall.officer,
            achievement_id=hall.achievement(modes=(TradingMode.TRIAL,)),
            content=offer(trading_mode=TradingMode.TRIAL),
        )


def test_a_revision_is_told(hall: Hall, now: datetime) -> None:
    listing_id = hall.announced()
    hall.do(
        service.revise,
        hall.operator,
        listing_id=listing_id,
        content=offer(title="等温淬火球铁曲轴工艺"),
        reason="标的名称笔误更正",
    )
    with hall.database.reading() as session:
        names = [event.name for event in session.query(OutboxEvent)]
    assert "listings.AnnouncementRevised" in names
    assert "listings.PriorityAsked" in names
