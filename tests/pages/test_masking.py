"""Telephone and account numbers are masked until somebody says what they are needed for."""

from __future__ import annotations

import io
from datetime import datetime

import openpyxl
from sqlalchemy import select

from marketplace.brokerage import service as brokerage
from marketplace.brokerage.register_rules import Certificate
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.db import Database
from marketplace.foundation.personal import masked
from marketplace.wiring import Services
from tests.conftest import Browser
from tests.dealing import Market
from tests.pages.test_contracts_pages import form as contract_form
from tests.subsidies import SubsidyYear
from tests.world import World

ACCOUNT, PHONE = "1234567890123456", "0531-66600000"
SELLER, BUYER = "0531-00001111", "0531-00002222"


def _looks(client: Browser) -> list[AuditRow]:
    with client.database.reading() as session:
        return list(
            session.scalars(
                select(AuditRow).where(AuditRow.action == "accounts.unmask").order_by(AuditRow.id)
            )
        )


def _asked(
    client: Browser, reader: Actor, page: str, asking: str, numbers: tuple[str, ...]
) -> None:
    """Read a page, ask without a reason, and ask with one."""
    client.sign_in_as(reader)
    before = len(_looks(client))
    shown = client.get(page).text
    for number in numbers:
        assert number not in shown
        assert masked(number) in shown
    refused = client.send(asking, unmask_reason=" ")
    assert refused.status_code == 422
    assert "请填写“用途”" in refused.text
    assert not any(number in refused.text for number in numbers)
    assert len(_looks(client)) == before
    whole = client.send(asking, unmask_reason="电话核实材料")
    assert whole.status_code == 200, whole.text
    assert all(number in whole.text for number in numbers)
    look = _looks(client)[before]
    assert (look.user_id, look.after["reason"]) == (reader.user_id, "电话核实材料")
    assert not any(number in client.get(page).text for number in numbers)


def test_contract_contacts(
    client: Browser,
    sqlite_database: Database,
    page_world: World,
    now: datetime,
    services: Services,
) -> None:
    market = Market(sqlite_database, page_world, now, services.settings.data_dir / "attachments")
    assert services.resources[AttachmentStore]
    client.sign_in_as(market.officer)
    client.send("/contracts/new", submission_key="new")
    sent = client.post("/contracts/1/edit", data=contract_form(market))
    assert sent.status_code == 303
    _asked(client, market.officer, "/contracts/1", "/contracts/1/contacts", (SELLER, BUYER))
    stranger = page_world.actor(Role.OFFICER)
    client.sign_in_as(stranger)
    before = len(_looks(client))
    assert client.send("/contracts/1/contacts", unmask_reason="想知道").status_code == 404
    assert len(_looks(client)) == before


def test_a_claims_payee(client: Browser, page_world: World, now: datetime) -> None:
    year = SubsidyYear(page_world, now)
    year.register()
    claim_id = year.applied()
    page = f"/subsidies/desk/{claim_id}"
    _asked(client, year.district, page, f"{page}/payee", (ACCOUNT, PHONE))
    client.sign_in_as(year.expert)
    assert client.send(f"{page}/payee", unmask_reason="想知道").status_code == 403
    client.sign_in_as(year.officer)
    assert client.send(f"{page}/payee", unmask_reason="想知道").status_code == 403


def test_a_payment_lists_accounts_and_its_two_files(
    client: Browser, page_world: World, now: datetime
) -> None:
    year = SubsidyYear(page_world, now)
    year.register()
    claim_id = year.applied()
    year.approved(claim_id)
    list_id = year.listed(claim_id)
    page = f"/subsidies/payments/{list_id}"
    _asked(client, year.treasurer, page, f"{page}/accounts", (ACCOUNT,))
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{page}.xlsx").data)).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert masked(ACCOUNT) in cells
    assert ACCOUNT not in cells
    # The bank pays to whole numbers; who took the file stands in the audit.
    before = _count(client, "exports.send")
    assert ACCOUNT in client.get(f"{page}.txt").text
    assert _count(client, "exports.send") == before + 1


def _count(client: Browser, action: str) -> int:
    with client.database.reading() as session:
        return len(session.scalars(select(AuditRow.id).where(AuditRow.action == action)).all())


def test_a_persons_number_at_the_operators_desk(client: Browser, page_world: World) -> None:
    person = page_world.actor(Role.OFFICER)
    client.sign_in_as(person)
    client.send("/account", name="成员", title="", phone="13805310001")
    page = f"/desk/people/{person.user_id}"
    _asked(client, page_world.actor(Role.OPERATOR), page, f"{page}/phone", ("13805310001",))
    before = len(_looks(client))
    assert client.send("/desk/people/999999/phone", unmask_reason="想知道").status_code == 404
    assert len(_looks(client)) == before


def test_a_number_that_was_handed_to_a_broker(
    client: Browser,
    sqlite_database: Database,
    page_world: World,
    now: datetime,
    services: Services,
) -> None:
    market = Market(sqlite_database, page_world, now, services.settings.data_dir / "attachments")
    certificate = Certificate(None, "", "", None)
    market.do(
        brokerage.save_profile,
        market.broker,
        certificate=certificate,
        fields=[],
        introduction="",
        listed=True,
    )
    made = market.do(
        brokerage.request_contact,
        market.buyer,
        broker_user_id=market.broker.user_id,
        message="想找脱硝催化剂",
        contact_name="孙工",
        phone=PHONE,
    )
    page = f"/deals/requests/{made}"
    _asked(client, market.broker, page, f"{page}/phone", (PHONE,))
    client.sign_in_as(page_world.actor(Role.BROKER, market.agency))
    before = len(_looks(client))
    assert client.send(f"{page}/phone", unmask_reason="想知道").status_code == 404
    assert len(_looks(client)) == before
