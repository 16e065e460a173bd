"""Bad input into every form that somebody can reach in the demo.

The forms are found by walking the demo as each role; a new form is tried without being named here.
"""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import urlsplit

import openpyxl
import pytest
from lxml import html
from sqlalchemy import text

from tests.walking import LEFT_ALONE, ROLES, FoundForm, Walk, sign_in, walk

FORMULA = "=cmd|' /C calc'!A0"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>"
HOSTILE = f'{FORMULA}">{MARKUP}'
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MESSAGE = "invalid-feedback"
_RAW = re.compile(r"<script>alert\(1\)|<img src=x", re.IGNORECASE)
_OVERTAKEN = re.compile("改过|已被|已经修改|已经重新提交")
BAD_AMOUNTS = {
    "three decimals": "12.345",
    "negative": "-5",
    "words": "五十万左右",
    "too large": "1000000000000000",
}
# Days that must not stand the wrong way round, as forms name them.
ORDERED_DAYS = (
    ("opens_on", "closes_on"),
    ("starts_on", "ends_on"),
    ("effective_on", "ends_on"),
    ("valid_from", "valid_to"),
    ("base_on", "valid_until"),
    ("since", "until"),
    ("first_on", "last_on"),
)


def _distinct(walks: dict[str, Walk], method: str = "POST") -> list[FoundForm]:
    """List one form of each kind, with who met it first."""
    found: dict[tuple[str, ...], FoundForm] = {}
    for role in ROLES:
        for form in walks[role].forms:
            if form.method == method and form.endpoint not in LEFT_ALONE:
                found.setdefault(form.kind, form)
    return list(found.values())


def _by_role(forms: list[FoundForm]) -> list[tuple[str, list[FoundForm]]]:
    return [
        (role, mine) for role in ROLES if (mine := [form for form in forms if form.role == role])
    ]


class Trier:
    """Sends forms on a copy of the demo and knows whether anything was stored."""

    def __init__(self, site: Any) -> None:
        self._site = site
        self.client = site.client()

    def stored(self) -> int:
        """Count the audited changes so far."""
        with self._site.services.database.reading() as session:
            count = session.scalar(text("SELECT count(*) FROM foundation_audit_rows"))
        assert isinstance(count, int)
        return count

    def send(self, form: FoundForm, values: dict[str, Any]) -> Any:
        """Send a form under a key of its own."""
        if form.method == "GET":
            return self.client.get(form.action, query_string=values)
        return self.client.post(form.action, data=values)


@pytest.fixture
def trier(demo_site: Any) -> Trier:
    """Somebody who sends bad forms."""
    return Trier(demo_site)


def _control(page: Any, form: FoundForm, name: str) -> Any:
    """Find a control again: a page may hold several forms with fields of one name."""
    actions = {form.action, urlsplit(form.action).path}
    for found in page.xpath("//*[@name=$name]", name=name):
        around = next(found.iterancestors("form"), None)
        if around is not None and (around.get("action") or form.action) in actions:
            return found
    return None


def _kept(page: Any, form: FoundForm, name: str) -> str | None:
    """Return what stands in a control of the page."""
    found = _control(page, form, name)
    if found is None:
        return None
    return (found.text or "").removeprefix("\n") if found.tag == "textarea" else found.get("value")


def _is_marked(page: Any, form: FoundForm, name: str) -> bool:
    """Tell whether a message stands beside a control."""
    found = _control(page, form, name)
    if found is None or found.get("aria-invalid") != "true":
        return False
    ids = set((found.get("aria-describedby") or "").split())
    return any(str(note.get("id")) in ids and note.text for note in page.find_class(_MESSAGE))


