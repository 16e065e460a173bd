"""The owner's pages of achievements: the whole form, its refusals, review, batch, files."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from werkzeug.datastructures import FileStorage, MultiDict

from marketplace.accounts.queries import OrganisationView
from marketplace.achievements import queries, service
from marketplace.achievements.rules import AchievementState
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.attachments import MOST_KEPT
from tests.achievement_contents import complete_content
from tests.conftest import Browser
from tests.world import PDF, World

Organisation = OrganisationView


@pytest.fixture
def university(page_world: World) -> Organisation:
    return page_world.organisation(name="泉城理工大学")


@pytest.fixture
def officer(page_world: World, university: Organisation) -> Actor:
    return page_world.actor(Role.OFFICER, university)


def form_of(organisation: Organisation, **changed: Any) -> MultiDict[str, Any]:
    """Return the fields of a complete form, changed as said; None leaves a field out."""
    fields: dict[str, Any] = {
        "title": "低温脱硝催化剂：180 ℃ 去除率 92 %",
        "problem": "焦炉烟气温度多在 180 至 220 ℃，常规催化剂要先用燃气加热烟气才起作用。",
        "solution": "以锰铈复合氧化物为活性组分，用铌修饰表面酸性位，抑制硫酸铵沉积。",
        "benefit": "一条年产 100 万吨焦炭的线每年少用燃气 118 万立方米。",
        "field": "environment",
        "industry_code": "C2520",
        "ipc": "B01D 53/86、B01J23/34",
        "keywords": "低温脱硝、催化剂",
        "comparison-0-indicator": "脱硝率（180 ℃）",
        "comparison-0-value": "92",
        "comparison-0-unit": "%",
        "comparison-0-alternative": "钒钛蜂窝催化剂",
        "comparison-0-alternative_value": "41",
        "comparison-0-evidence": "third_party",
        "trl": "7",
        "trl_evidence": "章丘一焦化企业 2 号线连续运行 5,400 小时",
        "ip_rights-0-kind": "invention",
        "ip_rights-0-title": "一种锰铈铌复合氧化物催化剂",
        "ip_rights-0-number": "ZL201210120987.1",
        "ip_rights-0-legal_status": "granted",
        "ip_rights-0-filed_on": "2012-04-20",
        "owners-0-name": organisation.name,
        "owners-0-share": "100",
        "inventors-0-name": "丁文韬",
        "fiscal_funded": "no",
        "modes": ["licence_ordinary", "equity"],
        "price": "1,800,000",
        "then": "save",
    }
    fields.update(changed)
    sent: MultiDict[str, Any] = MultiDict()
    for name, value in fields.items():
        if value is not None:
            sent.setlist(name, value if isinstance(value, list) else [value])
    return sent


def begin(client: Browser, title: str = "低温脱硝催化剂") -> int:
    """Begin a draft through the page and return its id."""
    answer = client.send("/my/achievements/new", title=title)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["Location"].split("/")[3])


def stored(client: Browser, achievement_id: int) -> queries.AchievementView:
    with client.database.reading() as session:
        return queries.get_internal(session, achievement_id)


def test_form_is_saved_and_shown_as_typed(
    client: Browser, officer: Actor, university: Organisation
) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    answer = client.post(f"/my/achievements/{number}/edit", data=form_of(university, version="1"))
    assert answer.status_code == 303, answer.text
    view = stored(client, number)
    assert view.content.price_fen == 180_000_000
    assert view.content.ipc == ("B01D53/86", "B01J23/34")
    assert view.content.owners[0].organisation_id == university.id
    assert view.content.industry_name
    assert view.missing_count == 0
    page = client.get(f"/my/achievements/{number}").text
    assert "锰铈复合氧化物" in page
    assert "高 51 个百分点" in page
    assert "剩 8.1 年" in page
    again = client.get(f"/my/achievements/{number}/edit").text
    assert 'value="ZL201210120987.1"' in again
    assert 'value="1,800,000.00"' in again


def test_submitting_an_incomplete_draft_keeps_it_and_names_all_that_is_missing(
    client: Browser, officer: Actor
) -> None:
    client.sign_in_as(officer)
    number = begin(client, "低温脱硝催化剂：180 ℃ 去除率 92 %")
    answer = client.post(
        f"/my/achievements/{number}/edit",
        data={
            "title": "低温脱硝催化剂：180 ℃ 去除率 92 %",
            "problem": "烟气要先加热",
            "then": "submit",
        },
        follow_redirects=True,
    )
    assert "草稿已保存，但还不能提交" in answer.text
    for words in ("还没有写“做法”", "请至少填一行对比数据", "请填写权利人和份额", "请选择技术领域"):
        assert words in answer.text
    view = stored(client, number)
    assert view.state is AchievementState.DRAFT
    assert view.content.problem == "烟气要先加热"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("price", "12.345", "最多两位小数"),
        ("price", "-1", "不能是负数"),
        ("price", "三百万", "以元为单位的数字"),
        ("price", "1" + "0" * 15, "超过 1000 亿元"),
        ("ip_rights-0-number", "ZL201210120987.2", "校验位应为 1"),
        ("ip_rights-0-expires_on", "2011-01-01", "不晚于申请日"),
        ("owners-0-share", "120", "0 到 100 之间"),
        ("ipc", "99X", "不是 IPC 分类号"),
        ("industry_code", "3421", "GB/T 4754"),
        ("field", "magic", "请从列表中选择"),
        ("title", "长" * 101, "最多 100 个字"),
    ],
)
def test_bad_input_is_explained_kept_and_not_stored(
    client: Browser,
    officer: Actor,
    university: Organisation,
    field: str,
    value: str,
    words: str,
) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    answer = client.post(
        f"/my/achievements/{number}/edit", data=form_of(university, **{field: value})
    )
    assert answer.status_code == 422
    assert words in answer.text
    if field != "field":
        assert f'value="{value}"' in answer.text
    assert "锰铈复合氧化物" in answer.text
    assert stored(client, number).version == 1


def test_shares_must_not_exceed_the_whole(
    client: Browser, officer: Actor, university: Organisation
) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    form = form_of(university, **{"owners-1-name": "另一单位", "owners-1-share": "0.01"})
    answer = client.post(f"/my/achievements/{number}/edit", data=form)
    assert answer.status_code == 422
    assert "合计 100.01 %，超过了 100 %" in answer.text


def test_stale_form_is_refused_and_keeps_what_was_typed(
    client: Browser, officer: Actor, university: Organisation
) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    first = client.post(f"/my/achievements/{number}/edit", data=form_of(university, version="1"))
    assert first.status_code == 303
    second = client.post(
        f"/my/achievements/{number}/edit",
        data=form_of(university, version="1", title="同事在旧页面上改的名称，比较长"),
    )
    assert second.status_code == 422
    assert "别人修改过这项成果" in second.text
    assert "同事在旧页面上改的名称，比较长" in second.text
    assert stored(client, number).title.startswith("低温脱硝")


def test_double_click_creates_one(client: Browser, officer: Actor) -> None:
    client.sign_in_as(officer)
    targets = {
        client.send("/my/achievements/new", title="某装置", submission_key="k1").headers["Location"]
        for _ in range(2)
    }
    assert len(targets) == 1
    with client.database.reading() as session:
        assert len(queries.owned_by(session, officer).items) == 1


def test_autosave_answers_with_the_version_to_build_on(client: Browser, officer: Actor) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    path = f"/my/achievements/{number}/autosave"
    answer = client.send(path, title="改过的名称", version="1")
    assert answer.json == {"version": 2}
    stale = client.send(path, title="旧页面", version="1")
    assert stale.status_code == 409
    wrong = client.send(path, title="改过的名称", price="abc", version="2")
    assert wrong.status_code == 422
    assert stored(client, number).content.title == "改过的名称"


def test_markup_and_formulas_stay_text(
    client: Browser, officer: Actor, university: Organisation
) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    title = "=cmd|' /C calc'!A0<script>alert(1)</script>"
    client.post(f"/my/achievements/{number}/edit", data=form_of(university, title=title))
    page = client.get("/my/achievements").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    book = client.get("/my/achievements/export")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0)
    assert sheet.to_python()[1][1] == title


def _attach(client: Browser, number: int, name: str, content: bytes) -> Any:
    return client.post(
        f"/my/achievements/{number}/attachments",
        data={
            "attachments": FileStorage(io.BytesIO(content), filename=name),
            "visibility": "agreement",
        },
    )


def test_attachments_are_checked_and_opened_by_their_layer(
    client: Browser, officer: Actor, page_world: World
) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    disguised = _attach(client, number, "报告.pdf", b"MZ\x90\x00" + b"\0" * 200)
    assert disguised.status_code == 422
    assert "内容不是 PDF 格式" in disguised.text
    large = _attach(client, number, "报告.pdf", b"%PDF-1.4\n" + b"x" * (16 * 1024 * 1024))
    assert "上限是 15 MB" in large.text
    none = client.post(f"/my/achievements/{number}/attachments", data={})
    assert "还没有选择文件" in none.text
    good = _attach(client, number, "报告.pdf", b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n")
    assert good.status_code == 303, good.text
    path = f"/my/achievements/{number}/files/1"
    assert client.get(path).headers["Content-Disposition"].startswith("attachment")
    client.sign_in_as(page_world.actor(Role.ENTERPRISE))
    assert client.get(path).status_code == 404


def test_an_achievement_holds_so_many_files_in_all(client: Browser, officer: Actor) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    for index in range(MOST_KEPT):
        assert _attach(client, number, f"报告{index}.pdf", PDF).status_code == 303
    refused = _attach(client, number, "再一份.pdf", PDF)
    assert refused.status_code == 422
    assert f"一共最多 {MOST_KEPT} 个附件，已有 {MOST_KEPT} 个" in refused.text
    # Room is made by taking one off.
    assert client.send(f"/my/achievements/{number}/attachments/1/remove").status_code == 303
    assert _attach(client, number, "再一份.pdf", PDF).status_code == 303


def test_review_chain_is_set_walked_and_returned(
    client: Browser, officer: Actor, university: Organisation, page_world: World, now: datetime
) -> None:
    leader = page_world.actor(Role.LEADER, university)
    client.sign_in_as(officer)
    gap = client.post(
        "/my/achievements/review-chain",
        data={"steps": ["leader"], "from_leader": "500000"},
    )
    assert gap.status_code == 422
    assert "低于它的成果就没有人审批" in gap.text
    done = client.post(
        "/my/achievements/review-chain",
        data=MultiDict([("steps", "officer"), ("steps", "leader"), ("from_leader", "500,000")]),
    )
    assert done.status_code == 303
    number = begin(client)
    submitted = client.post(
        f"/my/achievements/{number}/edit", data=form_of(university, then="submit")
    )
    assert submitted.status_code == 303
    client.post(f"/my/achievements/{number}/approve")
    assert stored(client, number).state is AchievementState.INTERNAL_REVIEW
    client.sign_in_as(leader)
    assert "低温脱硝催化剂" in client.get("/my/achievements/reviews").text
    empty = client.send(f"/my/achievements/{number}/return", reason="")
    assert empty.status_code == 422
    returned = client.send(f"/my/achievements/{number}/return", reason="请补充中试数据")
    assert returned.status_code == 303
    client.sign_in_as(officer)
    assert "请补充中试数据" in client.get(f"/my/achievements/{number}/edit").text
    assert client.send(f"/my/achievements/{number}/submit").status_code == 303
    client.post(f"/my/achievements/{number}/approve")
    client.sign_in_as(leader)
    client.post(f"/my/achievements/{number}/approve")
    view = stored(client, number)
    assert view.state is AchievementState.PUBLISHED
    assert view.number == "CG-2024-0001"
    assert view.valid_until == date(2026, 3, 15)


def test_batch_submits_the_complete_and_names_the_others(
    client: Browser, officer: Actor, university: Organisation
) -> None:
    client.sign_in_as(officer)
    complete, lacking = begin(client, "一"), begin(client, "二")
    client.post(f"/my/achievements/{complete}/edit", data=form_of(university))
    page = client.post(
        "/my/achievements/batch",
        data=MultiDict([("chosen", str(complete)), ("chosen", str(lacking)), ("act", "submit")]),
        follow_redirects=True,
    ).text
    assert "已提交 1 项" in page
    assert "“二”没有提交" in page
    assert stored(client, complete).state is AchievementState.INTERNAL_REVIEW


def test_list_filters_sorts_and_pages_by_url(
    client: Browser, officer: Actor, university: Organisation, now: datetime
) -> None:
    with client.database.transaction() as session:
        for number in range(25):
            service.create_draft(
                session,
                actor=officer,
                now=now,
                content=complete_content(university, title=f"编号 {number:02d} 的装置，效率 9 %"),
            )
    client.sign_in_as(officer)
    first = client.get("/my/achievements?sort=title&order=asc").text
    assert "编号 00" in first
    assert "编号 20" not in first
    after = first.split("after=")[1].split("&")[0].split('"')[0]
    second = client.get(f"/my/achievements?sort=title&order=asc&after={after}").text
    assert "编号 20" in second
    assert "编号 00" not in second
    found = client.get("/my/achievements?q=07&state=draft").text
    assert "编号 07" in found
    assert "编号 08" not in found


def test_another_organisations_record_is_not_found(
    client: Browser, officer: Actor, page_world: World
) -> None:
    client.sign_in_as(officer)
    number = begin(client)
    client.sign_in_as(page_world.actor(Role.OFFICER))
    for path in ("", "/edit", "/withdraw"):
        assert client.get(f"/my/achievements/{number}{path}").status_code == 404
    for path in ("/autosave", "/submit", "/approve", "/confirm"):
        assert client.post(f"/my/achievements/{number}{path}").status_code == 404
