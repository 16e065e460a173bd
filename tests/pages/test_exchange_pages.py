"""The pages of the import: upload, preview, columns, progress, result, refusals."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from python_calamine import CalamineWorkbook
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse

from marketplace import worker
from marketplace.achievements import queries as achievements
from marketplace.exchange import queries
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.attachments import Upload
from marketplace.wiring import Services
from tests.conftest import Browser
from tests.import_files import NEED_LINE, needs_csv, patent_row, workbook
from tests.world import World

Settle = Callable[[], None]


@pytest.fixture
def officer(page_world: World) -> Actor:
    return page_world.actor(Role.OFFICER, page_world.organisation(name="泉城理工大学"))


@pytest.fixture
def work(services: Services) -> Settle:
    """Do what the worker does, the index included, until all is quiet."""
    return lambda: worker.run_until_quiet(services)


def send(client: Browser, file: Upload, kind: str = "achievements", **more: str) -> TestResponse:
    return client.post(
        "/imports/new",
        data={
            "kind": kind,
            "file": FileStorage(io.BytesIO(file.content), filename=file.name),
            **more,
        },
    )


def columns(client: Browser, number: int) -> dict[str, str]:
    """Return the preview's form as the page offers it."""
    with client.database.reading() as session:
        mapping = queries.get_internal(session, number).mapping
    return {f"column-{key}": str(at) for key, at in mapping.items()}


def test_from_upload_to_the_fate_of_every_row(
    client: Browser, officer: Actor, work: Settle
) -> None:
    client.sign_in_as(officer)
    formula = '=HYPERLINK("http://evil")'
    file = workbook([patent_row(1), patent_row(2, 专利名称=""), patent_row(3, 专利名称=formula)])
    uploaded = send(client, file)
    assert uploaded.status_code == 303, uploaded.text
    page = uploaded.headers["Location"]
    preview = client.get(page).text
    assert "3 行科技成果" in preview
    assert "名称是空的" in preview
    assert "还没有写入任何内容" in preview
    with client.database.reading() as session:
        assert achievements.owned_by(session, officer).items == []

    assert client.get(f"{page}/result.xlsx").status_code == 404
    started = client.post(f"{page}/start", data={**columns(client, 1), "then": "start"})
    assert started.status_code == 303
    assert "已检查 0 / 3 行" in client.get(page).text
    work()
    assert client.get(f"{page}/progress").headers["HX-Redirect"] == page
    result = client.get(page).text
    assert "已登记，需要补充" in result
    assert "没有登记" in result
    assert "一种第1号低压降整流装置及其控制方法" in result
    only = client.get(f"{page}?fate=refused").text
    assert "一种第1号低压降整流装置及其控制方法" not in only

    book = client.get(f"{page}/result.xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0).to_python()
    assert rows[0][:4] == ["行号", "结果", "原因", "平台编号"]
    assert rows[2][1:3] == ["没有登记", "名称是空的"]
    assert rows[3][6] == formula
    with client.database.reading() as session:
        assert len(achievements.owned_by(session, officer).items) == 2


def test_columns_can_be_chosen_by_hand(client: Browser, officer: Actor, work: Settle) -> None:
    client.sign_in_as(officer)
    page = send(client, workbook([patent_row(1)])).headers["Location"]
    chosen = columns(client, 1)
    twice = client.post(f"{page}/start", data={**chosen, "column-ipc": chosen["column-title"]})
    assert twice.status_code == 422
    assert "有一列被用了两次" in twice.text
    without = {key: value for key, value in chosen.items() if key != "column-title"}
    lacking = client.post(f"{page}/start", data=without)
    assert lacking.status_code == 422
    again = client.post(f"{page}/start", data={**chosen, "column-owners": "", "then": "preview"})
    assert again.status_code == 303
    assert "没有用到的列：申请(专利权)人" in client.get(page).text


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (workbook([["1", "2"]], header=("编号", "日期")), "没有找到“名称”一列"),
        (workbook([patent_row(1), patent_row(2)], merged="F2:F3"), "是合并单元格"),
        (workbook([patent_row(1)], formula="C2"), "是公式"),
        (Upload("清单.xlsx", b"MZ" + b"\0" * 64), "内容不是 XLSX 格式"),
        (Upload("清单.csv", b"x" * (16 * 1024 * 1024)), "上限是 15 MB"),
        (Upload("清单.exe", b"MZ"), "不接受“.exe”文件"),
    ],
)
def test_a_bad_file_is_explained_beside_the_field_and_not_kept(
    client: Browser, officer: Actor, file: Upload, words: str
) -> None:
    client.sign_in_as(officer)
    answer = send(client, file)
    assert answer.status_code == 422
    assert words in answer.text
    assert 'id="file-error"' in answer.text
    with client.database.reading() as session:
        assert queries.listed(session, officer).items == []


