"""The calculator and the documents, as anybody sees them."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from flask import Flask, render_template_string

from marketplace.contracts.rules import ContractContent, ContractType
from marketplace.foundation import web
from marketplace.foundation.money import Fen
from marketplace.subsidies import queries
from marketplace.subsidies.parameters import policies
from tests.conftest import Browser, MovableClock
from tests.subsidies import SubsidyYear
from tests.world import World

MOCK = {
    "type": "transfer",
    "amount": "2,600,000",
    "exempt": "2,500,000",
    "on": "2022-11-18",
    "seller": "university-in",
    "buyer": "sme-in",
    "agency": "filed",
    "agency_before": "0",
    "registrar_before": "1,286,400,000",
}


def test_it_opens_on_today_with_an_example(client: Browser) -> None:
    page = client.get("/calculator")
    assert page.status_code == 200
    assert 'value="2024-03-15"' in page.text
    assert "78,000.00 元" in page.text


def test_the_example_of_the_design_comes_out_to_the_fen(client: Browser) -> None:
    text = client.get("/calculator", query_string=MOCK).text
    assert "82,160.00 元" in text
    for amount in ("78,000.00 元", "3,900.00 元", "260.00 元"):
        assert amount in text
    assert "4 件文件金额相同" in text
    assert "再有 40\u00a0万元即达到 300\u00a0万元门槛。" in text
    assert "3,000,000.00 × 1.5\u00a0% = 45,000.00 元" in text
    assert "26,000.00 元" in text  # the draft's seller item, which never pays
    assert "不支付" in text
    assert "贰佰陆拾万元整" in text


def test_documents_stand_side_by_side_with_what_each_gives_whom(client: Browser) -> None:
    text = client.get("/calculator", query_string=MOCK).text
    table = text.split("各件文件分别给多少")[1].split("</table>")[0]
    rows = [row for row in table.split("<tr>") if "/policies/" in row]
    assert [row.split("</a>")[0].rsplit(">", 1)[1] for row in rows] == [
        "倍增计划",
        "15号文",
        "27号文",
        "10号文",
        "20号文",
    ]
    draft, newest, main, *_ = rows
    assert "26,000.00" in draft
    assert "75,000.00" in draft
    assert "<b>" not in draft
    assert "<b>78,000.00</b>" in newest
    assert "没有这一项" in newest
    assert "<b>3,900.00</b>" in main
    assert "<b>128,900.00</b>" in main
    assert table.count("<b>") == 3
    later = client.get("/calculator", query_string={**MOCK, "on": "2024-05-10"}).text
    assert later.split("各件文件分别给多少")[1].split("</table>")[0].count("不在有效期") == 3


def test_what_is_missing_is_said_in_round_figures_where_they_are_round(client: Browser) -> None:
    for amount, gap in (("2380000", "62\u00a0万元"), ("2380000.01", "619,999.99 元")):
        text = client.get("/calculator", query_string={**MOCK, "amount": amount, "exempt": ""}).text
        assert f"再有 {gap}即达到 300\u00a0万元门槛" in text


def test_other_days_stand_beside_it(client: Browser) -> None:
    text = client.get("/calculator", query_string=MOCK).text
    for day in ("2023-01-01", "2024-04-27", "2024-10-15"):
        assert day in text
    assert "27号文 2024-04-26 到期" in text
    assert "15号文 2024-10-14 到期" in text


@pytest.mark.parametrize("on", ["2024-10-15", "2026-11-20", "2019-01-01"])
def test_where_nothing_is_in_force_it_says_so_and_what_ran_out_when(
    client: Browser, on: str
) -> None:
    text = client.get("/calculator", query_string={**MOCK, "on": on}).text
    assert f"{on} 没有支付这些补助的文件在施行" in text
    assert "0.00 元" in text
    if on > "2024":
        assert "济科发〔2021〕27号已于 2024-04-26 到期" in text
        assert "济政发〔2021〕15号已于 2024-10-14 到期" in text
    else:
        assert "尚未施行" in text


def test_today_is_the_clocks(client: Browser, clock: MovableClock) -> None:
    clock.forward(days=300)
    text = client.get("/calculator").text
    assert 'value="2025-01-09"' in text
    assert "没有支付这些补助的文件在施行" in text


def test_why_not_names_the_condition_and_what_would_change_it(client: Browser) -> None:
    text = client.get("/calculator", query_string={**MOCK, "buyer": "large-in"}).text
    assert "买方不是中小微企业" in text
    assert "若是中小微企业，全年可得 78,000.00 元" in text
    fiscal = client.get(
        "/calculator", query_string={**MOCK, "on": "2023-05-01", "fiscal": "y"}
    ).text
    assert "用财政资金购买，按第三条不补助" in fiscal


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("amount", "1.005", "最多两位小数"),
        ("amount", "-5", "不能是负数"),
        ("amount", "一百万", "以元为单位的数字"),
        ("amount", "1000000000000000", "超过 1000 亿元"),
        ("amount", "", "请填写“合同成交额”"),
        ("on", "2022-02-30", "日期不存在"),
        ("exempt", "2,600,000.01", "不能大于合同成交额 2,600,000.00 元"),
        ("type", "sale", "请从列表中选择"),
        ("seller", "<b>", "请从列表中选择"),
    ],
)
def test_bad_input_is_answered_beside_the_field_and_kept(
    client: Browser, field: str, typed: str, message: str
) -> None:
    page = client.get("/calculator", query_string={**MOCK, field: typed})
    assert page.status_code == 422
    assert message in page.text
    assert "2022-11-18" in page.text or field == "on"
    if typed and field in ("amount", "on"):
        assert f'value="{typed}"' in page.text
    assert "<b></option>" not in page.text


def test_every_document_has_its_page(client: Browser) -> None:
    listing = client.get("/policies").text
    for policy in policies():
        assert policy.document_no in listing
        page = client.get(f"/policies/{policy.id}")
        assert page.status_code == 200
        assert policy.title in page.text
        for terms in policy.items:
            assert terms.clause in page.text
    assert client.get("/policies/none-2020-1").status_code == 404


def test_what_is_in_force_depends_on_the_day(client: Browser, clock: MovableClock) -> None:
    page = client.get("/policies/jkf-2021-27").text
    assert "在施行" in page
    clock.forward(days=60)
    assert "不在有效期内" in client.get("/policies/jkf-2021-27").text


def test_an_estimate_is_drawn_beside_a_deal_or_a_contract(
    app: Flask, page_world: World, now: datetime
) -> None:
    year = SubsidyYear(page_world, now)
    year.register(30_000_000)
    draw = '{% import "macros/ui.html" as ui %}{{ ui.estimate(subsidy_estimate(contract)) }}'
    content = ContractContent(
        contract_type=ContractType.TRANSFER,
        amount_fen=Fen(2_600_000_00),
        seller_organisation_id=year.university.id,
        buyer_organisation_id=year.company.id,
    )
    with app.test_request_context("/"):
        today = date(2024, 3, 15)
        found = queries.estimate_contract(
            web.session(), content, contract_id=1, registered_on=today
        )
        text = render_template_string(draw, subsidy_estimate=lambda _c: found, contract=None)
        assert "3,900.00 元" in text
        assert "济科发〔2021〕27号 第四条" in text
        assert "78,000.00 元" in text
        unknown = ContractContent(contract_type=ContractType.TRANSFER)
        assert (
            queries.estimate_contract(web.session(), unknown, contract_id=1, registered_on=today)
            is None
        )
        later = queries.estimate_contract(
            web.session(), content, contract_id=1, registered_on=date(2025, 3, 15)
        )
        text = render_template_string(draw, subsidy_estimate=lambda _c: later, contract=None)
        assert "已于 2024-04-26 到期" in text
