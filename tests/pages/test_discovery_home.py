"""The home page: live figures, the newest of everything, ways to begin for whoever may."""

from __future__ import annotations

import re

import pytest

from marketplace import wiring
from marketplace.foundation.access import Role
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.statements import statements
from tests.trading import Hall
from tests.world import World


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    """A university, an enterprise and the operator, with nothing offered yet."""
    return Market(page_world, services, clock)


def home(client: Browser) -> str:
    answer = client.get("/")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_an_empty_market_says_what_belongs_there(client: Browser) -> None:
    page = home(client)
    for title in ("现在没有在挂的成果", "现在没有开放的需求", "现在没有公示", "近期没有安排活动"):
        assert title in page
    assert re.search(r"评估并挂牌的成果</span><b>0 <small>/ 600 项", page)
    assert "/ 400 亿元" in page


def test_figures_are_live_and_stand_against_their_targets(client: Browser, market: Market) -> None:
    market.open_need()
    page = home(client)
    assert re.search(r"合作机构</span><b>1 <small>/ 50 家", page)
    assert re.search(r"开放需求</span><b>1 <small>项，本周新增 1", page)
    market.clock.forward(days=8)
    assert "本周新增" not in home(client)


def test_an_anonymous_need_hides_who_asks(client: Browser, market: Market) -> None:
    market.open_need(anonymous=True)
    page = home(client)
    assert "铸造烘炉烟气" in page
    assert "匿名，由交易中心核验" in page
    assert "锐泉" not in page


def test_listings_carry_what_the_public_may_know(
    client: Browser, page_world: World, services: wiring.Services, clock: MovableClock
) -> None:
    hall = Hall(services.database, page_world, clock.now())
    listing = hall.listing(hall.announced())
    clock.moment = hall.now
    page = home(client)
    assert f'href="/listings/{listing.id}"' in page
    assert listing.title in page
    assert "挂牌中" in page
    assert re.search(r"还剩 \d+ 个工作日", page)
    assert "全部 1 项" in page


def test_drafts_and_needs_under_review_stay_out(client: Browser, market: Market) -> None:
    market.draft(title="还没有写完的成果")
    assert "还没有写完的成果" not in home(client)


def test_ways_to_begin_are_offered_to_whoever_may_go_them(
    client: Browser, market: Market, page_world: World
) -> None:
    public = home(client)
    assert 'href="/my/achievements/new"' in public
    assert 'href="/my/needs/new"' in public
    client.sign_in_as(page_world.actor(Role.REGISTRAR))
    registrar = home(client)
    assert 'href="/my/achievements/new"' not in registrar
    assert 'href="/my/needs/new"' not in registrar


def test_the_number_of_queries_does_not_grow_with_the_market(
    client: Browser, market: Market, services: wiring.Services
) -> None:
    def queries() -> int:
        with statements(services.database) as asked:
            home(client)
        return len(asked)

    for _ in range(4):
        market.open_need()
        market.achievement()
    few = queries()
    for _ in range(8):
        market.open_need()
        market.achievement()
    assert queries() == few
    assert few < 80


@pytest.mark.parametrize("path", ["/help", "/about", "/accessibility", "/site-map", "/components"])
def test_the_standing_pages_answer(client: Browser, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.get_data(as_text=True).count("<h1>") == 1


def test_the_section_one_is_in_is_marked_in_the_navigation(
    client: Browser, page_world: World
) -> None:
    university = page_world.organisation(name="泉城理工大学")
    page = client.get(f"/institutions/{university.id}").get_data(as_text=True)
    assert '<a href="/institutions" aria-current="true">机构</a>' in page
    assert page.count("aria-current") == 2  # the other is the place in the breadcrumb
    assert '<a href="/" aria-current="page">首页</a>' in home(client)
