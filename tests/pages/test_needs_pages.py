"""The pages of needs: the whole form, the operator's desk, answers, refusals."""

from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug.datastructures import MultiDict

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.attachments import MOST_KEPT
from marketplace.needs import queries
from marketplace.needs.rules import AnswerState, NeedState
from tests.conftest import Browser
from tests.world import PDF, World

ANSWER = "旋转除气加在线测氢，气孔率可以降到 1.6 %，三个月内交样件。"


@pytest.fixture
def buyer(page_world: World) -> Actor:
    return page_world.actor(Role.ENTERPRISE)


@pytest.fixture
def operator(page_world: World) -> Actor:
    return page_world.actor(Role.OPERATOR)


def form(**changed: Any) -> MultiDict[str, Any]:
    """Return the fields of a complete form, changed as said."""
    fields: dict[str, Any] = {
        "title": "薄壁铝压铸件气孔率降到 2 % 以下",
        "problem": "现用真空压铸，气孔率 4.5 %，加工后返工占三成，每月报废约 12 万元。",
        "present_solution": "提高过真空度，节拍拖到 70 秒。",
        "indicators-0-name": "气孔率",
        "indicators-0-present": "4.5",
        "indicators-0-target": "≤2",
        "indicators-0-unit": "%",
        "field": "manufacturing",
        "industry_code": "C3392",
        "modes": ["development", "service"],
        "budget_min": "300,000",
        "budget_max": "800,000",
        "deadline": "2024-09-30",
        "expert_terms": "真空压铸、除气",
        "confidential": "客户是某主机厂",
        "then": "submit",
    }
    fields.update(changed)
    sent: MultiDict[str, Any] = MultiDict()
    for name, value in fields.items():
        sent.setlist(name, value if isinstance(value, list) else [value])
    return sent


def begin(client: Browser) -> int:
    answer = client.send("/my/needs/new", title="薄壁铝压铸件气孔率降到 2 % 以下")
    assert answer.status_code == 303, answer.text
    return int(answer.headers["Location"].split("/")[3])


def stored(client: Browser, need_id: int) -> queries.NeedView:
    with client.database.reading() as session:
        return queries.get_internal(session, need_id)


def test_a_need_is_written_reviewed_answered_and_decided(
    client: Browser, buyer: Actor, operator: Actor, page_world: World
) -> None:
    client.sign_in_as(buyer)
    number = begin(client)
    sent = client.post(f"/my/needs/{number}/edit", data=form(anonymous="y"))
    assert sent.status_code == 303, sent.text
    assert "正在审核" in client.get(f"/my/needs/{number}").text

    client.sign_in_as(operator)
    assert "薄壁铝压铸件" in client.get("/needs/desk").text
    page = client.get(f"/needs/{number}/review").text
    assert buyer.organisation_name in page
    assert "某主机厂" not in page
    assert client.post(f"/needs/{number}/accept").status_code == 303

    officer = page_world.actor(Role.OFFICER)
    client.sign_in_as(officer)
    page = client.get(f"/needs/{number}/answer").text
    assert buyer.organisation_name not in page
    assert "某主机厂" not in page
    short = client.send(f"/needs/{number}/answer", text="能做")
    assert short.status_code == 422
    assert "至少 20 个字" in short.text
    assert client.send(f"/needs/{number}/answer", text=ANSWER).status_code == 303
    assert "待答复" in client.get("/my/answers").text

    client.sign_in_as(buyer)
    assert "三个月内交样件" in client.get(f"/my/needs/{number}").text
    empty = client.send(f"/my/needs/{number}/answers/1/decline", reason="")
    assert empty.status_code == 422
    assert client.post(f"/my/needs/{number}/answers/1/accept").status_code == 303
    with client.database.reading() as session:
        assert queries.my_answers(session, officer).items[0].state is AnswerState.ACCEPTED


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("budget_max", "1.234", "最多两位小数"),
        ("budget_max", "-5", "不能是负数"),
        ("budget_max", "很多", "以元为单位的数字"),
        ("budget_max", "1" + "0" * 15, "超过 1000 亿元"),
        ("budget_min", "900,000", "大于上限"),
        ("deadline", "2024-01-01", "已经过去"),
        ("deadline", "2024-02-30", "日期不存在"),
        ("region_code", "12", "6 位数字"),
    ],
)
def test_bad_input_is_explained_kept_and_not_stored(
    client: Browser, buyer: Actor, field: str, value: str, words: str
) -> None:
    client.sign_in_as(buyer)
    number = begin(client)
    answer = client.post(f"/my/needs/{number}/edit", data=form(**{field: value}))
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{value}"' in answer.text
    assert "每月报废约 12 万元" in answer.text
    assert stored(client, number).version == 1


