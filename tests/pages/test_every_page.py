"""Every page that is there, opened by everybody: an answer in words, whatever the address says."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from lxml import html

from tests.walking import ROLES, VISITOR, Walk, kind_of, sign_in

_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
# No row has it, and no column of the database can hold it.
_NOBODYS = {"int": "999999999999999999999", "path": "no/such", "": "no-such-thing"}
_JUNK = {
    "cursor": "junk", "sort": "junk", "page": "-1", "state": "junk", "kind": "x", "type": "x",
    "q": "\u202e%00'\"><", "on": "2024-13-45", "amount": "x", "year": "99999",
    "next": "//evil.example",
}  # fmt: skip
_STACK = ("Traceback (most recent call last)", "sqlalchemy.exc", "werkzeug.exceptions", 'File "/')


@pytest.fixture(scope="module")
def addresses(walks: dict[str, Walk]) -> list[str]:
    """One address of each kind of page or file that anybody met."""
    found: dict[str, str] = {}
    for walked in walks.values():
        for kind, address in (walked.pages | walked.downloads).items():
            found.setdefault(kind, address)
    return list(found.values())


def test_no_link_leads_to_a_refusal(walks: dict[str, Walk]) -> None:
    broken = [f"{role}: {line}" for role, walked in walks.items() for line in walked.broken]
    assert not broken, "\n".join(broken)


def test_most_pages_are_reached_by_links(app: Flask, walks: dict[str, Walk]) -> None:
    """What no walk meets in the demo is named here, with where it is opened instead."""
    met = {kind for walked in walks.values() for kind in walked.pages | walked.downloads}
    patterns = {
        rule.endpoint: re.compile(_PARAMETER.sub("[^/]+", rule.rule) + "$")
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set()) and rule.endpoint != "static"
    }
    unmet = {name for name, shape in patterns.items() if not any(map(shape.match, met))}
    assert len(unmet) <= len(patterns) * 0.3, sorted(unmet)


@pytest.mark.parametrize("role", ROLES)
def test_everybody_gets_an_answer_in_words(
    role: str, addresses: list[str], walks: dict[str, Walk], demo_site: Any
) -> None:
    """Open what anybody met behind the sign-in, as a role that may not have met it."""
    client = demo_site.client()
    sign_in(client, role)
    wrong = []
    for address in addresses:
        if role != VISITOR and kind_of(address) in walks[VISITOR].pages:
            continue
        answer = client.get(address)
        body = answer.get_data(as_text=True) if answer.mimetype == "text/html" else ""
        if answer.status_code not in (200, 302, 303, 403, 404) or any(s in body for s in _STACK):
            wrong.append(f"{address}: {answer.status_code}")
        if answer.status_code >= 400 and not re.search("[\u4e00-\u9fff]{6}", body):
            wrong.append(f"{address}: {answer.status_code} says nothing")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ["visitor", "officer", "operator"])
def test_an_address_that_nobody_has_is_not_found_and_junk_is_ignored(
    role: str, addresses: list[str], walks: dict[str, Walk], demo_site: Any
) -> None:
    client = demo_site.client()
    sign_in(client, role)
    wrong = []
    for rule in demo_site.app.url_map.iter_rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint == "static":
            continue
        address = _PARAMETER.sub(lambda found: _NOBODYS[found[1] or ""], rule.rule)
        status = client.get(address).status_code
        if status >= 500 or (address != rule.rule and status == 200):
            wrong.append(f"{address}: {status}")
    # Whatever a page asks of its address, as a number beyond all rows.
    asked = {name for address in addresses for name in parse_qs(urlsplit(address).query)}
    asked |= {
        control.name
        for walked in walks.values()
        for form in walked.forms
        if form.method == "GET"
        for control in form.controls
    }
    numbers = dict.fromkeys(sorted(asked), "9" * 21)
    for address in addresses:
        if role != VISITOR and kind_of(address) in walks[VISITOR].pages:
            continue
        for junk in (_JUNK, numbers):
            status = client.get(address.split("?")[0], query_string=junk).status_code
            if status >= 500:
                wrong.append(f"{address} with {junk}: {status}")
    assert not wrong, "\n".join(wrong)


def test_names_within_a_page_are_used_once_and_lead_somewhere(
    walks: dict[str, Walk], demo_site: Any
) -> None:
    """A label, a description or a link within the page must find exactly one place."""
    client = demo_site.client()
    wrong: set[str] = set()
    seen: set[str] = set()
    for role, walked in walks.items():
        sign_in(client, role)
        for kind, address in walked.pages.items():
            if kind in seen and kind in walks["visitor"].pages:
                continue
            seen.add(kind)
            answer = client.get(address)
            if answer.status_code != 200:
                continue
            page = html.fromstring(answer.get_data(as_text=True))
            ids = Counter(page.xpath("//@id"))
            wrong |= {f"{kind}: #{name} stands twice" for name, n in ids.items() if n > 1}
            named = [*page.xpath("//label/@for")]
            named += " ".join(page.xpath("//@aria-describedby | //@aria-labelledby")).split()
            named += [link[1:] for link in page.xpath("//a/@href") if re.match("#.", link)]
            wrong |= {f"{kind}: #{name} is nowhere" for name in named if name not in ids}
    assert not wrong, "\n".join(sorted(wrong))
    assert {kind_of(page) for page in walks["visitor"].pages} <= seen
