"""Walk the demo as each role: the pages that links lead to, and the forms on the way.

Numbers in an address stand for each other: of each kind of page one is opened, of the pages that
ask for a sign-in up to three, since they hold other forms in other states. What a walk found is
plain data, so that it can be kept and used on a fresh copy of the demo.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from werkzeug.exceptions import HTTPException

from seed.demo.content import content
from seed.demo.sign_ins import PASSWORD, sign_ins

VISITOR = "visitor"
EMAILS = {entry.role.value: entry.email for entry in sign_ins()}
ROLES = (VISITOR, *EMAILS)
# What ends or changes the walker's own session, and the demo's clock.
LEFT_ALONE = {
    "accounts.sign_out",
    "accounts.act_for",
    "demonstration.advance",
}
_BUYER = next(o.uscc for o in content().organisations if o.kind == "enterprise")
_HIDDEN = {"csrf_token", "submission_key"}
_TEXT = {"text", "search", "email", "tel", "textarea", "url"}


@dataclass(frozen=True)
class Control:
    """One named control of a form as it stood on the page."""

    name: str
    kind: str  # an input's type, "select" or "textarea"
    value: str
    options: tuple[str, ...] = ()  # what a select, a radio or check boxes offer
    label: str = ""
    is_amount: bool = False

    @property
    def is_text(self) -> bool:
        """Tell whether a person may type into it freely."""
        return self.kind in _TEXT


@dataclass(frozen=True)
class FoundForm:
    """A form that a person met, and where."""

    role: str
    page: str
    action: str
    endpoint: str
    method: str
    controls: tuple[Control, ...]
    has_key: bool

    @property
    def kind(self) -> tuple[str, ...]:
        """Return what makes two forms the same: where they go and what they ask."""
        names = {re.sub(r"\d+", "0", c.name) for c in self.controls if c.kind != "hidden"}
        return (self.endpoint, *sorted(names))

    @property
    def amounts(self) -> list[Control]:
        """List the controls that take yuan."""
        return [control for control in self.controls if control.is_amount]

    @property
    def texts(self) -> list[Control]:
        """List the controls that take free text."""
        return [c for c in self.controls if c.is_text and not c.is_amount]

    @property
    def dates(self) -> list[Control]:
        """List the controls that take a day."""
        return [c for c in self.controls if c.kind == "date"]

    def as_found(self) -> dict[str, Any]:
        """Return what a browser would send if nothing were typed."""
        sent: dict[str, Any] = {}
        for control in self.controls:
            if control.kind in ("submit", "file"):
                continue
            if control.kind in ("checkbox", "radio") and not control.value:
                continue
            sent[control.name] = control.value
        return sent

    def filled(self) -> dict[str, Any]:
        """Return a sensible guess at what somebody would send: every empty control filled."""
        sent = self.as_found()
        for control in self.controls:
            if sent.get(control.name) or control.kind in ("hidden", "submit", "file"):
                continue
            sent[control.name] = _guess(control)
        return {name: value for name, value in sent.items() if value != ""}


@dataclass
class Walk:
    """What one role can open and send."""

    role: str
    pages: dict[str, str] = field(default_factory=dict)  # kind of address -> one address
    downloads: dict[str, str] = field(default_factory=dict)
    forms: list[FoundForm] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def sign_in(client: FlaskClient, role: str) -> None:
    """Sign in as a role's person of the demo; the visitor stays outside."""
    client.delete_cookie("session")
    if role != VISITOR:
        answer = client.post("/sign-in", data={"email": EMAILS[role], "password": PASSWORD})
        assert answer.status_code == 303, f"{role} cannot sign in"


def kind_of(address: str) -> str:
    """Return an address with its numbers levelled and its query left off."""
    return re.sub(r"/\d+", "/0", urlsplit(address).path)


