"""Pages of deals, brokers and agencies: what they show, to whom, and what they keep."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.brokerage import service
from marketplace.brokerage.models import Broker, Commission, Deal, Filing, Introduction, Note, Task
from marketplace.brokerage.register_rules import BrokerLevel, Certificate
from marketplace.brokerage.rules import DealStage
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from tests.conftest import Browser
from tests.dealing import Market
from tests.world import World


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(sqlite_database, page_world, now, tmp_path / "files")


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def count(market: Market, model: type) -> int:
    with market.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def stage(market: Market, deal_id: int) -> DealStage:
    with market.database.reading() as session:
        return session.get_one(Deal, deal_id).stage


def test_a_broker_works_a_deal_through_the_pages(client: Browser, market: Market) -> None:
    achievement_id = market.achievement()
    client.sign_in_as(market.broker)
    opened = client.send(
        "/deals/new", achievement_id=str(achievement_id), buyer_uscc=market.firm.uscc
    )
    assert opened.status_code == 303
    home = opened.headers["Location"]
    page = text(client.get(home))
    assert "低温脱硝催化剂 × 锐泉精密" in page
    assert "进入：已接触" in page

    refused = client.send(f"{home}/step", step="contacted")
    assert refused.status_code == 303
    assert "还没有联系记录" in text(client.get(home))

    client.send(f"{home}/notes", kind="call", visibility="shared", body="企业想看检测报告")
    client.send(f"{home}/step", step="contacted")
    day = (market.today + timedelta(days=2)).isoformat()
    client.send(f"{home}/tasks", what="寄检测报告", due_on=day)
    page = text(client.get(home))
    assert "企业想看检测报告" in page
    assert "寄检测报告" in page
    assert "寄检测报告" in text(client.get("/deals/today"))

    client.sign_in_as(market.buyer)
    page = text(client.get(home))
    assert "企业想看检测报告" in page
    assert "交易条件" not in page
    assert client.send(f"{home}/step", step="confidentiality").status_code == 403


def test_a_deal_is_opened_by_the_numbers_that_pages_show(client: Browser, market: Market) -> None:
    achievement_id = market.achievement()
    with market.database.reading() as session:
        number = achievements.rows_of(session, [achievement_id])[achievement_id].number
    assert number
    client.sign_in_as(market.broker)
    opened = client.send("/deals/new", achievement_id=number.lower(), buyer_uscc=market.firm.uscc)
    assert opened.status_code == 303
    assert f"/achievements/{achievement_id}" in text(client.get(opened.headers["Location"]))


def test_wrong_input_is_said_beside_its_field_and_kept(client: Browser, market: Market) -> None:
    achievement_id = market.achievement()
    client.sign_in_as(market.broker)
    for changed, message in (
        ({"buyer_uscc": market.firm.uscc[:-1] + "0"}, "校验位不对"),
        ({"buyer_uscc": ""}, "请填写需求编号"),
        ({"buyer_uscc": market.university.uscc}, "同一个机构"),
        ({"buyer_uscc": "91370100MA3C00000X"}, "统一社会信用代码"),
        ({"achievement_id": "99999"}, "没有找到这个编号"),
        ({"achievement_id": "9" * 30}, "没有找到这个编号"),
        ({"achievement_id": "CG-1999-9999"}, "没有找到这个编号"),
        ({"achievement_id": ""}, "请填写成果编号"),
        ({"need_id": "XQ-1999-9999"}, "没有找到这个编号"),
    ):
        form = {
            "achievement_id": str(achievement_id),
            "buyer_uscc": market.firm.uscc,
            "title": "=1+1<b>",
        }
        answer = client.send("/deals/new", **(form | changed))
        assert answer.status_code == 422, changed
        assert message in text(answer)
        assert "=1+1&lt;b&gt;" in text(answer)
    assert count(market, Deal) == 0

    deal_id = market.deal(achievement_id)
    for path, form, message in (
        ("notes", {"kind": "call", "visibility": "shared", "body": ""}, "请填写"),
        ("notes", {"kind": "dance", "visibility": "shared", "body": "好"}, "请从列表中选择"),
        ("tasks", {"what": "回电话", "due_on": "2024-02-30"}, "日期不存在"),
        ("tasks", {"what": "回电话", "due_on": "2024-03-14"}, "日期已经过去"),
        ("terms", {"title": "x", "amount_fen": "一百万"}, "以元为单位的数字"),
        ("terms", {"title": "x", "amount_fen": "-5"}, "不能是负数"),
        ("terms", {"title": "x", "amount_fen": "1.234"}, "最多两位小数"),
        ("terms", {"title": "x", "amount_fen": "1000000000000000"}, "超过 1000 亿元"),
        ("terms", {"title": "x", "signed_on": "2024-03-16"}, "在今天之后"),
        ("lost", {"reason_code": "price", "reason": "太贵"}, "至少 10 个字"),
        ("commission", {"payer": "buyer", "basis": "rate", "rate_percent": "3.255"}, "两位小数"),
        ("commission", {"payer": "buyer", "basis": "rate", "rate_percent": "120"}, "0 到 100"),
        ("waiver", {"waiver_reason": "无"}, "至少 5 个字"),
    ):
        answer = client.send(f"/deals/{deal_id}/{path}", **form)
        assert answer.status_code == 422, (path, form)
        assert message in text(answer), (path, form)
    assert [count(market, model) for model in (Note, Task, Commission)] == [0, 0, 0]
    assert stage(market, deal_id) is DealStage.LEAD


def test_a_double_click_makes_one_of_everything(client: Browser, market: Market) -> None:
    achievement_id = market.achievement()
    client.sign_in_as(market.broker)
    client.click_twice(
        "/deals/new", achievement_id=str(achievement_id), buyer_uscc=market.firm.uscc
    )
    (deal_id,) = _ids(market, Deal)
    for path, form in (
        ("notes", {"kind": "call", "visibility": "shared", "body": "问了粒度"}),
        ("tasks", {"what": "回电话", "due_on": market.today.isoformat()}),
        ("introduction", {}),
        ("commission", {"payer": "buyer", "basis": "rate", "rate_percent": "3"}),
    ):
        client.click_twice(f"/deals/{deal_id}/{path}", **form)
    made = (Note, Task, Introduction, Commission)
    assert [count(market, model) for model in made] == [1, 1, 1, 1]


def _ids(market: Market, model: type) -> list[int]:
    with market.database.reading() as session:
        return list(session.scalars(select(model.id)))


def test_the_board_offers_only_the_next_stage_and_comes_back(
    client: Browser, market: Market
) -> None:
    deal_id = market.deal()
    market.contact(deal_id)
    client.sign_in_as(market.broker)
    page = text(client.get("/deals/board?overdue="))
    form = page[page.index(f"/deals/{deal_id}/step") :].split("</form>")[0]
    offered = re.findall(r'<option value="(\w+)"', form)
    assert offered == ["contacted", "lost"]
    moved = client.send(f"/deals/{deal_id}/step", step="contacted", next="/deals/board?stale=1")
    assert moved.headers["Location"] == "/deals/board?stale=1"
    outside = client.send(f"/deals/{deal_id}/step", step="", next="https://evil.example/")
    assert outside.headers["Location"] == f"/deals/{deal_id}"
    lost = client.send(f"/deals/{deal_id}/step", step="lost")
    assert lost.headers["Location"] == f"/deals/{deal_id}/lost"
    assert stage(market, deal_id) is DealStage.CONTACTED


def test_strangers_find_no_deal(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    introduction = market.do(service.introduce, market.broker, deal_id=deal_id)
    agreement = market.do(service.offer_agreement, market.officer, deal_id=deal_id)
    world = market.world
    strangers = (world.actor(Role.OFFICER), world.actor(Role.ENTERPRISE))
    for stranger in strangers:
        client.sign_in_as(stranger)
        for path in (f"/deals/{deal_id}", f"/deals/agreements/{agreement}"):
            assert client.get(path).status_code == 404
        for path in (
            f"/deals/{deal_id}/notes",
            f"/deals/introductions/{introduction}/acknowledge",
            f"/deals/{deal_id}/lost",
        ):
            answer = client.send(
                path, kind="call", visibility="shared", body="看看", reason_code="price",
                reason="与我无关的项目不该让我结束",
            )  # fmt: skip
            assert answer.status_code == 404
    client.sign_in_as(world.actor(Role.BROKER, market.agency))
    assert client.get(f"/deals/{deal_id}").status_code == 404
    assert client.get(f"/deals/{deal_id}/terms").status_code == 404


def test_the_agreement_is_read_accepted_and_revoked(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    client.sign_in_as(market.officer)
    client.send(f"/deals/{deal_id}/agreement")
    page = text(client.get(f"/deals/{deal_id}"))
    path = re.search(r'href="(/deals/agreements/\d+)"', page)
    assert path is not None
    client.sign_in_as(market.buyer)
    page = text(client.get(path[1]))
    assert "反向工程" in page
    assert "代表本单位接受协议" in page
    client.send(f"{path[1]}/accept")
    assert "看保密内容" in text(client.get(path[1]))
    assert client.send(f"{path[1]}/revoke", reason="我不想要了").status_code == 403
    client.sign_in_as(market.officer)
    assert client.send(f"{path[1]}/revoke", reason="否").status_code == 422
    client.send(f"{path[1]}/revoke", reason="对方已转做别的项目")
    assert "对方已转做别的项目" in text(client.get(path[1]))


def test_a_university_reads_why_deals_were_lost(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    client.sign_in_as(market.buyer)
    words = "只有小试数据，没有连续运行记录，不敢上"
    client.send(f"/deals/{deal_id}/lost", reason_code="too_early", reason=words)
    client.sign_in_as(market.officer)
    page = text(client.get("/deals/lessons"))
    assert words in page
    assert "成熟度不够" in page
    assert "补中试" in page
    client.sign_in_as(market.buyer)
    assert client.get("/deals/lessons").status_code == 403


def profile(market: Market, **changed: object) -> None:
    certificate = Certificate(BrokerLevel.SENIOR, "JS-2023-001", "中国技术市场协会", None)
    values = {
        "certificate": certificate,
        "fields": [],
        "introduction": "做过二十个环保项目",
        "listed": True,
    }
    market.do(service.save_profile, market.broker, **(values | changed))


def test_the_public_register_shows_a_level_only_when_it_is_confirmed(
    client: Browser, market: Market
) -> None:
    profile(market)
    path = f"/brokers/{market.broker.user_id}"
    assert "李静舒" in text(client.get("/brokers"))
    for address in ("/brokers", path):
        assert "高级技术经理人" not in text(client.get(address)).split("清除全部")[-1].replace(
            '<option value="senior">高级技术经理人</option>', ""
        )
    assert "做过二十个环保项目" in text(client.get(path))
    market.do(
        service.confirm_profile,
        market.world.actor(Role.OPERATOR),
        user_id=market.broker.user_id,
    )
    assert "高级技术经理人" in text(client.get(path))
    assert "李静舒" in text(client.get("/brokers?level=senior"))
    assert "李静舒" not in text(client.get("/brokers?level=junior"))
    assert "没有符合条件" in text(client.get("/brokers?field=nuclear"))
    profile(market, listed=False)
    assert client.get(path).status_code == 404


def test_a_broker_writes_his_own_entry(client: Browser, market: Market) -> None:
    client.sign_in_as(market.broker)
    form = {
        "level": "senior",
        "certificate_no": "JS-1",
        "certificate_issuer": "中国技术市场协会",
        "certificate_valid_to": "2024-03-14",
        "fields": ["environment", "materials"],
        "introduction": "环保与新材料",
        "listed": "y",
    }
    answer = client.send("/brokers/profile", **form)
    assert answer.status_code == 422
    assert "到期" in text(answer)
    assert count(market, Broker) == 0
    answer = client.send("/brokers/profile", **(form | {"certificate_valid_to": ""}))
    assert answer.status_code == 303
    assert "环境保护与资源综合利用" in text(client.get(f"/brokers/{market.broker.user_id}"))
    client.sign_in_as(market.buyer)
    assert client.get("/brokers/profile").status_code == 403


def test_a_phone_number_is_handed_on_only_with_consent(client: Browser, market: Market) -> None:
    profile(market)
    path = f"/brokers/{market.broker.user_id}/contact"
    form = {"message": "想找脱硝催化剂", "contact_name": "孙工", "phone": "0531-66778899"}
    client.sign_in_as(market.buyer)
    client.send(path, **form)
    client.send(path, **form, phone_consent="y")
    client.sign_in_as(market.broker)
    pages = [text(client.get(f"/deals/requests/{n}")) for n in (1, 2)]
    assert [("053******8899" in page, "0531-66778899" in page) for page in pages] == [
        (False, False),
        (True, False),
    ]
    assert "0531-66778899" in text(
        client.send("/deals/requests/2/phone", unmask_reason="约上门看设备的时间")
    )
    answer = client.send("/deals/requests/1", decision="yes", answer="好")
    assert answer.status_code == 422
    assert (
        client.send("/deals/requests/1", decision="no", answer="近期没有时间，抱歉").status_code
        == 303
    )
    client.sign_in_as(market.buyer)
    assert "近期没有时间" in text(client.get("/deals/requests"))
    assert client.get("/deals/requests/2").status_code == 403


def test_an_agency_is_filed_by_the_operator(client: Browser, market: Market) -> None:
    client.sign_in_as(market.head)
    form = {
        "internal": "no",
        "figures_year": "2023",
        "service_income_fen": "150,000",
        "brokered_fen": "2999999.99",
        "conversion_count": "4",
    }
    answer = client.send("/agencies/filing", **form)
    assert answer.status_code == 422
    assert "还差 0.01 元" in text(answer)
    assert "2999999.99" in text(answer)
    assert count(market, Filing) == 0
    assert (
        client.send("/agencies/filing", **(form | {"brokered_fen": "3000000"})).status_code == 303
    )
    operator = market.world.actor(Role.OPERATOR)
    client.sign_in_as(operator)
    assert "明湖技术转移" in text(client.get("/desk/filings?status=applied"))
    (filing_id,) = _ids(market, Filing)
    answer = client.send(
        f"/desk/filings/{filing_id}", valid_from="2024-03-15", valid_to="2024-03-14"
    )
    assert answer.status_code == 422
    client.send(f"/desk/filings/{filing_id}", valid_from="2024-03-15", valid_to="2026-03-14")
    client.sign_in_as(market.head)
    assert "备案有效" in text(client.get("/agencies/filing"))
    assert client.get("/desk/filings").status_code == 403


def test_lists_filter_by_the_address_and_ignore_nonsense(client: Browser, market: Market) -> None:
    market.deal()
    client.sign_in_as(market.broker)
    assert "低温脱硝" in text(client.get("/deals?stage=lead&q=脱硝"))
    assert "没有符合条件" in text(client.get("/deals?stage=paid"))
    for path in (
        "/deals?stage=x&broker=abc&seller=9%2F",
        "/deals/board?step=none",
        "/brokers?q=%00",
    ):
        assert client.get(path).status_code == 200
    assert client.get("/deals?after=nonsense").status_code == 422


def test_an_agency_head_sees_the_agency_s_deals_by_broker(client: Browser, market: Market) -> None:
    market.deal()
    client.sign_in_as(market.head)
    page = text(client.get(f"/deals/board?broker={market.broker.user_id}"))
    assert "低温脱硝" in page
    other = market.world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
    )
    client.sign_in_as(market.world.actor(Role.AGENCY_HEAD, other))
    assert "低温脱硝" not in text(client.get(f"/deals/board?broker={market.broker.user_id}"))
