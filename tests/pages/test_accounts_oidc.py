"""Sign-in at an identity provider: linked once, known by issuer and subject, lies refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from tests.conftest import START
from tests.identity import SITE, Site, give_password
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider
from tests.world import World


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """A provider on this machine."""
    started = IdentityProvider()
    yield started
    started.stop()


@pytest.fixture
def site(provider: IdentityProvider, sqlite_database: Database, tmp_path: Path) -> Site:
    """A site that knows the provider."""
    return Site(
        sqlite_database,
        World(sqlite_database, START),
        tmp_path,
        START,
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
    )


def _go(client: FlaskClient, provider: IdentityProvider, **query: str) -> TestResponse:
    """Go to the provider and come back."""
    away = client.get("/sign-in/oidc", query_string=query)
    assert away.location.startswith(f"{provider.issuer}/authorize?")
    assert f"redirect_uri={SITE.replace(':', '%3A').replace('/', '%2F')}" in away.location
    return client.get("/sign-in/oidc/return", query_string=provider.authorise(away.location))


def _linked(site: Site, provider: IdentityProvider) -> str:
    _actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    assert client.post("/account/identity/begin").status_code == 303
    assert _go(client, provider).location == "/account"
    assert provider.issuer in client.get("/account").get_data(as_text=True)
    return email


def test_a_linked_account_signs_in_and_goes_where_it_was_going(
    site: Site, provider: IdentityProvider
) -> None:
    _linked(site, provider)
    client = site.visitor()
    assert "用统一身份认证登录" in client.get("/sign-in").get_data(as_text=True)
    assert _go(client, provider, next="/account/sessions").location == "/account/sessions"
    assert client.get("/account").status_code == 200
    elsewhere = site.visitor()
    assert _go(elsewhere, provider, next="//evil.example").location == "/workbench"


def test_a_forged_host_header_does_not_decide_where_the_code_goes(
    site: Site, provider: IdentityProvider
) -> None:
    away = site.visitor().get("/sign-in/oidc", headers={"Host": "evil.example"})
    assert "evil.example" not in away.location


def test_who_has_linked_nothing_is_not_signed_in(site: Site, provider: IdentityProvider) -> None:
    _linked(site, provider)
    provider.subject = "somebody-else"
    client = site.visitor()
    assert _go(client, provider).location == "/sign-in"
    assert "还没有绑定" in client.get("/sign-in").get_data(as_text=True)
    assert client.get("/account").status_code == 302


def test_linking_is_asked_for_and_serves_one_person(site: Site, provider: IdentityProvider) -> None:
    _linked(site, provider)
    _actor, email = site.person(Role.OFFICER)
    other = site.signed_in(email)
    _go(other, provider)  # nobody asked to link
    assert "绑定没有完成" in other.get("/account").get_data(as_text=True)
    other.post("/account/identity/begin")
    _go(other, provider)
    assert "已绑定另一个账号" in other.get("/account").get_data(as_text=True)


def test_the_second_factor_is_asked_for_all_the_same(
    site: Site, provider: IdentityProvider
) -> None:
    email = _linked(site, provider)
    phone = site.enrol(site.signed_in(email))
    site.clock.forward(minutes=1)
    client = site.visitor()
    assert _go(client, provider).location == "/sign-in/code?next=/workbench"
    assert client.get("/account").status_code == 302
    assert client.post("/sign-in/code", data={"code": phone.code()}).status_code == 303


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"sub": None},
        {"alg": "none"},
        {"key": RSAKey.generate_key(2048)},
    ],
    ids=lambda lies: "-".join(lies) + str(next(iter(lies.values())))[:8],
)
def test_a_token_that_lies_is_refused(
    site: Site, provider: IdentityProvider, lies: dict[str, Any]
) -> None:
    _linked(site, provider)
    provider.lies = lies
    client = site.visitor()
    assert _go(client, provider).location == "/sign-in"
    assert "没有通过核对" in client.get("/sign-in").get_data(as_text=True)
    assert client.get("/account").status_code == 302


def test_the_public_key_is_no_shared_secret(site: Site, provider: IdentityProvider) -> None:
    _linked(site, provider)
    provider.lies = {"alg": "HS256"}
    client = site.visitor()
    assert _go(client, provider).location == "/sign-in"
    assert client.get("/account").status_code == 302


def test_a_return_that_nobody_set_out_for_is_refused(
    site: Site, provider: IdentityProvider
) -> None:
    """Login CSRF: an attacker's own code and state in the victim's browser."""
    _linked(site, provider)
    attacker, victim = site.visitor(), site.visitor()
    query = provider.authorise(attacker.get("/sign-in/oidc").location)
    assert victim.get("/sign-in/oidc/return", query_string=query).location == "/sign-in"
    assert victim.get("/account").status_code == 302


def test_another_issuer_at_the_address_is_refused(site: Site, provider: IdentityProvider) -> None:
    provider.metadata_lies = {"issuer": "https://evil.example"}
    client = site.visitor()
    answer = client.get("/sign-in/oidc")
    assert answer.status_code == 422
    assert "没有通过核对" in answer.get_data(as_text=True)


def test_a_provider_that_is_away_leaves_the_password(
    site: Site, provider: IdentityProvider
) -> None:
    _actor, email = site.person(Role.OFFICER)
    provider.stop()
    answer = site.visitor().get("/sign-in/oidc")
    assert answer.status_code == 422
    assert "改用密码登录" in answer.get_data(as_text=True)
    assert give_password(site.visitor(), email).status_code == 303


def test_a_disabled_person_is_not_signed_in(site: Site, provider: IdentityProvider) -> None:
    _linked(site, provider)
    with site.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE accounts_users SET disabled = 1")
    client = site.visitor()
    assert _go(client, provider).location == "/sign-in"
    assert client.get("/account").status_code == 302
