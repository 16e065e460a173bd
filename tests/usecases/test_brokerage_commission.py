"""Introductions found behind contracts, and what becomes due, on both databases."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from marketplace.brokerage import (
    dispute_queries,
    evidence,
    evidence_queries,
    ledger_queries,
    queries,
    service,
)
from marketplace.brokerage.commission_models import CommissionEntry, Expense
from marketplace.brokerage.commission_rules import EntryCause, ExpenseStatus
from marketplace.brokerage.introduction_models import Dispute, Recognition
from marketplace.brokerage.introduction_rules import (
    DisputeGround,
    DisputeState,
    RecognitionGround,
    RecognitionState,
)
from marketplace.brokerage.models import Commission, Deal, Introduction
from marketplace.brokerage.register_rules import BrokerLevel, Certificate
from marketplace.brokerage.rules import DealStage, LostReason, NoteKind, NoteVisibility
from marketplace.brokerage.terms_rules import (
    CommissionBasis,
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
    DueWhen,
)
from marketplace.contracts import handlers as contract_handlers
from marketplace.contracts import service as contracts
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Outbox
from tests.dealing import PDF, PRICE, Market, at_once
from tests.world import World

LOST = {"reason_code": LostReason.TIMING, "reason": "企业说今年不上新线，以后再说吧"}


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def settle(market: Market) -> None:
    Outbox(contract_handlers.SUBSCRIPTIONS).deliver_due(market.database, now=market.now)


def rows(market: Market, model: type[Any]) -> list[Any]:
    with market.database.reading() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def agreed(market: Market, deal_id: int, **changed: Any) -> int:
    """Propose a commission to the buyer and let him confirm it."""
    partners = changed.pop("partners", ())
    terms = CommissionTerms(
        CommissionBasis.RATE,
        changed.get("rate", 300),
        None,
        changed.get("minimum"),
        changed.get("due_when", DueWhen.REGISTRATION),
    )
    made = market.do(
        service.propose_commission,
        market.broker,
        deal_id=deal_id,
        payer=CommissionPayer.BUYER,
        terms=terms,
        partners=partners,
    )
    market.do(service.confirm_commission, market.buyer, commission_id=made)
    return int(made)


def introduced(market: Market, achievement_id: int | None = None) -> tuple[int, int]:
    """Pair an achievement with the firm and record the introduction."""
    deal_id = market.deal(achievement_id)
    return deal_id, int(market.do(service.introduce, market.broker, deal_id=deal_id))


def bypass(market: Market, deal_id: int | None = None, *, days: int = 0) -> int:
    """Let the parties register a contract of their own, once they have closed the deal."""
    if deal_id is not None:
        market.do(service.lose, market.buyer, deal_id=deal_id, **LOST)
    signed_on = market.today - timedelta(days=days)
    made = market.registered(signed_on=signed_on, effective_on=signed_on)
    settle(market)
    return made


def status(market: Market, commission_id: int) -> CommissionStatus:
    with market.database.reading() as session:
        return session.get_one(Commission, commission_id).status


def test_a_contract_past_an_open_deal_is_checked_and_its_commission_is_due(
    market: Market,
) -> None:
    deal_id, introduction_id = introduced(market)
    commission_id = agreed(market, deal_id)
    bypass(market)
    (found,) = rows(market, Recognition)
    assert (found.introduction_id, found.ground, found.state) == (
        introduction_id,
        RecognitionGround.SAME_PARTIES,
        RecognitionState.TO_CHECK,
    )
    assert rows(market, CommissionEntry) == []
    market.do(
        service.decide_recognition,
        market.world.actor(Role.OPERATOR),
        recognition_id=found.id,
        counts=True,
        words="合同写明许可的就是介绍的成果",
    )
    with market.database.reading() as session:
        deal = session.get_one(Deal, deal_id)
    assert (deal.stage, deal.contract_no) == (DealStage.REGISTERED, found.contract_no)
    (entry,) = rows(market, CommissionEntry)
    assert (entry.amount_fen, entry.cause) == (PRICE * 3 // 100, EntryCause.REGISTRATION)
    assert status(market, commission_id) is CommissionStatus.DUE
    settle(market)
    assert len(rows(market, CommissionEntry)) == 1


def test_a_closed_deal_does_not_hide_the_contract(market: Market) -> None:
    deal_id, _introduction = introduced(market)
    commission_id = agreed(market, deal_id)
    market.do(service.lose, market.buyer, deal_id=deal_id, **LOST)
    assert status(market, commission_id) is CommissionStatus.VOID
    bypass(market)
    assert rows(market, Recognition)[0].state is RecognitionState.RECOGNISED
    assert status(market, commission_id) is CommissionStatus.DUE
    with market.database.reading() as session:
        assert session.get_one(Deal, deal_id).stage is DealStage.LOST


def test_what_was_declined_is_not_revived(market: Market) -> None:
    deal_id, introduction_id = introduced(market)
    made = market.do(
        service.propose_commission,
        market.broker,
        deal_id=deal_id,
        payer=CommissionPayer.BUYER,
        terms=CommissionTerms(CommissionBasis.RATE, 300, None),
    )
    market.do(service.decline_commission, market.buyer, commission_id=made)
    for actor in (market.officer, market.buyer):
        market.do(service.acknowledge_introduction, actor, introduction_id=introduction_id)
    bypass(market, deal_id)
    assert rows(market, Recognition)[0].state is RecognitionState.RECOGNISED
    assert rows(market, CommissionEntry) == []


def test_an_introduction_that_nobody_confirmed_goes_to_the_operator(market: Market) -> None:
    deal_id, _introduction = introduced(market)
    bypass(market)
    (found,) = rows(market, Recognition)
    assert found.state is RecognitionState.TO_CHECK
    with market.database.reading() as session:
        assert session.get_one(Deal, deal_id).stage is DealStage.LEAD
    decision = {"recognition_id": found.id, "counts": True, "words": "双方的会议记录写明由其介绍"}
    with pytest.raises(NotAllowed):
        market.do(service.decide_recognition, market.broker, **decision)
    operator = market.world.actor(Role.OPERATOR)
    market.do(service.decide_recognition, operator, **decision)
    with pytest.raises(Conflict):
        market.do(service.decide_recognition, operator, **decision)
    with market.database.reading() as session:
        assert session.get_one(Deal, deal_id).stage is DealStage.REGISTERED


def test_a_contract_written_back_before_the_introduction_goes_to_the_operator(
    market: Market,
) -> None:
    deal_id, _introduction = introduced(market)
    agreed(market, deal_id)
    bypass(market, days=2)
    (found,) = rows(market, Recognition)
    assert (found.ground, found.state) == (
        RecognitionGround.SIGNED_EARLIER,
        RecognitionState.TO_CHECK,
    )
    assert rows(market, CommissionEntry) == []


def test_an_introduction_runs_out_and_makes_room_for_another(market: Market) -> None:
    achievement_id = market.achievement()
    deal_id, _first = introduced(market, achievement_id)
    market.do(service.lose, market.broker, deal_id=deal_id, **LOST)
    other = market.world.actor(Role.BROKER, market.agency)
    second = market.deal(achievement_id, broker=other)
    last = rows(market, Introduction)[0].valid_to
    market.now += timedelta(days=(last - market.today).days)
    with pytest.raises(Conflict):
        market.do(service.introduce, other, deal_id=second)
    market.now += timedelta(days=1)
    market.do(service.introduce, other, deal_id=second)
    first, newest = rows(market, Introduction)
    assert first.ended_at is not None
    assert (newest.ended_at, newest.broker_user_id) == (None, other.user_id)


def test_two_brokers_introduce_one_pair_in_the_same_second(market: Market) -> None:
    """The first stands; the second is told, whatever deal he works on."""
    achievement_id = market.achievement()
    first = market.deal(achievement_id)
    market.do(service.lose, market.broker, deal_id=first, **LOST)
    other = market.world.actor(Role.BROKER, market.agency)
    second = market.deal(achievement_id, broker=other)
    results = at_once(
        market,
        lambda: market.do(service.introduce, market.broker, deal_id=first),
        lambda: market.do(service.introduce, other, deal_id=second),
    )
    assert sum(isinstance(each, int) for each in results) == 1
    (refused,) = [each for each in results if isinstance(each, Conflict)]
    assert refused.code == "introduction.second"
    assert len(rows(market, Introduction)) == 1


def enlist(market: Market, actor: Actor, **changed: Any) -> None:
    certificate = changed.pop("certificate", Certificate(None, "", "", None))
    market.do(
        service.save_profile,
        actor,
        certificate=certificate,
        fields=[],
        introduction="",
        **changed,
    )


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


def test_a_dispute_is_decided_once_and_strikes_what_does_not_stand(market: Market) -> None:
    deal_id, introduction_id = introduced(market)
    commission_id = agreed(market, deal_id)
    bypass(market, deal_id)
    raised = {
        "introduction_id": introduction_id,
        "ground": DisputeGround.NOT_THIS_CONTRACT,
        "words": "这份合同是另一条生产线的，与介绍无关",
        "uploads": [Upload("说明.pdf", PDF)],
        "store": market.store,
    }
    with pytest.raises(NotFound):
        market.do(service.open_dispute, market.world.actor(Role.ENTERPRISE), **raised)
    dispute_id = market.do(service.open_dispute, market.buyer, **raised)
    with pytest.raises(Conflict):
        market.do(service.open_dispute, market.buyer, **raised)
    operator = market.world.actor(Role.OPERATOR)
    decision = {
        "dispute_id": dispute_id,
        "upheld": False,
        "words": "合同标的为除尘改造，与介绍不同",
    }
    with pytest.raises(NotAllowed):
        market.do(service.decide_dispute, market.buyer, **decision)
    market.do(service.decide_dispute, operator, **decision)
    with pytest.raises(Conflict):
        market.do(service.decide_dispute, operator, **decision)
    assert rows(market, Dispute)[0].state is DisputeState.REJECTED
    assert status(market, commission_id) is CommissionStatus.VOID
    with market.database.reading() as session:
        assert dispute_queries.get_dispute(session, market.broker, dispute_id).decision
        with pytest.raises(NotFound):
            dispute_queries.get_dispute(
                session, market.world.actor(Role.BROKER, market.agency), dispute_id
            )


def test_the_evidence_proves_itself_and_holds_no_private_note(market: Market) -> None:
    deal_id, introduction_id = introduced(market)
    agreed(market, deal_id)
    for visibility, body in (
        (NoteVisibility.PRIVATE, "底价一百五十万，不能说"),
        (NoteVisibility.SHARED, "三月一日在历城现场介绍双方见面"),
    ):
        market.do(
            service.add_note,
            market.broker,
            deal_id=deal_id,
            kind=NoteKind.VISIT,
            visibility=visibility,
            body=body,
        )
    market.do(
        service.open_dispute,
        market.broker,
        introduction_id=introduction_id,
        ground=DisputeGround.BYPASSED,
        words="双方见面后不再回电话，听说已签约",
        uploads=[Upload("照片.pdf", PDF)],
        store=market.store,
    )

    def packed(actor: Actor) -> bytes:
        with market.database.reading() as session:
            facts, papers = evidence_queries.evidence_of(
                session, actor, introduction_id, store=market.store
            )
        return evidence.pack(facts, papers)

    content = packed(market.broker)
    assert content == packed(market.buyer) == packed(market.officer)
    archive = zipfile.ZipFile(io.BytesIO(content))
    listed = archive.read("清单.txt").decode()
    for name in archive.namelist():
        if name != "清单.txt":
            assert f"{hashlib.sha256(archive.read(name)).hexdigest()}  {name}" in listed
    facts = json.loads(archive.read("介绍存证.json"))
    again = json.dumps(
        {key: facts[key] for key in ("buyer", "introduced_at", "seller", "subject")},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    assert hashlib.sha256(again.encode()).hexdigest() == facts["digest"]
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode(
        "utf-8", "replace"
    )
    assert "历城现场" in everything
    assert "底价" not in everything
    with pytest.raises(NotFound):
        packed(market.world.actor(Role.ENTERPRISE))


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
