"""Pages of yearly reviews: the agency's, the operator's, the public's, and the report as PDF."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.brokerage import service as brokerage
from marketplace.contracts.models import Contract
from marketplace.foundation.access import Role
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Database
from tests.conftest import Browser
from tests.dealing import GOOD_FIGURES, Market
from tests.world import World


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    made = Market(sqlite_database, page_world, now, tmp_path / "files")
    filing_id = made.do(
        brokerage.apply_for_filing, made.head, figures=GOOD_FIGURES, figures_year=2023
    )
    made.do(
        brokerage.approve_filing,
        made.world.actor(Role.OPERATOR),
        filing_id=filing_id,
        valid_from=date(2023, 1, 1),
        valid_to=date(2026, 12, 31),
    )
    return made


def words_of(answer: Any) -> str:
    assert answer.mimetype == "application/pdf"
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)


def test_a_year_goes_from_the_desk_to_the_agency_to_the_public(
    client: Browser, market: Market
) -> None:
    operator = market.world.actor(Role.OPERATOR)
    client.sign_in_as(operator)
    assert client.send("/desk/agency-reviews", year="2024").status_code == 422
    client.click_twice("/desk/agency-reviews", year="2023")
    home = "/agencies/reviews/1"
    assert "待机构补充确认" in client.get("/desk/agency-reviews?year=2023").text
    early = client.send("/desk/agency-reviews/1/grade", grade="unfit")
    assert early.status_code == 422
    assert "要等机构确认" in early.text

    client.sign_in_as(market.world.actor(Role.ENTERPRISE))
    assert client.get(home).status_code == 404
    assert client.get(f"{home}/report.pdf").status_code == 404
    assert "还没有公布的评价结果" in client.get("/agencies/reviews").text

    client.sign_in_as(market.head)
    assert "确认 2023 年度评价数据" in client.get("/workbench").text
    client.click_twice(f"{home}/confirm", statement="另有两份省外合同")
    assert client.get(f"{home}/report.pdf").status_code == 200

    client.sign_in_as(operator)
    assert "另有两份省外合同" in client.get(home).text
    unexplained = client.send("/desk/agency-reviews/1/grade", grade="excellent", reason="很好")
    assert unexplained.status_code == 422
    assert "请写明理由" in unexplained.text
    client.click_twice("/desk/agency-reviews/1/grade", grade="unfit")

    client.sign_out()
    page = client.get("/agencies/reviews").text
    assert "明湖技术转移" in page
    assert "不合格" in page
    assert "征求意见稿，没有生效" in page
    page = client.get(home).text
    assert "另有两份省外合同" not in page
    said = words_of(client.get(f"{home}/report.pdf"))
    assert "年度评价报告" in said
    assert "另有两份省外合同" not in said

    client.sign_in_as(market.head)
    short = client.send(f"{home}/appeal", words="不服")
    assert short.status_code == 422
    client.click_twice(f"{home}/appeal", words="两份合同没有计入，编号已附")
    client.sign_in_as(operator)
    own = client.send(
        "/desk/agency-reviews/1/appeal", grade="fair", reason="核对登记系统后改为合格，编号见附件"
    )
    assert own.status_code == 422
    assert "由其他同事处理" in own.text
    client.sign_in_as(market.world.actor(Role.OPERATOR))
    client.click_twice(
        "/desk/agency-reviews/1/appeal", grade="fair", reason="核对登记系统后改为合格，编号见附件"
    )
    client.sign_out()
    assert "等次改为“合格”" in client.get(home).text


def test_an_application_names_the_contracts_it_rests_on(client: Browser, market: Market) -> None:
    own = market.registered(agency_organisation_id=market.agency.id)
    with market.database.reading() as session:
        number = str(session.get_one(Contract, own).contract_no)
    figures = {
        "internal": "no",
        "figures_year": "2024",
        "service_income_fen": "500000",
        "brokered_fen": "5000000",
        "conversion_count": "5",
    }
    client.sign_in_as(market.head)
    refused = client.send("/agencies/filing", **figures, contract_nos=f"{number}\n2024370100009999")
    assert refused.status_code == 422
    assert "登记系统中没有" in refused.text
    assert number in refused.text
    assert client.send("/agencies/filing", **figures, contract_nos=number).status_code == 303
    client.sign_in_as(market.world.actor(Role.OPERATOR))
    page = client.get("/desk/filings/2").text
    assert number in page
    assert "1,800,000.00 元" in page


def test_an_ended_filing_says_what_becomes_of_the_subsidies(
    client: Browser, market: Market
) -> None:
    market.do(
        brokerage.end_filing,
        market.world.actor(Role.OPERATOR),
        organisation_id=market.agency.id,
        ends_on=market.today - timedelta(days=1),
        reason="2022、2023 年度评价连续不合格",
    )
    client.sign_in_as(market.head)
    page = client.get("/agencies/filing").text
    assert "没有有效备案" in page
    assert "连续不合格" in page


def test_contracts_behind_a_figure_are_linked_for_who_may_open_them(
    client: Browser, market: Market, clock: Any
) -> None:
    own = market.registered(agency_organisation_id=market.agency.id)
    clock.moment = datetime(2025, 1, 8, 9, tzinfo=LOCAL)
    client.sign_in_as(market.world.actor(Role.OPERATOR))
    client.send("/desk/agency-reviews", year="2024")
    link = f'href="/contracts/{own}"'
    bureau = market.world.organisation(
        OrganisationKind.GOVERNMENT, subkinds=(OrganisationSubkind.BUREAU,)
    )
    for actor, linked in (
        (market.world.actor(Role.OPERATOR), True),
        (market.head, True),
        (market.world.actor(Role.BUREAU_REVIEWER, bureau), False),
    ):
        client.sign_in_as(actor)
        page = client.get("/agencies/reviews/1").text
        assert (link in page) is linked
        assert "低温脱硝催化剂普通许可" in page
