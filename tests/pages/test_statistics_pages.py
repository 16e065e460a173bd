"""The boards: figures, chart with its table, export, who sees the desk."""

from __future__ import annotations

import io
from datetime import date, datetime

import pytest
from openpyxl import load_workbook

from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from tests.conftest import Browser
from tests.usecases.test_statistics import Office
from tests.world import World


@pytest.fixture
def office(sqlite_database: Database, page_world: World, now: datetime) -> Office:
    return Office(sqlite_database, page_world, now)


def test_an_empty_board_says_how_it_fills(client: Browser, office: Office) -> None:
    page = client.get("/statistics")
    assert page.status_code == 200
    assert "这一年还没有登记的技术合同" in page.text
    assert "济科发〔2020〕26号" in page.text
    assert "评估并挂牌的科技成果" in page.text


def test_the_board_shows_chart_and_table(client: Browser, office: Office) -> None:
    office.register(1, 260_000_000, date(2024, 2, 1))
    office.register(2, 130_000_000, date(2023, 5, 1))
    page = client.get("/statistics")
    assert '<svg class="chart"' in page.text
    assert "260 万元" in page.text
    assert "环境保护与资源综合利用" in page.text
    assert "2,600,000.00 元" in page.text
    before = client.get("/statistics?year=2023")
    assert "2023 年登记的技术合同" in before.text
    assert "130 万元" in before.text
    assert "章丘区" in client.get("/statistics?side=buyer").text
    assert client.get("/statistics?year=abc&side=nonsense").status_code == 200


def test_the_months_can_be_taken_away(client: Browser, office: Office) -> None:
    office.register(1, 260_000_001, date(2024, 2, 1))
    answer = client.get("/statistics/months.xlsx?year=2024")
    rows = list(load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))
    assert rows[0][0] == "月份"
    assert rows[2] == ("2024-02", 1, "2,600,000.01", "2,600,000.00")


def test_the_desk_is_the_operators(client: Browser, office: Office, page_world: World) -> None:
    client.sign_in_as(page_world.actor(Role.OFFICER, office.seller))
    assert client.get("/statistics/desk").status_code == 403
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    page = client.get("/statistics/desk")
    assert "从成果到补助，2024 年" in page.text
    assert "没有。事件都已送达各处。" in page.text
    assert client.get("/inbox/mails").status_code == 200
