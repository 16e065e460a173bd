"""Every page that a person can reach by links, checked with axe-core and at difficult sizes.

The crawl opens one page of each kind (numbers in the address stand for each other), first as a
visitor, then as each role; what an earlier person has opened is not opened again.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from seed.demo.sign_ins import SignIn, sign_ins
from tests.browser.conftest import Person

pytestmark = pytest.mark.browser

WIDE, PHONE, NARROW = 1440, 390, 320
# Files and switches, not pages.
_NO_PAGE = re.compile(
    r"\.(xlsx|csv|txt|pdf|json|atom|ics)$|/papers/|/export|/download|/files?/|/attachments/|/report$|^/display"
    r"|/evidence$|/calendar$|/privacy/data$"
)
# The pages that people need most are opened by everybody.
_ALWAYS = ("/workbench",)
_AXE_SCRIPT = Axe().axe_script
_opened: set[str] = set()


def _kind(address: str) -> str:
    return re.sub(r"/\d+", "/0", urlsplit(address).path)


def _links(page: Page) -> list[str]:
    found = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    return [
        link.split("#")[0]
        for link in found
        if link.startswith("/") and not link.startswith("//") and not _NO_PAGE.search(_kind(link))
    ]


def _violations(page: Page) -> list[str]:
    if not page.evaluate("'axe' in window"):  # half a megabyte: once a page, not once a size
        page.evaluate(_AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(told => told.violations)")
    return [f"{one['id']}: {one['nodes'][0]['target'][0]}" for one in found]


def _scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def _check(page: Page, address: str) -> list[str]:
    """Look at the open page at all sizes and return what is wrong with it."""
    wrong: list[str] = []
    for width in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        wrong += [f"{address} at {width}: {found}" for found in _violations(page)]
        if _scrolls_sideways(page):
            wrong.append(f"{address} at {width}: scrolls sideways")
    # 200 % zoom at 1440 is the layout of 720; the small phone is the layout of 320.
    for width in (WIDE // 2, NARROW):
        page.set_viewport_size({"width": width, "height": 900})
        if _scrolls_sideways(page):
            wrong.append(f"{address} at {width}: scrolls sideways")
    # The larger type, as the server writes it on <html>.
    page.evaluate("document.documentElement.dataset.type = 'large'")
    for width in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        if _scrolls_sideways(page):
            wrong.append(f"{address} at {width} in large type: scrolls sideways")
    page.set_viewport_size({"width": WIDE, "height": 900})
    return wrong


def _crawl(person: Person, start: list[str]) -> list[str]:
    page, wrong = person.page, []
    waiting, seen = list(start), set()
    while waiting:
        address = waiting.pop(0)
        kind = _kind(address)
        if kind in seen or (kind in _opened and kind not in _ALWAYS):
            continue
        seen.add(kind)
        response = page.goto(address)
        if response is None or "text/html" not in response.headers.get("content-type", ""):
            continue
        waiting += _links(page)
        if response.status >= 400:
            wrong.append(f"{address} is linked to and answers {response.status}")
            continue
        # Who is sent elsewhere, as to the sign-in page, has not opened the page itself.
        landed = _kind(page.url)
        if landed in _opened and landed not in _ALWAYS:
            continue
        _opened.add(landed)
        wrong += _check(page, address)
    return wrong


def test_the_public_pages(people: type[Person]) -> None:
    visitor = people()
    wrong = _crawl(visitor, ["/", "/site-map"])
    assert {"/", "/search", "/calculator", "/notices", "/listings"} <= _opened
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", sign_ins(), ids=lambda who: who.role.value)
def test_the_pages_of_each_role(who: SignIn, people: type[Person]) -> None:
    person = people().sign_in(who.email)
    wrong = _crawl(person, ["/workbench", "/site-map"])
    assert not wrong, "\n".join(wrong)


def test_the_large_type_is_remembered(people: type[Person]) -> None:
    page = people(PHONE).page
    page.goto("/help")
    page.get_by_role("link", name="长辈版").click()
    assert page.locator("html").get_attribute("data-type") == "large"
    assert page.url.endswith("/help")
    page.goto("/about")
    assert page.locator("html").get_attribute("data-type") == "large"
    assert _violations(page) == []
    page.get_by_role("link", name="普通版").click()
    assert page.locator("html").get_attribute("data-type") is None


def test_every_control_of_the_main_pages_is_reached_by_the_tab_key(people: type[Person]) -> None:
    page = people().page
    for address in ("/", "/search?q=催化剂", "/calculator", "/register"):
        page.goto(address)
        controls = page.evaluate(
            """() => [...document.querySelectorAll(
                'a[href], button, input:not([type=hidden]), select, textarea, summary')]
              .filter(e => e.checkVisibility() && !e.disabled
                && !(e.type === 'radio' && e.name))
              .map((e, i) => { e.dataset.walk = i; return i; }).length"""
        )
        reached: set[str] = set()
        unseen: list[str] = []
        for _ in range(controls + 30):
            page.keyboard.press("Tab")
            place = page.evaluate(
                """() => { const e = document.activeElement; const s = getComputedStyle(e);
                  const shown = s.outlineStyle !== 'none' || e.matches('.filtertoggle input');
                  return [e.dataset.walk ?? '', shown, e.outerHTML.slice(0, 80)]; }"""
            )
            if place[0] and not place[1]:
                unseen.append(place[2])
            reached.add(place[0])
        reached.discard("")
        assert len(reached) == controls, f"{address}: {controls - len(reached)} are not reached"
        assert not unseen, f"{address}: without a visible focus: {unseen}"


def test_the_crawl_would_notice_what_the_policy_forbids(people: type[Person]) -> None:
    """Each person's window closes without a complaint; this shows that there would be one."""
    visitor = people()
    visitor.page.goto("/")
    visitor.page.evaluate(
        """() => {
            const inline = document.createElement('script');
            inline.textContent = 'window.planted = true';
            document.body.append(inline);
        }"""
    )
    assert visitor.page.evaluate("window.planted") is None
    assert len(visitor.complaints) == 1
    visitor.complaints.clear()
