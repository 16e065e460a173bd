"""What follows a registration on both databases: types, signs, amendments, certificates."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.contracts import (
    certificate_queries,
    queries,
    service,
    text_queries,
    waiting_queries,
    yearly_queries,
)
from marketplace.contracts.after_models import ContractAmendment
from marketplace.contracts.amendment_rules import AmendmentState
from marketplace.contracts.models import Contract, ContractChange
from marketplace.contracts.proposal_rules import Certainty
from marketplace.contracts.rules import (
    ContractStatus,
    ContractSubtype,
    ContractType,
    Item,
    RefusalReason,
)
from marketplace.contracts.sham_rules import SignKind
from marketplace.contracts.yearly_rules import Aspect
from marketplace.foundation import audit
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from seed.demo.paper import write_paper
from tests.dealing import PRICE, TECHNOLOGY, Market, at_once, events, footprint, row_of, stored
from tests.world import World

SERVICE_TEXT = [
    "第一条 乙方以专业知识为甲方解决催化剂失活的技术问题。",
    "第二条 甲方提供样品和工作条件，乙方完成试验服务并提交试验报告。",
    "第三条 服务费一百八十万元，服务期限十二个月。",
]


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def written(*lines: str) -> bytes:
    return write_paper("合同书", list(lines))


# --- the type ---


def test_the_registrar_decides_on_the_type_and_the_agreement_is_measured(market: Market) -> None:
    first = market.submitted(text=written(*SERVICE_TEXT))
    with pytest.raises(RuleBroken) as refusal:
        market.do(
            service.register,
            market.registrar,
            contract_id=first,
            contract_type=ContractType.SERVICE,
            subtype=ContractSubtype.GENERAL,
        )
    assert refusal.value.code == "contracts.reason"
    assert stored(market, first).status is ContractStatus.SUBMITTED
    market.do(
        service.register,
        market.registrar,
        contract_id=first,
        contract_type=ContractType.SERVICE,
        subtype=ContractSubtype.GENERAL,
        type_reason="条款只约定试验服务，没有许可的权利",
    )
    row = stored(market, first)
    assert (row.applied_type, row.contract_type) == (ContractType.LICENCE, ContractType.SERVICE)
    assert (row.proposed_type, row.proposed_certainty) == (ContractType.SERVICE, Certainty.CLEAR)
    assert events(market, "contracts.ContractRegistered")[0]["contract_type"] == "service"
    # One whose text says a service and which stays a licence, one that says nothing.
    market.registered(text=written(*SERVICE_TEXT, "第四条 附件。"))
    market.registered(text=written("第一条 双方友好合作。"))
    with market.database.reading() as session:
        measured = text_queries.agreement(session)
        assert (measured.agreed_count, measured.proposed_count, measured.open_count) == (1, 2, 1)
        assert measured.percent_text == "50.0 %"
        other = text_queries.agreement(session, registrar_organisation_id=market.firm.id)
        assert other.lines == []
        assert other.percent_text == "—"


def test_a_type_chosen_as_applied_for_needs_no_reason_and_texts_go_with_their_file(
    market: Market,
) -> None:
    made = market.contract(text=written(*SERVICE_TEXT))
    with market.database.reading() as session:
        (attachment_id,) = text_queries.texts_of(session, made)
        proposal = text_queries.proposal_of(session, made, "催化剂")
        assert proposal is not None
        assert proposal.grounds[0].clause.words in SERVICE_TEXT[0]
    market.do(service.detach, market.officer, contract_id=made, attachment_id=attachment_id)
    with market.database.reading() as session:
        assert text_queries.texts_of(session, made) == {}
        assert text_queries.proposal_of(session, made, "催化剂") is None
        assert text_queries.like_texts(session, made, per_mille=0) == []
    sent = market.submitted(text=written(*SERVICE_TEXT))
    market.do(
        service.register,
        market.registrar,
        contract_id=sent,
        contract_type=ContractType.LICENCE,
        subtype=ContractSubtype.ORDINARY,
    )
    assert stored(market, sent).decision_words == ""


# --- signs ---


def test_signs_are_looked_up_among_contracts_that_stand(market: Market) -> None:
    lines = [f"第{n}条 乙方于第{n}个月提交第{n}批试样和检验记录，甲方确认。" for n in range(1, 20)]
    changed = [line.replace("第9批试样", "第9批样件") for line in lines]
    unlike = [f"第{n}条 双方另行约定的第{n}项事宜见附件{n}。" for n in range(1, 20)]
    first = market.registered(text=written(*lines))
    second = market.submitted(text=written(*changed))
    third = market.submitted(text=written(*unlike))

    def kinds(contract_id: int) -> list[SignKind]:
        with market.database.reading() as session:
            view = queries.get_contract(session, market.registrar, contract_id)
            return [sign.kind for sign in queries.signs(session, view, today=market.today)]

    with market.database.reading() as session:
        view = queries.get_contract(session, market.registrar, second)
        (sign,) = queries.signs(session, view, today=market.today)
    assert sign.kind is SignKind.LIKE_TEXT
    assert "第9批样件" in sign.explanation
    assert [other.contract_id for other in sign.others] == [first]
    assert kinds(third) == []
    # Ninety days after the payment was due nothing has come: of the first one itself, and of the
    # same parties' others.
    market.now += timedelta(days=90)
    assert kinds(first) == [SignKind.LIKE_TEXT]
    market.now += timedelta(days=1)
    assert kinds(first) == [SignKind.LIKE_TEXT, SignKind.UNPAID]
    assert kinds(third) == [SignKind.UNPAID]
    market.receipt(first, 100)
    assert kinds(third) == []
    # A cancelled one is no copy any more.
    market.do(service.cancel, market.registrar, contract_id=first, reason="双方协议解除合同")
    assert kinds(second) == []


def test_a_ring_is_seen_as_soon_as_it_closes(market: Market) -> None:
    back = market.world.actor(Role.ORG_ADMIN, market.firm)
    first = market.submitted()
    made = int(market.do(service.draft, back))
    market.do(
        service.save,
        back,
        contract_id=made,
        content=market.content(seller_organisation_id=market.firm.id),
        buyer_uscc=market.university.uscc,
        uploads=[Upload("合同.pdf", written("第一条 回购。"))],
        store=market.store,
    )

    def ring(contract_id: int) -> list[int]:
        with market.database.reading() as session:
            view = queries.get_contract(session, market.registrar, contract_id)
            found = queries.signs(session, view, today=market.today)
        return [o.contract_id for s in found if s.kind is SignKind.CIRCLE for o in s.others]

    assert ring(first) == []  # a draft is nobody's business
    market.do(service.submit, back, contract_id=made)
    assert ring(first) == [first, made]
    assert ring(made) == [made, first]
    market.do(
        service.refuse,
        market.registrar,
        contract_id=made,
        reason_code=RefusalReason.NO_PROOF,
        reason="没有履行证据",
    )
    assert ring(first) == []


# --- amendments ---


def test_a_change_is_applied_for_answered_and_told(market: Market) -> None:
    contract_id = market.registered(tax_exempt_amount_fen=TECHNOLOGY)
    later = market.today + timedelta(days=500)
    asked = market.amendment(contract_id, ends_on=later)
    row = stored(market, contract_id)
    assert (row.amount_fen, row.status) == (PRICE, ContractStatus.REGISTERED)
    with market.database.reading() as session:
        (waiting,) = queries.waiting_amendments(session, market.registry.id)
        assert waiting.due_on == date(2024, 4, 8)
        items = waiting_queries.waiting(session, market.registrar, now=market.now)
        assert [item.act for item in items] == ["答复"]
    for _ in range(2):
        market.do(
            service.grant_amendment,
            market.registrar,
            contract_id=contract_id,
            amendment_id=asked,
        )
    row = stored(market, contract_id)
    assert (row.amount_fen, row.technology_amount_fen) == (TECHNOLOGY, TECHNOLOGY)
    assert (row.status, row.ends_on, row.items) == (ContractStatus.CHANGED, later, [])
    (told,) = events(market, "contracts.ContractChanged")
    assert (told["amount_fen"], told["tax_exempt_amount_fen"]) == (TECHNOLOGY, TECHNOLOGY)
    with market.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ContractChange)) == 1
        found = queries.standings_of(session, [contract_id, 999])
        assert found.keys() == {contract_id}
        assert found[contract_id].changed_on == market.today
        assert found[contract_id].counts
        assert audit.verify(session)[1] is None


def test_a_cancellation_is_applied_for_and_the_contract_counts_no_more(market: Market) -> None:
    contract_id = market.registered()
    with pytest.raises(RuleBroken) as refusal:
        market.do(
            service.apply_cancellation,
            market.officer,
            contract_id=contract_id,
            reason="双方协议解除合同",
        )
    assert refusal.value.problems[0].field == "attachments"
    asked = market.do(
        service.apply_cancellation,
        market.officer,
        contract_id=contract_id,
        reason="双方协议解除合同",
        uploads=[Upload("解除协议.pdf", written("解除"))],
        store=market.store,
    )
    market.do(
        service.grant_amendment, market.registrar, contract_id=contract_id, amendment_id=asked
    )
    assert len(events(market, "contracts.ContractCancelled")) == 1
    with market.database.reading() as session:
        standing = queries.standings_of(session, [contract_id])[contract_id]
        assert not standing.counts
        assert standing.reason == "双方协议解除合同"
        with pytest.raises(Conflict):
            certificate_queries.get_certificate(session, contract_id)
    with pytest.raises(Conflict):
        market.amendment(contract_id)
    with pytest.raises(Conflict):
        market.receipt(contract_id, 100)


def test_an_application_waits_alone_and_is_withdrawn_or_declined(market: Market) -> None:
    contract_id = market.registered()
    first = market.amendment(contract_id)
    with pytest.raises(Conflict) as waits:
        market.amendment(contract_id)
    assert waits.value.code == "contracts.amendment_waits"
    market.do(
        service.withdraw_amendment, market.officer, contract_id=contract_id, amendment_id=first
    )
    with pytest.raises(Conflict):
        market.do(
            service.grant_amendment, market.registrar, contract_id=contract_id, amendment_id=first
        )
    second = market.amendment(contract_id)
    with pytest.raises(NotFound):
        market.do(
            service.decline_amendment,
            market.world.actor(Role.REGISTRAR),
            contract_id=contract_id,
            amendment_id=second,
            reason="不是本机构的",
        )
    market.do(
        service.decline_amendment,
        market.registrar,
        contract_id=contract_id,
        amendment_id=second,
        reason="补充协议只有一方签章",
    )
    assert row_of(market, ContractAmendment, second).state is AmendmentState.DECLINED
    assert stored(market, contract_id).status is ContractStatus.REGISTERED
    with market.database.reading() as session:
        found = queries.amendments(session, contract_id)
    assert [each.state for each in found] == [AmendmentState.DECLINED, AmendmentState.WITHDRAWN]
    assert found[1].files[0].name == "补充协议.pdf"


def test_new_terms_below_what_was_paid_or_of_a_stranger_are_refused(market: Market) -> None:
    contract_id = market.registered()
    market.receipt(contract_id, TECHNOLOGY + 1)
    strangers = (market.world.actor(Role.OFFICER), market.buyer)
    before = footprint(market)
    with pytest.raises(RuleBroken) as refusal:
        market.amendment(contract_id)
    assert refusal.value.code == "contracts.below_received"
    with pytest.raises(RuleBroken):
        market.do(
            service.change,
            market.registrar,
            contract_id=contract_id,
            amount_fen=Fen(PRICE - 1),
            technology_amount_fen=TECHNOLOGY,
            items=[Item("样品", Fen(PRICE - TECHNOLOGY))],
            reason="补充协议二",
        )
    for stranger in strangers:
        with pytest.raises((NotFound, NotAllowed)):
            market.do(
                service.apply_cancellation,
                stranger,
                contract_id=contract_id,
                reason="双方协议解除合同",
            )
    assert footprint(market) == before


# --- rules by date, certificate, year ---


def test_the_rules_of_the_day_of_application_hold_through_a_correction(market: Market) -> None:
    market.now = datetime(2025, 12, 30, 9, tzinfo=market.now.tzinfo)
    contract_id = market.submitted()
    assert "2000" in stored(market, contract_id).rule_version
    market.do(
        service.return_, market.registrar, contract_id=contract_id, reason="请补盖骑缝章后再交"
    )
    market.now = datetime(2026, 1, 5, 9, tzinfo=market.now.tzinfo)
    market.do(service.resubmit, market.officer, contract_id=contract_id)
    row = stored(market, contract_id)
    assert row.applied_on == date(2025, 12, 30)
    assert "2000" in row.rule_version
    fresh = market.submitted(text=written("另一份"))
    assert "2026" in stored(market, fresh).rule_version


def test_a_certificate_is_checked_by_number_and_shown_with_its_code(market: Market) -> None:
    contract_id = market.registered()
    code = stored(market, contract_id).check_code
    assert len(code) == 8
    with market.database.reading() as session:
        by_number = certificate_queries.find_registration(session, " jn-2024-0001", "")
        assert by_number is not None
        assert (by_number.code_fits, by_number.certificate) == (None, None)
        wrong = certificate_queries.find_registration(session, "JN-2024-0001", "0000-0000")
        assert wrong is not None
        assert (wrong.code_fits, wrong.certificate) == (False, None)
        typed = f"{code[:4].lower()}-{code[4:]} "
        whole = certificate_queries.find_registration(session, "JN-2024-0001", typed)
        assert whole is not None
        assert whole.certificate is not None
        assert whole.certificate.amount_fen == PRICE
        assert whole.certificate.seller.name == "泉城理工大学"
        assert certificate_queries.find_registration(session, "JN-2024-0002", "") is None
        assert certificate_queries.get_certificate(session, contract_id) == whole.certificate


def test_a_year_is_broken_down_by_every_aspect_and_sums_up(market: Market) -> None:
    first = market.registered()
    market.registered(
        text=written("二"),
        amount_fen=Fen(10_000_000),
        technology_amount_fen=Fen(10_000_000),
        items=(),
        contract_type=ContractType.SERVICE,
        subtype=ContractSubtype.GENERAL,
        ip_kind=None,
        no_ip=True,
    )
    refused = market.submitted(text=written("三"))
    market.do(
        service.refuse,
        market.registrar,
        contract_id=refused,
        reason_code=RefusalReason.SEALS,
        reason="买方印章与执照不符",
    )
    cancelled = market.registered(text=written("四"))
    market.do(service.cancel, market.registrar, contract_id=cancelled, reason="双方协议解除合同")
    receipt = market.receipt(first, 120_000)
    market.do(service.confirm_receipt, market.registrar, contract_id=first, receipt_id=receipt)
    with market.database.reading() as session:
        year = yearly_queries.year_of(session, 2024, registrar_organisation_id=market.registry.id)
        everybody = yearly_queries.year_of(session, 2024, registrar_organisation_id=None)
        other = yearly_queries.year_of(session, 2024, registrar_organisation_id=market.firm.id)
        before = yearly_queries.year_of(session, 2023, registrar_organisation_id=None)
    assert everybody == year
    assert (year.count, year.amount_fen) == (2, PRICE + 10_000_000)
    assert (other.count, before.count) == (0, 0)
    assert [table.aspect for table in year.tables] == list(Aspect)
    for table in year.tables:
        assert sum(line.count for line in table.lines) == year.count, table.aspect
        assert sum(line.amount_fen for line in table.lines) == year.amount_fen, table.aspect
        assert sum(line.technology_fen for line in table.lines) == year.technology_fen
    tables = {table.aspect: table.lines for table in year.tables}
    assert [line.label for line in tables[Aspect.TYPE]] == ["技术许可", "技术服务"]
    assert [line.label for line in tables[Aspect.IP_KIND]] == ["发明专利", "未涉及知识产权"]
    assert [line.label for line in tables[Aspect.BAND]] == [
        "10–50 万元",
        "100–500 万元",
    ]
    assert [line.label for line in tables[Aspect.SELLER_PLACE]] == ["历城区"]
    assert [line.label for line in tables[Aspect.BUYER_SCALE]] == ["小型"]
    assert [m.count for m in year.months] == [0, 0, 2, *[0] * 9]
    handling = year.handling
    assert (handling.registered, handling.cancelled) == (3, 1)
    assert handling.refused == {RefusalReason.SEALS: 1}
    assert (handling.decided, handling.in_time) == (4, 4)
    assert handling.income_fen == 100_000


def test_nothing_is_announced_twice(market: Market) -> None:
    contract_id = market.registered()
    asked = market.amendment(contract_id)

    def grant() -> Any:
        return market.do(
            service.grant_amendment, market.registrar, contract_id=contract_id, amendment_id=asked
        )

    at_once(*[grant] * 6)
    with market.database.reading() as session:
        told = select(func.count()).where(OutboxEvent.name == "contracts.ContractChanged")
        assert session.scalar(told) == 1
        assert session.scalar(select(func.count()).select_from(Contract)) == 1
