"""Passkeys beside one-time codes: made, used once for each challenge, bound to this site alone."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.accounts import account_views, passkey_service
from marketplace.accounts.passkey_models import Passkey
from marketplace.accounts.passkeys import KeyPurpose, RelyingParty
from marketplace.accounts.tokens import NewRecoveryCodes
from marketplace.foundation.access import Role
from marketplace.foundation.audit import AuditRow
from tests.authenticator import SoftKey
from tests.identity import SITE, Phone, Site, give_password

HOST = SITE.removeprefix("https://")


def _options(page: str) -> str:
    (found,) = html.fromstring(page).xpath("//button[@data-passkey]/@data-options")
    return str(found)


class Owner:
    """Somebody with a phone, who makes passkeys."""

    def __init__(self, site: Site, role: Role = Role.OFFICER) -> None:
        self.site = site
        self.actor, self.email = site.person(role)
        self.client = site.signed_in(self.email)
        self.phone: Phone = site.enrol(self.client)

    def add(self, key: SoftKey, name: str = "蓝色 U 盾") -> TestResponse:
        """Register a key through its page."""
        page = self.client.get("/account/passkeys").text
        sent = {"name": name, "credential": key.make(_options(page))}
        return self.client.post("/account/passkeys", data=sent)

    def halfway(self) -> tuple[FlaskClient, str]:
        """Give the password in a new browser; return it and what a key is asked there."""
        client = self.site.visitor()
        assert give_password(client, self.email).location.startswith("/sign-in/code")
        return client, _options(client.get("/sign-in/code").text)

    def sign_in(self, key: SoftKey) -> TestResponse:
        """Sign in by password and key."""
        client, options = self.halfway()
        return client.post("/sign-in/passkey", data={"credential": key.answer(options)})


@pytest.fixture(autouse=True)
def few_recovery_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash no ten codes for each owner: none is used here."""
    codes = NewRecoveryCodes(("0-AAAAA-BBBBB",), ("no hash",))
    monkeypatch.setattr(account_views, "new_recovery_codes", lambda: codes)


@pytest.fixture
def owner(site: Site) -> Owner:
    return Owner(site)


@pytest.fixture
def key() -> SoftKey:
    return SoftKey(SITE, HOST)


def test_a_key_signs_in_instead_of_a_code(owner: Owner, key: SoftKey) -> None:
    assert owner.add(key).status_code == 303
    page = owner.client.get("/account/passkeys").text
    assert "蓝色 U 盾" in page
    assert "还没有用过" in page
    client, options = owner.halfway()
    answer = client.post("/sign-in/passkey", data={"credential": key.answer(options)})
    assert answer.status_code == 303
    assert client.get("/account").status_code == 200
    assert "最近使用" in owner.client.get("/account/passkeys").text
    with owner.site.database.reading() as session:
        actions = set(session.scalars(select(AuditRow.action)))
    assert {"accounts.add_passkey", "accounts.use_passkey"} <= actions


def test_a_role_that_needs_a_second_factor_is_let_in_by_a_key(site: Site, key: SoftKey) -> None:
    owner = Owner(site, Role.OPERATOR)
    owner.add(key)
    client, options = owner.halfway()
    client.post("/sign-in/passkey", data={"credential": key.answer(options)})
    assert client.get("/desk/people").status_code == 200


def test_an_answer_counts_once_and_not_for_long(owner: Owner, key: SoftKey) -> None:
    owner.add(key)
    client, options = owner.halfway()
    answer = key.answer(options)
    assert client.post("/sign-in/passkey", data={"credential": answer}).status_code == 303
    again, _options = owner.halfway()
    assert again.post("/sign-in/passkey", data={"credential": answer}).status_code == 422
    # The same challenge, signed once more.
    second = again.post("/sign-in/passkey", data={"credential": key.answer(options)})
    assert second.status_code == 422
    stale = owner.halfway()[1]
    owner.site.clock.forward(minutes=6)
    late, _fresh = owner.halfway()
    assert late.post("/sign-in/passkey", data={"credential": key.answer(stale)}).status_code == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://market.jinan.example.evil.example"},
        {"rp_id": "evil.example"},
        {"id": b"0" * 32},
    ],
)
def test_another_site_and_another_key_open_nothing(
    owner: Owner, key: SoftKey, wrong: dict[str, object]
) -> None:
    owner.add(key)
    assert owner.sign_in(replace(key, **wrong)).status_code == 422
    assert owner.sign_in(key).status_code == 303


def test_a_key_of_the_same_name_with_another_secret_opens_nothing(
    owner: Owner, key: SoftKey
) -> None:
    owner.add(key)
    assert owner.sign_in(SoftKey(SITE, HOST, id=key.id)).status_code == 422


def test_a_copy_that_counts_behind_is_found(owner: Owner, key: SoftKey) -> None:
    owner.add(key)
    copy = replace(key)
    assert owner.sign_in(key).status_code == 303
    assert owner.sign_in(copy).status_code == 422


def test_a_challenge_is_one_persons_and_one_purposes(
    site: Site, owner: Owner, key: SoftKey
) -> None:
    owner.add(key)
    other, others_key = Owner(site), SoftKey(SITE, HOST)
    other.add(others_key)
    _client, options = owner.halfway()
    client, _own = other.halfway()
    assert (
        client.post("/sign-in/passkey", data={"credential": others_key.answer(options)}).status_code
        == 422
    )
    page = owner.client.get("/account/passkeys").text
    client, _own = owner.halfway()
    for_a_new_key = key.answer(_options(page))
    assert client.post("/sign-in/passkey", data={"credential": for_a_new_key}).status_code == 422


