"""Registration and sign-in as a person meets them, mistakes included."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from marketplace.accounts import queries
from marketplace.foundation.access import Role
from tests.conftest import Browser
from tests.world import PASSWORD, World, give_licence, make_uscc


def _registration(**changes: Any) -> dict[str, Any]:
    form = {
        "kind": "university",
        "name": "泉畔大学",
        "uscc": make_uscc(700),
        "district": "lixia",
        "person_name": "王敏",
        "email": "wang@quanpan.example",
        "password": "a-quiet-spring-morning",
        "again": "a-quiet-spring-morning",
        "agreed": "y",
        "submission_key": "key-1",
    }
    return {**form, **changes}


def _count(client: Browser) -> int:
    with client.database.reading() as session:
        return len(queries.awaiting_verification(session))


def test_registered_and_signed_in_at_once(client: Browser) -> None:
    answer = client.post("/register", data=_registration())
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/workbench"
    assert client.get("/account").status_code == 200
    assert _count(client) == 1


def test_a_double_click_registers_once(client: Browser) -> None:
    first = client.post("/register", data=_registration())
    client.sign_out()
    second = client.post("/register", data=_registration())
    assert first.headers["Location"] == second.headers["Location"]
    assert _count(client) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"uscc": make_uscc(700)[:-1] + ("0" if make_uscc(700)[-1] != "0" else "1")}, "校验位不对"),
        ({"uscc": "9137010000000070"}, "应为 18 位，现在是 16 位"),
        ({"name": ""}, "请填写“单位全称”"),
        ({"name": "长" * 101}, "最多 100 个字，现在有 101 个"),
        ({"email": "wang"}, "邮箱写法不对"),
        ({"password": "short", "again": "short"}, "密码至少 12 个字符"),
        ({"password": "password1234", "again": "password1234"}, "太常见"),
        ({"password": "泉畔大学王敏泉畔大学王敏", "again": "泉畔大学王敏泉畔大学王敏"}, "主要由"),
        ({"again": "something-else-here"}, "两次输入的密码不一致"),
        ({"kind": "operator"}, "请从列表中选择一项"),
        ({"kind": "service_institution"}, "请至少选择一项服务类别"),
        ({"agreed": ""}, "请勾选"),
    ],
)
def test_a_mistake_is_named_beside_its_field_and_nothing_is_lost(
    client: Browser, changes: dict[str, Any], message: str
) -> None:
    answer = client.post("/register", data=_registration(**changes))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert message in page
    assert (
        'aria-invalid="true"' in page
        or "service_institution" in str(changes)
        or ("kind" in changes or "agreed" in changes)
    )
    if "person_name" not in changes:
        assert 'value="王敏"' in page
    assert "a-quiet-spring-morning" not in page
    assert _count(client) == 0


def test_markup_in_a_name_stays_text(client: Browser) -> None:
    client.post("/register", data=_registration(name="<script>alert(1)</script>大学"))
    page = client.get("/organisation").get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_sign_in_sign_out_and_the_way_back(client: Browser, page_world: World) -> None:
    actor = page_world.actor(Role.OFFICER)
    with client.database.reading() as session:
        email = queries.get_user(session, actor.user_id or 0).email
    asked = client.get("/account/sessions")
    assert asked.status_code == 302
    assert "next=/account/sessions" in asked.headers["Location"]
    wrong = client.send("/sign-in", email=email, password="not-the-password")
    assert wrong.status_code == 422
    assert "邮箱或密码不对" in wrong.get_data(as_text=True)
    right = client.send("/sign-in?next=/account/sessions", email=email, password=PASSWORD)
    assert right.headers["Location"] == "/account/sessions"
    assert "本机" in client.get("/account/sessions").get_data(as_text=True)
    client.send("/sign-out")
    assert client.get("/account/sessions").status_code == 302


@pytest.mark.parametrize("target", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_sign_in_leads_to_no_other_host(client: Browser, page_world: World, target: str) -> None:
    actor = page_world.actor(Role.OFFICER)
    with client.database.reading() as session:
        email = queries.get_user(session, actor.user_id or 0).email
    answer = client.post(
        "/sign-in", query_string={"next": target}, data={"email": email, "password": PASSWORD}
    )
    assert answer.headers["Location"] == "/workbench"


def test_after_five_failures_the_page_asks_to_wait(client: Browser, page_world: World) -> None:
    actor = page_world.actor(Role.OFFICER)
    with client.database.reading() as session:
        email = queries.get_user(session, actor.user_id or 0).email
    for _ in range(5):
        client.send("/sign-in", email=email, password="not-the-password")
    answer = client.send("/sign-in", email=email, password=PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_the_operator_verifies_and_refuses_with_a_reason(
    client: Browser, page_world: World, tmp_path: Path
) -> None:
    first = page_world.organisation(verified=False, name="第一大学")
    second = page_world.organisation(verified=False, name="第二大学")
    for waiting in (first, second):
        give_licence(client.database, waiting.id, now=page_world.now, folder=tmp_path)
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    assert "第一大学" in client.get("/desk/verification").get_data(as_text=True)
    client.send(f"/desk/verification/{first.id}/verify")
    empty = client.send(f"/desk/verification/{second.id}", reason="")
    assert empty.status_code == 422
    client.send(f"/desk/verification/{second.id}", reason="营业执照照片看不清，请重新上传")
    with client.database.reading() as session:
        assert queries.get_organisation(session, first.id).verified
        assert "看不清" in queries.get_organisation(session, second.id).state_reason
    assert client.get(f"/institutions/{first.id}").status_code == 200
    assert client.get(f"/institutions/{second.id}").status_code == 404


def test_a_stale_form_is_refused_and_keeps_what_was_typed(
    client: Browser, page_world: World
) -> None:
    home = page_world.organisation(name="旧名大学")
    client.sign_in_as(page_world.actor(Role.ORG_ADMIN, home))
    page = client.get("/organisation").get_data(as_text=True)
    found = re.search(r'name="version"[^>]*value="(\d+)"', page)
    assert found
    changed = {"name": "新名大学", "version": found.group(1)}
    assert client.post("/organisation", data=changed).status_code == 303
    late = client.post("/organisation", data={**changed, "name": "更新名大学"})
    assert late.status_code == 422
    text = late.get_data(as_text=True)
    assert "已被同事修改" in text
    assert 'value="更新名大学"' in text


def test_an_invitation_link_leads_into_the_organisation(client: Browser, page_world: World) -> None:
    client.sign_in_as(page_world.actor(Role.ORG_ADMIN))
    page = client.post(
        "/organisation/members", data={"email": "new@test.example", "roles": ["inventor"]}
    ).get_data(as_text=True)
    link = re.search(r"/join/([\w-]+)", page)
    assert link
    client.sign_out()
    joined = client.send(
        link.group(0),
        person_name="李雷",
        password="walking-along-the-lake",
        again="walking-along-the-lake",
        agreed="y",
    )
    assert joined.status_code == 303
    assert "李雷" in client.get("/account").get_data(as_text=True)


def test_a_form_without_its_token_is_refused(app: Flask, client: Browser) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/register", data=_registration())
    assert answer.status_code == 400
    assert "页面已过期" in answer.get_data(as_text=True)
    assert _count(client) == 0


def test_every_answer_carries_the_headers(client: Browser) -> None:
    for path in ("/sign-in", "/nowhere", "/healthz", "/static/css/tokens.css"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"], path
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in headers["Content-Security-Policy"], path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_an_unexpected_failure_shows_a_number_and_no_stack(
    app: Flask, client: Browser, mocker: Any
) -> None:
    app.config["TESTING"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    mocker.patch(
        "marketplace.accounts.queries.page_of_organisations", side_effect=RuntimeError("inside")
    )
    answer = client.get("/institutions")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert "编号" in text
    assert "inside" not in text
    assert "Traceback" not in text
