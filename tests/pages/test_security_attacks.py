"""Attacks that any site meets, each stopped by a guard that this file would miss."""

from __future__ import annotations

import ast
import io
import re
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import openpyxl
from flask import Flask

from marketplace import wiring
from marketplace.accounts.models import Organisation
from marketplace.accounts.rules import OrganisationState
from marketplace.app import create_app
from marketplace.foundation.access import Role
from marketplace.foundation.api import SendLimit
from marketplace.foundation.attachments import AttachmentView, FileVisibility
from marketplace.foundation.db import Database
from marketplace.foundation.errors import TooMany
from marketplace.foundation.web import build_table, files
from marketplace.settings import Settings
from tests.architecture.source import ROOT, modules
from tests.conftest import Browser
from tests.identity import Site
from tests.world import PDF, World


def _templates() -> list[Path]:
    return sorted((ROOT / "marketplace").rglob("*.html"))


def test_no_template_switches_escaping_off() -> None:
    switches = re.compile(r"\|\s*safe\b|autoescape\s+false|Markup\(")
    wrong = [str(path) for path in _templates() if switches.search(path.read_text("utf-8"))]
    assert not wrong, wrong


def _calls(name: str) -> list[tuple[str, ast.Call]]:
    return [
        (module.name, node)
        for module in modules("marketplace")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", "") == name or getattr(node.func, "attr", "") == name)
    ]


def test_no_statement_is_put_together_from_values() -> None:
    """Raw statements are constants; only the simulation names tables of its own (DuckDB)."""
    speaking = {m.name for m in modules("marketplace") if "sqlalchemy.text" in m.imported()}
    wrong = [
        where
        for name in ("text", "exec_driver_sql")
        for where, call in _calls(name)
        if call.args
        and isinstance(call.args[0], (ast.JoinedStr, ast.BinOp))
        and ".subsidies.simulation" not in where
        and (name != "text" or where in speaking)
    ]
    assert not wrong, wrong


def test_no_template_is_made_of_input() -> None:
    assert _calls("render_template_string") == []
    assert _calls("from_string") == []


def test_no_broken_algorithm_is_used() -> None:
    for name in ("md5", "sha1", "DES", "ARC4", "ECB"):
        assert _calls(name) == [], name
    assert not [
        module.name
        for module in modules("marketplace")
        if "random" in module.imported() and ".subsidies" not in module.name
    ]


def test_fields_that_a_form_does_not_have_change_nothing(
    client: Browser, page_world: World
) -> None:
    """Mass assignment: what a form does not offer is not written."""
    home = page_world.organisation(verified=False)
    admin = page_world.actor(Role.ORG_ADMIN, home)
    client.sign_in_as(admin)
    answer = client.send(
        "/organisation",
        name="改过的名称", short_name="改过", district="lixia", address="新地址",
        representative="高山", contact_name="高山", contact_phone="0531-66600000",
        state="verified", verified_at="2024-01-01", uscc="91370100000000000X",
        kind="operator", id="1", version="1",
    )  # fmt: skip
    assert answer.status_code == 303, answer.get_data(as_text=True)
    with client.database.reading() as session:
        row = session.get_one(Organisation, home.id)
    assert row.name == "改过的名称"
    assert (row.state, row.uscc, row.kind) == (OrganisationState.REGISTERED, home.uscc, home.kind)
    client.send("/account", name="成员", title="", phone="", disabled="", roles="operator", id="1")
    assert client.get("/desk/people").status_code == 403


def test_private_pages_are_not_kept_by_browsers(client: Browser, page_world: World) -> None:
    client.sign_in_as(page_world.actor(Role.OFFICER))
    assert client.get("/account").headers["Cache-Control"] == "no-store"


def _production(folder: Path, database: Database) -> Flask:
    settings = Settings(
        data_dir=folder,
        secret_key="k" * 40,
        production=True,
        site_url="https://market.jinan.example",
    )
    made = create_app(wiring.build(settings, database=database))
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return made


