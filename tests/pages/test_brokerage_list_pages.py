"""The list of deals: kept views as chips, the start view, the Excel file."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from werkzeug.test import TestResponse

from marketplace.brokerage import service
from marketplace.brokerage.rules import NoteKind, NoteVisibility
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from tests.conftest import Browser
from tests.dealing import Market
from tests.world import World


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(sqlite_database, page_world, now, tmp_path / "files")


def rows_of(answer: TestResponse) -> list[list[object]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    return book.get_sheet_by_index(0).to_python()


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def test_a_view_is_kept_shown_started_with_and_let_go(client: Browser, market: Market) -> None:
    market.deal()
    client.sign_in_as(market.broker)
    assert "把这些条件存为视图" not in text(client.get("/deals"))
    assert "把这些条件存为视图" in text(client.get("/deals?stage=lead"))
    saved = client.send("/deals/views", name="新线索", stage="lead", junk="x")
    assert saved.headers["Location"] == "/deals?stage=lead"
    page = text(client.get("/deals?stage=lead"))
    assert 'href="/deals?stage=lead" aria-current="page">新线索' in page
    assert "管理“新线索”" in page

    client.send("/deals/views/1/start")
    assert client.get("/deals").headers["Location"] == "/deals?stage=lead"
    assert client.get("/deals?all=1").status_code == 200
    assert client.send("/deals/views/1", name="").status_code == 422
    client.send("/deals/views/1", name="线索")
    assert "管理“线索”" in text(client.get("/deals?stage=lead"))
    client.send("/deals/views/1/remove")
    assert client.get("/deals").status_code == 200
    assert client.get("/deals/views/1").status_code == 404


def test_the_excel_file_has_the_conditions_and_no_private_note(
    client: Browser, market: Market
) -> None:
    first, second = market.deal(), market.deal(market.achievement(title="=1+1 公式催化剂"))
    market.do(
        service.add_note,
        market.broker,
        deal_id=first,
        kind=NoteKind.CALL,
        visibility=NoteVisibility.PRIVATE,
        body="私下说可以再让三成",
    )
    market.contact(second)
    client.sign_in_as(market.broker)
    [head, row] = rows_of(client.get("/deals/table.xlsx?stage=lead&q=公式"))
    assert head[0] == "项目"
    assert str(row[0]).startswith("=1+1")
    assert row[1:4] == ["转让与许可", "线索", "线索"]
    assert row[10] == "5%"
    whole = rows_of(client.get("/deals/table.xlsx"))
    assert len(whole) == 3
    assert "私下说" not in str(whole)
    client.sign_in_as(market.world.actor(Role.BROKER, market.agency))
    assert len(rows_of(client.get("/deals/table.xlsx"))) == 1
