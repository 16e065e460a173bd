"""Verification for everybody; notices as a feed; deadlines as calendars; the text check."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import icalendar
import pytest

from marketplace.achievements import service as achievements
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.db import Database
from marketplace.listings import certificate_service, document_seal
from tests.assessing import content
from tests.conftest import Browser
from tests.trading import Hall
from tests.usecases.test_listings_certificate import signed
from tests.world import World


@pytest.fixture
def hall(sqlite_database: Database, page_world: World, now: datetime) -> Hall:
    return Hall(sqlite_database, page_world, now)


def test_anybody_verifies_by_number_and_by_file(
    client: Browser, hall: Hall, tmp_path: Path
) -> None:
    signed(hall)
    store = client.application.extensions["resources"][AttachmentStore]
    with hall.database.transaction() as session:
        certificate_service.seal_next(
            session,
            now=hall.now,
            open_seal=lambda: document_seal.seal_for_trying(tmp_path),
            store=store,
            site_url="https://market.example",
        )
    assert "按文件核验" in client.get("/verify").text
    missing = client.get("/verify?number=JY-2024-0099")
    assert missing.status_code == 404
    assert "没有编号为“JY-2024-0099”" in missing.text
    led = client.get("/verify?number= https://market.example/verify/JY-2024-0001")
    assert led.headers["Location"].endswith("/verify/JY-2024-0001")
    page = client.get("/verify/JY-2024-0001")
    assert "编号真实，凭证有效" in page.text
    assert "壹佰贰拾万元整" in page.text
    document = client.get("/verify/JY-2024-0001/certificate.pdf").data

    def handed_in(sent: bytes) -> str:
        answer = client.send("/verify/file", file=(io.BytesIO(sent), "凭证.pdf"))
        assert answer.status_code == 200
        return answer.text

    assert "真实，未改动" in handed_in(document)
    changed = handed_in(document[:5000] + bytes([document[5000] ^ 1]) + document[5001:])
    assert "已被改动" in changed
    assert "从第 5001 个字节起不一致" in changed
    assert "不是本平台出具的文件" in handed_in(b"%PDF-1.7 something else")
    assert client.send("/verify/file").status_code == 422

    client.sign_in_as(hall.officer)
    refused = client.send("/verify/JY-2024-0001/withdraw", reason="受让方名称有误")
    assert refused.status_code == 403
    client.sign_in_as(hall.operator)
    assert "JY-2024-0001" in client.get("/listings/certificates").text
    assert client.send("/verify/JY-2024-0001/withdraw", reason="短").status_code == 422
    done = client.send("/verify/JY-2024-0001/withdraw", reason="受让方名称有误")
    assert done.status_code == 303
    client.sign_out()
    after = client.get("/verify/JY-2024-0001").text
    assert "凭证已撤销" in after
    assert "受让方名称有误" in after
    assert "但凭证已于" in handed_in(document)


def test_notices_are_a_feed_and_deadlines_a_calendar(client: Browser, hall: Hall) -> None:
    listing_id = hall.announced()
    read = icalendar.Calendar.from_ical(client.get(f"/listings/{listing_id}/calendar.ics").data)
    names = [str(event["summary"]) for event in read.walk("VEVENT")]
    assert names[0].startswith("登记受让意向截止：")
    signed(hall)
    feed = ElementTree.fromstring(client.get("/notices/feed.atom").data)
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [entry.findtext(f"{atom}title") or "" for entry in feed.iter(f"{atom}entry")]
    assert any("等温淬火球铁曲轴" in title for title in titles)
    assert "挂牌" not in client.get("/notices/feed.atom?kind=subsidy_claim").text
    notice = client.get("/notices/1/calendar.ics")
    assert "公示期满" in str(icalendar.Calendar.from_ical(notice.data).walk("VEVENT")[0]["summary"])
    client.sign_in_as(hall.operator)
    mine = icalendar.Calendar.from_ical(client.get("/workbench/calendar.ics").data)
    assert mine["version"] == "2.0"


def test_the_text_check_answers_while_writing_and_on_a_button(client: Browser, hall: Hall) -> None:
    draft = hall.do(achievements.create_draft, hall.officer, content=content(hall.university.name))
    client.sign_in_as(hall.officer)
    typed = {"title": "国际领先的脱硝催化剂", "benefit": "功率 30 KW"}
    part = client.send(f"/my/achievements/{draft}/check", **typed)
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "没有数字的说法" in part.text
    assert "写作 kW" in part.text
    page = client.send(
        f"/my/achievements/{draft}/edit", title="国际领先的脱硝催化剂", check_text="1"
    )
    assert page.status_code == 200
    assert "名称里的“国际领先”" in page.text
    stranger = hall.world.actor(Role.OFFICER)
    client.sign_in_as(stranger)
    assert client.send(f"/my/achievements/{draft}/check", title="x").status_code == 404