def test_no_file_and_a_double_click(client: Browser, officer: Actor) -> None:
    client.sign_in_as(officer)
    assert "还没有选择文件" in client.post("/imports/new", data={"kind": "achievements"}).text
    targets = {
        send(client, workbook([patent_row(1)]), submission_key="once").headers["Location"]
        for _ in range(2)
    }
    assert len(targets) == 1


def test_an_enterprise_imports_needs_only(client: Browser, page_world: World, work: Settle) -> None:
    enterprise = page_world.actor(Role.ENTERPRISE)
    client.sign_in_as(enterprise)
    page = client.get("/imports/new").text
    assert "导入技术需求" in page
    refused = send(client, workbook([patent_row(1)]))
    assert refused.status_code == 422
    uploaded = send(client, needs_csv([NEED_LINE.format(1)]), "needs")
    assert uploaded.status_code == 303
    number = int(uploaded.headers["Location"].rsplit("/", 1)[1])
    client.post(f"/imports/{number}/start", data=columns(client, number))
    work()
    assert "第1号铅锌矿石" in client.get("/my/needs").text
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    desk = client.get("/needs/desk?imported=1").text
    assert "第1号铅锌矿石" in desk
    assert client.send("/needs/read", chosen="1").status_code == 303
    assert "第1号铅锌矿石" not in client.get("/needs/desk?imported=1").text


def test_the_operator_imports_for_an_organisation_by_its_code(
    client: Browser, page_world: World, work: Settle
) -> None:
    organisation = page_world.organisation()
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    file = workbook([patent_row(1)])
    assert "请填写为哪个单位导入" in send(client, file).text
    assert "校验位不对" in send(client, file, uscc=organisation.uscc[:-1] + "9").text
    done = send(client, file, uscc=organisation.uscc)
    assert done.status_code == 303
    with client.database.reading() as session:
        assert queries.get_internal(session, 1).organisation_id == organisation.id


def test_another_organisations_import_is_not_found(
    client: Browser, officer: Actor, page_world: World
) -> None:
    client.sign_in_as(officer)
    page = send(client, workbook([patent_row(1)])).headers["Location"]
    client.sign_in_as(page_world.actor(Role.OFFICER))
    assert client.get(page).status_code == 404
    assert client.post(f"{page}/start").status_code == 404
    assert client.post(f"{page}/cancel").status_code == 404
    assert client.get(f"{page}/result.xlsx").status_code == 404


def test_cancelling_keeps_nothing(client: Browser, officer: Actor) -> None:
    client.sign_in_as(officer)
    page = send(client, workbook([patent_row(1)])).headers["Location"]
    assert client.post(f"{page}/cancel").status_code == 303
    assert "没有写入任何内容" in client.get(page).text
    assert client.get("/imports").status_code == 200


def test_the_templates_carry_names_that_are_recognised(client: Browser, officer: Actor) -> None:
    client.sign_in_as(officer)
    book = client.get("/imports/template/achievements.xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.data)).get_sheet_by_index(0).to_python()
    assert rows[0][0] == "成果名称"
    assert client.get("/imports/template/unknown.xlsx").status_code == 404
