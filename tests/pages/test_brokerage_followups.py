"""Pages of the ledger, disputes, data room, meetings and answers: shown, refused, kept."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from marketplace.brokerage import service
from marketplace.brokerage.commission_models import Expense
from marketplace.brokerage.introduction_models import Dispute
from marketplace.brokerage.models import Commission
from marketplace.brokerage.room_models import RoomAccess, RoomFile
from marketplace.brokerage.talk_models import Talk
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import Clock
from marketplace.foundation.db import Database
from seed.demo.paper import write_paper
from tests.conftest import Browser
from tests.dealing import Market
from tests.introducing import LOST, agreed, bypass, introduced
from tests.world import World

REPORT = write_paper("检测报告", ["脱硝率 92 %"])


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    made = Market(sqlite_database, page_world, now, tmp_path)
    made.store = AttachmentStore(tmp_path / "attachments")
    return made


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def count(market: Market, model: type) -> int:
    with market.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_wrong_input_is_said_beside_its_field_and_kept(client: Browser, market: Market) -> None:
    deal_id, introduction_id = introduced(market)
    lost, _second = introduced(market)
    market.do(service.lose, market.broker, deal_id=lost, **LOST)
    client.sign_in_as(market.broker)
    base = {"payer": "buyer", "basis": "rate", "rate_percent": "3"}
    half = {"partners-0-broker": str(market.broker.user_id), "partners-0-share_percent": "60"}
    day = (market.today + timedelta(days=3)).isoformat()
    dispute = f"/deals/introductions/{introduction_id}/dispute"
    for path, form, message in (
        (f"/deals/{deal_id}/commission", {**base, "minimum_fen": "-1"}, "不能是负数"),
        (f"/deals/{deal_id}/commission", {**base, "minimum_fen": "0"}, "应大于 0"),
        (f"/deals/{deal_id}/commission", {**base, **half}, "份额之和应为 100 %，现在是 60 %"),
        (
            f"/deals/{deal_id}/commission",
            {**base, "partners-0-share_percent": "100"},
            "属于哪位经理人",
        ),
        (f"/deals/{lost}/expenses", {"payer": "buyer", "amount_fen": "0", "words": "费"}, "大于 0"),
        (dispute, {"ground": "unpaid", "words": "欠"}, "10 个字"),
        (dispute, {"ground": "not_introduced", "words": "欠" * 12}, "从列表中选择"),
        (f"/deals/{deal_id}/talks/new", {"kind": "site", "topic": "看炉子"}, "至少要填一行"),
        (
            f"/deals/{deal_id}/talks/new",
            {"kind": "site", "topic": "看炉子", "slots-0-day": day, "slots-0-begins": "25:00"},
            "应写成 14:30",
        ),
        (
            f"/deals/{deal_id}/talks/new",
            {
                "kind": "site",
                "topic": "看炉子",
                "slots-0-day": day,
                "slots-0-begins": "10:00",
                "slots-0-ends": "09:00",
            },
            "结束时间应在开始之后",
        ),
    ):  # fmt: skip
        answer = client.send(path, **form)
        assert answer.status_code == 422, (path, form)
        assert message in text(answer), (path, form)
    for model in (Commission, Expense, Dispute, Talk):
        assert count(market, model) == 0
    assert 'value="60"' in text(client.send(f"/deals/{deal_id}/commission", **base, **half))


def test_the_ledger_shows_each_side_its_own(client: Browser, market: Market) -> None:
    deal_id, introduction_id = introduced(market)
    agreed(market, deal_id)
    bypass(market, deal_id)
    client.sign_in_as(market.broker)
    page = text(client.get("/deals/ledger"))
    assert "54,000.00 元" in page
    entry = re.search(r"/deals/ledger/(\d+)/invoice", page)
    assert entry is not None
    short = client.send(f"/deals/ledger/{entry[1]}/invoice", invoice_no="12")
    assert short.status_code == 422
    assert 'value="12"' in text(short)
    client.send(f"/deals/ledger/{entry[1]}/invoice", invoice_no="24372000000031907752")
    client.click_twice(f"/deals/ledger/{entry[1]}/received")
    assert "已到账" in text(client.get("/deals/ledger?state=received"))
    assert "双方登记了合同" in text(client.get(f"/deals/{deal_id}"))
    packed = client.get(f"/deals/introductions/{introduction_id}/evidence")
    assert packed.mimetype == "application/zip"
    client.sign_in_as(market.buyer)
    page = text(client.get("/deals/ledger"))
    assert "54,000.00 元" in page
    assert "登记发票" not in page
    assert client.send(f"/deals/ledger/{entry[1]}/received").status_code == 403
    client.sign_in_as(market.world.actor(Role.ENTERPRISE))
    assert "54,000.00" not in text(client.get("/deals/ledger"))
    assert client.get(f"/deals/introductions/{introduction_id}/evidence").status_code == 404


def test_a_dispute_is_raised_and_decided_on_its_pages(client: Browser, market: Market) -> None:
    deal_id, introduction_id = introduced(market)
    agreed(market, deal_id)
    client.sign_in_as(market.buyer)
    path = f"/deals/introductions/{introduction_id}/dispute"
    client.click_twice(path, ground="not_introduced", words="我们早在介绍之前就有来往")
    assert count(market, Dispute) == 1
    operator = market.world.actor(Role.OPERATOR)
    client.sign_in_as(operator)
    assert "介绍不属实" in text(client.get("/desk/introductions"))
    (dispute_id,) = re.findall(r"/deals/disputes/(\d+)", text(client.get("/desk/introductions")))
    answer = client.send(f"/deals/disputes/{dispute_id}/decide", decision="no", words="太短")
    assert answer.status_code == 422
    words = "双方三年前已有往来记录，介绍不属实"
    client.send(f"/deals/disputes/{dispute_id}/decide", decision="no", words=words)
    client.sign_in_as(market.broker)
    assert words in text(client.get(f"/deals/disputes/{dispute_id}"))
    client.sign_in_as(market.world.actor(Role.ENTERPRISE))
    assert client.get(f"/deals/disputes/{dispute_id}").status_code == 404


def test_the_room_s_files_carry_their_reader_and_end_at_once(
    client: Browser, market: Market
) -> None:
    deal_id = market.deal()
    market.agree(deal_id)
    room = f"/deals/{deal_id}/room"
    client.sign_in_as(market.officer)
    client.send(f"{room}/open")
    client.send(f"{room}/files", reach="room", attachments=(io.BytesIO(REPORT), "检测报告.pdf"))
    assert count(market, RoomFile) == 1
    refused = client.send(
        f"{room}/files", reach="room", attachments=(io.BytesIO(b"%PDF-1.4\n%%EOF"), "空.pdf")
    )
    assert refused.status_code == 422
    assert "不能加水印" in text(refused)
    with market.database.reading() as session:
        file_id = session.scalars(select(RoomFile.id)).one()
    client.sign_in_as(market.buyer)
    opened = client.send(f"{room}/files/{file_id}/open")
    fetched = client.get(opened.headers["Location"])
    assert "高远" in PdfReader(io.BytesIO(fetched.get_data())).pages[0].extract_text()
    client.sign_in_as(market.officer)
    assert "高远" in text(client.get(room))
    client.send(f"{room}/close", reason="换了受让方")
    client.sign_in_as(market.buyer)
    assert client.get(opened.headers["Location"]).status_code == 404
    client.send(f"{room}/files/{file_id}/open")
    assert "成果方已关闭资料室" in text(client.get(room))
    assert count(market, RoomAccess) == 1
    client.sign_in_as(market.broker)
    assert client.get(room).status_code == 404


def test_a_personal_link_tells_another_member_why_not(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    market.agree(deal_id)
    room = f"/deals/{deal_id}/room"
    client.sign_in_as(market.officer)
    client.send(f"{room}/open")
    client.send(f"{room}/files", reach="link", attachments=(io.BytesIO(REPORT), "检测报告.pdf"))
    with market.database.reading() as session:
        file_id = session.scalars(select(RoomFile.id)).one()
    links = f"{room}/files/{file_id}/links"
    day = (market.today + timedelta(days=5)).isoformat()
    past = client.send(links, person=str(market.buyer.user_id), valid_to="2024-03-14")
    assert past.status_code == 422
    client.send(links, person=str(market.buyer.user_id), valid_to=day, single_use="y")
    client.sign_in_as(market.buyer)
    found = re.search(r'href="(/deals/room-links/[^"]+)"', text(client.get(room)))
    assert found is not None
    colleague = market.world.actor(Role.ENTERPRISE, market.firm)
    client.sign_in_as(colleague)
    page = text(client.get(found[1]))
    assert "发给另一位经办人" in page
    assert "打开文件" not in page
    client.sign_in_as(market.world.actor(Role.ENTERPRISE))
    assert client.get(found[1]).status_code == 404
    client.sign_in_as(market.buyer)
    client.click_twice(found[1])
    assert count(market, RoomAccess) == 1
    assert "一次性链接已经用过" in text(client.get(found[1]))


def test_a_meeting_goes_into_the_calendar(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    client.sign_in_as(market.broker)
    day = (market.today + timedelta(days=3)).isoformat()
    made = client.send(
        f"/deals/{deal_id}/talks/new",
        kind="site",
        topic="看 2 号线安装位置",
        place="历城厂区",
        **{"slots-0-day": day, "slots-0-begins": "09:30", "slots-0-ends": "11:00"},
    )
    path = made.headers["Location"]
    client.sign_in_as(market.buyer)
    page = text(client.get(path))
    chosen = re.search(r'name="slots"[^>]*value="(\d+)"', page)
    assert chosen is not None
    assert "选时间：看 2 号线安装位置" in text(client.get("/workbench"))
    client.send(f"{path}/choose", slots=chosen[1])
    client.sign_in_as(market.broker)
    client.send(f"{path}/fix", slot=chosen[1])
    calendar = text(client.get(f"{path}/calendar"))
    assert "DTSTART:20240318T013000Z" in calendar
    assert "DTEND" in calendar
    assert client.get(f"{path}/minutes").status_code == 200
    early = client.send(f"{path}/minutes", minutes="安装位置够，先做三个月中试")
    assert early.status_code == 422
    client.sign_in_as(market.world.actor(Role.ENTERPRISE))
    assert client.get(path).status_code == 404


def test_drafts_answers_and_digests_are_there(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    client.sign_in_as(market.buyer)
    draft = client.get(f"/deals/{deal_id}/papers/licence")
    assert draft.mimetype.endswith("wordprocessingml.document")
    assert client.get(f"/deals/{deal_id}/papers/unknown").status_code == 404
    client.send(f"/deals/{deal_id}/notes", kind="message", visibility="shared", body="请给报价")
    client.sign_in_as(market.broker)
    assert "企业在等答复" in text(client.get(f"/deals/{deal_id}"))
    assert "2024-03-15 留言" in text(client.get("/deals/answers"))
    assert "答复企业留言" in text(client.get("/workbench"))
    market.do(service.lose, market.broker, deal_id=deal_id, **LOST)
    client.sign_in_as(market.officer)
    page = text(client.get("/deals/lessons/2024-03"))
    assert LOST["reason"] in page
    assert "约定半年后回访" in page
    for wrong in ("2024-13", "junk", "2024-05"):
        assert client.get(f"/deals/lessons/{wrong}").status_code == 404


def test_the_answer_time_stands_on_the_institution_and_the_achievement(
    client: Browser, market: Market
) -> None:
    achievement_id = market.achievement()
    deal_id = int(
        market.do(
            service.express_interest,
            market.buyer,
            achievement_id=achievement_id,
            message="焦炉 2 号线想试用三个月",
        )
    )
    pages = (f"/institutions/{market.university.id}", f"/achievements/{achievement_id}")
    for path in pages:
        assert "个工作日" not in text(client.get(path))
    market.now += timedelta(days=4)
    market.contact(deal_id, market.officer)
    client.application.extensions["resources"][Clock].moment = market.now
    for path in pages:
        assert "一般 2 个工作日" in text(client.get(path))
