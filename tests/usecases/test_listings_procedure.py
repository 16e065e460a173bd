"""The trading hall's procedure on both databases: from the application to the award."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from marketplace.achievements.models import Achievement
from marketplace.achievements.rules import AchievementState
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.foundation.trade import TradingMode
from marketplace.foundation.waiting import WaitingItem
from marketplace.integrity import service as integrity
from marketplace.integrity.rules import DishonestyGround
from marketplace.listings import queries, service
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.payments import service as payments
from marketplace.payments.gateways import bank_transfer
from marketplace.payments.models import Payment
from marketplace.payments.rules import PaymentState
from marketplace.publicity import service as publicity
from marketplace.publicity.models import Notice
from marketplace.publicity.rules import PublicityKind, PublicityState
from tests.trading import BASE, DEPOSIT, Hall, day, local, offer
from tests.world import World


@pytest.fixture
def hall(database: Database, world: World, now: datetime) -> Hall:
    return Hall(database, world, now)


def events(hall: Hall, name: str) -> list[dict[str, object]]:
    return list(
        hall.read(
            lambda session: session.scalars(
                select(OutboxEvent.body)
                .where(OutboxEvent.name == f"listings.{name}")
                .order_by(OutboxEvent.id)
            ).all()
        )
    )


def deposit_of(hall: Hall, intent_id: int) -> Payment:
    return hall.read(  # type: ignore[no-any-return]  # the lambda's result is a row
        lambda session: session.scalars(
            select(Payment).where(Payment.subject == f"intent:{intent_id}")
        ).one()
    )


def notice_of(hall: Hall, listing_id: int) -> Notice:
    return hall.read(  # type: ignore[no-any-return]  # the lambda's result is a row
        lambda session: session.scalars(
            select(Notice).where(Notice.subject == f"listing:{listing_id}")
        ).one()
    )


def achievement_state(hall: Hall, listing_id: int) -> AchievementState:
    return hall.read(  # type: ignore[no-any-return]  # the lambda's result is a word
        lambda session: session.get_one(Achievement, hall.listing(listing_id).achievement_id).state
    )


def test_an_application_is_accepted_announced_and_counted_in_working_days(hall: Hall) -> None:
    listing_id = hall.announced()
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.ANNOUNCED
    assert listing.number == "GP-2024-0001"
    # Ten working days after Friday 03-15, and three more for the qualification: Qingming 04-04.
    assert listing.announcement_ends_on == day("2024-03-29")
    assert listing.qualification_ends_on == day("2024-04-03")
    assert achievement_state(hall, listing_id) is AchievementState.LISTED
    (announced,) = events(hall, "ListingAnnounced")
    assert announced["base_price_fen"] == BASE
    actions = hall.read(lambda s: [e.action for e in audit.history(s, f"listing:{listing_id}")])
    assert actions == [
        "listings.apply",
        "listings.ask_holders",
        "listings.answer_priority",
        "listings.accept",
        "listings.check_rights",
        "listings.announce",
    ]


def test_a_base_price_above_ten_million_is_announced_twenty_working_days(hall: Hall) -> None:
    listing_id = hall.announced(
        offer(base_price_fen=Fen(1_000_000_100), deposit_fen=Fen(200_000_000))
    )
    assert hall.listing(listing_id).announcement_ends_on == day("2024-04-15")


def test_only_the_owner_of_a_published_achievement_applies(hall: Hall) -> None:
    achievement_id = hall.achievement()
    other = Hall(hall.database, hall.world, hall.now)
    with pytest.raises(NotFound):
        hall.do(service.apply, other.officer, achievement_id=achievement_id, content=offer())
    with pytest.raises(NotAllowed):
        hall.do(service.apply, hall.operator, achievement_id=achievement_id, content=offer())


def test_a_refused_application_leaves_nothing(hall: Hall) -> None:
    achievement_id = hall.achievement()
    with pytest.raises(RuleBroken) as caught:
        hall.do(
            service.apply,
            hall.officer,
            achievement_id=achievement_id,
            content=offer(deposit_fen=Fen(DEPOSIT * 3)),
        )
    assert caught.value.problems[0].field == "deposit_fen"
    with pytest.raises(RuleBroken) as caught:
        hall.do(
            service.apply,
            hall.officer,
            achievement_id=achievement_id,
            content=offer(trading_mode=TradingMode.EQUITY),
        )
    assert caught.value.problems[0].field == "trading_mode"
    assert events(hall, "ListingApplied") == []


def test_one_achievement_is_on_offer_once(hall: Hall) -> None:
    listing_id = hall.applied()
    achievement_id = hall.listing(listing_id).achievement_id
    with pytest.raises(Conflict):
        hall.do(service.apply, hall.officer, achievement_id=achievement_id, content=offer())
    # The public page of an achievement learns of the listing by its announcement, not before.
    assert hall.read(lambda s: queries.live_listing_of(s, achievement_id)) is None
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    hall.do(service.announce, hall.operator, listing_id=listing_id)
    shown = hall.read(lambda s: queries.live_listing_of(s, achievement_id))
    assert shown.id == listing_id


def test_a_returned_application_is_corrected_and_handed_in_again(hall: Hall) -> None:
    listing_id = hall.applied()
    hall.do(service.return_, hall.operator, listing_id=listing_id, reason="付款条件没有写明期限")
    assert hall.listing(listing_id).state is ListingState.RETURNED
    with pytest.raises(Conflict):
        hall.do(service.correct, hall.officer, listing_id=listing_id, content=offer(), version=1)
    hall.do(
        service.correct,
        hall.officer,
        listing_id=listing_id,
        content=offer(payment_terms="签约后 30 日内一次付清"),
        version=2,
    )
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.APPLIED
    assert listing.payment_terms == "签约后 30 日内一次付清"
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    with pytest.raises(RuleBroken):
        hall.do(service.correct, hall.officer, listing_id=listing_id, content=offer())


def test_without_an_intent_it_is_extended_three_times_and_then_fails(hall: Hall) -> None:
    listing_id = hall.announced()
    ends = []
    for _ in range(3):
        closes = hall.listing(listing_id).announcement_closes_at
        assert closes is not None
        hall.at(closes - timedelta(milliseconds=1))
        assert hall.listing(listing_id).announcement_closes_at == closes
        hall.at(closes)
        ends.append(hall.listing(listing_id).announcement_ends_on)
    # From Saturday 03-30: five working days, Qingming 04-04 to 04-06 off, Sunday 04-07 worked.
    assert ends[0] == day("2024-04-08")
    assert hall.listing(listing_id).extension_count == 3
    assert [event["count"] for event in events(hall, "ListingExtended")] == [1, 2, 3]
    closes = hall.listing(listing_id).announcement_closes_at
    assert closes is not None
    hall.at(closes)
    assert hall.listing(listing_id).state is ListingState.FAILED
    assert achievement_state(hall, listing_id) is AchievementState.PUBLISHED
    assert "3 次" in str(events(hall, "ListingFailed")[0]["reason"])


def test_an_intent_needs_eligibility_and_its_deposit(hall: Hall) -> None:
    listing_id = hall.announced()
    _, buyer = hall.enterprise("锐泉精密")
    intent_id = hall.intent(listing_id, buyer)
    (registered,) = events(hall, "IntentRegistered")
    assert registered["buyer_organisation_id"] == buyer.organisation_id
    assert registered["seller_organisation_id"] == hall.university.id
    hall.admit(intent_id)
    payment = deposit_of(hall, intent_id)
    assert payment.amount_fen == DEPOSIT
    assert payment.due_on == day("2024-04-03")
    assert hall.stored_intent(intent_id).state is IntentState.ADMITTED
    hall.pay_deposit(intent_id)
    intent = hall.stored_intent(intent_id)
    assert intent.state is IntentState.QUALIFIED
    assert intent.plate
    assert events(hall, "IntentQualified")[0]["plate"] == intent.plate


def test_who_may_not_register_an_intent(hall: Hall) -> None:
    listing_id = hall.announced()
    _, buyer = hall.enterprise()
    hall.intent(listing_id, buyer)
    with pytest.raises(Conflict):
        hall.intent(listing_id, buyer)
    with pytest.raises(RuleBroken) as caught:
        hall.intent(listing_id, hall.enterprise()[1], offer_fen=Fen(BASE - 1), promised=False)
    assert {p.field for p in caught.value.problems} == {"offer_fen", "promised"}
    bad, member = hall.enterprise("失信公司")
    hall.do(
        integrity.record,
        hall.operator,
        organisation_id=bad.id,
        ground=DishonestyGround.SHAM_CONTRACT,
        reason="提交虚假技术合同骗取补助",
        document="济科监〔2024〕3号",
        starts_on=day("2024-03-15"),
        ends_on=day("2026-03-14"),
    )
    with pytest.raises(RuleBroken) as caught:
        hall.intent(listing_id, member)
    assert caught.value.code == "listings.dishonest_buyer"
    with pytest.raises(NotAllowed):
        hall.intent(listing_id, hall.officer)
    hall.at(local(2024, 3, 30))
    with pytest.raises(RuleBroken) as caught:
        hall.intent(listing_id, hall.enterprise()[1])
    assert caught.value.code == "listings.closed"


def test_one_qualified_intent_is_a_deal_at_its_offer(hall: Hall) -> None:
    listing_id = hall.announced(offer(PricingMode.LISTED))
    _, buyer = hall.enterprise()
    hall.qualified(listing_id, buyer, offer_fen=Fen(BASE + 100))
    hall.at(local(2024, 3, 30))
    assert hall.listing(listing_id).state is ListingState.QUALIFYING
    hall.at(local(2024, 4, 4))
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.RESULT_PUBLICITY
    assert listing.price_fen == BASE + 100
    notice = notice_of(hall, listing_id)
    assert notice.kind is PublicityKind.TRADING_RESULT
    # Five working days after Thursday 04-04: 04-07 (worked Sunday), 08, 09, 10, 11.
    assert notice.ends_on == day("2024-04-11")
    hall.at(local(2024, 4, 12))
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.AWARDED
    assert listing.sign_by == day("2024-04-19")
    (awarded,) = events(hall, "ListingAwarded")
    assert awarded["price_fen"] == BASE + 100
    assert awarded["trading_mode"] == "transfer"
    hall.do(service.mark_signed, hall.operator, listing_id=listing_id, contract_no="JN-2024-0001")
    hall.do(service.mark_signed, hall.operator, listing_id=listing_id, contract_no="JN-2024-0001")
    assert hall.listing(listing_id).state is ListingState.SIGNED
    assert len(events(hall, "ListingSigned")) == 1


def test_an_unpaid_deposit_lapses_and_the_listing_is_extended(hall: Hall) -> None:
    listing_id = hall.announced()
    _, buyer = hall.enterprise()
    intent_id = hall.intent(listing_id, buyer)
    hall.admit(intent_id)
    hall.at(local(2024, 3, 30))
    hall.at(local(2024, 4, 4))
    assert hall.stored_intent(intent_id).state is IntentState.REJECTED
    assert deposit_of(hall, intent_id).state is PaymentState.CANCELLED
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.ANNOUNCED
    assert listing.extension_count == 1


def test_an_intent_the_operator_left_undecided_is_not_thrown_out(hall: Hall) -> None:
    listing_id = hall.announced()
    intent_id = hall.intent(listing_id, hall.enterprise()[1])
    hall.at(local(2024, 3, 30))
    hall.at(local(2024, 4, 20))
    assert hall.listing(listing_id).state is ListingState.QUALIFYING
    assert hall.stored_intent(intent_id).state is IntentState.REGISTERED


def test_a_negotiated_price_stands_fifteen_days_before_the_public(hall: Hall) -> None:
    listing_id = hall.announced(offer(PricingMode.NEGOTIATED, deposit_fen=Fen(0)))
    _, buyer = hall.enterprise("云帆医疗")
    intent_id = hall.qualified(
        listing_id, buyer, related_party=True, relation="受让方股东为第一发明人"
    )
    with pytest.raises(RuleBroken):
        hall.do(service.agree_price, hall.officer, intent_id=intent_id, price_fen=Fen(BASE - 1))
    hall.do(service.agree_price, hall.officer, intent_id=intent_id, price_fen=Fen(BASE + 1))
    notice = notice_of(hall, listing_id)
    assert notice.kind is PublicityKind.NEGOTIATED_PRICE
    assert notice.ends_on == day("2024-03-30")
    assert any(label == "关联关系" for label, _ in notice.facts)
    hall.at(local(2024, 3, 30, 23, 59))
    assert hall.listing(listing_id).state is ListingState.PRICE_PUBLICITY
    hall.at(local(2024, 3, 31))
    assert hall.listing(listing_id).state is ListingState.AWARDED


def test_an_objection_suspends_and_an_upheld_one_ends_the_deal(hall: Hall) -> None:
    listing_id = hall.announced(offer(PricingMode.NEGOTIATED))
    intent_id = hall.qualified(listing_id, hall.enterprise()[1])
    hall.do(service.agree_price, hall.officer, intent_id=intent_id, price_fen=BASE)
    notice = notice_of(hall, listing_id)
    objection_id = hall.do(
        publicity.raise_objection,
        hall.enterprise()[1],
        publicity_id=notice.id,
        text="同类成果去年成交价高出一倍，价格明显偏低",
    )
    hall.at(local(2024, 4, 10))
    assert hall.listing(listing_id).state is ListingState.PRICE_PUBLICITY
    assert notice_of(hall, listing_id).state is PublicityState.SUSPENDED
    shown = hall.read(lambda s: queries.get_public(s, listing_id))
    assert (shown.status, shown.due_on) == (PublicityState.SUSPENDED, None)
    hall.do(
        publicity.decide_objection,
        hall.operator,
        objection_id=objection_id,
        upheld=True,
        answer="经核查，转让方未按规定评估，异议成立。",
    )
    hall.settle()
    listing = hall.listing(listing_id)
    assert listing.state is ListingState.FAILED
    assert hall.stored_intent(intent_id).state is IntentState.LOST
    assert deposit_of(hall, intent_id).state is PaymentState.REFUND_DUE
    assert achievement_state(hall, listing_id) is AchievementState.PUBLISHED


def test_an_objection_that_was_not_upheld_lets_the_deal_go_on(hall: Hall) -> None:
    listing_id = hall.announced(offer(PricingMode.NEGOTIATED))
    intent_id = hall.qualified(listing_id, hall.enterprise()[1])
    hall.do(service.agree_price, hall.officer, intent_id=intent_id, price_fen=BASE)
    objection_id = hall.do(
        publicity.raise_objection,
        hall.enterprise()[1],
        publicity_id=notice_of(hall, listing_id).id,
        text="同类成果去年成交价高出一倍，价格明显偏低",
    )
    hall.at(local(2024, 4, 10))
    hall.do(
        publicity.decide_objection,
        hall.operator,
        objection_id=objection_id,
        upheld=False,
        answer="经核查，两项成果的成熟度不同，价格依据评估报告，异议不成立。",
    )
    hall.settle()
    assert hall.listing(listing_id).state is ListingState.AWARDED


def test_a_withdrawn_listing_gives_the_deposits_back(hall: Hall) -> None:
    listing_id = hall.announced()
    paid = hall.qualified(listing_id, hall.enterprise()[1])
    admitted = hall.intent(listing_id, hall.enterprise()[1])
    hall.admit(admitted)
    with pytest.raises(RuleBroken):
        hall.do(service.withdraw, hall.officer, listing_id=listing_id, reason="不卖")
    hall.do(
        service.withdraw, hall.officer, listing_id=listing_id, reason="专利权属发生变化，需先确权"
    )
    assert hall.listing(listing_id).state is ListingState.WITHDRAWN
    refund = deposit_of(hall, paid)
    assert refund.state is PaymentState.REFUND_DUE
    assert refund.refund_due_on == day("2024-03-20")
    assert deposit_of(hall, admitted).state is PaymentState.CANCELLED
    assert achievement_state(hall, listing_id) is AchievementState.PUBLISHED
    other = Hall(hall.database, hall.world, hall.now).officer
    second = hall.applied()
    with pytest.raises(NotFound):
        hall.do(service.withdraw, other, listing_id=second, reason="别家的项目不能撤")


def test_a_deposit_that_arrives_after_the_intent_ended_goes_back(hall: Hall) -> None:
    listing_id = hall.announced()
    _, buyer = hall.enterprise()
    intent_id = hall.intent(listing_id, buyer)
    hall.admit(intent_id)
    hall.do(
        payments.report_transfer,
        buyer,
        payment_id=deposit_of(hall, intent_id).id,
        reference="20240315-7781",
        transferred_on=day("2024-03-15"),
        gateway=bank_transfer().default,
    )
    hall.do(service.withdraw_intent, buyer, intent_id=intent_id)
    assert deposit_of(hall, intent_id).state is PaymentState.REPORTED
    hall.pay_deposit(intent_id)
    assert hall.stored_intent(intent_id).state is IntentState.WITHDRAWN
    assert deposit_of(hall, intent_id).state is PaymentState.REFUND_DUE


def test_each_side_is_told_what_waits_for_it(hall: Hall) -> None:
    def waits(actor: Actor) -> list[str]:
        items: list[WaitingItem] = hall.read(lambda s: queries.waiting(s, actor, now=hall.now))
        return [item.what.split("：")[0] for item in items]

    listing_id = hall.applied(offer(PricingMode.NEGOTIATED, deposit_fen=Fen(0)))
    assert waits(hall.operator) == ["受理挂牌申请"]
    hall.do(service.accept, hall.operator, listing_id=listing_id)
    assert waits(hall.operator) == ["发布挂牌公告"]
    hall.do(service.announce, hall.operator, listing_id=listing_id)
    assert waits(hall.operator) == []
    _, buyer = hall.enterprise()
    intent_id = hall.intent(listing_id, buyer)
    assert waits(hall.operator) == ["确认受让资格"]
    assert waits(hall.officer) == []
    hall.admit(intent_id)
    assert waits(hall.officer) == ["协商价格"]
    hall.do(service.agree_price, hall.officer, intent_id=intent_id, price_fen=BASE)
    assert waits(hall.officer) == []
    hall.at(local(2024, 3, 31))
    assert waits(hall.officer) == ["签订合同"]
    assert waits(buyer) == ["签订合同"]
    assert waits(hall.enterprise()[1]) == []
