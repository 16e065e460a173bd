"""Statement, matching, second person, forfeits, and a ledger whose sum is always zero."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import service as listings
from marketplace.listings.rules import ListingState, PricingMode
from marketplace.payments import ledger_queries, ledger_rules, service, statement_service
from marketplace.payments.ledger_models import StatementLine
from marketplace.payments.ledger_rules import LedgerAccount, PostingKind
from marketplace.payments.models import Payment
from marketplace.payments.rules import PaymentState
from marketplace.payments.statement_rules import Awaited, Line, LineState, match
from tests.trading import DEPOSIT, Hall, local, offer
from tests.usecases.test_payments import BANK, expected, state
from tests.world import World

DAY = date(2024, 3, 15)


@pytest.fixture
def hall(database: Database, world: World, now: Any) -> Hall:
    return Hall(database, world, now)


def balances(hall: Hall) -> dict[LedgerAccount, int]:
    assert hall.read(ledger_queries.ledger_problems) == []
    found: dict[LedgerAccount, int] = hall.read(ledger_queries.balances)
    assert sum(found.values()) == 0
    return {account: total for account, total in found.items() if total}


def lines(hall: Hall) -> list[StatementLine]:
    rows: list[StatementLine] = hall.read(
        lambda s: s.scalars(select(StatementLine).order_by(StatementLine.id)).all()
    )
    return rows


def csv_of(*rows: str) -> bytes:
    return ("某某银行交易明细\n流水号,日期,金额,户名,附言\n" + "\n".join(rows)).encode("gb18030")


def load(hall: Hall, content: bytes, name: str = "流水.csv") -> statement_service.ImportReport:
    report: statement_service.ImportReport = hall.do(
        statement_service.import_statement, hall.second_operator, name=name, content=content
    )
    return report


def test_a_bank_file_is_imported_matched_and_confirmed_by_another_person(hall: Hall) -> None:
    payer, _ = hall.enterprise("锐泉精密（济南）")
    other, _ = hall.enterprise("云帆医疗")
    first, second = expected(hall, payer.id), expected(hall, other.id)
    number = hall.read(lambda s: s.get_one(Payment, first).number)
    report = load(
        hall,
        csv_of(
            f"BK20240315001,20240315,180000.00,锐泉精密(济南),{number} 保证金",
            "BK20240315002,2024-03-15,179999.99,云帆医疗,",
            "BK20240315003,2024/3/15,500,路过的公司,",
            "BK1,2024-13-45,500,坏日期,",
            ",2024-03-15,5,没有流水号,",
            "BK20240315004,2024-03-16,500,明天的公司,",
        ),
    )
    assert (report.recorded_count, report.matched_count, report.known_count) == (3, 1, 0)
    assert [number for number, _ in report.refused] == [6, 7, 8]
    found = lines(hall)
    assert [line.state for line in found] == [LineState.MATCHED, LineState.OPEN, LineState.OPEN]
    assert "金额不符" in found[1].finding
    assert "没有“路过的公司”的待付款项" in found[2].finding
    again = load(hall, csv_of("BK20240315003,2024/3/15,500,路过的公司,"))
    assert (again.recorded_count, again.known_count) == (0, 1)
    with pytest.raises(NotAllowed):
        hall.do(service.confirm_line, hall.second_operator, line_id=found[0].id)
    hall.do(service.confirm_line, hall.operator, line_id=found[0].id)
    assert state(hall, first) is PaymentState.CONFIRMED
    assert state(hall, second) is PaymentState.EXPECTED
    with pytest.raises(RuleBroken):
        hall.do(service.confirm_line, hall.operator, line_id=found[1].id)
    assert balances(hall) == {
        LedgerAccount.BANK: 18_000_000 + 17_999_999 + 50_000,
        LedgerAccount.HELD: -18_000_000,
        LedgerAccount.SUSPENSE: -(17_999_999 + 50_000),
    }
    with pytest.raises(NotAllowed):
        hall.do(
            statement_service.return_line,
            hall.second_operator,
            line_id=found[2].id,
            reference="TH-00001",
        )
    hall.do(statement_service.return_line, hall.operator, line_id=found[2].id, reference="TH-00001")
    assert balances(hall)[LedgerAccount.SUSPENSE] == -17_999_999


def test_an_excel_statement_and_files_that_are_none(hall: Hall) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["日期", "流水号", "户名", "金额", "附言"])
    sheet.append(["2024-03-15", 20240315001, "云帆医疗", 180000, ""])
    stored = io.BytesIO()
    book.save(stored)
    assert load(hall, stored.getvalue(), "bank.xlsx").recorded_count == 1
    assert lines(hall)[0].reference == "20240315001"
    for content, name in (
        (b"\x00\x01\xff\xfe", "x.csv"),
        (b"PK\x03\x04broken", "x.xlsx"),
        ("流水号,日期\n1,2".encode(), "x.csv"),
        ("只有,别的,列".encode(), "x.csv"),
        (b"", "x.csv"),
        (b"x" * (5 * 1024 * 1024 + 1), "x.csv"),
    ):
        with pytest.raises(RuleBroken):
            load(hall, content, name)


def test_matching_asks_for_name_and_amount_and_says_what_disagrees() -> None:
    awaited = [
        Awaited(1, "PM-2024-0001", Fen(100), "甲公司"),
        Awaited(2, "PM-2024-0002", Fen(100), "甲公司"),
        Awaited(3, "PM-2024-0003", Fen(300), "乙公司"),
    ]

    def found(amount: int, name: str, remark: str = "") -> tuple[int | None, str]:
        result = match(Line("BK-1", DAY, Fen(amount), name, remark), awaited)
        return result.payment_id, result.finding

    assert found(100, "甲公司", "付 PM-2024-0002")[0] == 2
    assert found(300, "乙公司")[0] == 3
    assert found(300, "丙公司", "pm20240003") == (
        None, "PM-2024-0003 的付款方是“乙公司”，来款户名不符，应退回",
    )  # fmt: skip
    assert "有 2 笔" in found(100, "甲公司")[1]
    assert "不在待付款项中" in found(100, "甲公司", "PM-2024-0009")[1]
    assert "金额不符" in found(99, "甲公司", "PM-2024-0001")[1]


def test_a_buyer_at_fault_forfeits_its_deposit_by_two_persons(hall: Hall) -> None:
    listing_id = hall.announced(offer(PricingMode.NEGOTIATED))
    _, buyer = hall.enterprise()
    intent_id = hall.qualified(listing_id, buyer)
    hall.do(listings.agree_price, hall.officer, intent_id=intent_id, price_fen=Fen(120_000_000))
    hall.at(local(2024, 4, 3))
    assert hall.listing(listing_id).state is ListingState.AWARDED
    hall.do(
        listings.terminate,
        hall.operator,
        listing_id=listing_id,
        reason="受让方逾期拒不签约",
        forfeits=True,
    )
    payment_id = hall.stored_intent(intent_id).payment_id or 0
    assert state(hall, payment_id) is PaymentState.FORFEIT_DUE
    assert balances(hall) == {
        LedgerAccount.BANK: DEPOSIT, LedgerAccount.FORFEITED: -DEPOSIT,
    }  # fmt: skip
    with pytest.raises(NotAllowed):
        hall.do(service.forfeit, hall.operator, payment_id=payment_id, reference="KF-0001")
    with pytest.raises(RuleBroken):
        hall.do(service.forfeit, hall.second_operator, payment_id=payment_id, reference="")
    hall.do(service.forfeit, hall.second_operator, payment_id=payment_id, reference="KF-0001")
    assert state(hall, payment_id) is PaymentState.FORFEITED
    assert balances(hall) == {}
    with pytest.raises(RuleBroken):
        hall.do(
            service.refund,
            hall.second_operator,
            payment_id=payment_id,
            reference="TK-0001",
            gateway=BANK,
        )


def test_a_tampered_ledger_is_called_by_name(hall: Hall) -> None:
    payer, _ = hall.enterprise("云帆医疗")
    hall.receive(expected(hall, payer.id), Fen(18_000_000), "云帆医疗")
    assert balances(hall)
    with hall.database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE payments_ledger_entries SET amount_fen = amount_fen + 1 WHERE id = 1"
        )
    problems = hall.read(ledger_queries.ledger_problems)
    assert any("does not sum to zero" in problem for problem in problems)
    assert any("not zero" in problem for problem in problems)


def test_one_line_is_recorded_once(hall: Hall) -> None:
    line = Line("BK-00001", DAY, Fen(100), "甲公司")
    hall.do(statement_service.record_line, hall.operator, line=line)
    with pytest.raises(Conflict):
        hall.do(statement_service.record_line, hall.second_operator, line=line)


@given(st.lists(st.tuples(st.sampled_from(list(PostingKind)), st.integers(1, 10**13))))
def test_whatever_is_posted_the_sum_is_zero(postings: list[tuple[PostingKind, int]]) -> None:
    entries = [line for kind, fen in postings for line in ledger_rules.lines(kind, Fen(fen))]
    assert sum(ledger_rules.balances(entries).values()) == 0


def test_nothing_is_not_posted() -> None:
    with pytest.raises(RuleBroken):
        ledger_rules.lines(PostingKind.CONFIRMED, Fen(0))
