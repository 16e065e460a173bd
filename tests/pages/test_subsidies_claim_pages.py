"""A claim through its pages: from the notice to the payment, refused, returned, corrected."""

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

from marketplace.foundation import reference
from marketplace.foundation.access import Role
from marketplace.subsidies.parameters import editions
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep
from marketplace.subsidies.service import Verdict
from marketplace.subsidies.word_rules import ClaimItem
from tests.conftest import Browser, MovableClock
from tests.subsidies import APPLICATION, SubsidyYear
from tests.world import World

S = ClaimStatus


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
        items=["seller", "buyer"],
        eligible="在济南登记注册的高校",
        documents="支付凭证",
        expert_count="1",
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
        assert "123*********3456" in page
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
    assert rows[1][6] == "123*********3456"

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


def test_the_notice_says_what_for_whom_and_with_which_documents(
    client: Browser, year: SubsidyYear
) -> None:
    client.sign_in_as(year.bureau)
    notice: dict[str, Any] = {
        "year": "2024",
        "title": "评估费补助通知",
        "opens_on": "2024-03-15",
        "closes_on": "2024-04-30",
        "budget": "5,000,000",
        "eligible": "驻济高校和科研院所",
        "documents": "培训费发票",
        "expert_count": "5",
    }
    refused = client.send("/subsidies/desk/rounds", **notice)
    assert refused.status_code == 422
    assert "驻济高校和科研院所" in refused.text  # nothing typed is lost
    opened = client.send("/subsidies/desk/rounds", items=["assessment_fee"], **notice)
    assert opened.status_code == 303, opened.text
    round_id = int(opened.location.rsplit("/", 1)[-1])
    client.sign_out()
    page = client.get(f"/subsidies/rounds/{round_id}").text
    for told in ("成果评估费补助", "驻济高校和科研院所", "培训费发票", "每件由 5 名专家"):
        assert told in page
    year.register()
    client.sign_in_as(year.officer)
    # This round is not for contracts: the amount is shown, the button is not.
    page = client.get("/subsidies").text
    assert "3,900.00 元" in page
    assert "申报卖方补助" not in page
    tried = client.send(f"/subsidies/rounds/{round_id}/seller", submission_key="k")
    assert "本批不受理卖方补助" in client.get(tried.location).text


def test_a_forged_amount_or_contract_changes_nothing(client: Browser, year: SubsidyYear) -> None:
    mine, other = year.register(), year.register(9_000_000, seller=year.world.organisation())
    claim_id = year.prepared(year.open_round())
    client.sign_in_as(year.officer)
    path = f"/subsidies/claims/{claim_id}"
    forged = {"claimed_fen": "99999999", "amount": "99999.99", "contract": str(other.contract_id)}
    refused = client.send(path, confirmed="99999999", **APPLICATION, **forged)
    assert refused.status_code == 422
    assert "金额由平台计算，不能修改" in refused.text
    assert "齐鲁银行历城支行" in refused.text
    assert year.status(claim_id) is S.ESTIMATED
    sent = client.send(path, confirmed="390000", **APPLICATION, **forged)
    assert sent.status_code == 303, sent.text
    claim = year.claim(claim_id)
    assert claim.claimed_fen == 3_900_00
    assert [line.contract_id for line in claim.lines] == [mine.contract_id]


def test_a_recognition_is_entered_and_paid_once(client: Browser, year: SubsidyYear) -> None:
    round_id = year.open_round()
    client.sign_in_as(year.officer)
    page = client.get("/subsidies").text
    assert "申报国家技术转移机构奖励" in page
    begun = client.send(f"/subsidies/rounds/{round_id}/national_institution", submission_key="a")
    path = begun.location
    claim_id = int(path.rsplit("/", 1)[-1])
    page = client.get(path).text
    assert "填写依据" in page
    assert "提交申报</button>" not in page  # nothing to confirm before it is entered
    late = client.send(
        f"{path}/entries", recognition_document="国科火字〔2023〕9号", recognised_on="2023-12-31"
    )
    assert late.status_code == 422
    assert "本批只受理 2024 年度" in late.text
    kept = client.send(
        f"{path}/entries", recognition_document="国科火字〔2024〕12号", recognised_on="2024-02-06"
    )
    assert kept.status_code == 303, kept.text
    page = client.get(path).text
    for told in ("确认 1,000,000.00 元，提交申报", "国科火字〔2024〕12号", "第八条", "（十五）"):
        assert told in page
    sent = client.send(path, confirmed="100000000", **APPLICATION)
    assert sent.status_code == 303, sent.text
    client.sign_in_as(year.district)
    page = client.get(f"/subsidies/desk/{claim_id}").text
    assert "每项依据只申报一次" in page
    assert "国科火字〔2024〕12号" in page
    year.paid(claim_id)
    assert year.claim(claim_id).payable_fen == 1_000_000_00
    client.sign_in_as(year.officer)
    again = client.send(f"/subsidies/rounds/{round_id}/national_institution", submission_key="b")
    assert "一个单位只有一次" in client.get(again.location).text


def test_the_pages_of_every_state_can_be_read(client: Browser, year: SubsidyYear) -> None:
    year.register()
    year.register(500_000, on=date(2024, 3, 13), fiscal_funds=True)
    round_id = year.open_round()
    claim_id = year.applied(round_id=round_id)
    year.review(
        claim_id, ReviewStep.DISTRICT, Verdict(ReviewDecision.REFUSE, "不属于技术合同的范围")
    )
    year.prepared(round_id, item=ClaimItem.BUYER, actor=year.buyer)
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
