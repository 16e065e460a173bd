"""Pages of chances: the calibration with its table, a leader's own word on the deal's page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from marketplace.brokerage import service
from marketplace.brokerage.rules import LostReason
from marketplace.foundation.db import Database
from tests.conftest import Browser
from tests.dealing import Market
from tests.world import World


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(sqlite_database, page_world, now, tmp_path / "files")


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def test_the_leader_sees_both_chances_and_the_parties_none(client: Browser, market: Market) -> None:
    deal_id = market.deal()
    client.sign_in_as(market.broker)
    assert "测算 5%" in text(client.get(f"/deals/{deal_id}"))
    refused = client.send(f"/deals/{deal_id}/chance", percent="100", reason="<b>预算</b>已批")
    assert refused.status_code == 422
    assert "&lt;b&gt;预算" in text(refused)
    client.send(f"/deals/{deal_id}/chance", percent="60", reason="对方董事会已批预算")
    assert "60%（自定），测算 5%" in text(client.get(f"/deals/{deal_id}"))
    assert "60%（自定，测算 5%）" in text(client.get("/deals/today"))
    assert "自定的 1 个机会" in text(client.get("/deals/figures"))
    client.sign_in_as(market.buyer)
    page = text(client.get(f"/deals/{deal_id}"))
    assert "董事会" not in page
    assert "测算 5%" not in page
    assert client.get(f"/deals/{deal_id}/chance").status_code in (403, 404)
    client.sign_in_as(market.broker)
    client.send(f"/deals/{deal_id}/chance/drop")
    assert "（自定）" not in text(client.get(f"/deals/{deal_id}"))


def test_the_calibration_is_a_chart_with_its_table(client: Browser, market: Market) -> None:
    client.sign_in_as(market.broker)
    assert "还没有结果可以对照" in text(client.get("/deals/calibration"))
    deal_id = market.deal()
    market.do(
        service.lose,
        market.broker,
        deal_id=deal_id,
        reason_code=LostReason.PRICE,
        reason="价格差三成，双方都不再让步",
    )
    page = text(client.get("/deals/calibration"))
    assert "0–10%" in page
    assert 'role="img"' in page
    assert page.count('height="12"/>') == 1, "one square for the one band that has results"
    assert "还没有自定过机会" in page


def test_the_leader_sees_what_the_next_stage_still_asks_for(
    client: Browser, market: Market
) -> None:
    deal_id = market.deal()
    client.sign_in_as(market.broker)
    page = text(client.get(f"/deals/{deal_id}"))
    assert "进入“已接触”之前" in page
    assert "还没有联系记录" in page
    market.contact(deal_id)
    page = text(client.get(f"/deals/{deal_id}"))
    assert "有联系记录" in page
    assert "还没有联系记录" not in page
    client.sign_in_as(market.buyer)
    assert "进入“已接触”之前" not in text(client.get(f"/deals/{deal_id}"))
