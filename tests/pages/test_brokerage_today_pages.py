"""The page of the day: what it shows, its one-tap acts, and what it keeps when refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from marketplace.brokerage.models import Deal, Note, Task
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


def test_a_broker_works_the_day_by_single_taps(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    client.sign_in_as(market.broker)
    page = text(client.get("/deals/today"))
    assert "没有下一步" in page
    assert "进入：已接触" in page
    assert "签约机会 5%" in page

    tapped = client.send(f"/deals/{deal_id}/call", outcome="reached")
    assert tapped.status_code == 303
    assert tapped.headers["Location"] == "/deals/today"
    page = text(client.get("/deals/today"))
    assert "通话，下一步已安排" in page
    assert "回访" in page
    assert "以后到期" in page

    moved = client.send(f"/deals/{deal_id}/step", step="contacted", next="/deals/today")
    assert moved.headers["Location"] == "/deals/today"
    client.send(f"/deals/{deal_id}/next", days="3")
    with market.database.reading() as session:
        deal = session.get_one(Deal, deal_id)
        assert deal.stage is DealStage.CONTACTED
        assert deal.next_task_on == market.today + timedelta(days=3)


def test_wrong_input_changes_nothing_and_keeps_the_words(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    client.sign_in_as(market.broker)
    answer = client.send(
        f"/deals/{deal_id}/call", outcome="reached", words="要看<b>报告", next_what="寄报告"
    )
    assert answer.status_code == 422
    assert "要看&lt;b&gt;报告" in text(answer)
    assert "定一个日期" in text(answer)
    assert client.send(f"/deals/{deal_id}/call", outcome="dance").status_code == 422
    for days in ("0", "366", "x", ""):
        assert client.send(f"/deals/{deal_id}/next", days=days).status_code == 303
        assert "1 到 365 天" in text(client.get("/deals/today"))
    assert (count(market, Note), count(market, Task)) == (0, 0)


def test_a_strangers_tap_finds_nothing(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    stranger = market.world.actor(Role.BROKER, market.agency, name="赵一")
    client.sign_in_as(stranger)
    assert client.get(f"/deals/{deal_id}/call").status_code == 404
    assert client.send(f"/deals/{deal_id}/call", outcome="reached").status_code == 404
    assert client.send(f"/deals/{deal_id}/next", days="3").status_code == 404
    assert "今天没有要做的" in text(client.get("/deals/today"))


def test_the_figures_stand_in_tables_for_who_may_measure(client: Browser, market: Market) -> None:
    client.sign_in_as(market.broker)
    assert "还没有项目可以分析" in text(client.get("/deals/figures"))
    market.deal()
    page = text(client.get("/deals/figures"))
    for words in ("我负责的撮合项目", "漏斗", "签约机会", "95% 的把握", "还没有未成的项目"):
        assert words in page, words
    assert "/deals/figures" in text(client.get("/deals/today"))
    client.sign_in_as(market.head)
    assert "明湖技术转移的撮合项目" in text(client.get("/deals/figures"))
    client.sign_in_as(market.officer)
    assert client.get("/deals/figures").status_code == 403
    assert "/deals/figures" not in text(client.get("/deals/today"))