def test_the_cookie_of_production_is_bound_to_the_host(
    sqlite_database: Database, tmp_path: Path
) -> None:
    app = _production(tmp_path, sqlite_database)
    assert app.config["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert app.config["SESSION_COOKIE_SECURE"]
    assert app.config["SESSION_COOKIE_HTTPONLY"]
    assert app.config["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert app.config.get("SESSION_COOKIE_DOMAIN") in (None, False)


def test_production_is_reached_by_tls_only(sqlite_database: Database, tmp_path: Path) -> None:
    answer = _production(tmp_path, sqlite_database).test_client().get("/healthz")
    found = answer.headers["Strict-Transport-Security"]
    assert int(re.search(r"max-age=(\d+)", found).group(1)) >= 31_536_000
    assert "includeSubDomains" in found


def test_forwarded_headers_of_strangers_are_not_believed(site: Site, now: datetime) -> None:
    """Without a proxy that is named, the address is the connection's own."""
    _actor, email = site.person(Role.OFFICER)
    client = site.visitor("10.0.0.7")
    for number in range(6):
        answer = client.post(
            "/sign-in",
            data={"email": email, "password": "wrong-wrong-wrong"},
            headers={"X-Forwarded-For": f"192.0.2.{number}", "X-Forwarded-Host": "evil.example"},
        )
        assert "evil.example" not in answer.get_data(as_text=True)
    assert "尝试次数过多" in answer.get_data(as_text=True)


def test_a_path_in_a_file_name_leads_nowhere(client: Browser, page_world: World) -> None:
    home = page_world.organisation(verified=False)
    client.sign_in_as(page_world.actor(Role.ORG_ADMIN, home))
    sent = {"licence": (io.BytesIO(PDF), "../../../../etc/passwd.pdf")}
    client.post("/organisation/papers", data=sent, content_type="multipart/form-data")
    for path in (
        "/static/../../etc/passwd",
        "/static/%2e%2e/%2e%2e/settings.py",
        "/static/..%2f..",
    ):
        assert client.get(path).status_code in (400, 404), path


def test_a_download_is_never_shown_inside_the_site(client: Browser, now: datetime) -> None:
    view = AttachmentView(
        1, "thing:1", "页\r\nSet-Cookie: x=1.html", "text/html", 1, "0", FileVisibility.PUBLIC, now
    )
    with client.application.test_request_context("/"):
        answer = files.send_attachment(view, b"<script>alert(1)</script>")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers


def test_what_is_too_large_is_refused_in_words(client: Browser) -> None:
    """A whole request is bounded, and so is its text, before any of it is read into a form."""
    email = "长" * (3 * 1024 * 1024)
    for kind, said in (
        ("application/x-www-form-urlencoded", {}),
        ("multipart/form-data", {}),
        ("multipart/form-data", {"CONTENT_LENGTH": str(61 * 1024 * 1024)}),
    ):
        answer = client.post(
            "/sign-in", data={"email": email}, content_type=kind, environ_overrides=said
        )
        assert answer.status_code == 413, kind
        assert "一次提交不超过 60 MB" in answer.text


def test_a_visitor_who_floods_is_told_to_wait(client: Browser, page_world: World) -> None:
    limit = client.application.extensions["resources"][SendLimit]
    with suppress(TooMany):
        while True:
            limit.count("address:127.0.0.1")
    page = client.post("/register", data={})
    assert page.status_code == 429
    assert 1 <= int(page.headers["Retry-After"]) <= 60
    assert "过一分钟再提交" in page.text
    assert client.get("/register").status_code == 200
    client.sign_in_as(page_world.actor(Role.OFFICER))  # known by name, not by address
    assert client.send("/my/achievements/new", title="低温脱硝催化剂").status_code == 303


def test_formulas_in_any_table_stay_text() -> None:
    hostile = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        '=HYPERLINK("http://evil.example")',
        "http://x",
    ]
    sheet = openpyxl.load_workbook(io.BytesIO(build_table(hostile, [hostile]))).active
    assert sheet is not None
    for row in sheet.iter_rows():
        assert [(cell.value, cell.data_type) for cell in row] == [(text, "s") for text in hostile]
        assert not any(cell.hyperlink for cell in row)