def test_submitting_an_incomplete_draft_keeps_it_and_names_what_is_missing(
    client: Browser, buyer: Actor
) -> None:
    client.sign_in_as(buyer)
    number = begin(client)
    answer = client.post(
        f"/my/needs/{number}/edit",
        data={"title": "压铸件气孔太多了", "problem": "气孔", "then": "submit"},
        follow_redirects=True,
    )
    assert "草稿已保存，但还不能提交" in answer.text
    for words in ("请至少填一行目标指标", "请填写预算上限", "请填写征集截止日期"):
        assert words in answer.text
    assert stored(client, number).content.problem == "气孔"
    assert stored(client, number).state is NeedState.DRAFT


def test_stale_form_autosave_and_double_click(client: Browser, buyer: Actor) -> None:
    client.sign_in_as(buyer)
    links = {
        client.send("/my/needs/new", title="某难题要解决", submission_key="k").headers["Location"]
        for _ in range(2)
    }
    assert len(links) == 1
    number = int(links.pop().split("/")[3])
    saved = client.send(f"/my/needs/{number}/autosave", title="改过的难题", version="1")
    assert saved.json == {"version": 2}
    stale = client.post(f"/my/needs/{number}/edit", data=form(version="1", then="save"))
    assert stale.status_code == 422
    assert "别人修改过这条需求" in stale.text


def test_the_operator_returns_with_a_reason(client: Browser, buyer: Actor, operator: Actor) -> None:
    client.sign_in_as(buyer)
    number = begin(client)
    client.post(f"/my/needs/{number}/edit", data=form())
    client.sign_in_as(operator)
    done = client.send(f"/needs/{number}/return", reason="请去掉公司介绍")
    assert done.status_code == 303
    client.sign_in_as(buyer)
    assert "请去掉公司介绍" in client.get(f"/my/needs/{number}/edit").text
    assert client.send(f"/my/needs/{number}/close", reason="不需要了").status_code == 303
    assert stored(client, number).state is NeedState.CLOSED


def test_another_organisations_need_is_not_found(
    client: Browser, buyer: Actor, page_world: World
) -> None:
    client.sign_in_as(buyer)
    number = begin(client)
    client.sign_in_as(page_world.actor(Role.ENTERPRISE))
    for path in ("", "/edit", "/close"):
        assert client.get(f"/my/needs/{number}{path}").status_code == 404
    for path in ("/autosave", "/submit", "/recall"):
        assert client.post(f"/my/needs/{number}{path}").status_code == 404
    assert client.get(f"/needs/{number}/answer").status_code == 404


def test_the_desk_is_the_operators(client: Browser, buyer: Actor) -> None:
    client.sign_in_as(buyer)
    assert client.get("/needs/desk").status_code == 403


def test_a_need_holds_so_many_files_in_all(client: Browser, buyer: Actor) -> None:
    client.sign_in_as(buyer)
    place = f"/my/needs/{begin(client)}/attachments"

    def attach(name: str) -> tuple[int, str]:
        sent = client.post(place, data={"attachments": (io.BytesIO(PDF), name)})
        return sent.status_code, sent.text

    for index in range(MOST_KEPT):
        assert attach(f"图纸{index}.pdf")[0] == 303
    status, page = attach("再一份.pdf")
    assert status == 422
    assert f"一共最多 {MOST_KEPT} 个附件，已有 {MOST_KEPT} 个" in page
    # Room is made by taking one off.
    assert client.send(f"{place}/1/remove").status_code == 303
    assert attach("再一份.pdf")[0] == 303
