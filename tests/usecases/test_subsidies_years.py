"""Whole years from the database: stored once, explained, corrected beside what was decided."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from marketplace.brokerage.models import Filing
from marketplace.brokerage.register_rules import FilingStatus
from marketplace.contracts.events import ContractCancelled
from marketplace.contracts.rules import ContractType
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Database
from marketplace.foundation.forking import forked_map
from marketplace.foundation.money import Fen
from marketplace.integrity import service as integrity
from marketplace.integrity.rules import DishonestyGround
from marketplace.subsidies import due, parameters, queries, service, year_queries
from marketplace.subsidies.models import ContractFact
from marketplace.subsidies.parameters import Policy, policies
from marketplace.subsidies.word_rules import Item
from marketplace.subsidies.year_commands import recompute
from marketplace.subsidies.year_facts_queries import Year
from marketplace.subsidies.year_models import YearResult, YearRun
from marketplace.subsidies.year_rules import last_night, nightly_years
from tests.subsidies import SubsidyYear
from tests.world import World

KNOWN = date(2024, 3, 15)


@pytest.fixture
def year(world: World, now: datetime) -> SubsidyYear:
    return SubsidyYear(world, now)


def run(year: SubsidyYear, *, known_on: date = KNOWN, again: bool = False) -> int:
    """Recompute 2024 and return how many results changed."""
    with year.database.reading() as session:
        computed = year_queries.compute_year(session, 2024, known_on=known_on, again=again)
    with year.database.transaction() as session:
        _, changed = service.store_year(session, computed, actor=SYSTEM, now=year.now)
    return changed


def stored(year: SubsidyYear) -> dict[tuple[int, Item], tuple[int, int | None]]:
    """Return amount and amount before of the current results."""
    with year.database.reading() as session:
        rows = session.scalars(select(YearResult).where(YearResult.superseded_by_id.is_(None)))
        return {(r.organisation_id, r.item): (r.amount_fen, r.before_fen) for r in rows}


def count(database: Database, what: type[YearRun] | type[YearResult]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(what)) or 0


def test_every_result_is_stored_with_its_explanation(year: SubsidyYear) -> None:
    year.register()
    year.register(1_000_000, kind=ContractType.SERVICE, fiscal_funds=True)
    assert run(year) == 3
    assert stored(year) == {
        (year.university.id, Item.SELLER): (3_900_00, None),
        # Article 12 of document 15 does not ask whose money it is.
        (year.company.id, Item.BUYER): (108_000_00, None),
        (year.registrar.id, Item.REGISTRAR): (0, None),
    }
    with year.database.reading() as session:
        page = year_queries.results_of_year(session, 2024)
        assert [row.amount_fen for row in page.items] == [108_000_00, 3_900_00]
        seller = page.items[1]
        why = year_queries.stored_explanation(session, seller.id)
        live = queries.claimable(session, year.university.id, 2024)[Item.SELLER].explanation
        assert why == live
        assert (seller.contract_count, seller.counted_count) == (2, 1)
        assert year_queries.totals_by_item(session, 2024)[:2] == [
            (Item.SELLER, 1, 3_900_00),
            (Item.BUYER, 1, 108_000_00),
        ]


def test_several_processes_find_what_one_finds(
    year: SubsidyYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1})
    monkeypatch.setattr(year_queries, "_PORTION", 1)
    year.register()
    with year.database.reading() as session:
        prepared = year_queries.prepare_year(session, 2024, known_on=KNOWN)
    year.database.engine.dispose()
    computed = prepared.compute(forked_map)
    assert computed == prepared.compute()
    assert len(computed.results or ()) == 3


def test_a_second_run_of_the_same_facts_changes_nothing(year: SubsidyYear) -> None:
    year.register()
    run(year)
    year.now += timedelta(hours=1)
    with year.database.reading() as session:
        assert year_queries.compute_year(session, 2024, known_on=KNOWN).results is None
    assert run(year) == 0
    assert run(year, again=True) == 0
    assert (count(year.database, YearRun), count(year.database, YearResult)) == (1, 3)
    with year.database.reading() as session:
        last = year_queries.latest_run(session, 2024)
        assert last is not None
        assert last.checked_at == year.now
        assert last.computed_at == year.now - timedelta(hours=1)
        acts = session.scalars(
            select(AuditRow.action).where(AuditRow.action == "subsidies.recompute_year")
        )
        assert len(list(acts)) == 1


def test_a_cancelled_contract_takes_its_results_away_and_they_stay_to_be_read(
    year: SubsidyYear,
) -> None:
    event = year.register()
    other = year.register(500_000)
    run(year)
    with year.database.transaction() as session:
        for cancelled in (event, other):
            service.keep_cancelled(
                session,
                ContractCancelled(
                    contract_id=cancelled.contract_id,
                    contract_no=cancelled.contract_no,
                    project_name=cancelled.project_name,
                    cancelled_on=date(2024, 3, 14),
                    reason="解除",
                    seller_organisation_id=cancelled.seller_organisation_id,
                    buyer_organisation_id=cancelled.buyer_organisation_id,
                    agency_organisation_id=None,
                    registrar_organisation_id=cancelled.registrar_organisation_id,
                ),
                now=year.now,
            )
    assert run(year) == 3
    assert stored(year) == {}
    assert count(year.database, YearResult) == 3
    with year.database.reading() as session:
        assert year_queries.runs_of(session, 2024)[0].total_fen == 0


@pytest.fixture
def corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Correct the rate of 27号文 for sellers from 1.5 to 1 per mille, known from 2024-03-20."""
    main = next(p for p in policies() if p.id == "jkf-2021-27")
    seller = main.items[0]
    assert seller.item is Item.SELLER
    groups = tuple(g.model_copy(update={"rate": g.rate * 2 / 3}) for g in seller.groups)
    later: Policy = main.model_copy(
        update={
            "items": (seller.model_copy(update={"groups": groups}), *main.items[1:]),
            "known_from": date(2024, 3, 20),
            "correction": "比例录错",
        }
    )
    listed = (*parameters.editions(), later)
    monkeypatch.setattr(parameters, "editions", lambda: listed)


