"""Contracts until they are sent, on both databases: drawn up once, consistent, complete."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from marketplace.contracts import service
from marketplace.contracts.models import Contract
from marketplace.contracts.rules import ContractSubtype, Item, RefusalReason
from marketplace.foundation import attachments, audit
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.attachments import MAX_BYTES, Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from tests.dealing import PDF, PRICE, TECHNOLOGY, Market, at_once, events, footprint, stored
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def test_a_deal_has_one_contract_however_often_it_is_asked_for(market: Market) -> None:
    deal_id = market.drafted_deal()

    def draft() -> Any:
        return market.do(service.draft_from_deal, market.officer, deal_id=deal_id)

    results = at_once(draft, draft, draft, draft)
    ids = {result for result in results if isinstance(result, int)}
    assert len(ids) == 1
    assert {draft()} == ids
    assert footprint(market)[0] == 1


def test_after_a_refusal_the_deal_s_contract_may_be_drawn_up_anew(market: Market) -> None:
    deal_id = market.drafted_deal()
    first = market.submitted(deal_id=deal_id)
    market.do(
        service.refuse,
        market.registrar,
        contract_id=first,
        reason_code=RefusalReason.SEALS,
        reason="买方印章与营业执照名称不符",
    )
    (told,) = events(market, "contracts.ContractRefused")
    assert told["reason_code"] == "seals"
    assert market.do(service.draft_from_deal, market.officer, deal_id=deal_id) != first
    with pytest.raises(Conflict):
        market.do(service.register, market.registrar, contract_id=first)


def test_only_the_seller_draws_up_the_contract_of_a_deal_that_is_ready(market: Market) -> None:
    early = market.deal()
    with pytest.raises(RuleBroken):
        market.do(service.draft_from_deal, market.officer, deal_id=early)
    ready = market.drafted_deal()
    for actor in (market.buyer, market.world.actor(Role.OFFICER)):
        with pytest.raises(NotFound):
            market.do(service.draft_from_deal, actor, deal_id=ready)
    with pytest.raises(NotAllowed):
        market.do(service.draft_from_deal, market.broker, deal_id=ready)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"technology_amount_fen": Fen(PRICE + 1)}, "technology_amount_fen"),
        ({"technology_amount_fen": Fen(0)}, "technology_amount_fen"),
        ({"amount_fen": Fen(0), "items": ()}, "amount_fen"),
        ({"items": (Item("设备", PRICE),)}, "items"),
        ({"ends_on": date(2024, 3, 1)}, "ends_on"),
        ({"effective_on": date(2024, 3, 1)}, "effective_on"),
        ({"signed_on": date(2024, 3, 16), "effective_on": None}, "signed_on"),
        ({"subtype": ContractSubtype.TRAINING}, "subtype"),
        ({"tax_exempt_amount_fen": Fen(TECHNOLOGY + 1)}, "tax_exempt_amount_fen"),
    ],
)
def test_what_contradicts_itself_is_not_saved(
    market: Market, changed: dict[str, Any], field: str
) -> None:
    contract_id = market.contract()
    before = footprint(market), stored(market, contract_id).version
    with pytest.raises(RuleBroken) as refusal:
        market.do(
            service.save,
            market.officer,
            contract_id=contract_id,
            content=market.content(**changed),
            buyer_uscc=market.firm.uscc,
            uploads=[Upload("二.pdf", PDF)],
            store=market.store,
        )
    assert field in [problem.field for problem in refusal.value.problems]
    assert (footprint(market), stored(market, contract_id).version) == before


def test_the_database_holds_the_last_word_on_amounts(market: Market) -> None:
    contract_id = market.contract()

    def force(name: str, value: int) -> None:
        with market.database.transaction() as session:
            setattr(session.get_one(Contract, contract_id), name, value)
            audit.record(session, actor=SYSTEM, action="test", subject="contract:1", now=market.now)

    for name, value in (("technology_amount_fen", PRICE + 1), ("amount_fen", 0)):
        with pytest.raises(IntegrityError):
            force(name, value)


def test_a_stale_form_is_refused_and_nothing_is_overwritten(market: Market) -> None:
    contract_id = market.contract()
    version = stored(market, contract_id).version

    def save(name: str) -> None:
        market.do(
            service.save,
            market.officer,
            contract_id=contract_id,
            content=market.content(project_name=name),
            buyer_uscc=market.firm.uscc,
            version=version,
        )

    save("先改的名称")
    with pytest.raises(Conflict):
        save("后改的名称")
    assert stored(market, contract_id).project_name == "先改的名称"


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (Upload("大.pdf", PDF + b"0" * MAX_BYTES), "attachments.too_large"),
        (Upload("合同.pdf", b"MZ\x90\x00" + b"\0" * 200), "attachments.disguised"),
        (Upload("合同.exe", PDF), "attachments.kind"),
        (Upload("合同.pdf", b""), "attachments.empty"),
    ],
)
def test_a_wrong_file_leaves_nothing(market: Market, upload: Upload, code: str) -> None:
    contract_id = market.contract()
    before = footprint(market)
    with pytest.raises(RuleBroken) as refusal:
        market.do(
            service.save,
            market.officer,
            contract_id=contract_id,
            content=market.content(),
            buyer_uscc=market.firm.uscc,
            uploads=[upload],
            store=market.store,
        )
    assert refusal.value.code == code
    assert refusal.value.problems[0].field == "attachments"
    assert footprint(market) == before


def test_an_unknown_or_own_buyer_is_refused(market: Market) -> None:
    contract_id = int(market.do(service.draft, market.officer))

    def save(uscc: str) -> str:
        with pytest.raises(RuleBroken) as refusal:
            market.do(
                service.save,
                market.officer,
                contract_id=contract_id,
                content=market.content(),
                buyer_uscc=uscc,
            )
        assert refusal.value.problems[0].field == "buyer_uscc"
        return refusal.value.code

    assert save("91370100MA3C000000") == "contracts.unknown_buyer"
    assert save(market.university.uscc) == "contracts.same_party"


def test_an_incomplete_contract_is_not_sent_and_says_what_is_missing(market: Market) -> None:
    contract_id = int(market.do(service.draft, market.officer))
    before = footprint(market)
    with pytest.raises(RuleBroken) as refusal:
        market.do(service.submit, market.officer, contract_id=contract_id)
    fields = {problem.field for problem in refusal.value.problems}
    assert {"amount_fen", "contract_type", "attachments", "registrar_organisation_id"} <= fields
    assert footprint(market) == before


def test_a_contract_with_the_registrar_is_not_edited(market: Market) -> None:
    contract_id = market.submitted()
    with pytest.raises(Conflict):
        market.do(
            service.save,
            market.officer,
            contract_id=contract_id,
            content=market.content(amount_fen=Fen(PRICE + 1)),
            buyer_uscc=market.firm.uscc,
        )
    with market.database.reading() as session:
        (file,) = attachments.of(session, f"contract:{contract_id}")
    with pytest.raises(Conflict):
        market.do(service.detach, market.officer, contract_id=contract_id, attachment_id=file.id)


def test_what_the_parties_were_is_frozen_when_it_is_sent(market: Market) -> None:
    row = stored(market, market.submitted())
    assert row.buyer_snapshot["uscc"] == market.firm.uscc
    assert row.buyer_snapshot["nature"] == "企业"
    assert row.seller_snapshot["district"] == "历城区"
    assert "2000" in row.rule_version
