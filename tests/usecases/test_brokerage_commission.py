"""Commissions, on both databases: who shares them, and what becomes due when."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from marketplace.brokerage import ledger_queries, queries, service
from marketplace.brokerage.commission_models import CommissionEntry, Expense
from marketplace.brokerage.commission_rules import EntryCause, ExpenseStatus
from marketplace.brokerage.introduction_models import Recognition
from marketplace.brokerage.models import Commission
from marketplace.brokerage.register_rules import BrokerLevel, Certificate
from marketplace.brokerage.rules import DealStage
from marketplace.brokerage.terms_rules import CommissionPayer, CommissionStatus, DueWhen
from marketplace.contracts import service as contracts
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from tests.dealing import PRICE, Market
from tests.introducing import LOST, agreed, bypass, enlist, introduced, rows, settle, status
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def test_an_expired_certificate_neither_introduces_nor_earns(market: Market) -> None:
    valid = Certificate(BrokerLevel.SENIOR, "JJR-1", "山东省科技厅", market.today)
    enlist(market, market.broker, certificate=valid)
    deal_id = market.deal()
    market.do(service.introduce, market.broker, deal_id=deal_id)
    market.now += timedelta(days=1)
    with pytest.raises(RuleBroken) as refusal:
        agreed(market, deal_id)
    assert refusal.value.code == "broker.certificate_expired"
    with pytest.raises(RuleBroken):
        market.do(service.introduce, market.broker, deal_id=deal_id)


def partner(market: Market) -> Actor:
    other_agency = market.world.organisation(market.agency.kind, subkinds=market.agency.subkinds)
    other = market.world.actor(Role.BROKER, other_agency, name="孟启帆")
    enlist(market, other)
    return other


def test_brokers_share_a_commission_to_the_fen_and_each_counts_his_own(market: Market) -> None:
    other = partner(market)
    deal_id, _introduction = introduced(market)
    shares = [(market.broker.user_id, 6_667), (other.user_id, 3_333)]
    commission_id = agreed(market, deal_id, partners=shares)
    bypass(market, deal_id)
    mine, his = rows(market, CommissionEntry)
    total = PRICE * 3 // 100
    assert mine.amount_fen + his.amount_fen == total
    assert his.amount_fen == total * 3_333 // 10_000
    with pytest.raises(NotFound):
        market.do(service.receive_entry, market.broker, entry_id=his.id)
    with pytest.raises(NotFound):
        market.do(service.note_invoice, market.head, entry_id=his.id, invoice_no="26370001")
    market.do(service.note_invoice, other, entry_id=his.id, invoice_no="26370001")
    market.do(service.receive_entry, other, entry_id=his.id)
    assert status(market, commission_id) is CommissionStatus.DUE
    market.do(service.receive_entry, market.head, entry_id=mine.id)
    market.do(service.receive_entry, market.head, entry_id=mine.id)
    assert status(market, commission_id) is CommissionStatus.RECEIVED
    with market.database.reading() as session:
        for actor, expected in ((market.broker, mine), (other, his)):
            totals = queries.commission_totals(session, actor.user_id or 0, 2024)
            assert (totals.received_fen, totals.due_fen) == (expected.amount_fen, 0)
        (line,) = ledger_queries.ledger(session, other).items
        assert (line.deal_visible, line.may_receive) == (False, True)
        owed = ledger_queries.ledger(session, market.buyer).items
        assert {entry.id for entry in owed} == {mine.id, his.id}
        stranger = market.world.actor(Role.ENTERPRISE)
        assert ledger_queries.ledger(session, stranger).items == []


@pytest.mark.parametrize(
    ("shares", "code"),
    [
        ((6_000, 3_000), "commission.share_sum"),
        ((None, 10_000), "commission.share_own"),
    ],
)
def test_shares_that_do_not_sum_or_leave_the_proposer_out_are_refused(
    market: Market, shares: tuple[int | None, int], code: str
) -> None:
    other = partner(market)
    deal_id = market.deal()
    own, his = shares
    given = [] if own is None else [(market.broker.user_id, own)]
    with pytest.raises(RuleBroken) as refusal:
        agreed(market, deal_id, partners=[*given, (other.user_id, his)])
    assert refusal.value.code == code
    assert rows(market, Commission) == []


def test_a_partner_stands_in_the_register_with_a_valid_certificate(market: Market) -> None:
    deal_id = market.deal()
    stranger = market.world.actor(Role.BROKER, market.agency)
    shares = [(market.broker.user_id, 5_000), (stranger.user_id, 5_000)]
    with pytest.raises(RuleBroken) as refusal:
        agreed(market, deal_id, partners=shares)
    assert refusal.value.code == "commission.unknown_partner"
    enlist(market, stranger)
    valid = Certificate(BrokerLevel.SENIOR, "JJR-1", "山东省科技厅", market.today)
    enlist(market, stranger, certificate=valid)
    market.now += timedelta(days=1)
    with pytest.raises(RuleBroken) as refusal:
        agreed(market, deal_id, partners=shares)
    assert refusal.value.code == "broker.certificate_expired"


def test_payments_make_their_part_due_and_the_last_one_the_rest(market: Market) -> None:
    deal_id, _introduction = introduced(market)
    commission_id = agreed(market, deal_id, due_when=DueWhen.PAYMENT, rate=333)
    contract_id = bypass(market, deal_id)
    assert status(market, commission_id) is CommissionStatus.AGREED
    total = PRICE * 333 // 10_000
    parts = (60_000_001, 50_000_000, PRICE - 110_000_001)
    for amount in parts:
        receipt = market.receipt(contract_id, amount)
        market.do(
            contracts.confirm_receipt,
            market.registrar,
            contract_id=contract_id,
            receipt_id=receipt,
        )
        settle(market)
    entries = rows(market, CommissionEntry)
    assert [entry.cause for entry in entries] == [EntryCause.RECEIPT] * 3
    assert entries[0].amount_fen == total * parts[0] // PRICE
    assert sum(entry.amount_fen for entry in entries) == total
    market.do(service.receive_commission, market.broker, commission_id=commission_id)
    assert status(market, commission_id) is CommissionStatus.RECEIVED


def test_one_receipt_makes_a_part_due_once_whatever_it_is_told_again_with(market: Market) -> None:
    deal_id, _introduction = introduced(market)
    agreed(market, deal_id, due_when=DueWhen.PAYMENT)
    market.do(
        service.mark_registered, SYSTEM, deal_id=deal_id, contract_no="JN-1", amount_fen=PRICE
    )
    for received in (PRICE // 4, PRICE // 2):
        market.do(
            service.accrue,
            SYSTEM,
            contract_no="JN-1",
            receipt_id=1,
            received_fen=Fen(received),
            price_fen=PRICE,
        )
    (entry,) = rows(market, CommissionEntry)
    assert entry.amount_fen == PRICE // 4 * 3 // 100


def test_a_deal_marked_as_paid_makes_the_rest_due_once(market: Market) -> None:
    deal_id, _introduction = introduced(market)
    agreed(market, deal_id, due_when=DueWhen.PAYMENT)
    market.do(
        service.mark_registered, SYSTEM, deal_id=deal_id, contract_no="JN-1", amount_fen=PRICE
    )
    assert rows(market, CommissionEntry) == []
    market.move(deal_id, DealStage.PAID)
    (entry,) = rows(market, CommissionEntry)
    assert (entry.cause, entry.amount_fen) == (EntryCause.PAID, PRICE * 3 // 100)


def test_a_cancelled_registration_strikes_what_has_not_arrived(market: Market) -> None:
    deal_id, _introduction = introduced(market)
    commission_id = agreed(market, deal_id)
    bypass(market, deal_id)
    market.do(
        service.strike_for_cancelled,
        SYSTEM,
        contract_no=rows(market, Recognition)[0].contract_no,
        reason="双方解除合同",
    )
    assert status(market, commission_id) is CommissionStatus.VOID
    assert rows(market, CommissionEntry) == []


def test_without_a_contract_only_necessary_expenses(market: Market) -> None:
    deal_id, _introduction = introduced(market)
    agreed(market, deal_id)
    claim = {
        "deal_id": deal_id,
        "payer": CommissionPayer.BUYER,
        "amount_fen": Fen(320_000),
        "words": "样品检测费 3200 元，依三月备注的约定",
    }
    with pytest.raises(Conflict):
        market.do(service.claim_expense, market.broker, **claim)
    market.do(service.lose, market.broker, deal_id=deal_id, **LOST)
    expense_id = market.do(service.claim_expense, market.broker, **claim)
    answer = {"expense_id": expense_id, "accepted": True, "answer": "按发票付"}
    with pytest.raises(NotFound):
        market.do(service.answer_expense, market.officer, **answer)
    market.do(service.answer_expense, market.buyer, **answer)
    with pytest.raises(NotAllowed):
        market.do(service.settle_expense, market.buyer, expense_id=expense_id)
    market.do(service.settle_expense, market.broker, expense_id=expense_id)
    assert rows(market, Expense)[0].status is ExpenseStatus.SETTLED


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    receipts=st.lists(st.tuples(st.integers(1, 6), st.integers(1, PRICE // 2)), max_size=6),
    parts=st.sampled_from([(10_000,), (6_667, 3_333), (3_333, 3_333, 3_334)]),
    rate=st.integers(1, 2_000),
)
def test_however_payments_come_no_fen_is_due_twice(
    market: Market, receipts: list[tuple[int, int]], parts: tuple[int, ...], rate: int
) -> None:
    """Repeated, late and excessive payments: the entries sum to the commission and never beyond."""
    others = [market.world.actor(Role.BROKER, market.agency) for _ in parts[1:]]
    for other in others:
        enlist(market, other)
    deal_id = market.deal()
    people = [market.broker, *others]
    shares = [(each.user_id, part) for each, part in zip(people, parts, strict=True)]
    commission_id = agreed(
        market,
        deal_id,
        due_when=DueWhen.PAYMENT,
        rate=rate,
        partners=shares if others else (),
    )
    number = f"JN-{deal_id}"
    market.do(
        service.mark_registered, SYSTEM, deal_id=deal_id, contract_no=number, amount_fen=PRICE
    )
    total = PRICE * rate // 10_000

    def due() -> int:
        with market.database.reading() as session:
            found = session.scalars(
                select(CommissionEntry.amount_fen).where(
                    CommissionEntry.commission_id == commission_id
                )
            )
            return sum(found)

    received, before, seen = 0, 0, set()
    for receipt_id, amount in receipts:
        if receipt_id not in seen:
            received += amount
            seen.add(receipt_id)
        for _twice in range(2):
            market.do(
                service.accrue,
                SYSTEM,
                contract_no=number,
                receipt_id=receipt_id,
                received_fen=Fen(received),
                price_fen=PRICE,
            )
        assert before <= due() <= total
        before = due()
    market.move(deal_id, DealStage.PAID)
    assert due() == total