@pytest.mark.usefixtures("corrected")
def test_a_correction_shows_the_difference_and_leaves_what_was_decided(year: SubsidyYear) -> None:
    claim_id = year.applied()
    assert year.claim(claim_id).claimed_fen == 3_900_00 * 2 // 3
    assert run(year, known_on=KNOWN) == 3
    assert stored(year)[(year.university.id, Item.SELLER)] == (3_900_00, None)
    decided = year.claim(claim_id).calculation
    assert run(year, known_on=date(2024, 3, 20)) == 1
    assert stored(year)[(year.university.id, Item.SELLER)] == (2_600_00, 3_900_00)
    assert year.claim(claim_id).calculation == decided
    with year.database.reading() as session:
        changed = year_queries.results_of_year(session, 2024, changed=True)
        [row] = changed.items
        history = year_queries.result_history(session, row.id)
        assert [(h.amount_fen, h.current) for h in history] == [(2_600_00, True), (3_900_00, False)]
        assert row.decided_fen == year.claim(claim_id).claimed_fen
        old = year_queries.stored_explanation(session, history[1].id)
        assert "1.5" in "".join(old.formulas)
    # Known as it was before the correction it is as it was.
    assert run(year, known_on=KNOWN) == 1
    assert stored(year)[(year.university.id, Item.SELLER)] == (3_900_00, 2_600_00)


def test_the_whole_year_says_what_each_organisation_is_told_for_itself(year: SubsidyYear) -> None:
    """Filings, dishonesty, earlier transfers, own brokering: read at once or one by one."""
    agency = year.world.organisation(name="泉城技术转移中心")
    barred = year.world.organisation(name="失信的研究院")
    with year.database.transaction() as session:
        session.add_all([_filing(agency.id), _filing(year.university.id)])
        for ends_on in (date(2025, 1, 1), date(2026, 1, 1)):
            integrity.record(
                session,
                actor=SYSTEM,
                now=year.now,
                organisation_id=barred.id,
                ground=next(iter(DishonestyGround)),
                reason=f"虚报冒领补助，记录至 {ends_on}",
                document="济科罚〔2024〕1号",
                starts_on=date(2024, 1, 1),
                ends_on=ends_on,
            )
    year.register(4_000_000, project_id="项目甲", agency=agency, on=date(2023, 5, 1))
    year.register(5_000_000, project_id="项目甲", agency=agency)
    year.register(6_000_000, activity_id="活动甲", agency=year.university)
    year.register(100_000, activity_id="活动甲", kind=ContractType.SERVICE)
    year.register(7_000_000, seller=barred)
    run(year)
    with year.database.reading() as session:
        rows = list(session.scalars(select(YearResult)))
        for row in rows:
            told = queries.claimable(session, row.organisation_id, 2024)[row.item]
            assert year_queries.stored_explanation(session, row.id) == told.explanation
        nothing = next(row for row in rows if row.organisation_id == barred.id)
        assert nothing.amount_fen == 0
        assert "记录至 2026-01-01" in nothing.explanation
        texts = "".join(row.explanation for row in rows)
        for word in ("释读 D", "释读 E", "释读 H", "一票否决"):
            assert word in texts
    assert sum(amount > 0 for amount, _ in stored(year).values()) >= 4


