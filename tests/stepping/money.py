"""Deposits, lines of the bank's statement, notices and objections in each of their states."""

from __future__ import annotations

from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.clock import local_date
from marketplace.payments import service as payments
from marketplace.payments import statement_service
from marketplace.payments.gateways import bank_transfer
from marketplace.payments.rules import PaymentPurpose, PaymentState
from marketplace.payments.statement_rules import Line, LineState
from marketplace.publicity import service as publicity
from marketplace.publicity.rules import ObjectionState, PublicityKind, PublicityState
from tests.stepping import Act, Site, Walk
from tests.trading import DEPOSIT, Hall

_REASON = {"reason": "双方协商后决定，材料另附"}


def _deposit(site: Site) -> tuple[Hall, Actor, int]:
    hall = Hall(site.client.database, site.world, site.now)
    payer, member = hall.enterprise("锐泉精密")
    made: int = hall.do(
        payments.expect,
        hall.operator,
        purpose=PaymentPurpose.DEPOSIT,
        subject="intent:1",
        payer_organisation_id=payer.id,
        payee_organisation_id=hall.centre.id,
        amount_fen=DEPOSIT,
    )
    return hall, member, made


def _line(hall: Hall, reference: str) -> int:
    line = Line(
        reference=reference,
        booked_on=local_date(hall.now),
        amount_fen=DEPOSIT,
        account_name="锐泉精密",
    )
    made: int = hall.do(statement_service.record_line, hall.second_operator, line=line)
    return made


def deposits(site: Site) -> Walk:
    """Lead a deposit to its arrival and to the request that it goes back."""
    hall, member, made = _deposit(site)
    hall.do(
        payments.report_transfer,
        member,
        payment_id=made,
        reference="HD-7781",
        transferred_on=local_date(hall.now),
        gateway=bank_transfer().default,
    )
    _line(hall, "YH-0001")
    hall.do(payments.confirm, hall.operator, payment_id=made, reference="YH-0001")
    hall.do(payments.request_refund, hall.operator, payment_id=made, reason="未成交，无息退还")
    _line(hall, "YH-0002")
    place = f"/payments/{made}"
    second = hall.second_operator
    return Walk(
        "payments_payments",
        "state",
        PaymentState,
        {
            "payments.report": Act(
                f"{place}/report",
                member,
                {"reference": "HD-7782", "transferred_on": "2024-03-15"},
            ),
            "payments.confirm": Act(f"{place}/confirm", hall.operator, {"reference": "YH-0002"}),
            "payments.reject": Act(f"{place}/reject", hall.operator, {"note": "没有这笔来款"}),
            "payments.request_refund": Act(f"{place}/refund-request", hall.operator, _REASON),
            "payments.refund": Act(f"{place}/refund", second, {"reference": "TK-0001"}),
            "payments.forfeit": Act(f"{place}/forfeit", second, {"reference": "KF-0001"}),
        },
        made,
    )


def statement_lines(site: Site) -> Walk:
    """Lead a line of the bank's statement to the payment that it matches."""
    hall, _member, _made = _deposit(site)
    line = _line(hall, "YH-0001")
    place = f"/payments/statement/lines/{line}"
    return Walk(
        "payments_statement_lines",
        "state",
        LineState,
        {
            "payments.confirm_line": Act(f"{place}/confirm", hall.operator),
            "payments.return_line": Act(f"{place}/return", hall.operator, {"reference": "TH-01"}),
        },
        line,
    )


def _notice(site: Site) -> tuple[Hall, int]:
    hall = Hall(site.client.database, site.world, site.now)
    made: int = hall.do(
        publicity.open,
        SYSTEM,
        kind=PublicityKind.NEGOTIATED_PRICE,
        subject="order:1",
        title="两项手术导航专利以 230 万元转让",
        body="拟以协议定价方式转让。",
        organisation_id=hall.university.id,
    )
    return hall, made


_GROUNDS = {"text": "受让方与第二发明人为近亲属，公告没有注明。"}


def notices(site: Site) -> Walk:
    """Put a notice before the public."""
    hall, made = _notice(site)
    return Walk(
        "publicity_notices",
        "state",
        PublicityState,
        {"publicity.object_to": Act(f"/notices/{made}/objections", hall.enterprise()[1], _GROUNDS)},
        made,
    )


def objections(site: Site) -> Walk:
    """Object to a notice."""
    hall, made = _notice(site)
    objector = hall.enterprise()[1]
    raised = hall.do(publicity.raise_objection, objector, publicity_id=made, text=_GROUNDS["text"])
    answered = {"decision": "no", "answer": "经核查户籍与任职材料，不存在近亲属关系。"}
    return Walk(
        "publicity_objections",
        "state",
        ObjectionState,
        {
            "publicity.answer": Act(
                f"/notices/{made}/objections/{raised}/answer", hall.operator, answered
            )
        },
        raised,
    )