def walk(
    app: Flask,
    client: FlaskClient,
    role: str,
    public: Collection[str] = (),
    *,
    most: int = 3,
    most_public: int = 1,
) -> Walk:
    """Open the pages that links lead to, from the workbench and the site map on.

    ``public`` are kinds of pages that a visitor has opened already; the others are opened up to
    ``most`` times, those ``most_public`` times.
    """
    sign_in(client, role)
    found = Walk(role)
    opened: dict[str, set[str]] = {}
    seen_forms: set[tuple[str, ...]] = set()
    start = ["/", "/site-map", "/sign-in", "/register"]
    waiting = [(link, "") for link in (start if role == VISITOR else ["/workbench", *start])]
    while waiting:
        address, source = waiting.pop(0)
        kind = kind_of(address)
        before = opened.setdefault(kind, set())
        path = urlsplit(address).path
        if path in before or len(before) >= (most_public if kind in public else most):
            continue
        before.add(path)
        answer = client.get(address)
        if answer.status_code in (301, 302, 303):
            found.pages.setdefault(kind, address)
            waiting.insert(0, (answer.headers["Location"], address))
            continue
        if answer.mimetype != "text/html":
            found.downloads.setdefault(kind, address)
            continue
        found.pages.setdefault(kind, address)
        if answer.status_code >= 400:
            found.broken.append(f"{source} links to {address}: {answer.status_code}")
            continue
        page = html.fromstring(answer.get_data(as_text=True))
        waiting += [
            (link.split("#")[0], address)
            for link in page.xpath("//a/@href")
            if link.startswith("/") and not link.startswith(("//", "/static/"))
        ]
        for form in forms_of(app, page, role, address):
            if form.kind not in seen_forms:
                seen_forms.add(form.kind)
                found.forms.append(form)
    return found


def forms_of(app: Flask, page: Any, role: str, address: str) -> Iterator[FoundForm]:
    """Read the forms of a page."""
    for form in page.xpath("//form"):
        method = (form.get("method") or "get").upper()
        action = form.get("action") or address
        try:
            endpoint, _values = app.url_map.bind("localhost").match(
                urlsplit(action).path, method=method
            )
        except HTTPException:
            endpoint = "?"
        controls = tuple(_controls(form))
        yield FoundForm(
            role=role,
            page=address,
            action=action,
            endpoint=endpoint,
            method=method,
            controls=tuple(c for c in controls if c.name not in _HIDDEN),
            has_key=any(c.name == "submission_key" for c in controls),
        )


def _controls(form: Any) -> Iterator[Control]:
    groups: dict[str, list[Any]] = {}
    for node in form.xpath(".//input[@name] | .//select[@name] | .//textarea[@name]"):
        groups.setdefault(node.get("name"), []).append(node)
    for name, nodes in groups.items():
        node = nodes[0]
        kind = node.get("type", "text") if node.tag == "input" else node.tag
        options: tuple[str, ...] = ()
        value = node.get("value") or ""
        if kind == "select":
            options = tuple(o.get("value", "") for o in node.xpath(".//option"))
            chosen = node.xpath(".//option[@selected]/@value")
            value = chosen[0] if chosen else options[0]
        elif kind == "textarea":
            value = (node.text or "").removeprefix("\n")
        elif kind in ("checkbox", "radio"):
            options = tuple(n.get("value", "y") for n in nodes)
            value = next((n.get("value", "y") for n in nodes if n.get("checked") is not None), "")
        yield Control(name, kind, value, options, _label(form, node), _takes_yuan(node))


def _label(form: Any, node: Any) -> str:
    found = form.xpath(".//label[@for=$id]", id=node.get("id") or "-")
    return str(found[0].text_content()) if found else node.get("aria-label", "")


def _takes_yuan(node: Any) -> bool:
    if node.tag != "input" or node.get("type", "text") != "text":
        return False
    unit = node.getnext()
    if unit is not None and unit.tag == "span" and (unit.text or "").strip() == "元":
        return True
    cell = next((above for above in node.iterancestors() if above.tag == "td"), None)
    if cell is None:
        return False
    heads = next(cell.iterancestors("table")).xpath("./thead/tr/th")
    place = len(list(cell.itersiblings(preceding=True)))
    return place < len(heads) and str(heads[place].text_content()).endswith("（元）")


def _guess(control: Control) -> str:
    if control.is_amount:
        return "10000"
    if control.options:
        return next((option for option in control.options if option), "")
    if control.kind == "date":
        return "2024-03-20"
    if control.kind == "datetime-local":
        return "2024-03-20T09:00"
    if control.kind == "email":
        return "someone@walk.example"
    if control.name.endswith("uscc"):
        return _BUYER
    if "percent" in control.name or "share" in control.name or "points" in control.name:
        return "60"
    return "现场试运行记录齐全，按约定办理。" if control.kind == "textarea" else "12"
