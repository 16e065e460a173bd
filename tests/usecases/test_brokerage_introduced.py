"""What an introduction is worth when a contract appears: found, disputed, proved."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from marketplace.brokerage import dispute_queries, evidence, evidence_queries, service
from marketplace.brokerage.commission_models import CommissionEntry
from marketplace.brokerage.commission_rules import EntryCause
from marketplace.brokerage.introduction_models import Dispute, Recognition
from marketplace.brokerage.introduction_rules import (
    DisputeGround,
    DisputeState,
    RecognitionGround,
    RecognitionState,
)
from marketplace.brokerage.models import Deal, Introduction
from marketplace.brokerage.rules import DealStage, NoteKind, NoteVisibility
from marketplace.brokerage.terms_rules import (
    CommissionBasis,
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
)
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound
from tests.dealing import PDF, PRICE, Market, at_once
from tests.introducing import LOST, agreed, bypass, introduced, rows, settle, status
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


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
        lambda: market.do(service.introduce, market.broker, deal_id=first),
        lambda: market.do(service.introduce, other, deal_id=second),
    )
    assert sum(isinstance(each, int) for each in results) == 1
    (refused,) = [each for each in results if isinstance(each, Conflict)]
    assert refused.code == "introduction.second"
    assert len(rows(market, Introduction)) == 1


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
