"""The macros of the design system: what they draw, and what they do for those who cannot see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, g, render_template, render_template_string
from werkzeug.datastructures import MultiDict

from marketplace.foundation import web
from marketplace.foundation.access import ANONYMOUS, Actor, Role
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.waiting import WaitingItem
from marketplace.foundation.web.forms import RowForm
from marketplace.foundation.words import Word

ROOT = Path(__file__).resolve().parents[2] / "marketplace"
NOW = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)
IMPORTS = (
    '{% import "macros/ui.html" as ui %}{% import "macros/forms.html" as forms with context %}'
)
OFFICER = Actor(3, 5, frozenset({Role.OFFICER}), "赵宁", "泉城理工大学", verified=True)

Draw = Callable[..., str]


class Stage(Word):
    DRAFT = "draft", "草稿", "neutral"
    WAITING = "waiting", "待审批", "neutral"
    ARCHIVED = "archived", "已归档", "neutral"
    LISTED = "listed", "挂牌中", "ok"
    REFUSED = "refused", "不予登记", "danger"


class Mode(Word):
    LICENCE = "licence", "技术许可"
    TRANSFER = "transfer", "技术转让"


class IndicatorRow(RowForm):
    name = web.TextField("指标", required=True)
    value = web.TextField("数值")


class ContractForm(web.Form):
    title = web.TextField("项目名称", required=True, hint="与合同封面一致")
    amount = web.YuanField("成交总额", required=True)
    signed_on = web.DateField("签订日期")
    text = web.LongTextField("说明")
    mode = web.ChoiceField("合同类型", Mode)
    paying = web.ChoiceField("支付方式", [("once", "一次总付"), ("parts", "分期")], radio=True)
    modes = web.ChoicesField("合作方式", Mode)
    agreed = web.FlagField("以上内容属实", required=True)
    proofs = web.FilesField("附件")
    indicators = web.RowsField("技术指标", IndicatorRow, spare=2)


@pytest.fixture
def app() -> Flask:
    app = Flask(
        "design", template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static")
    )
    app.secret_key = "test"
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    web.register_filters(app)
    app.jinja_env.globals["csrf_token"] = lambda: "TOKEN"
    app.add_url_rule("/contracts/<int:contract_id>", "contracts.show", lambda contract_id: "")
    app.add_url_rule("/search", "discovery.search", lambda: "")
    app.add_url_rule("/clock", "demonstration.advance", lambda: "", methods=["POST"])
    return app


@pytest.fixture
def draw(app: Flask) -> Iterator[Draw]:
    with app.test_request_context("/"):
        g.now = NOW

        def drawn(source: str, **context: object) -> str:
            return render_template_string(IMPORTS + source, **context)

        yield drawn


def test_a_state_is_a_shape_and_a_word(draw: Draw) -> None:
    shapes = {
        Stage.DRAFT: "neutral",
        Stage.WAITING: "wait",
        Stage.ARCHIVED: "end",
        Stage.LISTED: "ok",
        Stage.REFUSED: "danger",
    }
    for stage, shape in shapes.items():
        drawn = draw("{{ ui.status(stage) }}", stage=stage)
        assert f'href="#i-{shape}"' in drawn
        assert f"status--{stage.tone}" in drawn
        assert stage.label in drawn


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = (ROOT / "templates/partials/sprite.html").read_text()
    known = set(re.findall(r'symbol id="i-([a-z]+)"', sprite))
    used = {
        name
        for template in ROOT.rglob("*.html")
        for name in re.findall(r"icon\('([a-z]+)'", template.read_text())
    }
    assert used
    assert used <= known


def test_money_is_short_and_carries_the_exact_yuan(draw: Draw) -> None:
    drawn = draw("{{ ui.money(fen) }}", fen=Fen(260_000_050))
    assert 'value="2600000.50"' in drawn
    assert 'title="2,600,000.50 元"' in drawn
    assert "260<small>万元</small>" in drawn
    assert "面议" in draw("{{ ui.money(none) }}")


def test_a_passed_term_changes_its_shape_and_its_word(draw: Draw) -> None:
    late = draw("{{ ui.due(day) }}", day=date(2024, 3, 13))
    assert "due--late" in late
    assert "#i-warn" in late
    assert "超期 2 天" in late
    soon = draw("{{ ui.due(day) }}", day=date(2024, 3, 20))
    assert "due--late" not in soon
    assert "还剩 5 天" in soon
    assert "还剩 3 个工作日" in draw("{{ ui.due(day, workdays=true) }}", day=date(2024, 3, 20))
    assert "今天 17:00" in draw("{{ ui.due(end) }}", end=NOW + timedelta(hours=8))
    assert "due--late" in draw("{{ ui.due(end) }}", end=NOW - timedelta(hours=1))
    assert draw("{{ ui.due(none) }}").strip() == ""


def test_small_charts_stay_inside_their_frame(draw: Draw) -> None:
    assert 'width="100.0"' in draw("{{ ui.bar(250) }}")
    assert 'width="0.0"' in draw("{{ ui.bar(-3) }}")
    spark = draw("{{ ui.spark(values) }}", values=[0, 5, 10])
    assert spark.count("<rect") == 3
    assert max(float(y) for y in re.findall(r' y="([\d.]+)"', spark)) <= 24
    assert draw("{{ ui.spark([]) }}").strip() == ""
    trl = draw("{{ ui.trl(7) }}")
    assert (trl.count('class="on"'), trl.count('class="off"')) == (7, 2)


def test_what_people_typed_is_escaped_everywhere(draw: Draw) -> None:
    evil = "<script>alert(1)</script>"

    @dataclass
    class Entry:
        what: str
        at: datetime
        who: str

    drawn = draw(
        "{{ ui.lv([(evil, evil)]) }}{{ ui.crumbs([(evil, '/'), (evil, none)]) }}"
        "{{ ui.empty(evil, evil) }}{{ ui.alert(evil, 'danger', evil) }}{{ ui.status(evil) }}"
        "{{ ui.timeline([entry]) }}{{ ui.waiting([item]) }}{{ ui.row(evil, '/x', why=evil) }}"
        "{{ forms.button('/x', evil, fields={'a': evil}, confirm=evil) }}",
        evil=evil,
        entry=Entry(evil, NOW, evil),
        item=WaitingItem(evil, evil, "contracts.show", {"contract_id": 1}, evil),
    )
    assert "<script" not in drawn
    assert drawn.count("&lt;script&gt;") >= 15


def test_waiting_lines_name_term_reason_and_act(draw: Draw) -> None:
    items = [
        WaitingItem(
            "审批", "学院已同意", "contracts.show", {"contract_id": 4}, "同意", date(2024, 3, 14)
        ),
        WaitingItem("补充附件", "", "contracts.show", {"contract_id": 5}),
    ]
    drawn = draw("{{ ui.waiting(items) }}", items=items)
    assert 'href="/contracts/4"' in drawn
    assert "超期 1 天" in drawn
    assert "没有期限" in drawn
    # The name of a link tells which of many equal buttons it is.
    assert '同意<span class="visually-hidden">：审批</span>' in drawn


def test_a_one_button_form_carries_token_key_and_fields(draw: Draw) -> None:
    source = "{{ forms.button('/go', '确认', 'primary sm', {'n': 3}) }}"
    drawn = draw(source)
    assert 'action="/go" method="post"' in drawn
    assert 'name="csrf_token" value="TOKEN"' in drawn
    assert 'name="n" value="3"' in drawn
    assert "btn-primary btn-sm" in drawn
    keys = {re.search(r'submission_key" value="([^"]+)"', draw(source))[1] for _ in range(3)}
    assert len(keys) == 3


def _sent(app: Flask, **data: str | list[str]) -> ContractForm:
    with app.test_request_context("/", method="POST", data=MultiDict(data)):
        form = ContractForm.load()
        form.validate_on_post()
        return form


def test_a_field_ties_label_hint_and_errors_to_its_control(app: Flask, draw: Draw) -> None:
    form = _sent(app, amount="1.234")
    title = draw("{{ forms.field(form.title) }}", form=form)
    assert '<label class="form-label" for="title">' in title
    assert 'aria-describedby="title-hint title-error"' in title
    assert 'id="title-error"' in title
    assert 'aria-invalid="true"' in title
    amount = draw("{{ forms.field(form.amount) }}", form=form)
    assert 'value="1.234"' in amount  # what was typed stays
    assert "最多两位小数" in amount
    assert "<span>元</span>" in amount
    assert 'unit="' not in amount
    assert 'type="date"' in draw("{{ forms.field(form.signed_on) }}", form=form)
    assert "<textarea" in draw("{{ forms.field(form.text) }}", form=form)
    assert 'class="form-select"' in draw("{{ forms.field(form.mode) }}", form=form)
    assert 'type="file"' in draw("{{ forms.field(form.proofs) }}", form=form)


def test_groups_of_choices_are_fieldsets(app: Flask, draw: Draw) -> None:
    form = _sent(app, modes=["transfer"], paying="parts")
    boxes = draw("{{ forms.field(form.modes) }}", form=form)
    assert "<legend" in boxes
    assert boxes.count('type="checkbox"') == 2
    assert re.search(r'value="transfer" checked', boxes)
    radios = draw("{{ forms.field(form.paying) }}", form=form)
    assert radios.count('type="radio"') == 2
    assert re.search(r'value="parts" checked', radios)
    flag = draw("{{ forms.field(form.agreed) }}", form=form)
    assert flag.count("form-check-label") == 1
    assert "请勾选" in flag


def test_the_summary_counts_and_links_every_problem(app: Flask, draw: Draw) -> None:
    form = _sent(app, amount="abc", **{"indicators-0-value": "5", "indicators-1-value": ""})
    form.take(RuleBroken("x", "金额大于预算", "amount"))
    form.take(RuleBroken("y", "合同已登记，不能再改"))
    drawn = draw("{{ forms.summary(form) }}", form=form)
    links = re.findall(r'href="#([^"]+)"', drawn)
    assert links.count("amount") == 2
    assert "indicators-0-name" in links
    assert "indicators" not in links  # the row says it already
    assert "合同已登记，不能再改" in drawn
    assert f"有 {drawn.count('<li>')} 处需要修改" in drawn
    assert drawn.count("<li>") == len(links) + 1
    assert 'role="alert"' in drawn
    page = draw(
        "{{ forms.open('/x') }}{% for f in form %}{{ forms.field(f) }}{% endfor %}", form=form
    )
    for target in links:
        assert f'id="{target}"' in page
    with app.test_request_context("/"):
        fresh = ContractForm.load()
    assert draw("{{ forms.summary(form) }}", form=fresh).strip() == ""


def test_rows_name_each_cell_and_offer_more_without_script(app: Flask, draw: Draw) -> None:
    with app.test_request_context("/"):
        form = ContractForm.load()
    drawn = draw("{{ forms.rows(form.indicators) }}", form=form)
    assert drawn.count("data-row>") == 2
    assert 'aria-label="第 2 行，数值"' in drawn
    assert 'name="add_indicators"' in drawn
    assert 'type="submit"' in drawn
    assert "formnovalidate" in drawn


def test_an_opened_form_writes_its_key_once(app: Flask, draw: Draw) -> None:
    with app.test_request_context("/"):
        form = ContractForm.load(version=7)
    drawn = draw("{{ forms.open('/x', autosave='/draft') }}{{ forms.close() }}", form=form)
    assert drawn.count('name="submission_key"') == 1
    assert f'value="{form.submission_key.data}"' in drawn
    assert 'name="version"' in drawn
    assert 'data-autosave="/draft"' in drawn
    assert 'enctype="multipart/form-data"' in drawn
    search = draw("{{ forms.open('/search', method='get') }}", form=form)
    assert "csrf_token" not in search
    assert "submission_key" not in search
    bare = draw("{{ forms.open('/x') }}")
    assert bare.count('name="submission_key"') == 1


def _frame(app: Flask, **context: object) -> str:
    with app.test_request_context("/"):
        g.now = NOW
        return render_template(
            "site/error.html",
            **{"status": 404, "title": "没有找到", "message": "地址不存在", "actor": ANONYMOUS}
            | context,
        )


def test_the_frame_works_without_any_context_and_shows_the_demo_clock_only_in_the_demo(
    app: Flask,
) -> None:
    page = _frame(app)
    assert 'lang="zh-Hans"' in page
    assert 'href="#main"' in page
    assert 'id="main"' in page
    assert "演示环境" not in page
    assert "data-type" not in page
    assert "htmx" not in page
    demo = _frame(app, demo_clock=NOW, display_type="large", now=NOW, htmx_url="/static/h.js")
    assert "2024-03-15 09:00" in demo
    assert 'action="/clock" method="post"' in demo
    assert '<html lang="zh-Hans" data-type="large">' in demo
    assert 'src="/static/h.js"' in demo


def test_the_frame_hides_no_name_of_a_page() -> None:
    frame = (ROOT / "templates/base.html").read_text()
    names = re.findall(r"{%-? set (\w+)", frame)
    assert names
    assert all(name.startswith("frame_") for name in names)


def test_the_frame_tells_who_is_acting(app: Flask) -> None:
    page = _frame(app, actor=OFFICER, unread_count=3)
    assert "泉城理工大学" in page
    assert "科研管理员" in page
    assert "条未读消息" in page


def test_the_page_of_a_failure_asks_for_nothing_and_gives_its_number(app: Flask) -> None:
    page = _frame(app, status=500, title="系统出错了", reference="AB12CD34")
    assert "AB12CD34" in page
    assert "topnav" not in page


def test_no_page_keeps_a_date_or_number_whole_by_hand() -> None:
    """What is sent keeps them (`figures`); a document is not sent as a page."""
    by_hand = re.compile(
        r'<span class="nb">{{ [\w.\[\]-]+(\|day|\|moment|\.number|\.contract_no) }}<'
    )
    pages = [path for path in ROOT.rglob("*.html") if not path.name.endswith("_pdf.html")]
    assert [path.name for path in pages if by_hand.search(path.read_text())] == []


def test_no_template_or_script_needs_an_inline_style_or_script() -> None:
    for template in ROOT.rglob("*.html"):
        text = template.read_text()
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), template
        assert not re.search(r'\sstyle="|\son[a-z]+="', text), template
    for script in (ROOT / "static/js").glob("*.js"):
        text = script.read_text()
        assert "eval(" not in text
        assert "innerHTML" not in text


def test_every_colour_pair_of_text_is_readable() -> None:
    tokens = (ROOT / "static/css/tokens.css").read_text()
    colour = dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6});", tokens.split("@media")[0]))
    grounds = ["paper", "paper-2", "action-soft"]
    for text in ["ink", "ink-2", "action", "accent", "ok", "warn", "danger", "neutral"]:
        for ground in grounds:
            assert _contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
    assert _contrast(colour["line-strong"], colour["paper"]) >= 3


def _contrast(one: str, other: str) -> float:
    def luminance(code: str) -> float:
        parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted([luminance(one), luminance(other)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_class_that_a_template_names_is_drawn() -> None:
    style = (ROOT / "static/css/components.css").read_text()
    style += (ROOT / "templates/pdf/document.css").read_text()
    known = set(re.findall(r"\.([a-zA-Z][\w-]*)", style)) | {"rowblocks", "stepper--tall"}
    unknown: dict[str, str] = {}
    for template in ROOT.rglob("*.html"):
        for attribute in re.findall(r'class="([^"]*)"', template.read_text()):
            plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "…", attribute)
            for name in plain.split():
                if re.fullmatch(r"[a-zA-Z][\w-]*", name) and name not in known:
                    unknown[name] = template.name
    assert unknown == {}
