"""The pages of an assessment, walked by the owner, the assessor and the operator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from marketplace.assessments import queries
from marketplace.assessments.rules import Indicator
from marketplace.foundation.db import Database
from tests.assessing import Bench
from tests.conftest import Browser
from tests.world import World


@pytest.fixture
def bench(sqlite_database: Database, page_world: World, now: datetime) -> Bench:
    return Bench(sqlite_database, page_world, now)


def scores() -> dict[str, str]:
    form: dict[str, str] = {}
    for indicator in Indicator:
        form[f"{indicator.value}_points"] = "75"
        form[f"{indicator.value}_reason"] = "与检测报告和用户现场数据核对后打分"
    return form


VALUATION: dict[str, Any] = {
    "methods": ["income", "cost"],
    "revenues-0-revenue": "80,000,000",
    "revenues-1-revenue": "120,000,000",
    "share_low": "1",
    "share_high": "1.5",
    "discount": "12",
    "costs-0-what": "研发人员",
    "costs-0-amount": "1,800,000",
    "profit": "15",
    "depreciation_low": "5",
    "depreciation_high": "20",
    "low": "1,700,000",
    "high": "2,400,000",
    "base_on": "2024-02-29",
    "valid_until": "2025-02-27",
    "reasoning": "收益法反映未来分成，成本法作下限参考，以收益法为主取此区间。",
}


def test_an_assessment_walks_through_its_pages(client: Browser, bench: Bench) -> None:
    achievement_id = bench.achievement()
    client.sign_in_as(bench.officer)
    page = client.get(f"/assessments/pre/{achievement_id}")
    assert page.status_code == 200
    assert "最值得先补" in page.text
    assert "技术就绪度 7 级" in page.text
    made = client.send(
        f"/assessments/pre/{achievement_id}", purpose="拟普通许可给三家焦化企业，作定价参考"
    )
    assert made.status_code == 303
    place = made.headers["Location"]
    shown = client.get(place)
    assert "明湖资产评估有限公司" in shown.text
    assert client.send(f"{place}/assign", assessor=bench.house.id).status_code == 303

    client.sign_in_as(bench.assessor)
    assert "接受委托" in client.get(place).text
    refused = client.send(f"{place}/accept", statement="核对了股权和任职", fee="0")
    assert refused.status_code == 422
    assert "核对了股权和任职" in refused.text
    taken = client.send(
        f"{place}/accept",
        declared="y",
        statement="核对了股权、任职和业务往来，没有利益关系",
        expert=str(bench.assessor.user_id),
        fee="0",
        due_on="2024-04-12",
    )
    assert taken.status_code == 303, taken.text
    wrong = client.send(f"{place}/score", **(scores() | {"social_points": "120"}))
    assert wrong.status_code == 422
    assert "应在 0 到 100 之间" in wrong.text
    assert client.send(f"{place}/score", **scores()).status_code == 303

    computed = client.send(f"{place}/valuation", **VALUATION, compute="1")
    assert computed.status_code == 200
    assert "收益法结果" in computed.text
    assert "1,670,918.36" in computed.text  # 800,000 ÷ 1.12 + 1,200,000 ÷ 1.12², floored
    outside = client.send(f"{place}/valuation", **(VALUATION | {"high": "9,000,000"}))
    assert outside.status_code == 422
    assert "9,000,000" in outside.text
    assert client.send(f"{place}/valuation", **VALUATION).status_code == 303
    report = client.send(f"{place}/issue")
    assert report.headers["Location"].endswith("/report")

    client.sign_in_as(bench.officer)
    page = client.get(report.headers["Location"])
    assert "PG-2024-0001" in page.text
    assert "壹佰柒拾万元整" in page.text
    client.sign_in_as(bench.operator)
    assert client.send(f"{place}/file").status_code == 303
    with bench.database.reading() as session:
        found = queries.latest_valuation(session, achievement_id)
        assert found is not None
        assert found.score_tenths == 750


def test_the_library_is_public_and_names_the_assessors(client: Browser, bench: Bench) -> None:
    page = client.get("/assessments/assessors")
    assert page.status_code == 200
    assert "明湖资产评估有限公司" in page.text
    assert "GB/T 44731-2024" in page.text


def test_the_list_and_the_workbench_say_what_waits(client: Browser, bench: Bench) -> None:
    bench.requested()
    client.sign_in_as(bench.officer)
    assert "低温脱硝催化剂" in client.get("/assessments").text
    assert "选择评估机构" in client.get("/workbench").text
    assert "这里还没有评估" in client.get("/assessments?state=filed").text


def test_a_stranger_gets_404_and_a_report_needs_one(client: Browser, bench: Bench) -> None:
    made = bench.worked()
    client.sign_in_as(bench.world.actor(next(iter(bench.officer.roles))))
    assert client.get(f"/assessments/{made}").status_code == 404
    client.sign_in_as(bench.officer)
    assert client.get(f"/assessments/{made}/report").status_code == 404
    assert client.get(f"/assessments/{made}/score").status_code == 403


def test_what_was_typed_stays_when_a_colleague_was_faster(client: Browser, bench: Bench) -> None:
    made = bench.accepted()
    client.sign_in_as(bench.assessor)
    with bench.database.reading() as session:
        version = queries.get_for(session, bench.assessor, made).version
    client.send(f"/assessments/{made}/score", **scores(), version=version)
    late = client.send(
        f"/assessments/{made}/score",
        **(scores() | {"social_reason": "我写的另一条理由，不能丢掉"}),
        version=version,
    )
    assert late.status_code == 422
    assert "同事" in late.text
    assert "我写的另一条理由，不能丢掉" in late.text
