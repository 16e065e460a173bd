"""Pages of contracts: the form, the pre-check, the queue and the review, with bad input."""

from __future__ import annotations

import io
import re
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from marketplace.contracts import service
from marketplace.contracts.models import Contract
from marketplace.contracts.rules import ContractStatus
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import MAX_BYTES, Attachment, AttachmentStore
from marketplace.foundation.db import Database
from marketplace.settings import Settings
from marketplace.wiring import Services
from tests.conftest import Browser
from tests.dealing import PDF, Market
from tests.world import World


@pytest.fixture
def market(
    sqlite_database: Database, page_world: World, now: datetime, services: Services
) -> Market:
    settings: Settings = services.settings
    made = Market(sqlite_database, page_world, now, settings.data_dir / "attachments")
    assert isinstance(services.resources[AttachmentStore], AttachmentStore)
    return made


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def stored(market: Market, contract_id: int = 1) -> Contract:
    with market.database.reading() as session:
        row = session.get_one(Contract, contract_id)
        assert row.items is not None
        return row


def count(market: Market, model: type) -> int:
    with market.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def form(market: Market, **changed: Any) -> dict[str, Any]:
    """Fill in the whole registration form as a person would."""
    values: dict[str, Any] = {
        "project_name": "低温脱硝催化剂普通许可",
        "contract_type": "licence",
        "subtype": "ordinary",
        "buyer_uscc": market.firm.uscc,
        "signed_on": "2024-03-13",
        "effective_on": "2024-03-13",
        "ends_on": "2025-03-12",
        "amount_fen": "1,800,000",
        "technology_amount_fen": "1500000.00",
        "items-0-label": "催化剂样品",
        "items-0-amount_fen": "300000",
        "payment_mode": "lump_sum",
        "related_parties": "no",
        "fiscal_funds": "no",
        "plan_source": "none",
        "ip_kind": "invention",
        "technology_field": "environment",
        "objective_code": "01",
        "industry_code": "26",
        "seller_representative": "丁文韬",
        "seller_contact_name": "周敏",
        "seller_contact_phone": "0531-00001111",
        "buyer_representative": "高远",
        "buyer_contact_name": "孙工",
        "buyer_contact_phone": "0531-00002222",
        "registrar_organisation_id": str(market.registry.id),
    }
    return values | changed


def with_file(values: dict[str, Any], name: str, content: bytes) -> dict[str, Any]:
    return values | {"attachments": (io.BytesIO(content), name)}


def begin(client: Browser, market: Market) -> str:
    client.sign_in_as(market.officer)
    made = client.send("/contracts/new", submission_key="new")
    assert made.headers["Location"] == "/contracts/1/edit"
    return made.headers["Location"]


def test_a_contract_goes_from_the_form_into_the_register(client: Browser, market: Market) -> None:
    edit = begin(client, market)
    page = text(client.get("/contracts/1"))
    assert "还缺 13 项" in page
    assert "提交登记</button>" not in page
    client.send("/contracts/1/submit")
    assert stored(market).status is ContractStatus.DRAFT

    saved = client.post(edit, data=with_file(form(market), "合同.pdf", PDF))
    assert saved.status_code == 303, text(saved)
    page = text(client.get("/contracts/1"))
    assert "可以提交" in page
    assert "壹佰捌拾万元整" in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version is not None
    for _ in range(2):
        client.send("/contracts/1/submit", version=version[1], submission_key="send")
    assert stored(market).round == 1

    client.sign_in_as(market.buyer)
    assert "待审核" in text(client.get("/contracts"))
    file = client.get("/contracts/1/files/1")
    assert file.data == PDF
    assert "attachment" in file.headers["Content-Disposition"]
    assert client.get("/registry/1").status_code == 403

    client.sign_in_as(market.registrar)
    queue = text(client.get("/registry"))
    assert "低温脱硝催化剂普通许可" in queue
    assert "还剩 15 个工作日" in queue
    review = text(client.get("/registry/1"))
    assert "没有发现文本雷同" in review
    assert "国科发政字〔2000〕063号" in review
    client.send("/registry/1/take-up")
    assert "审核中" in text(client.get("/registry"))
    for _ in range(2):
        client.send("/registry/1/register", submission_key="yes")
    assert stored(market).contract_no == "JN-2024-0001"
    assert "JN-2024-0001" in text(client.get("/registry?tab=registered"))
    client.sign_in_as(market.officer)
    page = text(client.get("/contracts/1"))
    assert "JN-2024-0001" in page
    assert "填写登记表" not in page
    assert client.get(edit).status_code == 302


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"amount_fen": "1800000.001"}, "最多两位小数"),
        ({"amount_fen": "-1"}, "不能是负数"),
        ({"amount_fen": "一百八十万"}, "以元为单位的数字"),
        ({"amount_fen": "1000000000000000"}, "超过 1000 亿元"),
        ({"technology_amount_fen": "18000000"}, "大于成交总额 1,800,000.00 元"),
        ({"technology_amount_fen": "0"}, "应大于 0"),
        ({"items-0-amount_fen": "300000.01"}, "比成交总额多 0.01 元"),
        ({"items-0-amount_fen": ""}, "请填写"),
        ({"ends_on": "2024-03-01"}, "早于开始日期"),
        ({"effective_on": "2024-03-12"}, "早于签订日期"),
        ({"signed_on": "2024-03-16", "effective_on": ""}, "在今天之后"),
        ({"signed_on": "2024-13-01"}, "日期不存在"),
        ({"buyer_uscc": "91370181MA9QXRW310"}, "校验位不对"),
        ({"buyer_uscc": "123"}, "应为 18 位"),
        ({"subtype": "training"}, "不属于技术许可"),
        ({"contract_type": "marriage"}, "请从列表中选择"),
        ({"registrar_organisation_id": "1"}, "请从列表中选择"),
        ({"industry_code": "zz"}, "请从列表中选择"),
    ],
)
def test_wrong_input_is_said_beside_its_field_and_kept(
    client: Browser, market: Market, changed: dict[str, str], message: str
) -> None:
    edit = begin(client, market)
    values = form(market, project_name="=cmd|' /C calc'!A0 <script>", **changed)
    answer = client.send(edit, **values)
    page = text(answer)
    assert answer.status_code == 422
    assert message in page
    assert "需要修改" in page
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    for value in changed.values():
        if value and not value.isalpha():
            assert value.replace("&", "&amp;") in page
    row = stored(market)
    assert (row.project_name, row.amount_fen, row.items, row.version) == ("", None, [], 1)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("大.pdf", PDF + b"0" * (16 * 1024 * 1024), "上限是 15 MB"),
        ("合同.pdf", b"MZ\x90\x00" + b"\0" * 500, "内容不是 PDF 格式"),
        ("合同.exe", b"MZ\x90\x00" + b"\0" * 500, "不接受“.exe”文件"),
    ],
)
def test_a_wrong_file_is_refused_beside_its_field(
    client: Browser, market: Market, name: str, content: bytes, message: str
) -> None:
    assert len(content) < 2 * MAX_BYTES
    edit = begin(client, market)
    answer = client.post(edit, data=with_file(form(market), name, content))
    assert answer.status_code == 422
    assert message in text(answer)
    assert "文件要重新选择" in text(answer)
    assert "1,800,000" in text(answer)
    assert count(market, Attachment) == 0
    assert stored(market).amount_fen is None


