"""The trading hall through its pages: seller, operator, buyers, onlookers."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.foundation.money import Fen
from marketplace.listings import service
from marketplace.listings.bidding_models import Bid
from marketplace.listings.models import Intent, Listing
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from tests.statements import statements
from tests.trading import Hall, local, offer

OPENS = local(2024, 4, 2, 9, 0)


@pytest.fixture
def hall(sqlite_database: Any, page_world: Any, now: Any) -> Hall:
    return Hall(sqlite_database, page_world, now)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.get_data(as_text=True))


PLAN = "在章丘建年产三万件的生产线"
APPLICATION = {
    "title": "等温淬火球铁曲轴工艺包独占许可",
    "pricing_mode": "bidding",
    "trading_mode": "licence_exclusive",
    "base_price_fen": "1,200,000",
    "increment_fen": "20000",
    "deposit_fen": "180000.00",
    "payment_mode": "lump_sum",
    "payment_terms": "合同生效后 30 日内一次付清",
    "conditions": "",
}


def test_from_application_to_award_through_the_pages(
    client: Any, hall: Hall, clock: Any, settle: Any
) -> None:
    achievement_id = hall.achievement()
    client.sign_in_as(hall.officer)
    assert "曲轴" in text(client.get("/my/listings/apply"))
    page = f"/my/listings/apply/{achievement_id}"
    assert "成果登记的内容" in text(client.get(page))
    client.click_twice(page, **APPLICATION)
    listing_id = hall.read(lambda s: s.scalars(select(Listing.id)).one())
    assert client.get(f"/listings/{listing_id}").status_code == 404

    client.sign_in_as(hall.operator)
    assert "待受理" in text(client.get("/listings/desk"))
    client.click_twice(f"/listings/{listing_id}/accept")
    short = client.send(f"/listings/{listing_id}/announce", workdays="4")
    assert short.status_code == 422
    assert "不得少于 5 个工作日" in text(short)
    client.click_twice(f"/listings/{listing_id}/announce", workdays="")
    settle()

    client.sign_out()
    public = text(client.get(f"/listings/{listing_id}"))
    assert "GP-2024-0001" in public
    assert "2024-03-29" in public
    assert "还剩 10 个工作日" in public
    assert "GP-2024-0001" in text(client.get("/listings?pricing=bidding&mode=licence_exclusive"))
    assert "没有符合条件" in text(client.get("/listings?pricing=negotiated"))

    buyers = [hall.enterprise()[1] for _ in range(2)]
    for buyer in buyers:
        client.sign_in_as(buyer)
        form = f"/listings/{listing_id}/intent"
        low = client.send(form, offer_fen="1199999.99", plan=PLAN, promised="y")
        assert low.status_code == 422
        assert "1,200,000.00" in text(low)
        assert PLAN in text(low)
        client.click_twice(form, offer_fen="1200000", plan=PLAN, promised="y")
        assert "待资格确认" in text(client.get(f"/listings/{listing_id}"))
        assert "待资格确认" in text(client.get("/my/intents"))
    intents = hall.read(lambda s: s.scalars(select(Intent.id).order_by(Intent.id)).all())
    client.sign_in_as(hall.operator)
    for intent_id in intents:
        admit = f"/listings/intents/{intent_id}/admit"
        assert "没有发现关联线索" in text(client.get(admit))
        assert "还没有确认" in text(client.send(admit, ticked=["conditions", "funds"]))
        client.click_twice(admit, ticked=["conditions", "capacity", "funds"])
    for payment_id, buyer in enumerate(buyers, 1):
        client.sign_in_as(buyer)
        pay = text(client.get(f"/payments/{payment_id}"))
        assert "180,000.00" in pay
        assert "PM-2024" in pay
        client.click_twice(
            f"/payments/{payment_id}/report",
            reference=f"HD-{payment_id}99",
            transferred_on="2024-03-15",
        )
        client.sign_in_as(hall.second_operator)
        line = {"reference": f"YH-{payment_id}001", "booked_on": "2024-03-15", "remark": ""}
        short = {**line, "amount_fen": "179999.99", "account_name": buyer.organisation_name}
        client.send("/payments/statement/lines", **{**short, "reference": f"YH-{payment_id}000"})
        full = {**line, "amount_fen": "180000", "account_name": buyer.organisation_name}
        client.send("/payments/statement/lines", **full)
        confirm = f"/payments/{payment_id}/confirm"
        own = client.send(confirm, reference=f"YH-{payment_id}001")
        assert "须两人办理" in text(own)
        client.sign_in_as(hall.operator)
        wrong = client.send(confirm, reference=f"YH-{payment_id}000")
        assert wrong.status_code == 422
        assert "少 0.01 元" in text(wrong)
        client.click_twice(confirm, reference=f"YH-{payment_id}001")
    settle()
    clock.moment = local(2024, 3, 30)
    settle()
    manage = text(client.get(f"/listings/{listing_id}/manage"))
    assert manage.count("已获资格") == 2
    client.click_twice(f"/listings/{listing_id}/close-qualification")
    settle()

    room = f"/listings/{listing_id}/room"
    clock.moment = OPENS
    settle()
    client.sign_in_as(buyers[0])
    assert 'value="1,200,000"' in text(client.get(room))
    confirm = text(client.get(f"{room}/confirm?amount=1200000"))
    assert "壹佰贰拾万元整" in confirm
    client.click_twice(
        f"{room}/bids", submission_key="b1", amount_fen="1,200,000.00", confirmed="y"
    )
    assert "当前最高报价是您的" in text(client.get(room))
    client.sign_in_as(buyers[1])
    late = clock.moment = OPENS + timedelta(minutes=31)
    low = client.send(f"{room}/bids", submission_key="b2", amount_fen="1219999.99", confirmed="y")
    assert low.status_code == 422
    assert "不能低于 1,220,000.00 元" in text(low)
    client.click_twice(f"{room}/bids", submission_key="b3", amount_fen="1220000", confirmed="y")
    client.sign_in_as(buyers[0])
    overtaken = text(client.get(room))
    assert "排第 2" in overtaken
    assert buyers[1].organisation_name not in overtaken
    client.sign_out()
    assert "限时报价，第 2 轮" in text(client.get(f"{room}/live"))
    onlooker = text(client.get(f"{room}/live?part=record"))
    assert "1,220,000" in onlooker
    assert "第 1 轮" in onlooker
    clock.moment = late + timedelta(minutes=5)
    settle()
    assert "结束于" in text(client.get(room))
    assert hall.listing(listing_id).state is ListingState.RESULT_PUBLICITY

    notice = hall.listing(listing_id).publicity_id
    public = text(client.get(f"/notices/{notice}"))
    assert buyers[1].organisation_name in public
    assert "1,220,000.00 元" in public
    clock.moment = local(2024, 4, 11)
    settle()
    assert hall.listing(listing_id).state is ListingState.AWARDED
    assert "待签约" in text(client.get(f"/listings/{listing_id}"))


def test_a_double_click_bids_once(client: Any, hall: Hall, clock: Any) -> None:
    listing_id, (one, _two) = hall.bidding()
    clock.moment = OPENS
    hall.at(OPENS)
    client.sign_in_as(one)
    for _ in range(2):
        answer = client.send(
            f"/listings/{listing_id}/room/bids",
            submission_key="twice",
            amount_fen="1200000",
            confirmed="y",
        )
        assert answer.status_code == 303
    assert hall.read(lambda s: s.scalar(select(func.count()).select_from(Bid))) == 1
    unconfirmed = client.send(
        f"/listings/{listing_id}/room/bids", submission_key="no", amount_fen="1220000"
    )
    assert unconfirmed.status_code == 422
    keyless = client.send(f"/listings/{listing_id}/room/bids", amount_fen="1220000", confirmed="y")
    assert keyless.status_code == 422
    bids = f"/listings/{listing_id}/room/bids"
    for amount in ("一百二十万", "1200000.001", "-5", "1" + "0" * 18):
        wrong = client.send(bids, submission_key="x", amount_fen=amount, confirmed="y")
        assert wrong.status_code == 422
    assert hall.read(lambda s: s.scalar(select(func.count()).select_from(Bid))) == 1


def test_a_bad_application_names_every_field_and_keeps_what_was_typed(
    client: Any, hall: Hall
) -> None:
    achievement_id = hall.achievement()
    client.sign_in_as(hall.officer)
    wrong = {**APPLICATION, "deposit_fen": "1000", "increment_fen": "", "title": "<b>曲轴</b>"}
    answer = client.send(f"/my/listings/apply/{achievement_id}", **wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "120,000.00 至 360,000.00 元" in page
    assert "请填写每档加价" in page
    assert "&lt;b&gt;曲轴" in page
    assert "<b>曲轴" not in page
    assert 'value="1000"' in page
    assert hall.read(lambda s: s.scalar(select(func.count()).select_from(Listing))) == 0


def test_a_stale_correction_is_refused(client: Any, hall: Hall) -> None:
    listing_id = hall.applied()
    client.sign_in_as(hall.officer)
    edit = f"/my/listings/{listing_id}/edit"
    assert 'name="version"' in text(client.get(edit))
    first = client.send(edit, version="1", **{**APPLICATION, "trading_mode": "transfer"})
    assert first.status_code == 303
    stale = client.send(edit, version="1", **{**APPLICATION, "title": "另一个人的标题在这里"})
    assert stale.status_code == 422
    assert "刚被别人改过" in text(stale)
    assert "另一个人的标题在这里" in text(stale)


def test_other_organisations_see_nothing_of_the_desk(client: Any, hall: Hall) -> None:
    listing_id = hall.announced()
    intent_id = hall.intent(listing_id, hall.enterprise()[1])
    outsider = Hall(hall.database, hall.world, hall.now)
    client.sign_in_as(outsider.officer)
    assert client.get(f"/listings/{listing_id}/manage").status_code == 404
    assert client.get(f"/my/listings/{listing_id}/edit").status_code == 404
    assert client.send(f"/listings/{listing_id}/withdraw", reason="不是我的").status_code == 404
    client.sign_in_as(hall.enterprise()[1])
    assert client.get(f"/listings/{listing_id}/manage").status_code == 403
    assert client.send(f"/listings/intents/{intent_id}/withdraw").status_code == 404
    assert client.send(f"/listings/intents/{intent_id}/admit").status_code == 403


def test_the_seller_agrees_a_price_and_it_is_published(client: Any, hall: Hall) -> None:
    listing_id = hall.announced(offer(PricingMode.NEGOTIATED, deposit_fen=Fen(0)))
    _, member = hall.enterprise("云帆医疗")
    intent_id = hall.qualified(
        listing_id, member, related_party=True, relation="受让方股东为第一发明人"
    )
    client.sign_in_as(hall.officer)
    assert "协议定价" in text(client.get(f"/listings/{listing_id}/manage"))
    page = f"/listings/intents/{intent_id}/agree"
    assert "云帆医疗" in text(client.get(page))
    assert client.send(page, price_fen="1").status_code == 422
    client.click_twice(page, price_fen="1250000")
    notice_id = hall.listing(listing_id).publicity_id
    client.sign_out()
    notice = text(client.get(f"/notices/{notice_id}"))
    for words in ("云帆医疗", "1,250,000.00 元", "受让方股东为第一发明人", "还剩 15 天"):
        assert words in notice
    assert "协议定价公示" in text(client.get("/notices?kind=negotiated_price&state=running"))


def test_reasons_are_asked_for_and_shown(client: Any, hall: Hall) -> None:
    listing_id = hall.applied()
    client.sign_in_as(hall.operator)
    assert client.send(f"/listings/{listing_id}/return", reason="补").status_code == 422
    assert client.send(f"/listings/{listing_id}/return", reason="请补充付款期限").status_code == 303
    client.sign_in_as(hall.officer)
    assert "请补充付款期限" in text(client.get(f"/listings/{listing_id}/manage"))
    assert "请补充付款期限" in text(client.get(f"/my/listings/{listing_id}/edit"))
    assert "补正挂牌申请" in text(client.get("/workbench"))


def test_a_rejected_buyer_reads_the_reason(client: Any, hall: Hall) -> None:
    listing_id = hall.announced()
    _, buyer = hall.enterprise()
    intent_id = hall.intent(listing_id, buyer)
    client.sign_in_as(hall.operator)
    client.send(f"/listings/intents/{intent_id}/reject", reason="没有实施所需的盐浴炉")
    assert hall.stored_intent(intent_id).state is IntentState.REJECTED
    client.sign_in_as(buyer)
    assert "没有实施所需的盐浴炉" in text(client.get(f"/listings/{listing_id}"))


def test_the_hall_asks_the_database_a_steady_number_of_times(
    client: Any, hall: Hall, sqlite_database: Any
) -> None:
    def queries_of(path: str) -> int:
        with statements(sqlite_database) as asked:
            assert client.get(path).status_code == 200
        return len(asked)

    hall.announced()
    one = queries_of("/listings")
    for _ in range(4):
        hall.announced()
    assert queries_of("/listings") == one


def test_a_withdrawn_listing_is_not_public(client: Any, hall: Hall) -> None:
    listing_id = hall.announced()
    hall.do(service.withdraw, hall.officer, listing_id=listing_id, reason="权属需要重新确认")
    assert client.get(f"/listings/{listing_id}").status_code == 404


def test_the_room_names_stream_and_news_and_works_without_script(
    client: Any, hall: Hall, clock: Any
) -> None:
    listing_id, (one, _two) = hall.bidding()
    clock.moment = OPENS
    hall.at(OPENS)
    client.sign_in_as(one)
    room = f"/listings/{listing_id}/room"
    live = text(client.get(room))
    assert f'data-news="{room}/news"' in live
    news = client.get(f"{room}/news?after=1-1").json
    assert (news["phase"], news["attempt"], news["bids"]) == ("free", 1, [])
    steps = text(client.get(f"{room}?amount=1240000"))
    assert 'value="1,240,000"' in steps
    assert "壹佰贰拾肆万元整" in steps
    assert client.get(f"{room}/confirm?amount=words").status_code == 303
