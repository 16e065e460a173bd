"""The register of brokers and agencies: certificates and filing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from marketplace.brokerage import queries, service
from marketplace.brokerage.models import Filing
from marketplace.brokerage.register_queries import ContractBook
from marketplace.brokerage.register_rules import (
    BrokerLevel,
    Certificate,
    FilingFigures,
    FilingStatus,
)
from marketplace.contracts import book_queries
from marketplace.contracts import service as contracts
from marketplace.contracts.models import Contract
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from tests.dealing import GOOD_FIGURES, Market, count, events
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def test_the_operator_confirms_a_certificate_until_it_changes(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)

    def save(number: str) -> None:
        market.do(
            service.save_profile,
            market.broker,
            certificate=Certificate(BrokerLevel.SENIOR, number, "中国技术市场协会", None),
            fields=[],
            introduction="",
        )

    def confirmed() -> bool:
        with market.database.reading() as session:
            view = queries.get_broker(session, market.broker.user_id or 0)
            return view.confirmed_at is not None

    save("JS-001")
    assert not confirmed()
    with pytest.raises(NotAllowed):
        market.do(service.confirm_profile, market.broker, user_id=market.broker.user_id)
    market.do(service.confirm_profile, operator, user_id=market.broker.user_id)
    assert confirmed()
    save("JS-001")
    assert confirmed()
    save("JS-002")
    assert not confirmed()


def test_a_filing_is_applied_for_decided_and_valid_in_its_days(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)
    filing_id = market.do(
        service.apply_for_filing, market.head, figures=GOOD_FIGURES, figures_year=2023
    )
    with pytest.raises(Conflict):
        market.do(service.apply_for_filing, market.head, figures=GOOD_FIGURES, figures_year=2023)
    with pytest.raises(NotAllowed):
        market.do(
            service.approve_filing,
            market.head,
            filing_id=filing_id,
            valid_from=market.today,
            valid_to=market.today,
        )
    last = market.today + timedelta(days=365)
    market.do(
        service.approve_filing,
        operator,
        filing_id=filing_id,
        valid_from=market.today,
        valid_to=last,
    )
    with market.database.reading() as session:
        for offset, valid in ((-1, False), (0, True), (365, True), (366, False)):
            day = market.today + timedelta(days=offset)
            found = queries.agency_filing_on(session, market.agency.id, day)
            assert (found is not None) == valid
        assert queries.agency_filing_on(session, market.firm.id, market.today) is None
    with pytest.raises(Conflict):
        market.do(service.decline_filing, operator, filing_id=filing_id, reason="数据没有证明")
    assert len(events(market, "brokerage.FilingApproved")) == 1


def test_a_filing_below_the_conditions_leaves_nothing(market: Market) -> None:
    poor = FilingFigures(False, Fen(20_000_000), Fen(299_999_999), 5)
    with pytest.raises(RuleBroken) as refusal:
        market.do(service.apply_for_filing, market.head, figures=poor, figures_year=2023)
    assert "0.01 元" in refusal.value.message
    with pytest.raises(RuleBroken):
        market.do(
            service.apply_for_filing,
            market.world.actor(Role.ORG_ADMIN, market.firm),
            figures=GOOD_FIGURES,
            figures_year=2023,
        )
    assert count(market, Filing) == 0


def test_a_declined_agency_applies_again(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)
    first = market.do(
        service.apply_for_filing, market.head, figures=GOOD_FIGURES, figures_year=2023
    )
    market.do(service.decline_filing, operator, filing_id=first, reason="缺审计报告")
    market.do(service.apply_for_filing, market.head, figures=GOOD_FIGURES, figures_year=2023)
    with market.database.reading() as session:
        states = [view.status for view in queries.filings_of(session, market.agency.id)]
    assert states == [FilingStatus.APPLIED, FilingStatus.DECLINED]


BOOK = ContractBook(book_queries.find_registered)


def numbers(market: Market, *contract_ids: int) -> list[str]:
    with market.database.reading() as session:
        return [str(session.get_one(Contract, made).contract_no) for made in contract_ids]


def test_a_filing_with_contracts_that_are_not_its_own_is_refused(market: Market) -> None:
    own = market.registered(agency_organisation_id=market.agency.id)
    foreign = market.registered(project_name="另一家促成的许可")
    mine, others = numbers(market, own, foreign)

    def apply(named: list[str], year: int = 2024, actor: Actor | None = None) -> int:
        return int(
            market.do(
                service.apply_for_filing,
                actor or market.head,
                figures=GOOD_FIGURES,
                figures_year=year,
                contract_nos=named,
                book=BOOK,
            )
        )

    for named, year, words in (
        ([mine, others], 2024, "不是贵单位促成的合同"),
        (["2024370100000001"], 2024, "登记系统中没有"),
        ([mine], 2023, "不属于填报的年度"),
    ):
        with pytest.raises(RuleBroken) as refusal:
            apply(named, year)
        assert words in refusal.value.message
        assert [problem.field for problem in refusal.value.problems] == ["contract_nos"]
    assert count(market, Filing) == 0
    filing_id = apply([mine, mine])
    with market.database.reading() as session:
        assert queries.get_filing(session, filing_id).contract_nos == (mine,)


def test_a_cancelled_contract_is_none_of_the_register(market: Market) -> None:
    own = market.registered(agency_organisation_id=market.agency.id)
    named = numbers(market, own)
    market.do(contracts.cancel, market.registrar, contract_id=own, reason="双方协议解除，已退款")
    with market.database.reading() as session:
        assert book_queries.find_registered(session, named) == {}
        assert book_queries.of_agency(session, market.agency.id, 2024) == []
        cancelled = book_queries.cancelled_of_agency(session, market.agency.id, 2024)
    assert [each.contract_no for each in cancelled] == named


def test_the_end_of_a_filing_leaves_the_days_before_it(market: Market) -> None:
    operator = market.world.actor(Role.OPERATOR)
    year = timedelta(days=365)
    for start in (market.today - year, market.today + year):
        filing_id = market.do(
            service.apply_for_filing, market.head, figures=GOOD_FIGURES, figures_year=2023
        )
        market.do(
            service.approve_filing,
            operator,
            filing_id=filing_id,
            valid_from=start,
            valid_to=start + 2 * year,
        )
    end = {"organisation_id": market.agency.id, "ends_on": market.today, "reason": "连续两年不合格"}
    with pytest.raises(NotAllowed):
        market.do(service.end_filing, market.head, **end)
    assert len(market.do(service.end_filing, operator, **end)) == 2
    assert market.do(service.end_filing, operator, **end) == []
    assert len(events(market, "brokerage.FilingEnded")) == 1
    with market.database.reading() as session:
        on = market.today
        assert queries.agency_filing_on(session, market.agency.id, on) is not None
        for day in (on + timedelta(days=1), on + year + timedelta(days=5)):
            assert queries.agency_filing_on(session, market.agency.id, day) is None
