"""Keeping a search from its results, looking after it, and reading it as a feed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from pytest_mock import MockerFixture

from marketplace import wiring, worker
from marketplace.accounts import queries as organisations
from marketplace.accounts import service as accounts
from marketplace.discovery.indexing import SearchIndex
from marketplace.foundation.access import Role
from search.errors import SearchUnavailable
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.world import World

ATOM = "{http://www.w3.org/2005/Atom}"
TITLE = "低温脱硝催化剂：180 ℃ 去除率 92 %"


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    made = Market(page_world, services, clock)
    made.catalyst = made.achievement()
    made.need = made.open_need()
    made.settle()
    return made


def text_of(client: Browser, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:400]
    return answer.get_data(as_text=True)


def entries(document: str) -> list[tuple[str, str]]:
    root = ElementTree.fromstring(document)
    return [
        (entry.findtext(f"{ATOM}title", ""), entry.find(f"{ATOM}link").attrib["href"])  # type: ignore[union-attr]  # every entry has one
        for entry in root.iter(f"{ATOM}entry")
    ]


def keep(client: Browser, **form: Any) -> None:
    answer = client.send("/my/searches/new", **({"q": "低温脱硝", "name": "脱硝"} | form))
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/my/searches"


def feed_of(client: Browser) -> str:
    found = re.search(
        r'value="http://localhost(/feeds/searches/\d+/\w+)"', text_of(client, "/my/searches")
    )
    assert found
    return found[1]


def test_results_offer_to_keep_the_search_and_a_feed(client: Browser, market: Market) -> None:
    visitor = text_of(client, "/search?q=低温脱硝&field=environment")
    assert "登录后保存检索" in visitor
    assert "/search.atom?q=" in visitor
    client.sign_in_as(market.buyer)
    page = text_of(client, "/search?q=低温脱硝&field=environment")
    assert 'action="/my/searches/new"' in page
    assert 'type="hidden" name="field" value="environment"' in page


def test_a_kept_search_is_listed_changed_paused_and_removed(
    client: Browser, market: Market
) -> None:
    client.sign_in_as(market.buyer)
    assert "还没有订阅" in text_of(client, "/my/searches")
    keep(client, field="environment", frequency="weekly")
    page = text_of(client, "/my/searches")
    for said in ("脱硝", "每周告诉我", "环境保护与资源综合利用", "最多 50 个"):
        assert said in page
    opened = client.get("/my/searches/1")
    assert opened.status_code == 302
    assert "sort=updated" in opened.headers["Location"]
    assert "field=environment" in opened.headers["Location"]
    assert (
        client.send("/my/searches/1/change", name="烟气", frequency="immediate").status_code == 303
    )
    assert "立即告诉我" in text_of(client, "/my/searches")
    assert client.send("/my/searches/1/change", name="", frequency="daily").status_code == 422
    client.send("/my/searches/1/pause")
    assert "已暂停" in text_of(client, "/my/searches")
    client.send("/my/searches/1/resume")
    assert "立即告诉我" in text_of(client, "/my/searches")
    client.send("/my/searches/1/remove")
    assert "还没有订阅" in text_of(client, "/my/searches")
    text_of(client, "/my/searches/1", 404)


def test_keeping_the_same_twice_is_refused_in_words_on_the_results(
    client: Browser, market: Market
) -> None:
    client.sign_in_as(market.buyer)
    keep(client)
    answer = client.send("/my/searches/new", q="低温脱硝", name="又一次")
    assert answer.headers["Location"].startswith("/search?q=")
    assert "已经保存过" in text_of(client, answer.headers["Location"])


def test_the_message_leads_to_the_search(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    keep(client, frequency="immediate")
    market.clock.forward(minutes=1)
    market.achievement(title="低温脱硝滤袋，一次脱硝除尘")
    worker.run_until_quiet(market.services)
    page = text_of(client, "/inbox?kind=search")
    assert "“脱硝”有 1 条新内容" in page
    message = re.search(r'action="(/inbox/\d+/open)"', page)
    assert message
    assert client.post(message[1]).headers["Location"] == "/my/searches/1"


def test_a_public_search_is_a_feed_without_an_account(client: Browser, market: Market) -> None:
    answer = client.get("/search.atom?q=低温脱硝")
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    [(title, link)] = entries(answer.get_data(as_text=True))
    assert title == TITLE
    assert link == f"http://localhost/achievements/{market.catalyst}"
    market.withdraw(market.catalyst)
    # The index has not heard of it yet; the feed asks the database.
    assert entries(text_of(client, "/search.atom?q=低温脱硝")) == []


@pytest.mark.parametrize(
    "query",
    ["", "q=%00%1b<&]]>", "q=" + "脱" * 5000, "tab=moon&page=1000000000&field=x", "tab=people"],
)
def test_a_feed_of_junk_is_still_a_feed(client: Browser, market: Market, query: str) -> None:
    entries(text_of(client, f"/search.atom?{query}"))


def test_a_kept_search_has_a_secret_feed_that_can_be_renewed_and_closed(
    client: Browser, market: Market
) -> None:
    client.sign_in_as(market.buyer)
    keep(client)
    assert "/feeds/" not in text_of(client, "/my/searches")
    client.send("/my/searches/1/feed/renew")
    first = feed_of(client)
    client.send("/my/searches/1/feed/renew")
    second = feed_of(client)
    assert first != second
    client.sign_out()
    text_of(client, first, 404)
    answer = client.get(second)
    assert [title for title, _ in entries(answer.get_data(as_text=True))] == [TITLE]
    assert answer.headers["Cache-Control"] == "private, no-store"
    text_of(client, second[:-1] + ("0" if second[-1] != "0" else "1"), 404)
    text_of(client, second.replace("/searches/1/", "/searches/2/"), 404)
    text_of(client, "/feeds/searches/1/%F0%9F%98%80", 404)
    client.sign_in_as(market.buyer)
    client.send("/my/searches/1/feed/close")
    assert "/feeds/" not in text_of(client, "/my/searches")
    text_of(client, second, 404)


def test_the_feed_ends_with_the_membership(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    keep(client)
    client.send("/my/searches/1/feed/renew")
    address = feed_of(client)
    database = market.services.database
    with database.reading() as session:
        company = organisations.get_organisation(session, market.buyer.organisation_id or 0)
    head = market.world.actor(Role.ORG_ADMIN, company)
    with database.transaction() as session:
        accounts.set_roles(
            session,
            actor=head,
            now=market.clock.now() + timedelta(minutes=1),
            user_id=market.buyer.user_id or 0,
            roles=(),
        )
    text_of(client, address, 404)


def test_a_feed_says_when_the_engine_is_away(
    client: Browser, market: Market, services: wiring.Services, mocker: MockerFixture
) -> None:
    engine = services.resources[SearchIndex].engine
    mocker.patch.object(engine, "search", side_effect=SearchUnavailable("down"))
    text_of(client, "/search.atom?q=低温脱硝", 503)


def test_others_do_not_see_a_kept_search(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    keep(client)
    client.sign_in_as(market.officer)
    assert "还没有订阅" in text_of(client, "/my/searches")
    text_of(client, "/my/searches/1", 404)
    assert client.send("/my/searches/1/remove").status_code == 404