def _filing(organisation_id: int) -> Filing:
    return Filing(
        organisation_id=organisation_id,
        internal=False,
        figures_year=2023,
        service_income_fen=Fen(100_000_00),
        brokered_fen=Fen(3_000_000_00),
        conversion_count=3,
        status=FilingStatus.APPROVED,
        applied_at=datetime(2024, 1, 2, 9, tzinfo=LOCAL),
        decided_at=datetime(2024, 1, 3, 9, tzinfo=LOCAL),
        valid_from=date(2024, 1, 4),
        valid_to=date(2025, 1, 3),
    )


def test_the_worker_recomputes_two_years_each_night_and_only_then(year: SubsidyYear) -> None:
    [task] = [task for task in due.TASKS if task.name == "subsidies.recompute"]
    assert task.next_due is None  # nobody waits for it
    with year.database.transaction() as session:
        assert task.run(session, year.now) == 0
    year.register()
    with year.database.transaction() as session:
        assert task.run(session, year.now) == 1
        assert task.run(session, year.now) == 0
    assert len(stored(year)) == 3
    year.register(1_000_000)
    with year.database.transaction() as session:
        assert task.run(session, datetime(2024, 3, 16, 2, 59, tzinfo=LOCAL)) == 0
        assert task.run(session, datetime(2024, 3, 16, 3, 0, tzinfo=LOCAL)) == 1
        assert task.run(session, datetime(2024, 3, 16, 3, 1, tzinfo=LOCAL)) == 0
    assert stored(year)[(year.university.id, Item.SELLER)] == (5_400_00, 3_900_00)


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    program = (
        "from marketplace.subsidies.year_facts_queries import Year;"
        "from marketplace.subsidies.parameters import policies;"
        "print(Year(2024, {}, []).fingerprint(policies()))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
    main, *_ = policies()
    empty = Year(2024, {}, [])
    assert empty.fingerprint([main]) != empty.fingerprint([main.as_if_in_force()])
    assert empty.fingerprint([main]) != replace(empty, year=2023).fingerprint([main])


def test_the_night_is_the_last_three_o_clock() -> None:
    assert last_night(datetime(2024, 1, 1, 2, 59, tzinfo=LOCAL)) == datetime(
        2023, 12, 31, 3, tzinfo=LOCAL
    )
    assert last_night(datetime(2024, 1, 1, 3, 0, tzinfo=LOCAL)) == datetime(
        2024, 1, 1, 3, tzinfo=LOCAL
    )
    assert nightly_years(datetime(2024, 1, 1, tzinfo=LOCAL)) == (2023, 2024)


def test_the_command_stores_a_year_and_says_what_it_found(
    year: SubsidyYear, monkeypatch: pytest.MonkeyPatch
) -> None:
    year.register()
    monkeypatch.setattr("marketplace.subsidies.year_commands.Database", lambda _url: year.database)
    arguments = ["2024", "--known-on", "2024-03-15"]
    first = CliRunner().invoke(recompute, arguments)
    assert first.exit_code == 0, first.output
    assert "2024 年：1 份合同，3 项结果，合计 81,900.00 元；3 项有变化" in first.output
    assert "与上次相同，没有变化" in CliRunner().invoke(recompute, arguments).output
    nothing = CliRunner().invoke(recompute, ["2019"])
    assert "2019 年：0 份合同，0 项结果，合计 0.00 元" in nothing.output
    with year.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ContractFact)) == 1
