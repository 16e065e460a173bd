"""Pages of training: a course from its announcement to the certificate, and who may see what."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from marketplace.brokerage import service as brokerage
from marketplace.brokerage.models import Broker
from marketplace.brokerage.register_rules import BrokerLevel, Certificate
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Database
from marketplace.training import rules
from marketplace.training.models import Attempt
from marketplace.training.service import CheckInKey
from tests.conftest import Browser
from tests.dealing import Market
from tests.world import World

COURSE = {
    "title": "中级技术经理人班",
    "level": "intermediate",
    "place": "交易中心三楼",
    "first_on": "2024-03-18",
    "last_on": "2024-03-18",
    "starts_at": "09:00",
    "ends_at": "17:00",
    "hours": "8",
    "capacity": "1",
    "fee_fen": "1200",
    "question_count": "2",
    "minutes": "30",
    "pass_percent": "100",
    "attempts": "2",
}


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(sqlite_database, page_world, now, tmp_path / "files")


def test_a_course_goes_from_its_announcement_to_a_certificate(
    client: Browser, market: Market, clock: Any, app: Any
) -> None:
    operator = market.world.actor(Role.OPERATOR)
    client.sign_in_as(operator)
    bad = client.send(
        "/training/questions", level="intermediate", kind="single", text="谁申请登记",
        options="买方\n卖方", right="AB",
    )  # fmt: skip
    assert bad.status_code == 422
    assert "单选题只能有一个正确答案" in bad.text
    for kind, right in (("single", "B"), ("multiple", "AB")):
        client.click_twice(
            "/training/questions", level="intermediate", kind=kind, text=f"谁申请登记{right}",
            options="买方\n卖方\n登记机构", right=right, submission_key=f"q-{right}",
        )  # fmt: skip
    assert client.send("/training/new", **(COURSE | {"hours": "40"})).status_code == 422
    home = client.click_twice("/training/new", **COURSE).headers["Location"]
    assert client.get("/training/questions?level=intermediate").status_code == 200

    client.sign_out()
    page = client.get(home).text
    assert "登录后报名" in page
    assert "济政发〔2021〕15号" in page
    client.sign_in_as(market.broker)
    client.click_twice(f"{home}/sign-up")
    client.sign_in_as(market.world.actor(Role.BROKER, market.agency))
    client.click_twice(f"{home}/sign-up")
    assert "候补中" in client.get(home).text

    clock.moment = datetime(2024, 3, 18, 9, 10, tzinfo=LOCAL)
    client.sign_in_as(operator)
    shown = client.get(f"{home}/code").text
    assert "<svg" in shown
    found = re.search(r"/training/check-in/([\w.-]+)", shown)
    assert found
    client.sign_in_as(market.broker)
    scanned = f"/training/check-in/{found[1]}"
    assert "确认您现在在教室里" in client.get(scanned).text
    client.click_twice(scanned)
    again = client.send(scanned, submission_key="another")
    assert again.status_code == 422
    assert "今天已经签到" in again.text
    client.sign_in_as(operator)
    room = client.get(home).text
    assert "不在，划掉" in room
    client.click_twice("/training/attendances/1/strike")
    assert "在场，恢复" in client.get(home).text
    client.sign_in_as(market.broker)
    assert "已划掉" in client.send(scanned, submission_key="struck").text
    client.sign_in_as(operator)
    client.click_twice("/training/attendances/1/restore")
    client.sign_in_as(market.broker)
    forged = rules.make_code(b"x", course_id=1, now=clock.moment, seconds=60)
    assert client.send(f"/training/check-in/{forged}").status_code == 422

    started = client.click_twice(f"{home}/exam")
    paper = started.headers["Location"]
    assert "谁申请登记B" in client.get(paper).text
    client.sign_in_as(market.world.actor(Role.BROKER, market.agency))
    assert client.get(paper).status_code == 404
    client.sign_in_as(market.broker)
    with market.database.reading() as session:
        drawn = session.get_one(Attempt, 1).paper
    answers = {f"question-{each['id']}": [str(n) for n in each["right"]] for each in drawn}
    client.click_twice(paper, **answers)
    assert "100" in client.get(home).text
    mine = client.get("/training").text
    number = re.search(r"JNPX-Z-2024-\d{4}", mine)
    assert number
    document = client.get(f"/training/certificates/{number[0]}.pdf")
    words = "".join(p.extract_text() for p in PdfReader(io.BytesIO(document.data)).pages)
    assert "李静舒" in words
    client.sign_in_as(market.world.actor(Role.BROKER, market.agency))
    assert client.get(f"/training/certificates/{number[0]}.pdf").status_code == 404
    client.sign_out()
    page = client.get(f"/training/certificates?number={number[0]}").text
    assert "证书有效" in page
    assert "李静舒" not in page
    code = re.search(r"([2-9A-Z]{4})-([2-9A-Z]{4})", words.split("校验码")[1])
    assert code
    page = client.get(f"/training/certificates?number={number[0]}&code={code[0]}").text
    assert "李静舒" in page
    assert "没有这个编号" in client.get("/training/certificates?number=JNPX-Z-2024-9999").text

    client.sign_in_as(operator)
    revoking = f"/training/certificates/{number[0]}/revoke"
    assert client.send(revoking, reason="代签").status_code == 422
    client.click_twice(revoking, reason="考勤核查发现两天均由他人代签")
    assert "考勤核查发现" in client.get(home).text
    client.sign_out()
    page = client.get(f"/training/certificates?number={number[0]}").text
    assert "证书已撤销" in page
    assert "证书有效" not in page
    assert "考勤核查发现" not in page  # the ground is for the holder
    client.sign_in_as(market.broker)
    assert "考勤核查发现" in client.get("/training").text
    assert client.get(f"/training/certificates/{number[0]}.pdf").status_code == 403
    assert isinstance(app.extensions["resources"][CheckInKey], CheckInKey)


def test_after_the_document_has_ended_the_page_says_that_nothing_is_paid(
    client: Browser, clock: Any
) -> None:
    assert "高校技术经理人的培训费全额补助" in client.get("/training").text
    clock.moment = datetime(2024, 10, 15, 9, tzinfo=LOCAL)
    assert "现在没有生效的培训费补助" in client.get("/training").text


def test_a_broker_whose_certificate_ran_out_is_shown_so_and_named_in_no_new_paper(
    client: Browser, market: Market
) -> None:
    market.do(
        brokerage.save_profile,
        market.broker,
        certificate=Certificate(BrokerLevel.SENIOR, "JS-001", "中国技术市场协会", market.today),
        fields=[],
        introduction="",
    )
    operator = market.world.actor(Role.OPERATOR)
    market.do(brokerage.confirm_profile, operator, user_id=market.broker.user_id)
    deal_id = market.drafted_deal()
    client.sign_in_as(market.broker)
    draft = f"/deals/{deal_id}/papers/licence"
    assert client.get(draft).status_code == 200
    assert "证书已过期" not in client.get(f"/brokers/{market.broker.user_id}").text
    with market.database.transaction() as session:
        row = session.get_one(Broker, market.broker.user_id)
        row.certificate_valid_to = market.today - timedelta(days=1)
        audit.record(
            session, actor=SYSTEM, action="brokerage.save_profile", subject="t", now=market.now
        )
    refused = client.get(draft)
    assert refused.status_code == 422
    assert "证书只到" in refused.text
    commission = client.send(
        f"/deals/{deal_id}/commission", payer="buyer", basis="rate", rate_percent="2",
        due_when="registration",
    )  # fmt: skip
    assert commission.status_code == 422
    assert "证书只到" in commission.text
    assert "证书已过期" in client.get(f"/brokers/{market.broker.user_id}").text
    assert "证书已过期" in client.get("/brokers").text
