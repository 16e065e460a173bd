"""Every button that creates something, clicked twice, creates it once."""

from __future__ import annotations

import inspect
import io
from typing import Any

import pytest
from flask import Flask

from tests.counting import Counter
from tests.walking import LEFT_ALONE, ROLES, VISITOR, FoundForm, Walk, sign_in
from tests.world import make_uscc

# Changes that are the same however often they are made, each with its reason.
_SAME_AGAIN = {
    "achievements.autosave": "overwrites the draft of the version it was opened with",
    "needs.autosave": "overwrites the draft of the version it was opened with",
    "contracts.autosave": "overwrites the draft of the version it was opened with",
    "accounts.sign_in": "a second session is a second sign-in and stands in the list",
    "accounts.sign_out": "ends a session that is ended",
    "accounts.act_for": "switches to the same organisation",
    "accounts.second_step": "a code counts once; the second click goes back to the password",
    "accounts.sign_in_by_passkey": "an answer counts once; the second click is refused",
    "accounts.confirm_second_factor": "shows its codes once; the code it was sent with is used up",
    "accounts.renew_recovery_codes": "shows its codes once; new ones void the ones before",
    "accounts.members": "shows its link once; a new link voids the one before",
    "accounts.tokens": "shows its token once; the same form sent again shows the same token",
    "contracts.contacts": "shows numbers; each look at them is noted",
    "contracts.review_contacts": "shows numbers; each look at them is noted",
    "subsidies.payee": "shows numbers; each look at them is noted",
    "subsidies.payment_accounts": "shows numbers; each look at them is noted",
    "accounts.reveal_phone": "shows a number; each look at it is noted",
    "brokerage.reveal_phone": "shows a number; each look at it is noted",
    "notifications.webhook_secret": "shows a secret; each look at it is noted",
    "accounts.close_account": "closes an account that is closed; nobody is signed in any more",
}


def _posts(app: Flask) -> list[str]:
    return sorted({r.endpoint for r in app.url_map.iter_rules() if "POST" in (r.methods or set())})


def test_every_form_on_a_page_carries_a_key(walks: dict[str, Walk]) -> None:
    missing = {
        (form.endpoint, form.page)
        for walked in walks.values()
        for form in walked.forms
        if form.method == "POST" and not form.has_key
    }
    assert not missing


def _clickable(walks: dict[str, Walk]) -> list[FoundForm]:
    found: dict[tuple[str, ...], FoundForm] = {}
    for role in ROLES:
        for form in walks[role].forms:
            if form.method == "POST" and form.endpoint not in LEFT_ALONE:
                found.setdefault(form.kind, form)
    return list(found.values())


def _sent(form: FoundForm) -> dict[str, Any]:
    values = {**form.filled(), "submission_key": f"clicked-{form.endpoint}-{form.page}"}
    long = "现场试运行三个月记录齐全，双方按约定办理，附件另交。"
    values |= {c.name: long for c in form.texts if c.kind == "textarea" and not c.value}
    known = {control.name for control in form.controls}
    values |= {
        name: value for name, value in _CORRECTED.get(form.endpoint, {}).items() if name in known
    }
    files = {
        value: (io.BytesIO(_FILES[value]), value) for value in values.values() if value in _FILES
    }
    return {name: files.get(value, value) for name, value in values.items() if value is not None}


