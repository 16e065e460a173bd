"""Whatever is typed or put into an address gets a page, quickly, and nothing of it runs."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest

from marketplace import wiring
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.world import World

# Far more than a page takes; a query that explodes takes minutes.
_BOUND_SECONDS = 10.0

TYPED = {
    "ten thousand characters": "脱硝催化剂" * 2000,
    "ten thousand different words": " ".join(f"词{n}" for n in range(2500)),
    "only punctuation": "，。！？；：、—…·《》()[]{}<>~`|\\/^&%$#@*+=",
    "control characters": "".join(chr(n) for n in range(32)) + "\x7f\u200b\u202e\ufeff脱硝",
    "emoji": "😀👩‍🔬🇨🇳脱硝❤️",
    "unbalanced quotes": '"脱硝 “催化剂 「低温 """ \'',
    "wildcard bomb": "*" * 300 + " ?*?*?*?* a*b*c*d*e*f*g* 脱*硝*",
    "boolean bomb": "(((((((((" * 40 + " AND OR NOT -脱 --硝 ||| &&& ~1000",
    "field names": "标题:x id:1 visibility:members owner_id:1 价格:[* TO *] 领域:没有的领域",
    "regular expression": "/(a+)+$/ ^(脱|硝)*$ [一-龥]{1,9999}",
    "script": "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg/onload=alert(3)>",
    "template": "{{ 7*7 }} {% raw %} ${7*7} #{7*7}",
    "statement": "'; DROP TABLE needs_needs; -- %' OR 1=1",
    "lone surrogate": "\udcff脱硝",
    "zero byte": "脱\x00硝",
    "one character": "硝",
    "combining marks": "e" + "\u0301" * 3000,
    "right to left": "\u202eمرحبا脱硝",
}
ADDRESSES = (
    "page=1000000000",
    "page=-1",
    "page=１２",
    "page=1e9&sort=;drop",
    "nothing=1&owner_id=1&visibility=members&state=draft&kind=achievement",
    "field=<script>alert(1)</script>",
    "field=" + "&field=".join(f"f{n}" for n in range(500)),
    "without=" + "&without=".join("词" * 100 for _ in range(50)),
    "maturity_band=99&ip_kind=%00&mode=%ff%fe&region=%F0%9F%98%80",
    "price_from=1e400&price_to=-1&price_open=maybe",
    "price_from=99999999999999999999999&fresh=999999999",
    "tab=&sort=&expand=&q=",
    "tab=people&kind=achievement&q=脱硝",
)


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    made = Market(page_world, services, clock)
    made.catalyst = made.achievement()
    made.need = made.open_need()
    made.settle()
    return made


def opened(client: Browser, path: str, *statuses: int) -> str:
    began = time.monotonic()
    answer = client.get(path)
    assert time.monotonic() - began < _BOUND_SECONDS
    assert answer.status_code in (statuses or (200,)), path[:200]
    page = answer.get_data(as_text=True)
    for harmful in ("<script>alert", "<img src=x", "<svg/onload", "Traceback"):
        assert harmful not in page
    return page


@pytest.mark.parametrize("name", TYPED)
def test_whatever_is_typed_gets_a_page(client: Browser, market: Market, name: str) -> None:
    typed = quote(TYPED[name], errors="surrogateescape")
    client.sign_in_as(market.buyer)
    for tab in ("achievements", "people"):
        page = opened(client, f"/search?tab={tab}&q={typed}")
        assert 'role="search"' in page
        assert "把这段话发布为需求" in page or "把难题发布为需求" in page
    opened(client, f"/search/suggest?q={typed}")
    opened(client, f"/search.atom?q={typed}")
    opened(client, f"/my/needs/new?text={typed}")
    opened(client, f"/needs/{market.need}?without={typed}")


@pytest.mark.parametrize("name", ["ten thousand characters", "ten thousand different words"])
def test_what_is_cut_is_said(client: Browser, market: Market, name: str) -> None:
    assert "检索词太长，只用了前" in opened(client, f"/search?q={quote(TYPED[name])}")


def test_only_punctuation_is_said(client: Browser, market: Market) -> None:
    page = opened(client, f"/search?q={quote(TYPED['only punctuation'])}")
    assert "检索词里只有标点" in page


def test_an_unknown_value_of_a_filter_is_said(client: Browser, market: Market) -> None:
    page = opened(client, f"/search?q={quote('领域:没有的领域')}")
    assert "没有“没有的领域”这个筛选值" in page


@pytest.mark.parametrize("query", ADDRESSES)
def test_whatever_stands_in_an_address_gets_a_page(
    client: Browser, market: Market, query: str
) -> None:
    for path in ("/search", "/search.atom", "/search/suggest"):
        opened(client, f"{path}?{query}")


def test_a_filter_from_another_tab_filters_nothing_and_shows_no_other_kind(
    client: Browser, market: Market
) -> None:
    page = opened(client, "/search?tab=people&kind=achievement")
    assert f'href="/achievements/{market.catalyst}"' not in page


@pytest.mark.parametrize("name", TYPED)
def test_whatever_is_posted_is_kept_or_refused_in_words(
    client: Browser, market: Market, name: str
) -> None:
    typed = TYPED[name].encode("utf-8", "replace").decode()
    client.sign_in_as(market.buyer)
    kept = client.send("/my/searches/new", q=typed, name=typed, frequency=typed)
    assert kept.status_code == 303
    opened(client, "/my/searches")
    accepted = client.send(f"/needs/{market.need}/terms", term=typed)
    assert accepted.status_code == 303
    opened(client, f"/needs/{market.need}")
    assert client.post("/my/needs/terms", data={"problem": typed[:4000]}).status_code == 200
