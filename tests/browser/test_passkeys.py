"""A passkey in a real browser, with an authenticator that Chromium plays itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from marketplace import wiring
from marketplace.accounts import second_factor_service, sign_in_queries
from marketplace.accounts.tokens import Vault, new_recovery_codes
from marketplace.app import create_app
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.settings import Settings
from tests.browser import acts
from tests.world import PASSWORD, World

pytestmark = pytest.mark.browser


class Site:
    """The site at http://localhost, by the machine's clock, with one person who has a phone."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True)
        self.url = f"http://localhost:{self._server.port}"
        settings = Settings(data_dir=folder, secret_key="test-key-" + "x" * 32, site_url=self.url)
        services = wiring.build(settings, database=database)
        self._server.app = create_app(services)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        now = datetime.now(UTC)
        actor = World(database, now).actor(Role.OFFICER)
        vault = services.resources[Vault]
        with database.transaction() as session:
            second_factor_service.begin_enrolment(session, actor=actor, now=now, vault=vault)
        with database.reading() as session:
            waiting = sign_in_queries.enrolment(session, actor.user_id or 0, vault=vault)
            self.email = sign_in_queries.get_person(session, actor.user_id or 0).email
        assert waiting is not None
        self.codes = pyotp.TOTP(waiting.secret)
        with database.transaction() as session:
            second_factor_service.confirm_enrolment(
                session,
                actor=actor,
                now=now,
                # The code of the step before, so that the present one is still to be used.
                code=self.codes.generate_otp(int(now.timestamp()) // 30 - 1),
                recovery=new_recovery_codes(),
                vault=vault,
            )

    def stop(self) -> None:
        """Let the server go."""
        self._server.shutdown()


@pytest.fixture
def site(sqlite_database: Database, tmp_path: Path) -> Iterator[Site]:
    made = Site(sqlite_database, tmp_path)
    yield made
    made.stop()


def _password(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/sign-in")
    acts.fill(page, email=site.email, password=PASSWORD)
    acts.press(page, "登录")


def test_a_passkey_is_made_and_signs_in(chromium: Browser, site: Site) -> None:
    context = chromium.new_context()
    page = context.new_page()
    noise: list[str] = []
    page.on("console", lambda message: noise.append(message.text))
    devices = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "usb",
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    _password(page, site)
    acts.fill(page, code=site.codes.generate_otp(int(time.time()) // 30))
    page.get_by_role("button", name="登录", exact=True).click()
    page.goto(f"{site.url}/account/passkeys")
    acts.fill(page, name="蓝色 U 盾")
    page.get_by_role("button", name="登记通行密钥").click()
    expect(page.get_by_text("通行密钥已登记")).to_be_visible()
    page.goto(f"{site.url}/account")
    context.clear_cookies()
    _password(page, site)
    page.get_by_role("button", name="用通行密钥登录").click()
    page.wait_for_url(f"{site.url}/workbench")
    page.goto(f"{site.url}/account/passkeys")
    expect(page.get_by_text("最近使用")).to_be_visible()
    assert not [line for line in noise if "Content Security Policy" in line]
    context.close()
