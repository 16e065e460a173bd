"""One's own personal data on its page: consents, the copy, the end; numbers masked for staff."""

from __future__ import annotations

import json

from sqlalchemy import select

from marketplace.accounts.models import User
from marketplace.foundation.access import Role
from tests.conftest import Browser
from tests.identity import Site
from tests.world import World


def test_a_person_takes_a_copy_and_closes_the_account(client: Browser, page_world: World) -> None:
    home = page_world.organisation()
    page_world.actor(Role.ORG_ADMIN, home)
    leaver = page_world.actor(Role.OFFICER, home, name="赵离")
    client.sign_in_as(leaver)
    assert "我的同意" in client.get("/account/privacy").get_data(as_text=True)
    copy = client.get("/account/privacy/data")
    assert json.loads(copy.data)["账号"]["姓名"] == "赵离"
    assert copy.headers["Content-Disposition"].startswith("attachment")
    answer = client.send("/account/close")
    assert answer.location == "/sign-in"
    assert client.get("/workbench").status_code == 302
    with client.database.reading() as session:
        assert session.get_one(User, leaver.user_id).disabled


def test_closing_asks_for_a_fresh_proof(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    site.clock.forward(minutes=11)
    answer = client.post("/account/close")
    assert "密码" in answer.get_data(as_text=True)
    with site.database.reading() as session:
        assert not session.scalars(select(User).where(User.email == email)).one().disabled


def test_the_last_administrator_is_told_why_not(client: Browser, page_world: World) -> None:
    client.sign_in_as(page_world.actor(Role.ORG_ADMIN))
    client.send("/account/close")
    assert "唯一的机构管理员" in client.get("/account/privacy").get_data(as_text=True)


def test_the_record_of_processing_is_public(client: Browser) -> None:
    page = client.get("/privacy").get_data(as_text=True)
    for words in ("单独同意（第二十三条）", "（180 天）", "操作留痕", "保存多久"):
        assert words in page
