"""In which states of its object an action is open: walked, and held against the matrix.

An object is led to its last state through the services, so that nothing but the state closes an
action; then its state is set to each there is, and the action is sent as who may send it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements.rules import AchievementState
from marketplace.contracts.rules import ContractStatus
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.words import Word
from marketplace.needs.rules import NeedState
from marketplace.techservices.rules import OrderState
from marketplace.wiring import Services
from tests.architecture import matrix
from tests.architecture.states import OPEN_IN
from tests.conftest import Browser
from tests.counting import Counter
from tests.dealing import Market
from tests.pages.test_achievements_pages import form_of
from tests.pages.test_contracts_pages import form as contract_form
from tests.pages.test_needs_pages import ANSWER
from tests.pages.test_needs_pages import form as need_form
from tests.world import PDF, World


@dataclass
class Walk:
    """One object, who acts on it, and what each action is sent with."""

    table: str
    column: str
    states: type[Word]
    path: dict[str, str]  # endpoint -> address
    actors: dict[str, Actor]
    bodies: dict[str, Any] = field(default_factory=dict)
    row: int = 1


class Copy:
    """The database as it stood, put back after each action."""

    def __init__(self, client: Browser) -> None:
        self._engine = client.database.engine
        self._path = Path(str(self._engine.url.database))
        with self._engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        self._engine.dispose()
        self._content = self._path.read_bytes()

    def put_back(self) -> None:
        """Undo all that happened since."""
        self._engine.dispose()
        for ending in ("-wal", "-shm"):
            Path(f"{self._path}{ending}").unlink(missing_ok=True)
        self._path.write_bytes(self._content)


def open_in(client: Browser, walk: Walk, endpoint: str, copy: Copy) -> set[str]:
    """Return the states in which the action changed something."""
    found = set()
    for state in walk.states:
        copy.put_back()
        with client.database.engine.begin() as connection:
            # What a state brings with it (a day, a sum) has no say in whether an action is open.
            connection.execute(text("PRAGMA ignore_check_constraints = ON"))
            connection.execute(
                text(f"UPDATE {walk.table} SET {walk.column} = :state WHERE id = :id"),
                {"state": state.value, "id": walk.row},
            )
            connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
        client.sign_in_as(walk.actors[endpoint])
        counter = Counter(client.database)
        before = counter.changes()
        body = walk.bodies.get(endpoint, {})
        sent = body() if callable(body) else body
        answer = client.post(walk.path[endpoint], data=sent)
        assert answer.status_code < 500, answer.text
        if counter.changes() > before:
            found.add(state.value)
    return found


def _paper() -> dict[str, Any]:
    return {"attachments": (io.BytesIO(PDF), "证明.pdf")}


def needs(client: Browser, world: World, _now: datetime, _folder: Path) -> Walk:
    buyer, operator = world.actor(Role.ENTERPRISE), world.actor(Role.OPERATOR)
    officer = world.actor(Role.OFFICER)
    client.sign_in_as(buyer)
    client.send("/my/needs/new", title="薄壁铝压铸件气孔率降到 2 % 以下")
    client.post("/my/needs/1/attachments", data=_paper())
    assert client.post("/my/needs/1/edit", data=need_form()).status_code == 303
    client.sign_in_as(operator)
    client.send("/needs/1/accept")
    client.sign_in_as(officer)
    assert client.send("/needs/1/answer", text=ANSWER).status_code == 303
    other = world.actor(Role.OFFICER)
    my = {
        "needs.submit": "/my/needs/1/submit",
        "needs.recall": "/my/needs/1/recall",
        "needs.close": "/my/needs/1/close",
        "needs.reopen": "/my/needs/1/reopen",
        "needs.edit": "/my/needs/1/edit",
        "needs.attach": "/my/needs/1/attachments",
        "needs.detach": "/my/needs/1/attachments/1/remove",
        "needs.accept_answer": "/my/needs/1/answers/1/accept",
        "needs.decline_answer": "/my/needs/1/answers/1/decline",
    }
    desk = {"needs.accept": "/needs/1/accept", "needs.return_": "/needs/1/return"}
    answering = {"needs.answer": "/needs/1/answer"}
    return Walk(
        "needs_needs",
        "state",
        NeedState,
        my | desk | answering,
        dict.fromkeys(my, buyer) | dict.fromkeys(desk, operator) | {"needs.answer": other},
        {
            "needs.edit": lambda: need_form(then="save", title="改过的题目：气孔率降到 2 % 以下"),
            "needs.attach": _paper,
            "needs.close": {"reason": "已经解决"},
            "needs.return_": {"reason": "指标不清楚，请补充"},
            "needs.decline_answer": {"reason": "不适合本厂设备"},
            "needs.answer": {"text": ANSWER},
        },
    )


def achievements(client: Browser, world: World, _now: datetime, _folder: Path) -> Walk:
    home = world.organisation(name="泉城理工大学")
    officer = world.actor(Role.OFFICER, home, Role.LEADER, Role.COLLEGE_APPROVER)
    client.sign_in_as(officer)
    client.send("/my/achievements/new", title="低温脱硝催化剂")
    client.post("/my/achievements/1/attachments", data=_paper())
    sent = client.post("/my/achievements/1/edit", data=form_of(home, version="1", then="submit"))
    assert sent.status_code == 303
    my = "/my/achievements/1"
    path = {
        "achievements.submit": f"{my}/submit",
        "achievements.approve": f"{my}/approve",
        "achievements.return_": f"{my}/return",
        "achievements.withdraw": f"{my}/withdraw",
        "achievements.reopen": f"{my}/reopen",
        "achievements.edit": f"{my}/edit",
        "achievements.attach": f"{my}/attachments",
        "achievements.detach": f"{my}/attachments/1/remove",
    }
    return Walk(
        "achievements_achievements",
        "state",
        AchievementState,
        path,
        dict.fromkeys(path, officer),
        {
            # What a notice has announced stays as it is; the rest may be put better.
            "achievements.edit": lambda: form_of(home, keywords="低温脱硝、焦炉、催化剂"),
            "achievements.attach": _paper,
            "achievements.return_": {"reason": "指标缺少检测报告，请补充"},
            "achievements.withdraw": {"reason": "单位决定自行实施"},
        },
    )


def contracts(client: Browser, world: World, now: datetime, folder: Path) -> Walk:
    market = Market(client.database, world, now, folder)
    contract_id = market.registered()
    mine, desk = f"/contracts/{contract_id}", f"/registry/{contract_id}"
    party = {
        "contracts.submit": f"{mine}/submit",
        "contracts.edit": f"{mine}/edit",
        "contracts.detach": f"{mine}/files/1/remove",
        "contracts.amend": f"{mine}/amend",
        "contracts.ask_cancellation": f"{mine}/cancellation",
        "contracts.declare_receipt": f"{mine}/receipts/new",
    }
    registrar = {
        "contracts.take_up": f"{desk}/take-up",
        "contracts.return_": f"{desk}/return",
        "contracts.refuse": f"{desk}/refuse",
        "contracts.register": f"{desk}/register",
        "contracts.dispute": f"{desk}/dispute",
        "contracts.change": f"{desk}/change",
        "contracts.cancel": f"{desk}/cancel",
    }
    terms = {"amount_fen": "1500000", "technology_amount_fen": "1500000", "reason": "补充协议一"}
    return Walk(
        "contracts_contracts",
        "status",
        ContractStatus,
        party | registrar,
        dict.fromkeys(party, market.officer) | dict.fromkeys(registrar, market.registrar),
        {
            "contracts.edit": lambda: contract_form(market),
            "contracts.amend": lambda: terms | _paper(),
            "contracts.ask_cancellation": lambda: {"reason": "双方已解除合同"} | _paper(),
            "contracts.declare_receipt": lambda: {
                "received_on": "2024-03-15",
                "amount_fen": "600000",
                "reference": "HD20240315",
                **_paper(),
            },
            "contracts.return_": {"reason": "第三条缺少验收标准"},
            "contracts.refuse": {"reason_code": "not_technology", "reason": "不属于技术合同"},
            "contracts.dispute": {"reason": "类型有争议"},
            "contracts.change": terms,
            "contracts.cancel": {"reason": "双方已解除合同"},
        },
        contract_id,
    )


def orders(client: Browser, world: World, _now: datetime, _folder: Path) -> Walk:
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
    theirs = ("accept", "decline", "report", "deliver")
    return Walk(
        "techservices_orders",
        "state",
        OrderState,
        {f"techservices.{act}": f"/orders/1/{act}" for act in (*theirs, "withdraw", "confirm")},
        {f"techservices.{act}": provider for act in theirs}
        | {f"techservices.{act}": customer for act in ("withdraw", "confirm")},
        {
            "techservices.accept": accepted,
            "techservices.decline": {"reason": "近期排满，办不了"},
            "techservices.report": {"note": "已核对材料"},
            "techservices.deliver": {"result": "已提交并取得受理通知书"},
            "techservices.confirm": {"paid": "2,700"},
        },
    )


Lead = Callable[[Browser, World, datetime, Path], Walk]


@pytest.mark.parametrize("lead", [needs, achievements, contracts, orders])
def test_an_action_is_open_in_the_states_that_the_matrix_names(
    client: Browser, page_world: World, now: datetime, services: Services, lead: Lead
) -> None:
    walk = lead(client, page_world, now, services.settings.data_dir / "attachments")
    named = {row["endpoint"]: row["states"] for row in matrix.reviewed() if row["states"]}
    copy = Copy(client)
    wrong = []
    for endpoint in walk.path:
        found = open_in(client, walk, endpoint, copy)
        if found != set(named[endpoint].split()):
            wrong.append(f"{endpoint}: {sorted(found)}, not {named[endpoint]}")
    assert not wrong, "\n".join(wrong)


def test_every_named_action_is_walked() -> None:
    named = {row["endpoint"] for row in matrix.reviewed() if row["states"]}
    assert named == set(OPEN_IN)