def test_a_stale_form_keeps_what_was_typed_and_changes_nothing(
    client: Browser, market: Market
) -> None:
    edit = begin(client, market)
    client.send(edit, **form(market, version="1"))
    answer = client.send(edit, **form(market, project_name="晚到的名称", version="1"))
    assert answer.status_code == 422
    assert "刚在别处改过" in text(answer)
    assert "晚到的名称" in text(answer)
    assert stored(market).project_name == "低温脱硝催化剂普通许可"


def test_the_form_saves_itself_and_hands_on_its_version(client: Browser, market: Market) -> None:
    begin(client, market)
    kept = client.send("/contracts/1/autosave", project_name="低温脱硝", version="1")
    assert kept.json == {"version": 2}
    refused = client.send(
        "/contracts/1/autosave", amount_fen="1", technology_amount_fen="2", version="2"
    )
    assert refused.status_code == 422
    assert refused.json is not None
    assert "大于成交总额" in refused.json["problems"][0]
    assert client.send("/contracts/1/autosave", project_name="晚到", version="1").status_code == 409
    assert stored(market).project_name == "低温脱硝"
    client.sign_in_as(market.world.actor(Role.OFFICER))
    assert client.send("/contracts/1/autosave", project_name="别家").status_code == 404


def test_a_double_click_on_new_makes_one_contract(client: Browser, market: Market) -> None:
    client.sign_in_as(market.officer)
    targets = {
        client.send("/contracts/new", submission_key="k").headers["Location"] for _ in range(2)
    }
    assert targets == {"/contracts/1/edit"}
    assert count(market, Contract) == 1


def test_more_rows_can_be_asked_for_without_script(client: Browser, market: Market) -> None:
    edit = begin(client, market)
    page = text(client.send(edit, **form(market, add_items="1")))
    assert "items-3-label" in page
    assert stored(market).amount_fen is None


def test_a_deal_s_contract_is_filled_from_the_deal(client: Browser, market: Market) -> None:
    deal_id = market.drafted_deal()
    client.sign_in_as(market.officer)
    page = text(client.get(f"/deals/{deal_id}"))
    assert "起草登记合同" in page
    for _ in range(2):
        made = client.send(f"/contracts/from-deal/{deal_id}")
        assert made.headers["Location"] == "/contracts/1"
    page = text(client.get("/contracts/1/edit"))
    assert "1,800,000.00" in page
    assert "锐泉精密" in page
    assert 'name="buyer_uscc"' not in page
    # The parties come from the deal, whatever a forged form says.
    client.send("/contracts/1/edit", **form(market, buyer_uscc=market.agency.uscc))
    assert stored(market).buyer_organisation_id == market.firm.id
    assert "低温脱硝催化剂普通许可" in text(client.get(f"/deals/{deal_id}"))
    client.sign_in_as(market.broker)
    assert client.send(f"/contracts/from-deal/{deal_id}").status_code == 403
    assert "低温脱硝催化剂普通许可" not in text(client.get(f"/deals/{deal_id}"))