def _computed_cells(content: bytes) -> list[str]:
    """List the cells of an Excel file that a spreadsheet would compute."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = (cell for sheet in book for row in sheet.iter_rows() for cell in row)
    return [cell.coordinate for cell in cells if cell.data_type == "f"]


def test_the_walk_meets_the_forms_of_every_slice(walks: dict[str, Walk]) -> None:
    slices = {form.endpoint.split(".")[0] for form in _distinct(walks)}
    assert slices >= {
        "accounts", "achievements", "needs", "assessments", "listings", "brokerage", "contracts",
        "subsidies", "techservices", "exchange", "payments", "publicity", "integrity",
    }  # fmt: skip
    assert len(_distinct(walks)) >= 80


def test_markup_and_formulas_come_back_as_text_and_stay_text(
    walks: dict[str, Walk], trier: Trier, demo_site: Any
) -> None:
    """Sent into every text field at once, then, where that was refused, into free text alone."""
    wrong: list[str] = []
    for role, forms in _by_role([form for form in _distinct(walks) if form.texts]):
        sign_in(trier.client, role)
        for form in forms:
            typed = {control.name: HOSTILE for control in form.texts}
            before = trier.stored()
            answer = trier.send(form, {**form.filled(), **typed})
            body = answer.get_data(as_text=True)
            name = f"{form.endpoint} as {role}: {answer.status_code}"
            if answer.status_code >= 500 or _RAW.search(body):
                wrong.append(name)
            if answer.status_code != 422:
                continue
            if trier.stored() != before:
                wrong.append(f"{name}, and something is stored")
            page = html.fromstring(body)
            lost = [c.name for c in form.texts if _kept(page, form, c.name) != HOSTILE]
            # What another form of this walk has settled meanwhile has no form any more.
            if lost and not _OVERTAKEN.search(body):
                wrong.append(f"{name}, what was typed is lost: {lost}")
            free = {c.name: HOSTILE for c in form.texts if c.kind == "textarea"}
            answer = trier.send(form, {**form.filled(), **free})
            if answer.status_code >= 500 or _RAW.search(answer.get_data(as_text=True)):
                wrong.append(f"{name}, then {answer.status_code} with free text alone")
    assert not wrong, "\n".join(wrong)

    # Whatever was taken is now read back by everybody.
    seen = 0
    public: tuple[str, ...] = ()
    for role in ROLES:
        again = walk(demo_site.app, trier.client, role, public, most=1, most_public=0)
        public = public or tuple(again.pages)
        for address in again.pages.values():
            body = trier.client.get(address).get_data(as_text=True)
            seen += body.count("alert(1)")
            assert not _RAW.search(body), f"{address} as {role} shows raw markup"
        for address in again.downloads.values():
            answer = trier.client.get(address)
            if answer.mimetype == _XLSX:
                computed = _computed_cells(answer.get_data())
                assert not computed, f"{address} as {role} computes {computed}"
    assert seen >= 5, "hardly anything was stored: the test shows nothing"


@pytest.mark.parametrize("kind", BAD_AMOUNTS)
def test_a_bad_amount_is_refused_beside_its_field_and_kept(
    kind: str, walks: dict[str, Walk], trier: Trier
) -> None:
    bad = BAD_AMOUNTS[kind]
    forms = [form for m in ("POST", "GET") for form in _distinct(walks, m) if form.amounts]
    assert len(forms) >= 10
    wrong: list[str] = []
    for role, mine in _by_role(forms):
        sign_in(trier.client, role)
        for form in mine:
            before = trier.stored()
            sent = {**form.filled(), **{control.name: bad for control in form.amounts}}
            answer = trier.send(form, sent)
            name = f"{form.endpoint} as {role}: {answer.status_code}"
            if answer.status_code != 422:
                wrong.append(name)
                continue
            page = html.fromstring(answer.get_data(as_text=True))
            wrong += [
                f"{name}, {control.name} is not kept or not marked"
                for control in form.amounts
                if _kept(page, form, control.name) != bad
                or not _is_marked(page, form, control.name)
            ]
            if trier.stored() != before:
                wrong.append(f"{name}, and something is stored")
    assert not wrong, "\n".join(wrong)


def test_days_that_end_before_they_begin_are_refused(walks: dict[str, Walk], trier: Trier) -> None:
    wrong: list[str] = []
    met: set[tuple[str, str]] = set()
    for role, forms in _by_role(_distinct(walks)):
        sign_in(trier.client, role)
        for form in forms:
            names = {control.name for control in form.dates}
            for first, last in ORDERED_DAYS:
                if first not in names or last not in names:
                    continue
                met.add((first, last))
                before = trier.stored()
                sent = {**form.filled(), first: "2024-06-30", last: "2024-06-01"}
                answer = trier.send(form, sent)
                page = html.fromstring(answer.get_data(as_text=True))
                name = f"{form.endpoint}.{last} as {role}: {answer.status_code}"
                if answer.status_code != 422 or trier.stored() != before:
                    wrong.append(name)
                elif not (_is_marked(page, form, first) or _is_marked(page, form, last)):
                    wrong.append(f"{name}, nothing stands beside the field")
                elif _kept(page, form, last) != "2024-06-01":
                    wrong.append(f"{name}, what was typed is lost")
    assert not wrong, "\n".join(wrong)
    assert met == set(ORDERED_DAYS)


def test_every_form_with_two_days_is_looked_at(walks: dict[str, Walk]) -> None:
    """A form with two days either stands in the table above or is one whose days have no order."""
    ordered = {frozenset(pair) for pair in ORDERED_DAYS}
    unordered = {
        "achievements.edit",  # each right has days of its own
        "brokerage.propose_talk",  # the days to choose from
        "brokerage.write_minutes",  # each thing to do has a day of its own
    }
    missing = [
        (form.endpoint, [control.name for control in form.dates])
        for form in _distinct(walks)
        if len(form.dates) > 1
        and form.endpoint not in unordered
        and not any(pair <= {control.name for control in form.dates} for pair in ordered)
    ]
    assert not missing


def test_a_stale_form_says_so_and_keeps_what_was_typed(
    walks: dict[str, Walk], trier: Trier
) -> None:
    wrong: list[str] = []
    tried = 0
    for role, forms in _by_role(_distinct(walks)):
        sign_in(trier.client, role)
        for form in forms:
            version = next((c.value for c in form.controls if c.name == "version"), "")
            if not version.isdigit() or not form.texts:
                continue
            tried += 1
            before = trier.stored()
            # What the colleague saw was one version earlier.
            sent = {**form.filled(), "version": str(int(version) - 1)}
            first = next((c for c in form.texts if c.kind == "textarea"), form.texts[0])
            sent[first.name] = "同事改过之后我才点保存"
            answer = trier.send(form, sent)
            body = answer.get_data(as_text=True)
            name = f"{form.endpoint} as {role}: {answer.status_code}"
            if answer.status_code not in (409, 422) or trier.stored() != before:
                wrong.append(name)
            elif not _OVERTAKEN.search(body.replace(sent[first.name], "")):
                wrong.append(f"{name}, it does not say why")
            elif _kept(html.fromstring(body), form, first.name) != sent[first.name]:
                wrong.append(f"{name}, what was typed is lost")
    assert not wrong, "\n".join(wrong)
    assert tried >= 5
