"""A site as it runs for real, with a clock that stands, and people who sign in by its forms."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace import wiring
from marketplace.accounts.letters import LetterPost
from marketplace.accounts.models import User
from marketplace.accounts.tokens import Vault
from marketplace.app import create_app
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import Clock, SystemClock
from marketplace.foundation.db import Database
from marketplace.settings import Settings
from tests.world import PASSWORD, World

SITE = "https://market.jinan.example"


class StandingClock(SystemClock):
    """The machine's clock, standing until a test moves it."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the moment it stands at."""
        return self.moment

    def forward(self, **amount: float) -> datetime:
        """Move it forward and return the new moment."""
        self.moment += timedelta(**amount)
        return self.moment


class Site:
    """The application outside of the demo: the second factor is required."""

    def __init__(
        self, database: Database, world: World, folder: Path, now: datetime, **settings: Any
    ) -> None:
        self.database, self.world, self.clock = database, world, StandingClock(now)
        self.letters: list[tuple[str, str]] = []
        chosen = Settings(
            data_dir=folder, secret_key="test-key-" + "x" * 32, site_url=SITE, **settings
        )
        self.vault = Vault(chosen.signing_key())
        self.services = wiring.build(
            chosen,
            database=database,
            clock=self.clock,
            replacements={
                SystemClock: self.clock,
                LetterPost: LetterPost(self.vault, SITE, self._take_letter),
            },
        )
        assert self.services.resources[Clock] is self.clock
        self.app = create_app(self.services)
        self.app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)

    def _take_letter(self, mailbox: str, _subject: str, text: str) -> str:
        self.letters.append((mailbox, text))
        return ""

    def post_letters(self) -> list[tuple[str, str]]:
        """Let the worker send what waits; return all letters so far, mailbox and text."""
        post: LetterPost = self.services.resources[LetterPost]
        post.deliver_due(self.database, now=self.clock.now())
        return self.letters

    def last_link(self) -> str:
        """Return the path of the link in the last letter."""
        text = self.post_letters()[-1][1]
        found = re.search(r"https?://\S+", text)
        assert found is not None, text
        return found.group(0)

    def visitor(self, address: str = "10.0.0.1") -> FlaskClient:
        """Return a browser without any cookie, at a network address."""
        client = self.app.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        return client

    def email(self, actor: Actor) -> str:
        """Return a person's sign-in address."""
        with self.database.reading() as session:
            return session.scalars(select(User.email).where(User.id == actor.user_id)).one()

    def person(self, role: Role, *more: Role) -> tuple[Actor, str]:
        """Make a member with the roles; return the actor and the sign-in address."""
        actor = self.world.actor(role, None, *more)
        return actor, self.email(actor)

    def signed_in(self, email: str, password: str = PASSWORD) -> FlaskClient:
        """Return a browser in which the password was given, and nothing else."""
        client = self.visitor()
        answer = give_password(client, email, password)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return client

    def enrol(self, client: FlaskClient) -> Phone:
        """Turn the second factor on through its pages."""
        assert client.post("/account/second-factor/begin").status_code == 303
        page = html.fromstring(client.get("/account/second-factor").get_data(as_text=True))
        secret = "".join(page.xpath("//code[@class='wrapcode']/text()")).replace(" ", "")
        phone = Phone(secret, self.clock)
        answer = client.post("/account/second-factor/confirm", data={"code": phone.code()})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        found = html.fromstring(answer.get_data(as_text=True))
        phone.recovery = [str(code) for code in found.xpath("//ol[@class='codes']//code/text()")]
        return phone


class Phone:
    """Somebody's authenticator app, and the recovery codes that lie beside it."""

    def __init__(self, secret: str, clock: StandingClock) -> None:
        self.secret = secret
        self._codes, self._clock = pyotp.TOTP(secret), clock
        self.recovery: list[str] = []

    def code(self, steps: int = 0) -> str:
        """Return the code of now, or of a number of steps of 30 seconds away from now."""
        present = int(self._clock.now().timestamp()) // 30
        return self._codes.generate_otp(present + steps)


def give_password(
    client: FlaskClient, email: str, password: str = PASSWORD, **query: str
) -> TestResponse:
    """Send the sign-in form."""
    return client.post("/sign-in", query_string=query, data={"email": email, "password": password})
