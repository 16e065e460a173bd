"""Payments of a contract on both databases: planned, declared, confirmed, counted once."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from marketplace.contracts import queries, service
from marketplace.contracts.after_models import ContractReceipt
from marketplace.contracts.payment_rules import Instalment, ReceiptState
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import PaymentMode
from seed.demo.paper import write_paper
from tests.dealing import PRICE, TECHNOLOGY, Market, at_once, footprint, row_of, stored
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def test_payments_are_declared_confirmed_and_counted_as_technology_income(market: Market) -> None:
    contract_id = market.registered()
    half = PRICE // 2
    first = market.receipt(contract_id, half)
    market.receipt(contract_id, PRICE - half, reference="HD-2")
    with market.database.reading() as session:
        view = queries.get_contract(session, market.officer, contract_id)
        income = queries.income(session, contract_id, view.content, today=market.today)
    assert (income.received_fen, income.technology_fen) == (PRICE, TECHNOLOGY)
    assert income.confirmed_fen == 0
    for _ in range(2):
        market.do(
            service.confirm_receipt, market.registrar, contract_id=contract_id, receipt_id=first
        )
    with market.database.reading() as session:
        income = queries.income(session, contract_id, view.content, today=market.today)
        assert income.confirmed_fen == TECHNOLOGY // 2
        assert queries.declared_count(session, market.registry.id) == 1
        assert audit.verify(session)[1] is None
    with pytest.raises(Conflict):
        market.do(
            service.withdraw_receipt,
            market.officer,
            contract_id=contract_id,
            receipt_id=first,
            reason="重复登记了一次",
        )


def test_a_slip_counts_once_until_it_is_withdrawn(market: Market) -> None:
    contract_id = market.registered()
    first = market.receipt(contract_id, 100, reference="SLIP-1")
    before = footprint(market)
    with pytest.raises(RuleBroken) as refusal:
        market.receipt(contract_id, 200, reference=" SLIP-1 ")
    assert refusal.value.problems[0].field == "reference"
    assert footprint(market) == before
    market.do(
        service.withdraw_receipt,
        market.officer,
        contract_id=contract_id,
        receipt_id=first,
        reason="金额录错，重新登记",
    )
    again = market.receipt(contract_id, 200, reference="SLIP-1")
    assert row_of(market, ContractReceipt, first).state is ReceiptState.WITHDRAWN
    assert row_of(market, ContractReceipt, again).amount_fen == 200


def test_one_slip_declared_by_many_clicks_at_once_is_one(market: Market) -> None:
    contract_id = market.registered()

    def declare() -> Any:
        return market.receipt(contract_id, 100, reference="SLIP-9")

    results = at_once(*[declare] * 8)
    assert sum(isinstance(result, int) for result in results) == 1
    with market.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ContractReceipt)) == 1


def test_a_payment_is_refused_where_it_cannot_be(market: Market) -> None:
    sent = market.submitted()
    with pytest.raises(Conflict):
        market.receipt(sent, 100)
    contract_id = market.registered()
    stranger = market.world.actor(Role.OFFICER)
    before = footprint(market)
    for changed in (
        {"amount": PRICE + 1},
        {"amount": 100, "technology_amount_fen": Fen(101)},
        {"amount": 100, "received_on": market.today + timedelta(days=1)},
        {"amount": 100, "reference": "1"},
        {"amount": 0},
    ):
        with pytest.raises(RuleBroken):
            market.receipt(contract_id, **changed)
    with pytest.raises(NotFound):
        market.do(
            service.declare_receipt,
            stranger,
            contract_id=contract_id,
            received_on=market.today,
            amount_fen=Fen(1),
            reference="别家的",
        )
    assert footprint(market) == before


def test_what_has_no_slip_is_not_confirmed_nor_another_contract_s(market: Market) -> None:
    contract_id, other = market.registered(), market.registered(text=write_paper("合同书", ["二"]))
    bare = market.receipt(contract_id, 100, uploads=())
    for target, error in ((contract_id, RuleBroken), (other, NotFound)):
        with pytest.raises(error):
            market.do(
                service.confirm_receipt, market.registrar, contract_id=target, receipt_id=bare
            )
    with pytest.raises(NotAllowed):
        market.do(service.confirm_receipt, market.officer, contract_id=contract_id, receipt_id=bare)
    assert row_of(market, ContractReceipt, bare).state is ReceiptState.DECLARED


def test_the_database_holds_the_last_word_on_receipts(market: Market) -> None:
    receipt_id = market.receipt(market.registered(), 100)

    def force(name: str, value: int) -> None:
        with market.database.transaction() as session:
            setattr(session.get_one(ContractReceipt, receipt_id), name, value)
            audit.record(session, actor=SYSTEM, action="test", subject="x:1", now=market.now)

    for name, value in (("amount_fen", 0), ("technology_amount_fen", 101)):
        with pytest.raises(IntegrityError):
            force(name, value)


def test_a_schedule_is_kept_and_shows_what_is_late(market: Market) -> None:
    plan = (
        Instalment(market.today, "签约", Fen(PRICE // 2)),
        Instalment(market.today + timedelta(days=60), "验收", Fen(PRICE - PRICE // 2)),
    )
    contract_id = market.registered(
        payment_mode=PaymentMode.INSTALMENTS, payment_terms="签约、验收各一半", schedule=plan
    )
    assert [each.label for each in stored(market, contract_id).schedule] == ["签约", "验收"]
    market.now += timedelta(days=1)
    with market.database.reading() as session:
        content = queries.get_contract(session, market.officer, contract_id).content
        assert content.schedule == plan
        lines = queries.income(session, contract_id, content, today=market.today).schedule
    assert [line.late for line in lines] == [True, False]
