"""The own scripts in a real browser: each makes a page quicker, and none is needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, Response, g, render_template_string, request
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from marketplace.foundation import web
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.web.forms import RowForm

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2] / "marketplace"
NOW = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)

FORM = """{% extends "base.html" %}{% import "macros/forms.html" as forms with context %}
{% block title %}登记{% endblock %}{% block main %}<h1>登记</h1>
{{ forms.open('/form', autosave='/draft') }}{{ forms.summary(form) }}{{ forms.field(form.title) }}
{{ forms.rows(form.indicators) }}{{ forms.submit('提交') }}{{ forms.close() }}
{{ forms.button('/slow', '确认收款', confirm='确认收到？') }}
<p>还剩 <time data-countdown datetime="{{ end.isoformat() }}" role="timer">1 分钟</time></p>
{% endblock %}"""

BOARD = """{% extends "base.html" %}{% block title %}项目板{% endblock %}
{% block main %}<h1>项目板</h1>
<div class="board" data-board>{% for stage in ['a', 'b', 'c'] %}
<section class="lane" data-stage="{{ stage }}"><h2>{{ stage }}</h2><ul>{% if stage == at %}
<li class="deal"><h3><a href="#main">项目</a></h3>
<form class="move" method="post" action="/move"><label class="visually-hidden" for="to">移动</label>
<select id="to" name="stage" class="form-select"><option value="">移到…</option>
{% for other in ['b', 'c'] if other != at %}<option>{{ other }}</option>{% endfor %}</select>
<button class="btn btn-sm" type="submit">移动</button></form></li>{% endif %}</ul></section>
{% endfor %}</div>{% endblock %}"""


class IndicatorRow(RowForm):
    name = web.TextField("指标")


class SmallForm(web.Form):
    title = web.TextField("名称", required=True)
    indicators = web.RowsField("技术指标", IndicatorRow)


class Site:
    """A few pages, and what reached the server."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str]]] = []
        self.stage = "a"
        app = Flask(
            "scripts", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static")
        )
        web.register_filters(app)
        web.register_headers(app, production=False, streams=lambda: "")
        app.jinja_env.globals["csrf_token"] = lambda: "TOKEN"

        @app.before_request
        def remember() -> None:
            g.now = NOW
            if request.method == "POST":
                self.posts.append((request.path, request.form.to_dict()))

        @app.route("/form", methods=["GET", "POST"])
        def form() -> str:
            made = SmallForm.load()
            made.validate_on_post()
            return render_template_string(FORM, form=made, now=NOW, end=NOW + timedelta(seconds=62))

        @app.post("/draft")
        def draft() -> dict[str, int]:
            return {"version": 8}

        @app.post("/slow")
        def slow() -> Response:
            time.sleep(0.3)
            return Response("ok")

        @app.get("/favicon.ico")
        def favicon() -> tuple[str, int]:
            return "", 204

        @app.get("/board")
        def board() -> str:
            return render_template_string(BOARD, at=self.stage)

        @app.post("/move")
        def move() -> str:
            self.stage = request.form["stage"]
            return render_template_string(BOARD, at=self.stage)

        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def sent(self, path: str) -> list[dict[str, str]]:
        return [form for where, form in self.posts if where == path]


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    yield opened
    assert problems == []
    context.close()


def test_rows_are_added_in_place_with_names_that_the_server_reads(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/form")
    page.fill("#title", "曲轴")
    page.fill("#indicators-0-name", "强度")
    page.click("[data-add-row]")
    fresh = page.locator("#indicators-1-name")
    expect(fresh).to_be_focused()
    expect(fresh).to_have_value("")
    expect(fresh).to_have_attribute("aria-label", "第 2 行，指标")
    fresh.fill("寿命")
    page.click("text=提交")
    page.wait_for_load_state()
    assert site.sent("/form")[0]["indicators-1-name"] == "寿命"


def test_without_script_the_server_adds_the_rows(site: Site, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/form")
    page.fill("#title", "曲轴")
    page.click("[data-add-row]")
    expect(page.locator("[data-row]")).to_have_count(4)
    expect(page.locator("#title")).to_have_value("曲轴")
    context.close()


def test_the_summary_of_errors_takes_the_focus(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/form")
    page.click("text=提交")
    expect(page.locator(".summary")).to_be_focused()
    page.click(".summary a")
    expect(page.locator("#title")).to_be_focused()


def test_a_draft_saves_itself_without_the_submission_key(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/form")
    page.fill("#title", "曲轴")
    expect(page.locator(".saved")).to_contain_text("自动保存")
    (draft,) = site.sent("/draft")
    assert draft["title"] == "曲轴"
    assert draft["csrf_token"] == "TOKEN"
    assert "submission_key" not in draft
    assert page.eval_on_selector("form [name=version]", "field => field.value") == "8"


def test_a_double_click_sends_one_request(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/form")
    page.on("dialog", lambda dialog: dialog.accept())
    page.dblclick("text=确认收款")
    page.wait_for_url("**/slow")
    assert len(site.sent("/slow")) == 1
    page.go_back()
    page.click("text=确认收款")  # back in the page, the button works again
    page.wait_for_url("**/slow")
    assert len(site.sent("/slow")) == 2


def test_a_refused_confirmation_sends_nothing(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/form")
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.click("text=确认收款")
    page.wait_for_timeout(200)
    assert site.sent("/slow") == []


def test_the_countdown_runs_by_the_servers_clock(site: Site, page: Page) -> None:
    wrong = datetime(2031, 1, 1, tzinfo=LOCAL)  # the visitor's clock, stopped until it is moved
    page.clock.install(time=wrong)
    page.clock.pause_at(wrong + timedelta(hours=1))
    page.goto(f"{site.url}/form")
    timer = page.locator("[data-countdown]")
    expect(timer).to_have_text("1:02")
    page.clock.run_for(3_000)
    expect(timer).to_have_text("0:59")
    expect(page.locator("[aria-live=assertive]")).to_contain_text("还剩 60 秒")
    page.clock.run_for(70_000)
    expect(timer).to_have_text("0:00")


def test_a_deal_moves_by_keyboard_by_choice_and_by_drag(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/board")
    page.focus(".deal a")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.wait_for_url("**/move")
    assert [form["stage"] for form in site.sent("/move")] == ["b"]
    page.select_option("#to", "c")
    expect(page.locator("[data-stage=c] .deal")).to_be_visible()
    page.drag_and_drop(".deal", "[data-stage=b]")
    expect(page.locator("[data-stage=b] .deal")).to_be_visible()
    assert [form["stage"] for form in site.sent("/move")] == ["b", "c", "b"]


def test_the_first_tab_leads_past_the_header(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{site.url}/form")
    page.keyboard.press("Tab")
    skip = page.locator(".skip")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
