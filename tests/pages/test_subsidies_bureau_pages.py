"""The bureau's pages: years with their stored reasons, drafts, and the what-if over a year."""

from __future__ import annotations

import io
from datetime import date, datetime

import openpyxl
import pytest
from lxml import html

from marketplace.foundation import reference
from marketplace.foundation.access import Role
from marketplace.subsidies import draft_queries
from tests.conftest import Browser
from tests.subsidies import SubsidyYear
from tests.world import World

TEXT = reference.text("policies/jkf-2021-27")
LOWER = (
    TEXT.replace("id: jkf-2021-27", "id: jkf-2026-1")
    .replace("rate: 3/2000", "rate: 1/2000")
    .replace("cap_yuan: 800000", "cap_yuan: 1000")
)


@pytest.fixture
def year(page_world: World, now: datetime) -> SubsidyYear:
    return SubsidyYear(page_world, now)


@pytest.fixture
def bureau(client: Browser, year: SubsidyYear) -> Browser:
    client.sign_in_as(year.bureau)
    return client


def save(bureau: Browser) -> str:
    """Save the lower draft and return where it is shown; the same key each time."""
    answer = bureau.send(
        "/subsidies/drafts/new",
        name="卖方降到 0.5‰",
        text=LOWER,
        note="降低比例",
        submission_key="k1",
    )
    assert answer.status_code == 303, answer.text
    return answer.location


def test_a_year_is_recomputed_read_and_taken_away(bureau: Browser, year: SubsidyYear) -> None:
    assert "还没有登记的技术合同" in bureau.get("/subsidies/years").text
    year.register()
    assert "还没有算过" in bureau.get("/subsidies/years").text
    assert bureau.get("/subsidies/years/2024").status_code == 404
    done = bureau.send("/subsidies/years/2024/recompute", submission_key="r1")
    assert done.location == "/subsidies/years/2024"
    page = bureau.get("/subsidies/years/2024").text
    assert "2024 年已重算，3 项有变化。" in page
    assert "81,900.00 元" in page
    assert (
        "与上次相同"
        in bureau.get(
            bureau.send("/subsidies/years/2024/recompute", submission_key="r2").location
        ).text
    )
    links = html.fromstring(page).xpath("//table//a/@href")
    why = bureau.get(next(link for link in links if "results" in link)).text
    for told in ("78,000.00 元", "2,600,000.00 × 3\u00a0%", "济政发〔2021〕15号", "释读 A"):
        assert told in why
    assert "泉城理工大学" not in bureau.get("/subsidies/years/2024?item=buyer").text
    assert "没有变化的结果" in bureau.get("/subsidies/years/2024?show=changed").text
    book = openpyxl.load_workbook(io.BytesIO(bureau.get("/subsidies/years/2024.xlsx").data))
    rows = list(book.active.values)
    assert [row[5] for row in rows] == ["金额（元）", "78,000.00", "3,900.00"]
    for missing in ("/subsidies/years/1999", "/subsidies/years/results/99"):
        assert bureau.get(missing).status_code == 404
    assert bureau.get("/subsidies/years/1999.xlsx").status_code == 404
    assert bureau.send("/subsidies/years/1999/recompute").status_code == 404


def test_a_changed_result_shows_what_it_was_and_what_was_decided(
    bureau: Browser, year: SubsidyYear
) -> None:
    year.applied()
    bureau.send("/subsidies/years/2024/recompute", submission_key="r1")
    year.register(1_000_000)
    bureau.send("/subsidies/years/2024/recompute", submission_key="r2")
    page = bureau.get("/subsidies/years/2024?show=changed&item=seller")
    assert "5,400.00" in page.text
    assert "重算记录" in page.text
    link = next(x for x in html.fromstring(page.text).xpath("//table//a/@href") if "results" in x)
    why = bureau.get(link).text
    assert "已申报或核定 3,900.00 元，与这次算出的不同" in why
    assert "历次结果" in why
    old = [x for x in html.fromstring(why).xpath("//table//a/@href") if "results" in x][-1]
    assert "此后的重算已取代它" in bureau.get(old).text


def test_a_draft_is_kept_with_every_edition_and_who_saved_it(
    bureau: Browser, year: SubsidyYear
) -> None:
    begun = bureau.get("/subsidies/drafts/new?from=jkf-2021-27").text
    assert "27号文 修改稿" in begun
    assert "cap_yuan: 800000" in begun
    place = save(bureau)
    assert save(bureau) == place  # the same click twice
    page = bureau.get(place).text
    assert "第 1 版" in page
    saved = bureau.send(
        place,
        name="卖方降到 0.5‰",
        text=LOWER.replace("rate: 1/2000", "rate: 1/4000"),
        note="再降一半",
        version="1",
        submission_key="k2",
    )
    assert saved.status_code == 303
    page = bureau.get(f"{place}/editions/2").text
    for told in ("与上一版不同", "0.5\u00a0‰", "0.25\u00a0‰", "再降一半"):
        assert told in page
    assert "rate: 1/2000" in bureau.get(f"{place}/editions/1").text
    assert bureau.get(f"{place}/editions/3").status_code == 404
    stale = bureau.send(place, name="卖方降到 0.5‰", text=LOWER, version="1", submission_key="k3")
    assert stale.status_code in (409, 422)
    assert "已被别人改过，现在是第 2 版" in stale.text
    assert "rate: 1/2000" in stale.text
    same = bureau.send(
        place,
        name="卖方降到 0.5‰",
        text=LOWER.replace("rate: 1/2000", "rate: 1/4000"),
        version="2",
        submission_key="k4",
    )
    assert same.status_code == 303
    with year.database.reading() as session:
        [view] = draft_queries.list_drafts(session)
        assert [e.number for e in view.editions] == [2, 1]
        assert {e.saved_by for e in view.editions} != {"平台"}
    assert "第 2 版" in bureau.get("/subsidies/drafts").text
    taken = bureau.send("/subsidies/drafts/new", name="卖方降到 0.5‰", text=TEXT)
    assert "已有名为“卖方降到 0.5‰”的草案" in taken.text


