"""Pages after the registration: type, receipts, amendments, certificate, check, yearly tables."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from pypdf import PdfReader
from sqlalchemy import select

from marketplace.contracts import service
from marketplace.contracts.after_models import ContractAmendment, ContractReceipt
from marketplace.contracts.rules import ContractStatus, ContractType, Item
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.money import Fen
from marketplace.subsidies import queries as subsidies
from marketplace.subsidies.models import ContractFact
from marketplace.wiring import Services
from seed.demo.paper import write_paper
from tests.conftest import Browser
from tests.dealing import PDF, PRICE, TECHNOLOGY, Market
from tests.pages.test_contracts_pages import begin, count, form, stored, text, with_file
from tests.subsidies import SubsidyYear
from tests.world import World

SERVICE_LINES = [
    "第一条 乙方以专业知识为甲方解决催化剂失活的技术问题。",
    "第二条 乙方完成试验服务并提交试验报告。",
    "第三条 本合同不涉及专利权转让。",
]


@pytest.fixture
def market(
    sqlite_database: Database, page_world: World, now: datetime, services: Services
) -> Market:
    return Market(sqlite_database, page_world, now, services.settings.data_dir / "attachments")


def slip(**changed: Any) -> dict[str, Any]:
    values = {
        "received_on": "2024-03-15",
        "amount_fen": "600000",
        "technology_amount_fen": "",
        "reference": "HD20240315",
    }
    return values | changed


def test_the_schedule_is_typed_and_said_beside_its_row(client: Browser, market: Market) -> None:
    edit = begin(client, market)
    plan = {
        "payment_mode": "instalments",
        "payment_terms": "签约六成，验收四成",
        "schedule-0-due_on": "2024-03-20",
        "schedule-0-label": "签约",
        "schedule-0-amount_fen": "1080000",
        "schedule-1-due_on": "2024-12-20",
        "schedule-1-label": "验收",
        "schedule-1-amount_fen": "720000.01",
    }
    answer = client.send(edit, **form(market, **plan))
    assert answer.status_code == 422
    assert "各期合计比成交总额多 0.01 元" in text(answer)
    assert "720000.01" in text(answer)
    values = form(market, **(plan | {"schedule-1-amount_fen": "719999.99"}))
    client.post(edit, data=with_file(values, "合同.pdf", PDF))
    page = text(client.get("/contracts/1"))
    assert "各期合计等于成交总额；现在合计 1,799,999.99 元" in page
    values = form(market, **(plan | {"schedule-1-amount_fen": "720000"}))
    client.post(edit, data=values | {"version": ""})
    page = text(client.get("/contracts/1"))
    assert "可以提交" in page
    assert "2024-12-20" in page


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("合同.txt", "第一条 甲方委托乙方。".encode(), "读出 11 字"),
        ("扫描.pdf", write_paper("", []), "扫描件"),
        ("图.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 60, "PDF、DOCX 或 TXT"),
    ],
)
def test_what_could_be_read_of_a_text_is_said(
    client: Browser, market: Market, name: str, content: bytes, message: str
) -> None:
    edit = begin(client, market)
    saved = client.post(edit, data=with_file(form(market), name, content))
    assert saved.status_code == 303, text(saved)
    assert message in text(client.get("/contracts/1"))


def test_the_registrar_sees_the_clauses_and_decides(client: Browser, market: Market) -> None:
    contract_id = market.submitted(text=write_paper("专利实施许可合同", SERVICE_LINES))
    client.sign_in_as(market.registrar)
    page = text(client.get(f"/registry/{contract_id}"))
    assert "条款与申报的类型不同" in page
    assert "乙方以专业知识为甲方解决催化剂失活的技术问题。" in page
    assert "民法典第八百七十八条第二款" in page
    path = f"/registry/{contract_id}/register"
    for wrong, message in (
        ({"contract_type": "service", "subtype": "general"}, "改变合同类型的理由"),
        ({"contract_type": "service"}, "合同种类应是"),
        ({"contract_type": "service", "subtype": "patent"}, "合同种类应是"),
        ({"contract_type": "marriage"}, "请从列表中选择"),
    ):
        answer = client.send(path, **wrong)
        assert answer.status_code == 422
        assert message in text(answer)
        assert stored(market, contract_id).status is ContractStatus.SUBMITTED
    # Amounts are not for this form: what is forged into it is not read.
    decided = {"contract_type": "service", "subtype": "general", "type_reason": "只有试验服务"}
    client.send(path, **decided, amount_fen="1", technology_amount_fen="1")
    row = stored(market, contract_id)
    assert (row.contract_type, row.amount_fen) == (ContractType.SERVICE, PRICE)
    client.sign_in_as(market.officer)
    page = text(client.get(f"/contracts/{contract_id}"))
    assert "登记机构把类型认定为技术服务" in page
    assert "只有试验服务" in page
    # The signs and the proposal are for the registrar alone.
    assert "条款指向" not in page
    assert "请您留意" not in page


def test_a_sign_links_to_contracts_of_the_same_registrar_only(
    client: Browser, market: Market
) -> None:
    elsewhere = market.world.actor(Role.REGISTRAR)
    first = market.submitted(text=PDF)
    other = market.submitted(text=PDF, registrar_organisation_id=elsewhere.organisation_id)
    second = market.submitted(text=PDF)
    client.sign_in_as(market.registrar)
    page = text(client.get(f"/registry/{second}"))
    assert "逐字节相同" in page
    assert f'href="/registry/{first}"' in page
    assert f'href="/registry/{other}"' not in page
    assert "由其他登记机构办理" in page


def test_a_payment_is_declared_confirmed_and_withdrawn(client: Browser, market: Market) -> None:
    contract_id = market.registered()
    client.sign_in_as(market.officer)
    path = f"/contracts/{contract_id}/receipts/new"
    assert "已登记到账" in text(client.get(path))
    for wrong, message in (
        (slip(amount_fen="1800000.01"), "比成交总额多 0.01 元"),
        (slip(amount_fen="0"), "应大于 0"),
        (slip(amount_fen="-5"), "不能是负数"),
        (slip(received_on="2024-03-16"), "在今天之后"),
        (slip(received_on="2024-03-12"), "早于合同签订日期"),
        (slip(technology_amount_fen="600000.01"), "应在 0 到 600,000.00 元之间"),
        (slip(reference="1"), "至少 4 位"),
    ):
        answer = client.send(path, **wrong)
        assert answer.status_code == 422
        assert message in text(answer)
        assert wrong["amount_fen"] in text(answer)
    for _ in range(2):
        client.post(path, data=with_file(slip(submission_key="k"), "回单.pdf", PDF))
    assert count(market, ContractReceipt) == 1
    page = text(client.get(f"/contracts/{contract_id}"))
    assert "500,000.00" in page
    assert client.get(f"/contracts/{contract_id}/receipts/1/proof").data == PDF
    client.send(path, **slip(reference="HD-SECOND", amount_fen="100"))
    client.send(f"/contracts/{contract_id}/receipts/2/withdraw", reason="金额录错了重登")
    assert "金额录错了重登" in text(client.get(f"/contracts/{contract_id}"))

    client.sign_in_as(market.registrar)
    page = text(client.get(f"/registry/{contract_id}"))
    assert f"/registry/{contract_id}/receipts/1/confirm" in page
    assert f"/registry/{contract_id}/receipts/2/confirm" not in page
    assert "有 1 笔到账等待核定" in text(client.get("/registry"))
    client.send(f"/registry/{contract_id}/receipts/1/confirm")
    assert "已核定" in text(client.get(f"/registry/{contract_id}"))


def test_nobody_else_declares_amends_or_reads(client: Browser, market: Market) -> None:
    contract_id = market.registered()
    market.receipt(contract_id, 100)
    asked = market.amendment(contract_id)
    own = f"/contracts/{contract_id}"
    files = f"{own}/amendments/{asked}/files/3"
    client.sign_in_as(market.officer)
    assert client.get(files).data == PDF
    assert client.get(f"{own}/amendments/{asked}/files/1").status_code == 404
    for stranger in (market.world.actor(Role.OFFICER), market.world.actor(Role.ENTERPRISE)):
        client.sign_in_as(stranger)
        for path in ("receipts/new", "amend", "cancellation", "receipts/1/withdraw"):
            assert client.get(f"{own}/{path}").status_code == 404
            assert client.send(f"{own}/{path}", **slip(reason="拿别家的合同")).status_code == 404
        for path in ("certificate.pdf", "receipts/1/proof"):
            assert client.get(f"{own}/{path}").status_code == 404
        assert client.get(files).status_code == 404
        assert client.send(f"{own}/amendments/{asked}/withdraw").status_code == 404
    client.sign_in_as(market.buyer)  # reads, and changes nothing
    assert client.get(f"{own}/certificate.pdf").status_code == 200
    assert client.get(f"{own}/amend").status_code == 404
    assert client.get("/registry/statistics").status_code == 403
    client.sign_in_as(market.world.actor(Role.REGISTRAR))
    for path in ("receipts/1/confirm", f"amendments/{asked}/grant", "cancel"):
        answer = client.send(f"/registry/{contract_id}/{path}", reason="不是本机构的合同")
        assert answer.status_code == 404
    assert stored(market, contract_id).status is ContractStatus.REGISTERED


def test_a_change_goes_from_the_party_to_the_register(client: Browser, market: Market) -> None:
    contract_id = market.registered()
    client.sign_in_as(market.officer)
    path = f"/contracts/{contract_id}/amend"
    typed = {
        "amount_fen": "1600000",
        "technology_amount_fen": "1500000",
        "items-0-label": "催化剂样品",
        "items-0-amount_fen": "100000",
        "ends_on": "2025-06-30",
        "reason": "补充协议一，减少样品",
    }
    answer = client.send(path, **typed)
    assert answer.status_code == 422
    assert "请上传双方签章的补充协议" in text(answer)
    assert "1600000" in text(answer)
    answer = client.send(path, **(typed | {"technology_amount_fen": "1700000"}))
    assert "大于成交总额" in text(answer)
    for _ in range(2):
        client.post(path, data=with_file(typed | {"submission_key": "k"}, "补充.pdf", PDF))
    assert count(market, ContractAmendment) == 1
    page = text(client.get(f"/contracts/{contract_id}"))
    assert "待登记机构审核" in page
    assert "申请变更</a>" not in page
    client.sign_in_as(market.registrar)
    assert "变更登记" in text(client.get("/registry"))
    review = f"/registry/{contract_id}"
    assert client.send(f"{review}/amendments/1/decline", reason="补").status_code == 422
    client.send(f"{review}/amendments/1/grant")
    page = text(client.get(review))
    assert "1,800,000.00 → 1,600,000.00" in page
    assert "2025-06-30" in page
    client.sign_in_as(market.officer)
    ask = f"/contracts/{contract_id}/cancellation"
    sent = {"reason": "双方协议解除合同", "attachments": (io.BytesIO(PDF), "解除.pdf")}
    assert client.post(ask, data=sent).status_code == 303
    client.sign_in_as(market.registrar)
    client.send(f"{review}/amendments/2/decline", reason="解除协议缺买方印章")
    client.sign_in_as(market.officer)
    assert "解除协议缺买方印章" in text(client.get(f"/contracts/{contract_id}"))
    assert stored(market, contract_id).amount_fen == Fen(160_000_000)


def test_the_certificate_is_a_pdf_that_carries_its_fonts(client: Browser, market: Market) -> None:
    contract_id = market.registered(project_name="低温脱硝催化剂<b>许可</b>")
    code = stored(market, contract_id).check_code
    client.sign_in_as(market.officer)
    answer = client.get(f"/contracts/{contract_id}/certificate.pdf")
    assert answer.mimetype == "application/pdf"
    assert "attachment" in answer.headers["Content-Disposition"]
    reader = PdfReader(io.BytesIO(answer.data))
    words = "".join(page.extract_text() for page in reader.pages)
    for expected in ("JN-2024-0001", "泉城理工大学", "1,800,000.00", "<b>许可</b>", code[:4]):
        assert expected in words
    for font in reader.pages[0]["/Resources"]["/Font"].values():
        kept = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert any(key.startswith("/FontFile") for key in kept.get_object())
    market.do(service.cancel, market.registrar, contract_id=contract_id, reason="双方协议解除合同")
    refused = client.get(f"/contracts/{contract_id}/certificate.pdf")
    assert refused.status_code == 409
    assert "登记证明作废" in text(refused)
    sent = market.submitted()
    assert client.get(f"/contracts/{sent}/certificate.pdf").status_code == 404


def test_anybody_checks_a_certificate(client: Browser, market: Market) -> None:
    contract_id = market.registered()
    code = stored(market, contract_id).check_code
    client.sign_out()
    assert "登记编号" in text(client.get("/registrations"))
    page = text(client.get("/registrations?number=JN-2024-0001"))
    assert "登记有效" in page
    assert "泉城理工大学" not in page
    assert "1,800,000.00" not in page
    page = text(client.get(f"/registrations?number=jn-2024-0001&code={code.lower()}"))
    assert "泉城理工大学" in page
    assert "1,800,000.00" in page
    page = text(client.get("/registrations?number=JN-2024-0001&code=XXXXXXXX"))
    assert "校验码不符" in page
    assert "泉城理工大学" not in page
    assert "没有这个编号" in text(client.get("/registrations?number=JN-2024-0009"))
    assert "<script>" not in text(client.get("/registrations?number=<script>&code=<script>"))
    market.do(service.cancel, market.registrar, contract_id=contract_id, reason="双方协议解除合同")
    for query in ("number=JN-2024-0001", f"number=JN-2024-0001&code={code}"):
        page = text(client.get(f"/registrations?{query}"))
        assert "登记已撤销，证明作废" in page
        assert "登记有效" not in page


def test_the_year_is_shown_and_exported_without_formulas(client: Browser, market: Market) -> None:
    market.registered()
    market.do(
        service.cancel,
        market.registrar,
        contract_id=market.registered(text=PDF + b"\n%2"),
        reason="双方协议解除合同",
    )
    client.sign_in_as(market.registrar)
    page = text(client.get("/registry/statistics?year=2024"))
    assert "本登记机构" in page
    assert "历城区" in page
    assert page.count('<svg class="chart"') == 2
    book = openpyxl.load_workbook(io.BytesIO(client.get("/registry/statistics.xlsx").data))
    assert {"合计", "按月", "按合同类型", "按技术领域", "按卖方地区", "按成交规模"} <= set(
        book.sheetnames
    )
    assert [cell.value for cell in book["按合同类型"][2]] == [
        "技术许可", 1, "1,800,000.00", "1,500,000.00", "100.0 %",
    ]  # fmt: skip
    assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
    client.sign_in_as(market.world.actor(Role.OPERATOR))
    assert "全部登记机构" in text(client.get("/registry/statistics?year=abcd"))
    other = market.world.actor(Role.REGISTRAR)
    client.sign_in_as(other)
    assert "还没有登记在册的技术合同" in text(client.get("/registry/statistics"))


def test_what_a_change_and_a_cancellation_do_to_claims(
    client: Browser, market: Market, settle: Any
) -> None:
    """The registrar sees the claims first; the calculation follows the register at once."""
    contract_id = market.registered(tax_exempt_amount_fen=TECHNOLOGY)
    settle()
    year = SubsidyYear(market.world, market.now, contract_count=1)
    year.made |= {
        "university": market.university,
        "registrar": market.registry,
        "officer": market.officer,
    }
    claim_id = year.applied()
    claimed = year.claim(claim_id)
    client.sign_in_as(market.registrar)
    page = text(client.get(f"/registry/{contract_id}"))
    assert "有 1 件补助申报用了这份合同" in page
    assert claimed.number in page

    # Only the technology amount changes: the amount alone would not tell.
    fewer = Fen(TECHNOLOGY - 100)
    market.do(
        service.change,
        market.registrar,
        contract_id=contract_id,
        amount_fen=PRICE,
        technology_amount_fen=fewer,
        items=[Item("催化剂样品", Fen(PRICE - fewer))],
        reason="补充协议一，样品增加",
    )
    for _ in range(2):
        settle()
    with market.database.reading() as session:
        fact = session.scalar(select(ContractFact).where(ContractFact.contract_id == contract_id))
        assert fact is not None
        assert (fact.technology_amount_fen, fact.tax_exempt_amount_fen) == (fewer, fewer)

    client.send(f"/registry/{contract_id}/cancel", reason="双方协议解除合同")
    settle()
    with market.database.reading() as session:
        view = subsidies.get_claim_for_review(session, year.district, claim_id)
        computed = subsidies.computed_now(session, view, now=market.now)
        assert computed is None or computed.claimable_fen == 0
    assert "登记已撤销" in text(client.get(f"/registry/{contract_id}"))
