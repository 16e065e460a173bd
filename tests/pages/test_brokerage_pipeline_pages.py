"""Pages of pipelines: choosing one, its board, the change to another, the rules that it has."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from marketplace.brokerage import service
from marketplace.brokerage.models import Deal
from marketplace.brokerage.pipeline_parameters import pipelines
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


def stand(market: Market, deal_id: int) -> tuple[str, str]:
    """Return pipeline and step of a deal."""
    with market.database.reading() as session:
        deal = session.get_one(Deal, deal_id)
        return deal.pipeline, deal.step


def opened(client: Browser, market: Market, pipeline: str = "") -> int:
    """Open a deal by the form; return its id."""
    client.sign_in_as(market.broker)
    answer = client.send(
        "/deals/new",
        achievement_id=str(market.achievement()),
        buyer_uscc=market.firm.uscc,
        pipeline=pipeline,
    )
    return int(answer.headers["Location"].rpartition("/")[2])


def test_who_opens_a_deal_may_choose_its_pipeline(client: Browser, market: Market) -> None:
    assert stand(market, opened(client, market)) == ("transfer", "lead")
    assert stand(market, opened(client, market, "service")) == ("service", "lead")
    refused = client.send(
        "/deals/new",
        achievement_id=str(market.achievement()),
        buyer_uscc=market.firm.uscc,
        pipeline="nothing",
    )
    assert refused.status_code == 422
    assert "请从列表中选择一项" in text(refused)


def test_the_board_turns_between_pipelines_and_keeps_what_narrows_it(
    client: Browser, market: Market
) -> None:
    trial = opened(client, market, "trial")
    opened(client, market)
    first = text(client.get("/deals/board?overdue=1"))
    assert 'href="/deals/board?pipeline=trial&amp;overdue=1"' in first
    page = text(client.get("/deals/board?pipeline=trial"))
    assert re.findall(r'data-stage="(\w+)"', page) == [
        step.code for step in pipelines().get("trial").talking
    ]
    assert re.search(r'aria-current="page">先使用后付费<span class="n">1</span>', page)
    assert f"/deals/{trial}/step" in page
    assert page.count('<li class="deal') == 3  # one deal, and the two boxes of what ended
    lane = text(client.get("/deals/board?pipeline=trial&step=on_trial"))
    assert 'class="lane now" data-stage="on_trial"' in lane
    # What the address says wrongly is as if it said nothing.
    assert client.get("/deals/board?pipeline=x&step=y").status_code == 200


def test_a_deal_shows_its_own_steps_and_what_the_next_one_asks_for(
    client: Browser, market: Market
) -> None:
    deal_id = opened(client, market, "trial")
    market.contact(deal_id)
    market.move(deal_id, "contacted")
    page = text(client.get(f"/deals/{deal_id}"))
    for label in ("试用约定", "试用中", "试用评价", "已签约"):
        assert label in page
    assert "技术洽谈" not in page
    assert "进入“试用约定”之前" in page
    assert "还没有排下一步；请写明下一步做什么、哪一天" in page
    assert f'href="/deals/{deal_id}/pipeline"' in page
    client.sign_in_as(market.buyer)
    seen = text(client.get(f"/deals/{deal_id}"))
    assert "试用中" in seen
    assert f'href="/deals/{deal_id}/pipeline"' not in seen
    assert client.get(f"/deals/{deal_id}/pipeline").status_code == 403


def test_a_change_is_told_before_and_done(client: Browser, market: Market) -> None:
    deal_id = opened(client, market)
    market.contact(deal_id)
    market.move(deal_id, "contacted", "confidentiality")
    page = text(client.get(f"/deals/{deal_id}/pipeline"))
    assert "统计从“保密协议”退到“已接触”" in page
    assert 'value="transfer"' not in page
    unchosen = client.send(f"/deals/{deal_id}/pipeline")
    assert unchosen.status_code == 422
    done = client.send(f"/deals/{deal_id}/pipeline", pipeline="trial")
    assert done.headers["Location"] == f"/deals/{deal_id}"
    assert stand(market, deal_id) == ("trial", "contacted")
    shown = text(client.get(f"/deals/{deal_id}"))
    assert "改按“先使用后付费”推进。" in shown
    assert "换流程：先使用后付费，在“已接触”" in shown
    again = client.send(f"/deals/{deal_id}/pipeline", pipeline="trial")
    assert again.status_code == 422


def test_a_signed_deal_is_told_that_it_stays(client: Browser, market: Market) -> None:
    deal_id = market.drafted_deal()
    market.move(deal_id, "signed")
    client.sign_in_as(market.broker)
    assert f"/deals/{deal_id}/pipeline" not in text(client.get(f"/deals/{deal_id}"))
    assert "不能再换流程" in text(client.get(f"/deals/{deal_id}/pipeline"))
    refused = client.send(f"/deals/{deal_id}/pipeline", pipeline="trial")
    assert "后面的步骤各流程都一样" in text(refused)


def test_everybody_around_deals_reads_the_rules(client: Browser, market: Market) -> None:
    opened(client, market, "trial")
    for actor in (market.broker, market.buyer, market.world.actor(Role.OPERATOR)):
        client.sign_in_as(actor)
        page = text(client.get("/deals/pipelines"))
        for pipeline in pipelines().every:
            assert f'id="{pipeline.code}"' in page
            assert pipeline.purpose in page
        assert "买方接受保密协议，或写明不需要；约定先使用后付费；现场考察过并写下纪要" in page
        assert "45 天" in page
        assert "14 天" in page


def test_the_list_is_narrowed_kept_and_written_by_pipeline(client: Browser, market: Market) -> None:
    opened(client, market, "trial")
    opened(client, market)
    page = text(client.get("/deals?pipeline=trial&step=lead"))
    assert page.count('<td data-field="步骤">') == 1
    assert '<option value="on_trial">试用中</option>' in page
    assert "/deals/table.xlsx?pipeline=trial&amp;step=lead" in page
    saved = client.send("/deals/views", name="试用线索", pipeline="trial", step="lead")
    assert saved.headers["Location"] == "/deals?pipeline=trial&step=lead"
    # A step without its pipeline, or of another one, narrows nothing.
    assert text(client.get("/deals?step=lead")).count('<td data-field="步骤">') == 2
    assert text(client.get("/deals?pipeline=trial&step=quotation")).count("<td data-field=") > 0


def test_both_sides_are_told_of_a_change(client: Browser, market: Market, settle: Any) -> None:
    deal_id = opened(client, market)
    market.do(service.change_pipeline, market.broker, deal_id=deal_id, to="trial")
    settle()
    client.sign_in_as(market.buyer)
    assert "改按“先使用后付费”推进" in text(client.get("/inbox"))


def test_a_double_click_on_the_change_leads_to_the_deal(client: Browser, market: Market) -> None:
    deal_id = opened(client, market)
    first = client.click_twice(f"/deals/{deal_id}/pipeline", pipeline="trial")
    assert first.location == f"/deals/{deal_id}"
    assert stand(market, deal_id) == ("trial", "lead")
