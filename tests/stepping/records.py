"""Achievements, needs, contracts and orders in each of their states."""

from __future__ import annotations

import io
from typing import Any

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements.rules import AchievementState
from marketplace.contracts.amendment_rules import AmendmentState
from marketplace.contracts.payment_rules import ReceiptState
from marketplace.contracts.rules import ContractStatus
from marketplace.foundation.access import Role
from marketplace.needs.rules import AnswerState, NeedState
from marketplace.techservices.rules import OrderState
from tests.dealing import Market
from tests.pages.test_achievements_pages import form_of
from tests.pages.test_contracts_pages import form as contract_form
from tests.pages.test_needs_pages import ANSWER
from tests.pages.test_needs_pages import form as need_form
from tests.stepping import Act, Site, Walk
from tests.world import PDF


def paper(_state: Any = None) -> dict[str, Any]:
    """Return a file to attach."""
    return {"attachments": (io.BytesIO(PDF), "证明.pdf")}


def _need(site: Site) -> tuple[Any, Any]:
    client = site.client
    buyer, operator = site.world.actor(Role.ENTERPRISE), site.world.actor(Role.OPERATOR)
    client.sign_in_as(buyer)
    client.send("/my/needs/new", title="薄壁铝压铸件气孔率降到 2 % 以下")
    client.post("/my/needs/1/attachments", data=paper())
    assert client.post("/my/needs/1/edit", data=need_form()).status_code == 303
    client.sign_in_as(operator)
    client.send("/needs/1/accept")
    client.sign_in_as(site.world.actor(Role.OFFICER))
    assert client.send("/needs/1/answer", text=ANSWER).status_code == 303
    return buyer, operator


def needs(site: Site) -> Walk:
    """Lead a need to the market, answered."""
    buyer, operator = _need(site)
    changed = need_form(then="save", title="改过的题目：气孔率降到 2 % 以下")
    return Walk(
        "needs_needs",
        "state",
        NeedState,
        {
            "needs.submit": Act("/my/needs/1/submit", buyer),
            "needs.recall": Act("/my/needs/1/recall", buyer),
            "needs.close": Act("/my/needs/1/close", buyer, {"reason": "已经解决"}),
            "needs.reopen": Act("/my/needs/1/reopen", buyer),
            "needs.edit": Act("/my/needs/1/edit", buyer, changed),
            "needs.attach": Act("/my/needs/1/attachments", buyer, paper),
            "needs.detach": Act("/my/needs/1/attachments/1/remove", buyer),
            "needs.accept": Act("/needs/1/accept", operator),
            "needs.return_": Act("/needs/1/return", operator, {"reason": "指标不清楚，请补充"}),
            "needs.answer": Act(
                "/needs/1/answer", site.world.actor(Role.OFFICER), {"text": ANSWER}
            ),
        },
    )


def need_answers(site: Site) -> Walk:
    """Lead an answer to its owner's desk."""
    buyer, _operator = _need(site)
    return Walk(
        "needs_answers",
        "state",
        AnswerState,
        {
            "needs.accept_answer": Act("/my/needs/1/answers/1/accept", buyer),
            "needs.decline_answer": Act(
                "/my/needs/1/answers/1/decline", buyer, {"reason": "不适合本厂设备"}
            ),
        },
    )


def achievements(site: Site) -> Walk:
    """Lead an achievement to the market."""
    client = site.client
    home = site.world.organisation(name="泉城理工大学")
    officer = site.world.actor(Role.OFFICER, home, Role.LEADER, Role.COLLEGE_APPROVER)
    client.sign_in_as(officer)
    client.send("/my/achievements/new", title="低温脱硝催化剂")
    client.post("/my/achievements/1/attachments", data=paper())
    sent = client.post("/my/achievements/1/edit", data=form_of(home, version="1", then="submit"))
    assert sent.status_code == 303
    my = "/my/achievements/1"
    # What a notice has announced stays as it is; the rest may be put better.
    changed = form_of(home, keywords="低温脱硝、焦炉、催化剂")
    return Walk(
        "achievements_achievements",
        "state",
        AchievementState,
        {
            "achievements.submit": Act(f"{my}/submit", officer),
            "achievements.approve": Act(f"{my}/approve", officer),
            "achievements.return_": Act(
                f"{my}/return", officer, {"reason": "指标缺少检测报告，请补充"}
            ),
            "achievements.withdraw": Act(f"{my}/withdraw", officer, {"reason": "单位决定自行实施"}),
            "achievements.reopen": Act(f"{my}/reopen", officer),
            "achievements.edit": Act(f"{my}/edit", officer, changed),
            "achievements.attach": Act(f"{my}/attachments", officer, paper),
            "achievements.detach": Act(f"{my}/attachments/1/remove", officer),
        },
    )


def _market(site: Site) -> Market:
    return Market(site.client.database, site.world, site.now, site.folder)


