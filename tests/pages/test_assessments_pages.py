"""The pages of an assessment, walked by the owner, the assessor and the operator."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from pypdf import PdfReader

from marketplace.assessments import queries, service
from marketplace.assessments.library_rules import ExpertGrade
from marketplace.assessments.panel_rules import AchievementType
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.trade import TechnologyField
from tests.assessing import Bench, answers
from tests.conftest import Browser
from tests.world import World


@pytest.fixture
def bench(sqlite_database: Database, page_world: World, now: datetime) -> Bench:
    return Bench(sqlite_database, page_world, now)


def sheet(kind: AchievementType = AchievementType.APPLIED, **changes: str) -> dict[str, str]:
    given = answers(75, kind)
    form = {f"mark_{code}": str(mark) for code, mark in given.marks.items()}
    form |= {f"reason_{key.value}": text for key, text in given.reasons.items()}
    return form | {"trl_evidence": given.trl_evidence} | changes


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
    experts = [bench.expert(name=f"评审{name}") for name in "甲乙丙丁戊"]
    tied = bench.world.actor(Role.EXPERT, bench.university, name="校内专家")
    bench.do(
        service.enter_expert,
        bench.operator,
        user_id=tied.user_id,
        grade=ExpertGrade.FULL,
        fields=(TechnologyField.ENVIRONMENT,),
        basis="职称证书 2019-0002",
    )
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
    panel = client.get(f"{place}/panel")
    assert experts[0].name in panel.text
    assert "专家任职于委托单位或权利人" in panel.text  # the officer's colleague cannot be ticked
    short = client.send(
        f"{place}/panel",
        achievement_type="applied",
        experts=[str(one.user_id) for one in experts[:4]],
    )
    assert short.status_code == 422
    assert "现在选了 4 人" in short.text
    called = client.send(
        f"{place}/panel", achievement_type="applied", experts=[str(e.user_id) for e in experts]
    )
    assert called.status_code == 303
    for number, expert in enumerate(experts):
        client.sign_in_as(expert)
        seat = f"/assessments/seats/{bench.seat(int(place.rsplit('/', 1)[1]), expert)}"
        assert seat in client.get("/assessments/seats").text
        closed = client.get(seat)
        assert "以二氧化钛为载体" not in closed.text
        assert client.send(f"{seat}/declare", statement="核对过").status_code == 422
        opened = client.send(
            f"{seat}/declare", declared="y", statement="与各方没有任职、合作和股权关系"
        )
        assert opened.status_code == 303
        page = client.get(seat)
        assert "以二氧化钛为载体" in page.text
        for hidden in (bench.university.name, "陈卓", "李敏"):
            assert hidden not in page.text
        if number == 0:
            wrong = client.send(seat, **sheet(mark_rigour="120", reason_social="自己写的一条理由"))
            assert wrong.status_code == 422
            assert "应在 0 到 100 之间" in wrong.text
            assert "自己写的一条理由" in wrong.text
        assert client.send(seat, **sheet()).status_code == 303
        assert client.send(seat, **sheet()).status_code == 422
    client.sign_in_as(bench.assessor)
    scores = client.get(f"{place}/scores")
    assert "肯德尔和谐系数" in scores.text
    assert '<svg class="radar"' in scores.text

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
    document = client.get(f"{place}/report.pdf")
    assert document.mimetype == "application/pdf"
    (first, *_rest) = PdfReader(io.BytesIO(document.data)).pages
    shown: dict[str, float] = {}
    # Text lies in a picture that is scaled to the paper.
    first.extract_text(
        visitor_text=lambda words, scale, at, *_font: shown.update({words: scale[0] * at[4]})
    )
    # The last column is not cut off by the edge of the paper; the chart's area is translucent.
    (column,) = (left for words, left in shown.items() if "最低–最高" in words)
    assert 400 < column < 595 - 18 / 25.4 * 72
    states = first["/Resources"]["/ExtGState"].values()
    assert 0.18 in [float(state.get_object().get("/ca", 1)) for state in states]


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
    assert client.get(f"/assessments/{made}/panel").status_code == 403
    assert client.get(f"/assessments/{made}/scores").status_code == 404


def test_a_seat_is_the_experts_own(client: Browser, bench: Bench) -> None:
    made = bench.accepted()
    bench.panel(made)
    seat_id = bench.seat(made, bench.experts[0])
    for other in (bench.experts[1], bench.assessor):
        client.sign_in_as(other)
        assert client.get(f"/assessments/seats/{seat_id}").status_code == 404
        assert (
            client.send(f"/assessments/seats/{seat_id}/leave", reason="不是我的席位").status_code
            == 404
        )
    client.sign_in_as(bench.officer)
    assert client.get(f"/assessments/seats/{seat_id}").status_code == 403


def test_the_operator_keeps_the_library(client: Browser, bench: Bench) -> None:
    person = bench.world.actor(Role.EXPERT, name="新专家")
    client.sign_in_as(bench.operator)
    assert "专家库还是空的" in client.get("/assessments/library").text
    bad = client.send("/assessments/library/experts", user=str(person.user_id), grade="full")
    assert bad.status_code == 422
    made = client.send(
        "/assessments/library/experts",
        user=str(person.user_id),
        grade="full",
        fields=["materials", "energy"],
        basis="鲁职证 2018-0077",
    )
    assert made.status_code == 303
    assert "新专家" in client.get("/assessments/library").text
    house = client.send(
        "/assessments/library/houses",
        organisation=str(bench.house.id),
        grade="filed",
        fields=["environment"],
        basis="鲁财资评备 2020-15",
    )
    assert house.status_code == 303
    assert "财政部门备案" in client.get("/assessments/assessors").text
    tie = {"kind": "ownership", "since": "2022-01-01", "source": "工商登记股东信息"}
    same = client.send(
        "/assessments/library/ties", first=bench.house.uscc, second=bench.house.uscc, **tie
    )
    assert same.status_code == 422
    assert "两家不同的单位" in same.text
    kept = client.send(
        "/assessments/library/ties", first=bench.house.uscc, second=bench.university.uscc, **tie
    )
    assert kept.status_code == 303
    client.send(
        f"/assessments/library/experts/{person.user_id}/release", reason="本人申请退出专家库"
    )
    assert "新专家，" not in client.get("/assessments/library").text


def test_what_was_typed_stays_when_a_colleague_was_faster(client: Browser, bench: Bench) -> None:
    made = bench.accepted()
    client.sign_in_as(bench.assessor)
    with bench.database.reading() as session:
        version = queries.get_for(session, bench.assessor, made).version
    client.send(f"/assessments/{made}/valuation", **VALUATION, version=version)
    late = client.send(
        f"/assessments/{made}/valuation",
        **(VALUATION | {"reasoning": "我写的另一条理由，不能丢掉，收益法和成本法各有依据。"}),
        version=version,
    )
    assert late.status_code == 422
    assert "同事" in late.text
    assert "我写的另一条理由，不能丢掉" in late.text