def test_a_wrong_draft_says_the_line_and_loses_nothing(bureau: Browser) -> None:
    wrong = TEXT.replace("cap_yuan: 800000", "cap_yaun: 800000", 1)
    line = next(n for n, x in enumerate(wrong.splitlines(), 1) if "cap_yaun" in x)
    answer = bureau.send("/subsidies/drafts/new", name="甲", text=wrong)
    assert answer.status_code == 422
    assert f"第 {line} 行，items 第 1 项" in answer.text
    assert "是不是 cap_yuan？" in answer.text
    assert "cap_yaun: 800000" in answer.text
    assert "还没有草案" in bureau.get("/subsidies/drafts").text


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (LOWER.encode(), 303, ""),
        (b"\xef\xbb\xbf" + LOWER.encode(), 303, ""),
        (LOWER.replace("\n", "\r\n").encode(), 303, ""),
        (LOWER.encode("gb18030"), 422, "不是 UTF-8 编码的文本"),
        (b"\x89PNG\r\n\x1a\n\x00", 422, "不是 UTF-8 编码的文本"),
        (b"", 422, "还没有内容"),
    ],
)
def test_a_draft_comes_as_a_file(bureau: Browser, content: bytes, status: int, told: str) -> None:
    answer = bureau.post(
        "/subsidies/drafts/new",
        data={"name": "甲", "text": "", "file": (io.BytesIO(content), "草案.yaml")},
    )
    assert answer.status_code == status
    assert told in answer.text


def test_the_what_if_names_winners_losers_money_and_caps(
    bureau: Browser, year: SubsidyYear
) -> None:
    assert "还没有登记的技术合同" in bureau.get("/subsidies/what-if").text
    assert bureau.get("/subsidies/what-if.xlsx").status_code == 404
    year.register(4_000_000)
    place = save(bureau)
    key = "draft:" + place.rsplit("/", 1)[-1]
    page = bureau.get("/subsidies/what-if").text  # the newest draft is tried by itself
    assert "卖方降到 0.5‰（第 1 版）" in page
    tree = html.fromstring(page)
    sums = [cell.text_content() for cell in tree.xpath("//div[contains(@class,'result')]//b")]
    assert sums[:3] == ["126,000.00 元", "121,000.00 元", "5,000.00 元"]
    for told in ("少得", "到上限", "泉城理工大学", "减少"):
        assert told in page
    for drawing in tree.xpath("//svg[@role='img']"):
        assert drawing.xpath("./title/text()")
        assert drawing.xpath("ancestor::div[1]//table")
    shares = bureau.get(f"/subsidies/what-if?right={key}&budget=60000").text
    assert "缩减比例" in shares
    assert "60/121" in shares
    beside = bureau.get(f"/subsidies/what-if?right={key}&place=beside").text
    assert "没有单位少得" in beside
    swapped = bureau.get(f"/subsidies/what-if?left={key}&right=policy:beizeng-2023").text
    assert "倍增计划" in swapped
    one = bureau.get(f"/subsidies/what-if/{year.university.id}?right={key}").text
    assert "4,000,000.00 × 0.5\u00a0‰" in one
    assert "4,000,000.00 × 1.5\u00a0‰" in one
    book = openpyxl.load_workbook(
        io.BytesIO(bureau.get(f"/subsidies/what-if.xlsx?right={key}").data)
    )
    rows = list(book.active.values)
    assert rows[1][:2] == ("泉城理工大学", "卖方补助")
    assert rows[1][2:] == (
        "6,000.00", "27号文", "", "1,000.00", "27号文", "是", "-5,000.00", "减少",
    )  # fmt: skip


@pytest.mark.parametrize(
    "query",
    ["year=1999", "left=nothing", "right=draft:99999", "place=over", "budget=-1", "year=甲"],
)
def test_what_cannot_be_compared_is_said(bureau: Browser, year: SubsidyYear, query: str) -> None:
    year.register(on=date(2024, 3, 12))
    answer = bureau.get(f"/subsidies/what-if?{query}")
    assert answer.status_code == 422
    assert "处需要修改" in answer.text


def test_only_the_bureau_tries_documents(client: Browser, year: SubsidyYear) -> None:
    year.register()
    pages = ("/subsidies/drafts", "/subsidies/drafts/new", "/subsidies/what-if",
             "/subsidies/what-if.xlsx", "/subsidies/what-if/1")  # fmt: skip
    for actor in (year.officer, year.district, year.centre, year.treasurer):
        client.sign_in_as(actor)
        assert {client.get(page).status_code for page in pages} == {403}
    assert client.get("/subsidies/years").status_code == 403
    client.sign_in_as(year.centre)
    assert client.get("/subsidies/years").status_code == 200
    assert client.send("/subsidies/years/2024/recompute").status_code == 403
    assert Role.BUREAU_REVIEWER not in year.centre.roles