def test_the_registrar_returns_refuses_and_disputes_with_reasons(
    client: Browser, market: Market
) -> None:
    first, second = market.submitted(), market.submitted(text=PDF + b"\n% two")
    client.sign_in_as(market.registrar)
    assert client.send(f"/registry/{first}/return", reason="补").status_code == 422
    client.send(f"/registry/{first}/return", reason="请补盖双方骑缝章")
    answer = client.send(f"/registry/{second}/refuse", reason_code="", reason="不是技术合同内容")
    assert answer.status_code == 422
    client.send(f"/registry/{second}/dispute", reason="双方对验收有争议")
    assert "有争议" in text(client.get("/registry"))
    client.send(f"/registry/{second}/refuse", reason_code="not_technology", reason="标的是设备买卖")
    client.sign_in_as(market.officer)
    assert "请补盖双方骑缝章" in text(client.get(f"/contracts/{first}"))
    page = text(client.get(f"/contracts/{second}"))
    assert "不属于技术合同" in page
    assert "标的是设备买卖" in page
    assert "补正合同" in text(client.get("/workbench"))


def test_a_registered_contract_is_changed_and_cancelled(client: Browser, market: Market) -> None:
    contract_id = market.registered()
    client.sign_in_as(market.registrar)
    path = f"/registry/{contract_id}/change"
    wrong = {"amount_fen": "1700000", "technology_amount_fen": "1500000", "reason": "补充协议一"}
    answer = client.send(path, **wrong)
    assert answer.status_code == 422
    assert "200,000.00 元没有说明" in text(answer)
    client.send(path, **(wrong | {"items-0-label": "样品", "items-0-amount_fen": "200000"}))
    page = text(client.get(f"/contracts/{contract_id}"))
    assert "1,800,000.00 → 1,700,000.00" in page
    client.send(f"/registry/{contract_id}/cancel", reason="双方协议解除")
    assert "已撤销登记" in text(client.get(f"/contracts/{contract_id}"))
    assert client.get(path).status_code == 404


def test_strangers_find_no_contract(client: Browser, market: Market) -> None:
    contract_id = market.submitted()
    world = market.world
    for stranger in (
        world.actor(Role.OFFICER),
        world.actor(Role.ENTERPRISE),
        market.broker,
        world.actor(Role.REGISTRAR),
    ):
        client.sign_in_as(stranger)
        for path in (f"/contracts/{contract_id}", f"/contracts/{contract_id}/files/1"):
            assert client.get(path).status_code == 404
    client.sign_in_as(world.actor(Role.OFFICER))
    assert client.get(f"/contracts/{contract_id}/edit").status_code == 404
    assert client.send(f"/contracts/{contract_id}/edit", **form(market)).status_code == 404
    assert client.send(f"/contracts/{contract_id}/submit").status_code == 404
    client.sign_in_as(world.actor(Role.REGISTRAR))
    assert client.get(f"/registry/{contract_id}").status_code == 404
    assert client.send(f"/registry/{contract_id}/register").status_code == 404
    assert stored(market, contract_id).status is ContractStatus.SUBMITTED


def test_an_unverified_organisation_cannot_send(client: Browser, market: Market) -> None:
    world = market.world
    newcomer = world.organisation(verified=False)
    client.sign_in_as(world.actor(Role.OFFICER, newcomer))
    assert client.send("/contracts/new").status_code == 403
    assert count(market, Contract) == 0


def test_attachments_are_taken_off_before_sending_only(client: Browser, market: Market) -> None:
    contract_id = market.contract()
    client.sign_in_as(market.officer)
    client.send(f"/contracts/{contract_id}/files/1/remove")
    assert count(market, Attachment) == 0
    sent = market.submitted()
    with market.database.reading() as session:
        file_id = session.scalar(select(Attachment.id))
    client.send(f"/contracts/{sent}/files/{file_id}/remove")
    assert count(market, Attachment) == 1
    market.do(service.return_, market.registrar, contract_id=sent, reason="请换成双方盖章的文本")
    client.send(f"/contracts/{sent}/files/{file_id}/remove")
    assert count(market, Attachment) == 0


def test_the_lists_filter_by_the_address(client: Browser, market: Market) -> None:
    market.submitted()
    client.sign_in_as(market.officer)
    assert "锐泉精密" in text(client.get("/contracts?status=submitted&type=licence&q=脱硝"))
    assert "还没有合同" in text(client.get("/contracts?status=refused"))
    assert client.get("/contracts?status=x&type=y&after=").status_code == 200
    assert client.get("/contracts?after=zzz").status_code == 422
    client.sign_in_as(market.registrar)
    assert "这里没有合同" in text(client.get("/registry?tab=cancelled"))
    assert client.get("/registry?tab=nonsense").status_code == 200
