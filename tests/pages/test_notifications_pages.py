"""The inbox in the browser: count in the header, opening, settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from marketplace.foundation.db import Database
from marketplace.notifications import queries
from marketplace.notifications.rules import MessageKind
from tests.assessing import Bench
from tests.conftest import Browser
from tests.world import World


@pytest.fixture
def bench(sqlite_database: Database, page_world: World, now: datetime) -> Bench:
    return Bench(sqlite_database, page_world, now)


def test_a_message_is_counted_opened_and_leads_on(
    client: Browser, bench: Bench, settle: Callable[[], None]
) -> None:
    bench.accepted()
    settle()
    client.sign_in_as(bench.officer)
    page = client.get("/inbox?kind=assessment")
    assert "评估机构已接受：低温脱硝催化剂" in page.text
    assert "未读消息" in page.text
    with bench.database.reading() as session:
        message = queries.inbox(session, bench.officer, kind=MessageKind.ASSESSMENT).items[0]
        before = queries.unread_count(session, bench.officer)
    assert "前往办理" in client.get(f"/inbox/{message.id}").text
    opened = client.send(f"/inbox/{message.id}/open")
    assert opened.headers["Location"] == "/assessments/1"
    with bench.database.reading() as session:
        assert queries.unread_count(session, bench.officer) == before - 1
    assert client.send("/inbox/read").status_code == 303
    assert "没有未读消息" in client.get("/inbox?show=unread").text


def test_settings_are_kept(client: Browser, bench: Bench) -> None:
    client.sign_in_as(bench.officer)
    assert client.send("/inbox/settings", by_mail=["claim", "publicity"]).status_code == 303
    with bench.database.reading() as session:
        wants = queries.preferences(session, bench.officer.user_id or 0)
    assert [kind for kind, wanted in wants.items() if wanted] == [
        MessageKind.CLAIM,
        MessageKind.PUBLICITY,
    ]
    assert client.send("/inbox/settings", by_mail=["nonsense"]).status_code == 422


def test_anothers_message_is_not_found(
    client: Browser, bench: Bench, settle: Callable[[], None]
) -> None:
    bench.accepted()
    settle()
    with bench.database.reading() as session:
        message = queries.inbox(session, bench.officer).items[0]
    client.sign_in_as(bench.assessor)
    assert client.get(f"/inbox/{message.id}").status_code == 404
    assert client.send(f"/inbox/{message.id}/open").status_code == 404


def test_a_push_address_is_set_up_tried_and_ended(client: Browser, bench: Bench) -> None:
    client.sign_in_as(bench.officer)
    refused = client.send(
        "/inbox/webhooks", name="科研系统", url="system.example.edu.cn", kinds=["deal"]
    )
    assert refused.status_code == 422
    page = refused.get_data(as_text=True)
    assert "请写完整的网址" in page
    assert 'value="system.example.edu.cn"' in page  # nothing typed is lost
    made = client.send(
        "/inbox/webhooks",
        name="科研系统",
        url="https://system.example.edu.cn/hook",
        kinds=["deal", "contract"],
    )
    address = made.headers["Location"]
    shown = client.get(address).text
    assert "撮合、技术合同" in shown
    assert "whsec_" not in shown
    assert "whsec_" in client.send(f"{address}/secret").get_data(as_text=True)
    assert client.send(f"{address}/try").headers["Location"] == address
    assert "测试推送" in client.get(address).text
    client.send(f"{address}/end")
    assert "已停用" in client.get(address).text
    assert "发一条测试" not in client.get(address).text
