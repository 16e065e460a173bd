"""Pages of ratings: what a party fills in, what the public reads, the broker's answer."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from marketplace.brokerage import service
from marketplace.brokerage.register_rules import Certificate
from marketplace.brokerage.rules import DealStage
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from tests.conftest import Browser
from tests.dealing import Market
from tests.world import World

WORDS = "材料备得齐，问题当天就有答复"
FIVE = {"response": "5", "skill": "5", "trust": "5"}


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    made = Market(sqlite_database, page_world, now, tmp_path / "files")
    made.do(
        service.save_profile,
        made.broker,
        certificate=Certificate(None, "", "", None),
        fields=[],
        introduction="",
    )
    return made


def registered(market: Market, settle: Any) -> int:
    deal_id = market.drafted_deal()
    market.move(deal_id, DealStage.SIGNED)
    market.registered(deal_id=deal_id, project_name=f"低温脱硝许可 {deal_id}")
    settle()
    return deal_id


def test_a_party_rates_and_the_public_reads_it_after_a_look(
    client: Browser, market: Market, settle: Any
) -> None:
    deal_id = registered(market, settle)
    client.sign_in_as(market.buyer)
    assert "评价技术经理人李静舒" in client.get("/workbench").text
    refused = client.send(f"/brokers/ratings/{deal_id}", response="5", words=WORDS)
    assert refused.status_code == 422
    assert WORDS in refused.text
    client.click_twice(f"/brokers/ratings/{deal_id}", **FIVE, words=WORDS, consented="y")
    assert client.get(f"/brokers/ratings/{deal_id}").status_code == 404
    assert "待审看" in client.get("/brokers/ratings").text
    home = f"/brokers/{market.broker.user_id}"
    page = client.get(home).text
    assert "不到 3 份评价，暂不公布平均分" in page
    assert WORDS not in page

    client.sign_in_as(market.world.actor(Role.OPERATOR))
    assert WORDS in client.get("/desk/ratings").text
    assert client.send("/desk/ratings/1", decision="hide").status_code == 422
    client.click_twice("/desk/ratings/1", decision="show")

    client.sign_in_as(market.broker)
    client.click_twice("/brokers/ratings/1/answer", answer="感谢信任，后续改造随时联系")
    client.sign_out()
    page = client.get(home).text
    assert WORDS in page
    assert "感谢信任" in page
    assert "锐泉精密" not in page
    assert client.get("/report/rating/1").status_code == 200


def test_figures_with_counts_stand_beside_the_answer_time(
    client: Browser, market: Market, settle: Any
) -> None:
    for actor in (market.buyer, market.officer):
        for deal_id in (registered(market, settle), registered(market, settle)):
            client.sign_in_as(actor)
            client.send(f"/brokers/ratings/{deal_id}", **(FIVE | {"skill": "4"}))
    page = client.get(f"/brokers/{market.broker.user_id}").text
    assert "4.0 分，4 份" in page
    assert "5.0 分，4 份" in page


def test_others_meet_no_page_of_a_rating(client: Browser, market: Market, settle: Any) -> None:
    deal_id = registered(market, settle)
    client.sign_in_as(market.world.actor(Role.ENTERPRISE))
    assert client.get(f"/brokers/ratings/{deal_id}").status_code == 404
    assert client.send(f"/brokers/ratings/{deal_id}", **FIVE).status_code == 404
    client.sign_in_as(market.world.actor(Role.BROKER, market.agency))
    assert client.get("/brokers/ratings/1/answer").status_code == 404
    client.sign_in_as(market.world.actor(Role.OPERATOR))
    assert client.get("/desk/ratings/1").status_code == 404
