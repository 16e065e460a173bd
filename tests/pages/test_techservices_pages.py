"""The service hall, an order's pages on both sides, meetings from announcement to door."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements.rules import IPKind, IPRight, LegalStatus
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from tests.assessing import RIGHT, Bench
from tests.conftest import Browser, MovableClock
from tests.world import World


@pytest.fixture
def world(sqlite_database: Database, now: datetime) -> World:
    return World(sqlite_database, now)


@pytest.fixture
def customer(world: World) -> Actor:
    return world.actor(Role.ENTERPRISE)


@pytest.fixture
def firm(world: World) -> Actor:
    organisation = world.organisation(
        OrganisationKind.SERVICE_INSTITUTION,
        subkinds=(OrganisationSubkind.IP_FIRM,),
        name="泉城知识产权代理有限公司",
    )
    return world.actor(Role.PROVIDER, organisation)


def test_the_hall_names_six_services_and_leads_on(client: Browser, firm: Actor) -> None:
    page = client.get("/services")
    for name in ("评估鉴定", "挂牌交易", "知识产权", "科技金融", "园区落地", "技术经纪"):
        assert name in page.text
    assert "济科发〔2019〕78号" in page.text
    assert "泉城知识产权代理有限公司" in client.get("/services?kind=ip").text
    assert "登录后委托" in client.get("/services/ip").text
    assert client.get("/services/nothing").status_code == 404


def test_an_order_is_placed_answered_and_confirmed(
    client: Browser, customer: Actor, firm: Actor
) -> None:
    client.sign_in_as(customer)
    assert client.get("/services/ip/order").status_code == 200
    typed = {
        "kind": "ip_annual_fee",
        "provider": str(firm.organisation_id),
        "title": "三项专利的年费代缴",
        "right_kind": "invention",
        "right_title": "一种低温脱硝催化剂",
        "right_number": "ZL201910371234.0",
        "deadline_on": "2024-05-06",
    }
    wrong = client.send("/services/ip/order", **typed)
    assert wrong.status_code == 422
    assert "校验位应为" in wrong.text
    assert "三项专利的年费代缴" in wrong.text
    placed = client.send("/services/ip/order", **(typed | {"right_number": "ZL201910371234.X"}))
    assert placed.status_code == 303
    place = placed.headers["Location"]
    assert "撤回委托" in client.get(place).text

    client.sign_in_as(firm)
    assert "三项专利的年费代缴" in client.get("/orders").text
    assert "答复委托" in client.get("/workbench").text
    bad = client.send(f"{place}/accept", fee="一千", due_on="2024-04-01")
    assert bad.status_code == 422
    assert "一千" in bad.text
    assert client.send(f"{place}/accept", fee="2,700", due_on="2024-04-01").status_code == 303
    assert client.send(f"{place}/report", note="已核对缴费期限").status_code == 303
    assert client.send(f"{place}/deliver", result="三项均已缴费，收据见附件").status_code == 303

    client.sign_in_as(customer)
    assert "确认并记录实付" in client.get(place).text
    assert client.send(f"{place}/confirm", paid="2,700").status_code == 303
    assert "2,700.00 元" in client.get(place).text
    assert "三项专利的年费代缴" in client.get("/orders?show=past").text


def test_a_strangers_order_is_not_found(
    client: Browser, world: World, customer: Actor, firm: Actor
) -> None:
    client.sign_in_as(customer)
    client.send(
        "/services/ip/order",
        kind="ip_filing",
        provider=str(firm.organisation_id),
        title="一项发明专利申请",
        right_kind="invention",
        right_title="一种方法",
    )
    client.sign_in_as(world.actor(Role.ENTERPRISE))
    assert client.get("/orders/1").status_code == 404
    assert client.send("/orders/1/withdraw").status_code == 404


def test_a_meeting_is_announced_attended_and_checked_in(
    client: Browser, world: World, customer: Actor, clock: MovableClock
) -> None:
    operator = world.actor(Role.OPERATOR)
    client.sign_in_as(operator)
    typed = {
        "kind": "matchmaking",
        "title": "装备制造专场对接会",
        "held_on": "2024-03-28",
        "starts_at": "14:00",
        "ends_at": "13:00",
        "place": "历城区科创中心",
        "capacity": "50",
        "vouchers": "y",
        "body": "带着问题来，带着联系人走。",
    }
    wrong = client.send("/events/new", **typed)
    assert wrong.status_code == 422
    assert "结束时间应晚于开始时间" in wrong.text
    assert client.send("/events/new", **(typed | {"ends_at": "25:00"})).status_code == 422
    made = client.send("/events/new", **(typed | {"ends_at": "17:00"}))
    place = made.headers["Location"]

    client.sign_out()
    assert "装备制造专场对接会" in client.get("/events").text
    assert "登录后报名" in client.get(place).text
    client.sign_in_as(customer)
    assert client.send(f"{place}/sign-up", note="找铸造工艺").status_code == 303
    assert "001" in client.get(place).text

    clock.moment = datetime.fromisoformat("2024-03-28T13:30:00+08:00")
    client.sign_in_as(operator)
    assert "找铸造工艺" in client.get(place).text
    assert client.send(f"{place}/check-in/1").status_code == 303
    assert "活动券 50.00 元" in client.get(place).text
    clock.moment = datetime.fromisoformat("2024-03-28T17:00:00+08:00")
    assert "1 人到场" in client.get("/events?show=past").text


def test_annual_fees_wait_until_they_are_ordered(
    client: Browser, sqlite_database: Database, world: World, now: datetime, firm: Actor
) -> None:
    bench = Bench(sqlite_database, world, now)
    granted = IPRight(
        IPKind.INVENTION, RIGHT, "一种低温脱硝催化剂", LegalStatus.GRANTED, date(2019, 4, 2)
    )
    bench.achievement(ip_rights=(granted,))
    client.sign_in_as(bench.officer)
    assert "缴纳年费：1 项专利" in client.get("/workbench").text
    page = client.get("/services/ip/fees")
    assert "2024-04-02" in page.text
    link = re.search(r'href="(/services/ip/order[^"]+)"', page.text)
    assert link is not None
    form = client.get(link[1].replace("&amp;", "&")).text
    assert 'value="2024-04-02"' in form
    assert RIGHT in form
    placed = client.send(
        "/services/ip/order",
        kind="ip_annual_fee",
        provider=str(firm.organisation_id),
        title="年费代缴",
        right_kind="invention",
        right_title="一种低温脱硝催化剂",
        right_number=RIGHT,
        deadline_on="2024-04-02",
    )
    assert placed.status_code == 303
    assert "近期没有到期的年费" in client.get("/services/ip/fees").text