_TERMS = {"amount_fen": "1500000", "technology_amount_fen": "1500000", "reason": "补充协议一"}


def contracts(site: Site) -> Walk:
    """Lead a contract into the register."""
    market = _market(site)
    contract_id = market.registered()
    mine, desk = f"/contracts/{contract_id}", f"/registry/{contract_id}"
    party, registrar = market.officer, market.registrar
    ended = {"reason": "双方已解除合同"}
    received = {"received_on": "2024-03-15", "amount_fen": "600000", "reference": "HD20240315"}
    return Walk(
        "contracts_contracts",
        "status",
        ContractStatus,
        {
            "contracts.submit": Act(f"{mine}/submit", party),
            "contracts.edit": Act(f"{mine}/edit", party, contract_form(market)),
            "contracts.detach": Act(f"{mine}/files/1/remove", party),
            "contracts.amend": Act(f"{mine}/amend", party, lambda _s: _TERMS | paper()),
            "contracts.ask_cancellation": Act(
                f"{mine}/cancellation", party, lambda _s: ended | paper()
            ),
            "contracts.declare_receipt": Act(
                f"{mine}/receipts/new", party, lambda _s: received | paper()
            ),
            "contracts.take_up": Act(f"{desk}/take-up", registrar),
            "contracts.return_": Act(f"{desk}/return", registrar, {"reason": "第三条缺少验收标准"}),
            "contracts.refuse": Act(
                f"{desk}/refuse",
                registrar,
                {"reason_code": "not_technology", "reason": "不属于技术合同"},
            ),
            "contracts.register": Act(f"{desk}/register", registrar),
            "contracts.dispute": Act(f"{desk}/dispute", registrar, {"reason": "类型有争议"}),
            "contracts.change": Act(f"{desk}/change", registrar, _TERMS),
            "contracts.cancel": Act(f"{desk}/cancel", registrar, ended),
        },
        contract_id,
    )


def receipts(site: Site) -> Walk:
    """Lead a payment under a contract to the registrar."""
    market = _market(site)
    contract_id = market.registered()
    receipt_id = market.receipt(contract_id, 60_000_000)
    mine, desk = f"/contracts/{contract_id}", f"/registry/{contract_id}"
    return Walk(
        "contracts_receipts",
        "state",
        ReceiptState,
        {
            "contracts.withdraw_receipt": Act(
                f"{mine}/receipts/{receipt_id}/withdraw",
                market.officer,
                {"reason": "回单号填错，重新登记"},
            ),
            "contracts.confirm_receipt": Act(
                f"{desk}/receipts/{receipt_id}/confirm", market.registrar
            ),
        },
        receipt_id,
    )


def amendments(site: Site) -> Walk:
    """Lead an application for change to the registrar."""
    market = _market(site)
    contract_id = market.registered()
    made = market.amendment(contract_id)
    mine, desk = f"/contracts/{contract_id}", f"/registry/{contract_id}"
    return Walk(
        "contracts_amendments",
        "state",
        AmendmentState,
        {
            "contracts.withdraw_amendment": Act(
                f"{mine}/amendments/{made}/withdraw", market.officer
            ),
            "contracts.grant_amendment": Act(f"{desk}/amendments/{made}/grant", market.registrar),
            "contracts.decline_amendment": Act(
                f"{desk}/amendments/{made}/decline",
                market.registrar,
                {"reason": "补充协议没有双方签章"},
            ),
        },
        made,
    )


def orders(site: Site) -> Walk:
    """Lead an order to its work."""
    client, world = site.client, site.world
    customer = world.actor(Role.ENTERPRISE)
    firm = world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.IP_FIRM,)
    )
    provider = world.actor(Role.PROVIDER, firm)
    client.sign_in_as(customer)
    placed = client.send(
        "/services/ip/order",
        kind="ip_filing",
        provider=str(firm.id),
        title="一项发明专利申请",
        right_kind="invention",
        right_title="一种方法",
    )
    assert placed.status_code == 303
    client.sign_in_as(provider)
    accepted = {"fee": "2,700", "due_on": "2024-04-01"}
    assert client.send("/orders/1/accept", **accepted).status_code == 303
    return Walk(
        "techservices_orders",
        "state",
        OrderState,
        {
            "techservices.accept": Act("/orders/1/accept", provider, accepted),
            "techservices.decline": Act(
                "/orders/1/decline", provider, {"reason": "近期排满，办不了"}
            ),
            "techservices.report": Act("/orders/1/report", provider, {"note": "已核对材料"}),
            "techservices.deliver": Act(
                "/orders/1/deliver", provider, {"result": "已提交并取得受理通知书"}
            ),
            "techservices.withdraw": Act("/orders/1/withdraw", customer),
            "techservices.confirm": Act("/orders/1/confirm", customer, {"paid": "2,700"}),
        },
    )
