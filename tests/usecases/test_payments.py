"""Payments on both databases: exact amounts, own accounts, two persons, an online gateway."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from pytest_mock import MockerFixture
from sqlalchemy import select

from marketplace.foundation.access import SYSTEM
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.payments import queries, service
from marketplace.payments.gateways import BankTransfer, Gateway, Receipt, bank_transfer
from marketplace.payments.models import Payment
from marketplace.payments.rules import PaymentPurpose, PaymentState
from tests.trading import Hall, day
from tests.world import World

AMOUNT = Fen(18_000_000)
BANK = bank_transfer().default


@pytest.fixture
def hall(database: Database, world: World, now: datetime) -> Hall:
    return Hall(database, world, now)


def expected(hall: Hall, payer_id: int) -> int:
    made: int = hall.do(
        service.expect,
        hall.operator,
        purpose=PaymentPurpose.DEPOSIT,
        subject="intent:1",
        payer_organisation_id=payer_id,
        payee_organisation_id=hall.centre.id,
        amount_fen=AMOUNT,
    )
    return made


def state(hall: Hall, payment_id: int) -> PaymentState:
    found: PaymentState = hall.read(lambda s: queries.state_of(s, payment_id))
    return found


def confirm(hall: Hall, payment_id: int, name: str, **changes: Any) -> None:
    values: dict[str, Any] = {
        "reference": "YH-0001",
        "received_fen": AMOUNT,
        "account_name": name,
        **changes,
    }
    hall.receive(payment_id, values["received_fen"], values["account_name"], values["reference"])


def published(hall: Hall, name: str) -> list[dict[str, Any]]:
    return list(
        hall.read(
            lambda s: s.scalars(
                select(OutboxEvent.body).where(OutboxEvent.name == f"payments.{name}")
            ).all()
        )
    )


def test_a_transfer_is_reported_confirmed_and_refunded_by_another_person(hall: Hall) -> None:
    payer, member = hall.enterprise("锐泉精密（济南）")
    payment_id = expected(hall, payer.id)
    hall.do(
        service.report_transfer,
        member,
        payment_id=payment_id,
        reference="HD-7781",
        transferred_on=day("2024-03-15"),
        gateway=BANK,
    )
    assert state(hall, payment_id) is PaymentState.REPORTED
    confirm(hall, payment_id, "锐泉精密(济南)")
    assert state(hall, payment_id) is PaymentState.CONFIRMED
    (event,) = published(hall, "PaymentConfirmed")
    assert event["amount_fen"] == AMOUNT
    assert event["subject"] == "intent:1"
    hall.do(service.request_refund, hall.operator, payment_id=payment_id, reason="未成交，无息退还")
    with pytest.raises(NotAllowed) as caught:
        hall.do(
            service.refund, hall.operator, payment_id=payment_id, reference="TK-1", gateway=BANK
        )
    assert caught.value.code == "payments.second_person"
    with pytest.raises(RuleBroken):
        hall.do(
            service.refund,
            hall.second_operator,
            payment_id=payment_id,
            reference="",
            gateway=BANK,
        )
    hall.do(
        service.refund,
        hall.second_operator,
        payment_id=payment_id,
        reference="TK-0001",
        gateway=BANK,
    )
    assert state(hall, payment_id) is PaymentState.REFUNDED
    assert len(published(hall, "PaymentRefunded")) == 1
    with pytest.raises(RuleBroken):
        hall.do(
            service.refund,
            hall.second_operator,
            payment_id=payment_id,
            reference="TK-0002",
            gateway=BANK,
        )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"received_fen": Fen(AMOUNT - 1)}, "amount_fen"),
        ({"received_fen": Fen(AMOUNT + 1)}, "amount_fen"),
        ({"account_name": "别的公司"}, "account_name"),
        ({"reference": " "}, "reference"),
    ],
)
def test_what_does_not_fit_is_not_confirmed(
    hall: Hall, changes: dict[str, Any], field: str
) -> None:
    payer, _ = hall.enterprise("锐泉精密")
    payment_id = expected(hall, payer.id)
    with pytest.raises(RuleBroken) as caught:
        confirm(hall, payment_id, "锐泉精密", **changes)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert state(hall, payment_id) is PaymentState.EXPECTED
    assert published(hall, "PaymentConfirmed") == []


def test_one_line_of_the_statement_pays_once(hall: Hall) -> None:
    payer, _ = hall.enterprise("锐泉精密")
    first, second = expected(hall, payer.id), expected(hall, payer.id)
    confirm(hall, first, "锐泉精密")
    with pytest.raises(Conflict):
        confirm(hall, second, "锐泉精密")
    with pytest.raises(Conflict, match="另一笔款项"):
        confirm(hall, first, "锐泉精密", reference="YH-0002")


def test_twenty_confirmations_at_once_confirm_once(hall: Hall) -> None:
    payer, _ = hall.enterprise("锐泉精密")
    payment_id = expected(hall, payer.id)
    outcomes: list[str] = []

    def work(number: int) -> None:
        try:
            confirm(hall, payment_id, "锐泉精密", reference=f"YH-{number:04d}")
            outcomes.append("confirmed")
        except DomainError as refusal:
            outcomes.append(refusal.code)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["confirmed"] + ["payments.step"] * 19
    assert len(published(hall, "PaymentConfirmed")) == 1


def test_another_organisations_payment_is_not_found(hall: Hall) -> None:
    payer, _ = hall.enterprise()
    _, stranger = hall.enterprise()
    payment_id = expected(hall, payer.id)
    with pytest.raises(NotFound):
        hall.do(
            service.report_transfer,
            stranger,
            payment_id=payment_id,
            reference="HD-7781",
            transferred_on=day("2024-03-15"),
            gateway=BANK,
        )
    with pytest.raises(NotFound):
        hall.read(lambda s: queries.get_for(s, stranger, payment_id))


def test_a_report_that_does_not_match_goes_back_with_a_note(hall: Hall) -> None:
    payer, member = hall.enterprise()
    payment_id = expected(hall, payer.id)
    with pytest.raises(RuleBroken):
        hall.do(
            service.report_transfer,
            member,
            payment_id=payment_id,
            reference="HD-7781",
            transferred_on=day("2024-03-16"),
            gateway=BANK,
        )
    hall.do(
        service.report_transfer,
        member,
        payment_id=payment_id,
        reference="HD-7781",
        transferred_on=day("2024-03-15"),
        gateway=BANK,
    )
    hall.do(
        service.reject_report,
        hall.operator,
        payment_id=payment_id,
        note="流水中没有这一笔，请核对收款账号",
    )
    view = hall.read(lambda s: queries.get_for(s, member, payment_id))
    assert view.state is PaymentState.EXPECTED
    assert "没有这一笔" in view.note


def test_an_online_gateway_confirms_and_refunds_by_itself(
    hall: Hall, mocker: MockerFixture
) -> None:
    payer, member = hall.enterprise("锐泉精密")
    payment_id = expected(hall, payer.id)
    gateway = mocker.create_autospec(Gateway, instance=True)
    gateway.find_receipt.return_value = Receipt("ON-20240315-1", AMOUNT, "锐泉精密")
    gateway.refund.return_value = "ON-REFUND-1"
    hall.do(
        service.report_transfer,
        member,
        payment_id=payment_id,
        reference="ON-20240315-1",
        transferred_on=day("2024-03-15"),
        gateway=gateway,
    )
    assert state(hall, payment_id) is PaymentState.CONFIRMED
    assert gateway.find_receipt.call_args.args[0].amount_fen == AMOUNT
    hall.do(service.request_refund, SYSTEM, payment_id=payment_id, reason="未成交，无息退还")
    with pytest.raises(RuleBroken) as caught:
        hall.do(service.refund, hall.operator, payment_id=payment_id, reference="", gateway=gateway)
    assert caught.value.code == "payments.no_first_person"
    hall.do(service.request_refund, hall.operator, payment_id=payment_id, reason="")
    with pytest.raises(NotAllowed):
        hall.do(service.refund, hall.operator, payment_id=payment_id, reference="", gateway=gateway)
    gateway.refund.assert_not_called()
    hall.do(
        service.refund, hall.second_operator, payment_id=payment_id, reference="", gateway=gateway
    )
    row = hall.read(lambda s: s.get_one(Payment, payment_id))
    assert row.refund_reference == "ON-REFUND-1"
    gateway.refund.assert_called_once()


def test_an_online_receipt_of_another_amount_confirms_nothing(
    hall: Hall, mocker: MockerFixture
) -> None:
    payer, member = hall.enterprise("锐泉精密")
    payment_id = expected(hall, payer.id)
    gateway = mocker.create_autospec(Gateway, instance=True)
    gateway.find_receipt.return_value = Receipt("ON-1234", Fen(AMOUNT - 1), "锐泉精密")
    with pytest.raises(RuleBroken):
        hall.do(
            service.report_transfer,
            member,
            payment_id=payment_id,
            reference="ON-1234",
            transferred_on=day("2024-03-15"),
            gateway=gateway,
        )
    assert state(hall, payment_id) is PaymentState.EXPECTED


def test_the_bank_transfer_tells_the_account_and_the_number() -> None:
    assert isinstance(BANK, BankTransfer)
    lines = dict(
        BANK.instructions(
            queries.PaymentOrder("PM-2024-0001", AMOUNT, "锐泉精密", "交易保证金")
        ).lines
    )
    assert lines["汇款附言"] == "PM-2024-0001"
    assert "锐泉精密" in lines["付款户名"]
