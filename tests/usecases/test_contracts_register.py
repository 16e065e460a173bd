"""Contracts at the registrar on both databases: who decides, in which term, and what follows."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import AchievementState
from marketplace.brokerage import queries as brokerage_queries
from marketplace.brokerage import service as brokerage
from marketplace.brokerage.rules import DealStage
from marketplace.contracts import handlers, queries, service, waiting_queries
from marketplace.contracts.events import ContractRegistered
from marketplace.contracts.queries import ContractFilter
from marketplace.contracts.rules import (
    ContractStatus,
    ContractSubtype,
    ContractType,
    Item,
    RefusalReason,
)
from marketplace.contracts.sham_rules import SignKind
from marketplace.foundation import audit
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from tests.dealing import PDF, PRICE, TECHNOLOGY, Market, at_once, events, stored
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def deliver(market: Market) -> None:
    """Let everybody who waits for a registered contract do his part, twice."""
    waiting = [each for each in handlers.SUBSCRIPTIONS if each.event is ContractRegistered]
    for body in events(market, "contracts.ContractRegistered"):
        facts = body | {"registered_on": date.fromisoformat(body["registered_on"])}
        for subscription in waiting * 2:
            with market.database.transaction() as session:
                subscription.handle(session, ContractRegistered(**facts), now=market.now)


def test_a_deal_becomes_a_registered_contract_that_settles_it(market: Market) -> None:
    achievement_id = market.achievement()
    deal_id = market.drafted_deal(achievement_id)
    contract_id = int(market.do(service.draft_from_deal, market.officer, deal_id=deal_id))
    row = stored(market, contract_id)
    assert (row.amount_fen, row.buyer_organisation_id) == (PRICE, market.firm.id)
    assert (row.contract_type, row.subtype) == (ContractType.LICENCE, ContractSubtype.ORDINARY)
    assert row.agency_organisation_id == market.agency.id
    assert row.industry_code == "25"
    with market.database.reading() as session:
        assert row.project_id == achievements.get_internal(session, achievement_id).number
    market.do(
        service.save,
        market.officer,
        contract_id=contract_id,
        content=market.content(project_id=row.project_id),
        uploads=[Upload("合同.pdf", PDF)],
        store=market.store,
    )
    market.do(service.submit, market.officer, contract_id=contract_id)
    number = market.do(service.register, market.registrar, contract_id=contract_id)
    assert number == "JN-2024-0001"
    (told,) = events(market, "contracts.ContractRegistered")
    assert told == {
        "contract_id": contract_id,
        "contract_no": number,
        "contract_type": "licence",
        "project_name": "低温脱硝催化剂普通许可",
        "registered_on": "2024-03-15",
        "amount_fen": PRICE,
        "technology_amount_fen": TECHNOLOGY,
        "tax_exempt_amount_fen": None,
        "seller_organisation_id": market.university.id,
        "buyer_organisation_id": market.firm.id,
        "agency_organisation_id": market.agency.id,
        "registrar_organisation_id": market.registry.id,
        "project_id": row.project_id,
        "activity_id": "HD-2024-0001",
        "fiscal_funds": False,
        "deal_id": deal_id,
        "listing_id": None,
        "technology_field": "environment",
        "achievement_id": achievement_id,
    }
    deliver(market)
    with market.database.reading() as session:
        deal = brokerage_queries.get_deal(session, market.officer, deal_id)
        assert (deal.stage, deal.contract_no) == (DealStage.REGISTERED, number)
        # An ordinary licence leaves the achievement on offer.
        state = achievements.get_internal(session, achievement_id).state
        assert state is AchievementState.PUBLISHED
        assert audit.verify(session)[1] is None


def test_a_transfer_takes_the_achievement_off_the_market(market: Market) -> None:
    achievement_id = market.achievement(modes=(TradingMode.TRANSFER,))
    deal_id = market.drafted_deal(achievement_id)
    market.registered(
        deal_id=deal_id,
        contract_type=ContractType.TRANSFER,
        subtype=ContractSubtype.PATENT,
    )
    deliver(market)
    with market.database.reading() as session:
        state = achievements.get_internal(session, achievement_id).state
    assert state is AchievementState.TRANSFERRED


def test_the_term_runs_in_working_days_and_longer_for_large_or_disputed_ones(
    market: Market,
) -> None:
    # 2024-03-15 is a Friday; the Tomb-sweeping days (4 to 6 April) and a moved Sunday (7 April)
    # lie in the term.
    small = stored(market, market.submitted())
    assert small.due_on == date(2024, 4, 8)
    large = market.submitted(
        amount_fen=Fen(500_000_000), technology_amount_fen=Fen(500_000_000), items=()
    )
    assert stored(market, large).due_on == date(2024, 4, 28)
    market.do(
        service.dispute, market.registrar, contract_id=small.id, reason="双方对验收标准有争议"
    )
    assert stored(market, small.id).due_on == date(2024, 4, 28)


def test_a_correction_stops_the_term_and_restarts_it(market: Market) -> None:
    contract_id = market.submitted()
    market.do(service.take_up, market.registrar, contract_id=contract_id)
    assert stored(market, contract_id).reviewer_name == "王敏"
    with pytest.raises(RuleBroken):
        market.do(service.return_, market.registrar, contract_id=contract_id, reason="补")
    market.do(
        service.return_, market.registrar, contract_id=contract_id, reason="请补盖骑缝章后重新上传"
    )
    row = stored(market, contract_id)
    assert (row.status, row.due_on) == (ContractStatus.CORRECTION, None)
    with market.database.reading() as session:
        (item,) = waiting_queries.waiting(session, market.officer, now=market.now)
    assert "骑缝章" in item.why
    market.now += timedelta(days=10)
    market.do(service.resubmit, market.officer, contract_id=contract_id)
    row = stored(market, contract_id)
    assert (row.status, row.round) == (ContractStatus.SUBMITTED, 2)
    assert row.due_on == date(2024, 4, 16)
    assert [e["resubmitted"] for e in events(market, "contracts.ContractSubmitted")] == [
        False,
        True,
    ]


def test_parallel_clicks_send_and_register_once(market: Market) -> None:
    contract_id = market.contract()
    sent = at_once(
        *[lambda: market.do(service.submit, market.officer, contract_id=contract_id)] * 6
    )
    assert not [result for result in sent if isinstance(result, DomainError)]
    assert stored(market, contract_id).round == 1
    assert len(events(market, "contracts.ContractSubmitted")) == 1
    second = market.world.actor(Role.REGISTRAR, market.registry)
    numbers = at_once(
        *[
            lambda who=who: market.do(service.register, who, contract_id=contract_id)
            for who in (market.registrar, second) * 5
        ]
    )
    assert set(numbers) == {"JN-2024-0001"}
    assert len(events(market, "contracts.ContractRegistered")) == 1


def test_parallel_registrations_of_many_leave_no_gap_in_the_numbers(market: Market) -> None:
    ids = [market.submitted() for _ in range(6)]
    numbers = at_once(
        *[
            lambda one=one: market.do(service.register, market.registrar, contract_id=one)
            for one in ids
        ]
    )
    assert sorted(numbers) == [f"JN-2024-{n:04d}" for n in range(1, 7)]


def test_registering_and_refusing_in_one_instant_ends_in_one_of_them(market: Market) -> None:
    contract_id = market.submitted()
    results = at_once(
        lambda: market.do(service.register, market.registrar, contract_id=contract_id),
        lambda: market.do(
            service.refuse,
            market.registrar,
            contract_id=contract_id,
            reason_code=RefusalReason.OTHER,
            reason="同一合同已在外地登记",
        ),
    )
    assert sum(isinstance(result, Conflict) for result in results) == 1
    told = events(market, "contracts.ContractRegistered") + events(
        market, "contracts.ContractRefused"
    )
    assert len(told) == 1


def test_only_the_chosen_registrar_decides(market: Market) -> None:
    contract_id = market.submitted()
    with pytest.raises(NotAllowed):
        market.do(service.register, market.officer, contract_id=contract_id)
    with pytest.raises(NotFound):
        market.do(service.register, market.world.actor(Role.REGISTRAR), contract_id=contract_id)
    assert stored(market, contract_id).status is ContractStatus.SUBMITTED


def test_who_sees_a_contract(market: Market) -> None:
    draft = market.contract()
    sent = market.submitted()

    def seen(actor: Any) -> set[int]:
        with market.database.reading() as session:
            page = queries.list_contracts(session, actor, chosen=ContractFilter())
            listed = {row.id for row in page.items}
            for contract_id in (draft, sent):
                try:
                    queries.get_contract(session, actor, contract_id)
                except NotFound:
                    assert contract_id not in listed
                else:
                    assert contract_id in listed
            return listed

    assert seen(market.officer) == {draft, sent}
    assert seen(market.buyer) == {sent}
    assert seen(market.registrar) == {sent}
    assert seen(market.broker) == set()  # no agency took part
    assert seen(market.world.actor(Role.OFFICER)) == set()
    assert seen(market.world.actor(Role.REGISTRAR)) == set()


def test_the_registrar_is_shown_what_looks_unusual(market: Market) -> None:
    first = market.registered(activity_id="HD-7")
    second = market.submitted(activity_id="HD-7")
    other = market.submitted(text=PDF + b"\n% another contract")
    with market.database.reading() as session:

        def kinds(contract_id: int) -> list[SignKind]:
            view = queries.get_contract(session, market.registrar, contract_id)
            found = queries.signs(session, view, today=market.today)
            for sign in found:
                assert first in [other.contract_id for other in sign.others]
            return [sign.kind for sign in found]

        assert kinds(second) == [SignKind.SAME_TEXT, SignKind.SAME_ACTIVITY]
        assert kinds(other) == []


def test_the_queue_counts_days_and_what_is_late(market: Market) -> None:
    first = market.submitted()
    market.now += timedelta(days=3)
    market.submitted()
    with market.database.reading() as session:
        found = queries.queue(
            session,
            market.registry.id,
            chosen=ContractFilter(statuses=(ContractStatus.SUBMITTED, ContractStatus.REVIEW)),
            size=1,
        )
        assert [row.id for row in found.items] == [first]
        assert found.next_token is not None
        counts = queries.queue_counts(session, market.registry.id, today=date(2024, 4, 9))
        assert counts.late == 1
        waiting = waiting_queries.waiting(session, market.registrar, now=market.now)
        assert next(item.due_on for item in waiting) == date(2024, 4, 8)


def test_a_change_keeps_both_amounts_and_a_cancellation_its_reason(market: Market) -> None:
    contract_id = market.registered()
    for technology, items in ((PRICE, ()), (TECHNOLOGY, (Item("设备", Fen(1)),))):
        with pytest.raises(RuleBroken):
            market.do(
                service.change,
                market.registrar,
                contract_id=contract_id,
                amount_fen=Fen(PRICE - 1),
                technology_amount_fen=technology,
                items=items,
                reason="补充协议一",
            )
    market.do(
        service.change,
        market.registrar,
        contract_id=contract_id,
        amount_fen=TECHNOLOGY,
        technology_amount_fen=TECHNOLOGY,
        items=(),
        reason="补充协议一，取消样品费",
    )
    row = stored(market, contract_id)
    assert (row.status, row.amount_fen, row.items) == (ContractStatus.CHANGED, TECHNOLOGY, [])
    with market.database.reading() as session:
        (change,) = queries.changes(session, contract_id)
        assert (change.amount_before_fen, change.amount_after_fen) == (PRICE, TECHNOLOGY)
        total = queries.turnover(session, date(2024, 1, 1), date(2024, 12, 31))
        assert (total.count, total.amount_fen) == (1, TECHNOLOGY)
    market.do(service.cancel, market.registrar, contract_id=contract_id, reason="双方协议解除合同")
    assert stored(market, contract_id).status is ContractStatus.CANCELLED
    with market.database.reading() as session:
        assert queries.turnover(session, date(2024, 1, 1), date(2024, 12, 31)).count == 0
    assert len(events(market, "contracts.ContractChanged")) == 1
    assert len(events(market, "contracts.ContractCancelled")) == 1


def test_the_register_moves_a_deal_even_when_its_board_lags(market: Market) -> None:
    deal_id = market.drafted_deal()
    market.registered(deal_id=deal_id)
    deliver(market)
    with market.database.reading() as session:
        deal = brokerage_queries.get_deal(session, market.broker, deal_id)
    assert deal.stage is DealStage.REGISTERED
    with pytest.raises(Conflict):
        market.do(
            brokerage.set_terms,
            market.broker,
            deal_id=deal_id,
            title="改价",
            amount_fen=Fen(1),
            trading_mode=None,
            signed_on=None,
        )