# Where the guess of what somebody would send is not good enough; None leaves a field out.
_CORRECTED: dict[str, dict[str, Any]] = {
    "accounts.register": {
        "kind": "enterprise", "subkinds": None, "name": "济南双击精工有限公司",
        "uscc": make_uscc(904), "email": "twice@walk.example",
        "password": "one-click-two-clicks", "again": "one-click-two-clicks",
    },
    "accounts.members": {"email": "new.colleague@walk.example"},
    "achievements.attach": {"attachments": "report.pdf"},
    "brokerage.own_filing": {"service_income_fen": "500000", "brokered_fen": "5000000"},
    "brokerage.propose_commission": {
        "basis": "rate", "rate_percent": "2", "fixed_fen": None, "minimum_fen": None,
        **{f"partners-{n}-{part}": None for n in (0, 1) for part in ("broker", "share_percent")},
    },
    "exchange.upload": {"file": "needs.csv", "kind": "needs"},
    "integrity.desk": {"document": "济科信字〔2024〕9号"},
    "integrity.revoke": {"reason": "原处理决定已被撤销"},
    "listings.apply": {"deposit_fen": "250000"},
    "needs.attach": {"attachments": "report.pdf"},
    "payments.report": {"reference": "JN2024031400077", "transferred_on": "2024-03-14"},
    "publicity.object_to": {"contact": "0531-88000003", "attachments": "report.pdf"},
    "subsidies.confirm_payment": {"reference": "GK2024031500001"},
    "subsidies.decide": {"score": "85"},
    "techservices.announce": {"starts_at": "14:30", "ends_at": "16:30", "title": "铸造工艺对接会"},
    "techservices.place": {"title": "按约定办理的一件委托"},
}  # fmt: skip
_FILES = {
    "report.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    "needs.csv": "\ufeff需求名称,要解决的问题\n轴承温升过高,连续运转后温升超过四十度\n".encode(),
}
# What must be among the things that were created: a smaller walk would show less.
_CREATING = {
    "accounts.register", "achievements.create", "needs.create", "needs.answer", "contracts.draft",
    "brokerage.add_note", "brokerage.add_task", "brokerage.contact",
    "brokerage.interest", "brokerage.offer_agreement", "brokerage.propose_commission",
    "brokerage.split",
    "exchange.upload", "integrity.desk", "listings.apply", "publicity.object_to",
    "subsidies.prepare", "subsidies.rounds", "subsidies.list_payments", "techservices.place",
    "techservices.announce", "techservices.sign_up", "achievements.attach", "needs.attach",
}  # fmt: skip


@pytest.fixture
def counter(demo_site: Any) -> Counter:
    """A counter over the copy of the demo."""
    return Counter(demo_site.services.database)


def test_a_double_click_creates_one_object_and_leads_to_one_page(
    walks: dict[str, Walk], demo_site: Any, counter: Counter
) -> None:
    client = demo_site.client()
    wrong: list[str] = []
    created: set[str] = set()
    for role in ROLES:
        mine = [form for form in _clickable(walks) if form.role == role]
        if mine:
            sign_in(client, role)
        for form in mine:
            before = counter.rows()
            first = client.post(form.action, data=_sent(form))
            after, changes = counter.rows(), counter.changes()
            if role == VISITOR:
                sign_in(client, role)  # the second click left before the first one's answer came
            second = client.post(form.action, data=_sent(form))
            name = f"{form.endpoint} as {role}: {first.status_code}, {second.status_code}"
            again = form.endpoint in _SAME_AGAIN
            if counter.rows() != after or (counter.changes() != changes and not again):
                wrong.append(f"{name}, the second click changed something")
            if first.headers.get("Location") != second.headers.get("Location"):
                wrong.append(f"{name}, {first.headers.get('Location')} and then another page")
            if after != before:
                created.add(form.endpoint)
    assert not wrong, "\n".join(wrong)
    assert created >= _CREATING, f"not created at all: {sorted(_CREATING - created)}"


def test_every_route_that_changes_something_goes_through_the_keys(app: Flask) -> None:
    wrong = []
    # Programs send an Idempotency-Key of their own, see tests/api.
    calls = {r.endpoint for r in app.url_map.iter_rules() if r.rule.startswith("/api/")}
    for endpoint in set(_posts(app)) - calls:
        source = inspect.getsource(inspect.unwrap(app.view_functions[endpoint]))
        if "web.transaction(" in source and endpoint not in _SAME_AGAIN:
            wrong.append(endpoint)
    assert not wrong, f"{wrong} open a transaction of their own: use web.submit or web.act"
    assert set(_SAME_AGAIN) <= set(_posts(app))
