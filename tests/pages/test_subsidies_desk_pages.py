"""The desk of claims: reviewers, experts, bureau and treasurer through their pages."""

from __future__ import annotations

import io
from datetime import datetime

import openpyxl
import pytest
import sqlalchemy as sa

from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.subsidies.rules import ClaimStatus, ReviewStep
from tests.conftest import Browser
from tests.statements import statements
from tests.subsidies import APPLICATION, SubsidyYear
from tests.world import PASSWORD, World

S = ClaimStatus


@pytest.fixture
def year(page_world: World, now: datetime) -> SubsidyYear:
    made = SubsidyYear(page_world, now)
    _offices = made.district, made.centre, made.bureau, made.treasurer
    return made


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


def test_a_reviewer_of_a_step_that_is_over_is_told(client: Browser, year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.review(claim_id, ReviewStep.DISTRICT)
    client.sign_in_as(year.district)
    page = client.send(f"/subsidies/desk/{claim_id}", step="district", decision="pass")
    assert page.status_code == 422
    assert "不在这一步" in page.text


def test_a_paid_claim_is_clawed_back_on_its_page_and_the_money_arrives(
    client: Browser, year: SubsidyYear
) -> None:
    claim_id = year.applied()
    year.paid(claim_id)
    client.sign_in_as(year.bureau)
    page = client.get(f"/subsidies/desk/{claim_id}").text
    assert "决定追回" in page
    assert 'value="3,900.00"' in page  # the paid amount stands in the form
    decision = {
        "ground": "sham_contract",
        "amount": "3,900.00",
        "reason": "合同没有实际履行，付款凭证系伪造",
        "document": "济科处〔2024〕3号",
        "due_on": "2024-04-30",
        "dishonest_until": "2026-03-14",
    }
    path = f"/subsidies/desk/{claim_id}/claw-back"
    refused = client.send(path, **(decision | {"amount": "3,900.01"}))
    assert refused.status_code == 422
    assert "不超过已支付的 3,900.00 元" in refused.text
    assert "付款凭证系伪造" in refused.text
    done = client.send(path, **decision)
    assert done.status_code == 303, done.text
    assert year.status(claim_id) is S.RECLAIMING
    client.sign_in_as(year.officer)
    page = client.get(f"/subsidies/claims/{claim_id}").text
    assert "请在 2024-04-30 前退回 3,900.00 元" in page
    assert "济科发〔2020〕58号第十四条" in page
    assert "失信期内" in client.get("/integrity/own").text

    client.sign_in_as(year.treasurer)
    page = client.get("/subsidies/reclaims").text
    assert "泉城理工大学" in page
    assert "尚未到账" in page
    short = client.send(f"/subsidies/reclaims/{claim_id}", amount="3,000", reference="SK202404")
    assert short.status_code == 422
    assert "须足额到账" in short.text
    assert "SK202404" in short.text
    received = {"amount": "3900", "reference": "SK202404", "submission_key": "whole"}
    with client.database.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE accounts_sessions SET proved_at = '2024-01-01 00:00:00'")
        )
    asked = client.send(f"/subsidies/reclaims/{claim_id}", **received)
    assert asked.status_code == 403
    assert 'name="reference" value="SK202404"' in asked.text
    assert year.status(claim_id) is S.RECLAIMING
    received["proof_password"] = PASSWORD
    whole = client.send(f"/subsidies/reclaims/{claim_id}", **received)
    assert whole.status_code == 303
    assert year.status(claim_id) is S.CLAWED_BACK
    client.sign_in_as(year.officer)
    assert "已追回 3,900.00 元" in client.get(f"/subsidies/claims/{claim_id}").text


def test_experts_judge_blind_and_their_agreement_is_shown(
    client: Browser, year: SubsidyYear
) -> None:
    claim_id = year.applied(round_id=year.open_round(expert_count=2))
    for step in (ReviewStep.DISTRICT, ReviewStep.CENTRE, ReviewStep.BUREAU):
        year.review(claim_id, step)
    first, second = year.expert, year.another_expert(1)
    path = f"/subsidies/desk/{claim_id}"
    verdict = {"step": "expert", "decision": "pass", "version": "1", "unconcerned": "y"}
    client.sign_in_as(first)
    sent = client.send(path, score="90", opinion="付款凭证与合同一致", **verdict)
    assert sent.status_code == 303, sent.text
    again = client.send(path, score="60", **verdict)
    assert again.status_code == 422
    assert "您已经评审过" in again.text
    assert "90 分" in client.get(path).text

    client.sign_in_as(second)
    assert "泉城理工大学，卖方补助" in client.get("/subsidies/desk").text
    page = client.get(path).text
    assert "90 分" not in page
    assert first.name not in page
    assert "付款凭证与合同一致" not in page
    client.sign_in_as(year.officer)
    assert "付款凭证与合同一致" not in client.get(f"/subsidies/claims/{claim_id}").text
    client.sign_in_as(second)
    assert client.send(path, score="66", **verdict).status_code == 303
    page = client.get(path).text
    for told in ("2 / 2 名专家已评审", "平均 <b>78.0 分</b>", "分歧较大", "90 分", "66 分"):
        assert told in page
    assert year.status(claim_id) is S.SETTLING


def test_the_bank_file_is_what_the_document_says(client: Browser, year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.approved(claim_id)
    year.listed(claim_id)
    client.sign_in_as(year.treasurer)
    sent = client.get("/subsidies/payments/1.txt")
    assert sent.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = sent.data.decode().split("\r\n")
    assert lines == [
        "H|JNTM-PAY-1|ZF-2024-0001|20240329|CNY",
        f"D|1|BZ-2024-0001|泉城理工大学|{year.university.uscc}|齐鲁银行历城支行|"
        "1234567890123456|3900.00|2024年度卖方补助",
        "T|1|3900.00",
        "",
    ]
    client.sign_in_as(year.district)
    assert client.get("/subsidies/payments/1.txt").status_code == 403


def test_the_bureau_sends_an_approved_claim_back(client: Browser, year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.approved(claim_id)
    client.sign_in_as(year.bureau)
    assert "退回申报单位" in client.get(f"/subsidies/desk/{claim_id}").text
    path = f"/subsidies/desk/{claim_id}/recall"
    short = client.send(path, reason="账户错")
    assert short.status_code == 422
    assert "至少 10 个字" in short.text
    done = client.send(path, reason="收款账户户名与单位名称不一致，请更正")
    assert done.status_code == 303, done.text
    client.sign_in_as(year.officer)
    page = client.get(f"/subsidies/claims/{claim_id}").text
    assert "收款账户户名与单位名称不一致" in page
    assert "补正后重新提交" in page


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
        with statements(sqlite_database) as asked:
            page = client.get("/subsidies/desk").text
        assert page.count("BZ-2024-") == n + 1
        counts.append(len(asked))
    assert counts[1] == counts[2]
