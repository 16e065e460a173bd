"""Applicant, reviewers, bureau and treasurer through the pages, in one journey and its refusals."""

from __future__ import annotations

import importlib.resources
import io
import shutil
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event

from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation import reference
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.subsidies.parameters import editions
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep
from marketplace.subsidies.service import Verdict
from marketplace.subsidies.word_rules import Item
from tests.conftest import Browser, MovableClock
from tests.subsidies import SubsidyYear
from tests.world import World

S = ClaimStatus
APPLICATION = {
    "contact_name": "经办人甲",
    "contact_phone": "0531-66600000",
    "bank_name": "齐鲁银行历城支行",
    "bank_account": "1234567890123456",
    "declared": "y",
}


@pytest.fixture
def year(page_world: World, now: datetime) -> SubsidyYear:
    made = SubsidyYear(page_world, now)
    _offices = made.district, made.centre, made.bureau, made.treasurer
    return made


def test_a_claim_from_the_notice_to_the_payment(
    client: Browser, year: SubsidyYear, clock: MovableClock, settle: Callable[[], None]
) -> None:
    year.register()
    client.sign_in_as(year.officer)
    assert "没有正在受理的申报通知" in client.get("/subsidies").text

    client.sign_in_as(year.bureau)
    opened = client.send(
        "/subsidies/desk/rounds",
        year="2024",
        title="关于申报 2024 年度技术转移转化补助的通知",
        opens_on="2024-03-15",
        closes_on="2024-04-30",
        budget="5,000,000",
        body="请按时申报。",
        submission_key="round-1",
    )
    assert opened.status_code == 303, opened.text
    round_id = int(opened.location.rsplit("/", 1)[-1])
    assert "5,000,000.00 元" in client.get(opened.location).text
    assert "请按时申报。" in client.get(f"/subsidies/rounds/{round_id}").text

    client.sign_in_as(year.officer)
    page = client.get("/subsidies").text
    assert "3,900.00 元" in page
    assert "申报卖方补助" in page
    begun = client.send(f"/subsidies/rounds/{round_id}/seller", submission_key="prepare-1")
    claim = begun.location
    claim_id = int(claim.rsplit("/", 1)[-1])
    page = client.get(claim).text
    assert "确认 3,900.00 元，提交申报" in page
    assert "2,600,000.00 × 1.5\u00a0‰ = 3,900.00" in page
    proof = (io.BytesIO(b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"), "回单.pdf")
    form: dict[str, Any] = {**APPLICATION, "confirmed": "390000", "attachments": proof}
    sent = client.post(claim, data=form, content_type="multipart/form-data")
    assert sent.status_code == 303, sent.text
    page = client.get(claim).text
    assert "区县初审" in page
    assert "回单.pdf" in page
    assert "提交申报</button>" not in page

    for step, actor in (
        (ReviewStep.DISTRICT, year.district),
        (ReviewStep.CENTRE, year.centre),
        (ReviewStep.BUREAU, year.bureau),
        (ReviewStep.EXPERT, year.expert),
    ):
        client.sign_in_as(actor)
        assert "泉城理工大学，卖方补助" in client.get("/subsidies/desk").text
        page = client.get(f"/subsidies/desk/{claim_id}").text
        assert "平台现在计算" in page
        assert "低温脱硝催化剂专利权转让" in page
        assert "1234567890123456" in page
        assert client.get(f"/subsidies/claims/{claim_id}/files/1").status_code == 200
        decided = client.send(
            f"/subsidies/desk/{claim_id}",
            step=step.value,
            decision="pass",
            version="1",
            **({"score": "88", "unconcerned": "y"} if step is ReviewStep.EXPERT else {}),
        )
        assert decided.status_code == 303, decided.text
    assert year.status(claim_id) is S.SETTLING

    client.sign_in_as(year.bureau)
    assert "公示 1 件审结的申报" in client.get(f"/subsidies/desk/rounds/{round_id}").text
    client.send(f"/subsidies/desk/rounds/{round_id}/publicity", submission_key="public-1")
    assert year.status(claim_id) is S.PUBLICITY
    client.sign_out()
    notice = client.get(f"/notices/{year.claim(claim_id).publicity_id}").text
    assert "泉城理工大学 2024 年度卖方补助" in notice
    assert "3,900.00 元" in notice

    clock.moment = datetime.fromisoformat("2024-03-25T09:00+08:00")
    settle()
    assert year.status(claim_id) is S.APPROVED

    client.sign_in_as(year.bureau)
    listed = client.send("/subsidies/payments", claim=str(claim_id), submission_key="list-1")
    assert listed.status_code == 303
    table = client.get(listed.location + ".xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(table.data)).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[1][1] == "泉城理工大学"
    assert rows[1][4] == "3900.00"
    assert rows[1][6] == "1234567890123456"

    client.sign_in_as(year.treasurer)
    page = client.get(listed.location).text
    assert "确认已支付 3,900.00 元" in page
    refused = client.send(f"{listed.location}/1", reference=" ")
    assert refused.status_code == 422
    paid = client.send(f"{listed.location}/1", reference="JNCZ20240001")
    assert paid.status_code == 303
    assert year.status(claim_id) is S.PAID

    client.sign_in_as(year.officer)
    page = client.get(claim).text
    assert "已支付" in page
    assert "JNCZ20240001" in page
    assert year.district.name not in page  # an applicant sees the office, not the person


def test_a_double_click_prepares_one_claim(client: Browser, year: SubsidyYear) -> None:
    year.register()
    round_id = year.open_round()
    client.sign_in_as(year.officer)
    targets = {
        client.send(f"/subsidies/rounds/{round_id}/seller", submission_key="same").location
        for _ in range(2)
    }
    assert len(targets) == 1


def test_a_changed_amount_in_the_form_is_refused_and_what_was_typed_is_kept(
    client: Browser, year: SubsidyYear
) -> None:
    year.register()
    claim_id = year.prepared(year.open_round())
    client.sign_in_as(year.officer)
    for confirmed in ("99999900", "", "1e9", "-1"):
        page = client.send(
            f"/subsidies/claims/{claim_id}", **{**APPLICATION, "confirmed": confirmed}
        )
        assert page.status_code == 422
        assert "金额由平台计算，不能修改" in page.text
        assert "齐鲁银行历城支行" in page.text
    assert year.status(claim_id) is S.ESTIMATED


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("bank_account", "=cmd|calc", "8 到 32 位数字"),
        ("bank_name", "", "请填写“开户银行”"),
        ("declared", "", "请勾选"),
    ],
)
def test_what_is_missing_is_said_beside_the_field(
    client: Browser, year: SubsidyYear, field: str, typed: str, message: str
) -> None:
    year.register()
    claim_id = year.prepared(year.open_round())
    client.sign_in_as(year.officer)
    form = {**APPLICATION, "confirmed": "390000", field: typed}
    page = client.send(f"/subsidies/claims/{claim_id}", **{k: v for k, v in form.items() if v})
    assert page.status_code == 422
    assert message in page.text
    assert year.status(claim_id) is S.ESTIMATED


def test_formulas_in_text_stay_text_in_the_table(client: Browser, year: SubsidyYear) -> None:
    year.register()
    claim_id = year.prepared(year.open_round())
    client.sign_in_as(year.officer)
    client.send(
        f"/subsidies/claims/{claim_id}",
        **{**APPLICATION, "confirmed": "390000", "bank_name": "=1+1@银行"},
    )
    year.approved(claim_id)
    year.listed(claim_id)
    client.sign_in_as(year.bureau)
    table = client.get("/subsidies/payments/1.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(table.data)).active
    assert sheet is not None
    cell = sheet.cell(row=2, column=6)
    assert (cell.value, cell.data_type) == ("=1+1@银行", "s")


def test_another_organisations_claim_is_not_there(client: Browser, year: SubsidyYear) -> None:
    year.register()
    claim_id = year.prepared(year.open_round())
    for actor in (year.buyer, year.world.actor(Role.OFFICER)):
        client.sign_in_as(actor)
        assert client.get(f"/subsidies/claims/{claim_id}").status_code == 404
        assert client.send(f"/subsidies/claims/{claim_id}", **APPLICATION).status_code == 404
        assert client.get(f"/subsidies/claims/{claim_id}/files/1").status_code == 404
        assert client.get(f"/subsidies/desk/{claim_id}").status_code == 403


def test_a_return_is_read_and_corrected(client: Browser, year: SubsidyYear) -> None:
    claim_id = year.applied()
    client.sign_in_as(year.district)
    page = client.send(
        f"/subsidies/desk/{claim_id}", step="district", decision="return", opinion="缺"
    )
    assert page.status_code == 422
    assert "至少 10 个字" in page.text
    client.send(
        f"/subsidies/desk/{claim_id}",
        step="district",
        decision="return",
        opinion="付款凭证缺第二笔，请补传银行回单",
    )
    client.sign_in_as(year.officer)
    page = client.get(f"/subsidies/claims/{claim_id}").text
    assert "付款凭证缺第二笔" in page
    assert "补正后重新提交" in page
    sent = client.send(f"/subsidies/claims/{claim_id}", **{**APPLICATION, "confirmed": "390000"})
    assert sent.status_code == 303
    assert year.claim(claim_id).attempt == 2


def test_a_reviewer_of_a_step_that_is_over_is_told(client: Browser, year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.review(claim_id, ReviewStep.DISTRICT)
    client.sign_in_as(year.district)
    page = client.send(f"/subsidies/desk/{claim_id}", step="district", decision="pass")
    assert page.status_code == 422
    assert "不在这一步" in page.text


def test_a_paid_claim_is_clawed_back_on_its_page(client: Browser, year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.paid(claim_id)
    client.sign_in_as(year.bureau)
    page = client.get(f"/subsidies/desk/{claim_id}").text
    assert "追回并记入科研诚信" in page
    done = client.send(
        f"/subsidies/desk/{claim_id}/claw-back",
        reason="合同没有实际履行，付款凭证系伪造",
        document="济科处〔2024〕3号",
        dishonest_until="2026-03-14",
    )
    assert done.status_code == 303, done.text
    assert year.status(claim_id) is S.CLAWED_BACK
    client.sign_in_as(year.officer)
    assert "已追回" in client.get(f"/subsidies/claims/{claim_id}").text


def test_the_pages_of_every_state_can_be_read(client: Browser, year: SubsidyYear) -> None:
    year.register()
    year.register(500_000, on=date(2024, 3, 13), fiscal_funds=True)
    round_id = year.open_round()
    claim_id = year.applied(round_id=round_id)
    year.review(
        claim_id, ReviewStep.DISTRICT, Verdict(ReviewDecision.REFUSE, "不属于技术合同的范围")
    )
    year.prepared(round_id, item=Item.BUYER, actor=year.buyer)
    for actor, paths in (
        (year.officer, ["/subsidies", f"/subsidies/claims/{claim_id}"]),
        (year.buyer, ["/subsidies"]),
        (
            year.bureau,
            [
                "/subsidies/desk?show=all",
                f"/subsidies/desk/{claim_id}",
                "/subsidies/desk/rounds",
                f"/subsidies/desk/rounds/{round_id}",
                "/subsidies/payments",
            ],
        ),
        (year.treasurer, ["/subsidies/desk", "/subsidies/payments"]),
        (year.expert, ["/subsidies/desk"]),
    ):
        client.sign_in_as(actor)
        for path in paths:
            page = client.get(path)
            assert page.status_code == 200, (path, page.text[:500])
            assert "None" not in page.text


def test_the_desk_asks_the_database_no_more_for_more_claims(
    client: Browser, year: SubsidyYear, sqlite_database: Database
) -> None:
    counts = []
    round_id = year.open_round()
    for n in range(3):
        seller = year.world.organisation(OrganisationKind.RESEARCH_INSTITUTE)
        year.register(1_000_000 + n, seller=seller)
        actor = year.world.actor(Role.OFFICER, seller)
        claim_id = year.prepared(round_id, actor=actor)
        year.apply(claim_id, actor=actor)
        client.sign_in_as(year.district)
        asked: list[str] = []

        def note(*given: Any, into: list[str] = asked) -> None:
            into.append(given[2])

        event.listen(sqlite_database.engine, "before_cursor_execute", note)
        page = client.get("/subsidies/desk").text
        event.remove(sqlite_database.engine, "before_cursor_execute", note)
        assert page.count("BZ-2024-") == n + 1
        counts.append(len(asked))
    assert counts[1] == counts[2]


def test_a_later_correction_is_shown_and_changes_nothing_that_was_decided(
    client: Browser, year: SubsidyYear, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim_id = year.applied()
    client.sign_in_as(year.officer)
    assert "条文数据有更正" not in client.get(f"/subsidies/claims/{claim_id}").text
    folder = tmp_path / "reference"
    shutil.copytree(str(importlib.resources.files("seed.reference")), folder)
    written = (folder / "policies" / "jkf-2021-27.yaml").read_text(encoding="utf-8")
    corrected = written.replace("rate: 3/2000", "rate: 1/500") + (
        "known_from: 2024-04-01\ncorrection: 原件第四条为 2‰，录入时误作 1.5‰\n"
    )
    (folder / "policies" / "jkf-2021-27@2024-04-01.yaml").write_text(corrected, encoding="utf-8")
    monkeypatch.setattr(reference, "files", lambda _package: folder)
    editions.cache_clear()
    try:
        pages = [client.get(f"/subsidies/claims/{claim_id}").text]
        client.sign_in_as(year.district)
        pages.append(client.get(f"/subsidies/desk/{claim_id}").text)
        document = client.get("/policies/jkf-2021-27").text
    finally:
        editions.cache_clear()
    for text in pages:
        assert "3,900.00" in text
        assert "这份申报按 2024-03-15 已知的条文计算，此后条文数据有更正。" in text
        assert "2024-04-01 更正：原件第四条为 2‰，录入时误作 1.5‰" in text
        assert "1.5\u00a0‰ → 2\u00a0‰" in text
        assert "按更正后的条文重算是 5,200.00 元，比已决定的 3,900.00 元多 1,300.00 元" in text
    assert "条文数据的更正" in document
    assert year.claim(claim_id).claimed_fen == 3_900_00