@pytest.mark.parametrize("sent", ["", "{}", "null", "[1]", '{"id": 1}', "x" * 30_000])
def test_nonsense_is_refused(owner: Owner, key: SoftKey, sent: str) -> None:
    owner.add(key)
    client, _options = owner.halfway()
    assert client.post("/sign-in/passkey", data={"credential": sent}).status_code == 422
    page = owner.client.post("/account/passkeys", data={"name": "另一个", "credential": sent})
    assert page.status_code == 422
    assert "另一个" in page.text


def test_guessing_keys_waits_as_guessing_codes_does(owner: Owner, key: SoftKey) -> None:
    owner.add(key)
    for _ in range(5):
        owner.sign_in(SoftKey(SITE, HOST))
    assert owner.sign_in(key).status_code == 429


def test_a_key_is_one_persons_and_stands_once(site: Site, owner: Owner, key: SoftKey) -> None:
    owner.add(key)
    assert "已经登记过" in owner.add(key).text
    other = Owner(site)
    assert "已经登记过" in other.add(key).text
    page = other.client.post("/account/passkeys/1/remove")
    assert page.status_code == 404
    assert owner.sign_in(key).status_code == 303


def test_codes_come_first(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    page = client.get("/account/passkeys").text
    assert "data-options" not in page
    sent = client.post("/account/passkeys", data={"name": "U 盾", "credential": "{}"})
    assert "请先启用动态口令" in sent.text


def test_keys_are_made_and_removed_after_a_fresh_proof_which_a_key_may_give(
    owner: Owner, key: SoftKey
) -> None:
    owner.add(key)
    second = SoftKey(SITE, HOST)
    assert owner.add(second, "办公电脑").status_code == 303
    owner.site.clock.forward(minutes=11)
    asked = owner.client.post("/account/passkeys/1/remove")
    assert asked.status_code == 403
    answer = second.answer(_options(asked.text))
    wrong = owner.client.post(
        "/account/passkeys/1/remove",
        data={"proof_password": "wrong-wrong-wrong", "proof_credential": answer},
    )
    assert wrong.status_code == 403
    proof = {"proof_password": "correct-horse-battery", "proof_credential": answer}
    assert owner.client.post("/account/passkeys/1/remove", data=proof).status_code == 303
    assert owner.sign_in(key).status_code == 422
    assert owner.sign_in(second).status_code == 303


def test_keys_end_with_the_second_factor(owner: Owner, key: SoftKey) -> None:
    owner.add(key)
    assert owner.client.post("/account/second-factor/remove").status_code == 303
    with owner.site.database.reading() as session:
        assert session.scalars(select(Passkey)).all() == []


def test_the_site_is_named_by_the_settings(owner: Owner) -> None:
    """By hand: the test client gives a cookie to the host that it came from only."""
    cookie = owner.client.get_cookie("session")
    assert cookie is not None
    page = owner.site.app.test_client(use_cookies=False).get(
        "/account/passkeys",
        headers={"Host": "evil.example", "Cookie": f"session={cookie.value}"},
    )
    assert json.loads(_options(page.text))["rp"]["id"] == HOST
    assert RelyingParty("http://127.0.0.1:8000", "k").origin == "http://localhost:8000"
    assert RelyingParty(SITE, "k").id == HOST


def test_one_answer_opens_one_door(owner: Owner, key: SoftKey) -> None:
    """Race: four threads bring the same answer at one moment."""
    owner.add(key)
    party = owner.site.services.resources[RelyingParty]
    now, user_id = owner.site.clock.now(), owner.actor.user_id or 0
    options = party.authentication(user_id=user_id, known=(), purpose=KeyPurpose.SIGN_IN, now=now)
    sent, together = key.answer(options), threading.Barrier(4)

    def use(_number: int) -> bool:
        together.wait()
        with owner.site.database.transaction() as session:
            return passkey_service.use(
                session, user_id=user_id, sent=sent, purpose=KeyPurpose.SIGN_IN, party=party,
                now=now + timedelta(seconds=1),
            )  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(4))) == 1


def test_a_key_is_renamed_by_its_owner(site: Site) -> None:
    owner, other = Owner(site), Owner(site)
    owner.add(SoftKey(SITE, HOST))
    assert "改名" in owner.client.get("/account/passkeys").text
    page = "/account/passkeys/1/name"
    assert "蓝色 U 盾" in owner.client.get(page).text
    refused = owner.client.post(page, data={"name": " "})
    assert refused.status_code == 422
    assert other.client.get(page).status_code == 404
    assert other.client.post(page, data={"name": "我的"}).status_code == 404
    assert owner.client.post(page, data={"name": "办公电脑"}).status_code == 303
    assert "办公电脑" in owner.client.get("/account/passkeys").text
    with site.database.reading() as session:
        row = session.scalars(
            select(AuditRow).where(AuditRow.action == "accounts.rename_passkey")
        ).one()
    assert (row.before["name"], row.after["name"]) == ("蓝色 U 盾", "办公电脑")
