"""The index follows the database: events, repetition, an engine that is away, rebuilds."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from pytest_mock import MockerFixture

from marketplace import wiring
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage import service as brokerage_service
from marketplace.brokerage.register_rules import Certificate
from marketplace.discovery import commands, handlers, queries, service
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import ANONYMOUS, Role
from marketplace.foundation.errors import NotAllowed, NotFound
from marketplace.foundation.trade import TechnologyField
from marketplace.needs import service as needs
from search.engine import Health
from search.errors import SearchUnavailable
from tests.conftest import MovableClock
from tests.discovering import Market
from tests.world import World


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    return Market(page_world, services, clock)


def held(market: Market, kind: str = "") -> set[str]:
    return {name for name in market.index.engine.ids() if name.startswith(kind)}


def test_the_first_round_builds_an_index_that_agrees_with_the_database(market: Market) -> None:
    made = market.achievement()
    market.settle()
    assert f"achievement:{made}" in held(market)
    assert f"organisation:{market.university.id}" in held(market)
    assert market.index.check().none


def test_published_withdrawn_opened_and_closed_follow_each_other(market: Market) -> None:
    market.settle()
    made, need = market.achievement(), market.open_need()
    market.settle()
    assert {f"achievement:{made}", f"need:{need}"} <= held(market)
    market.withdraw(made)
    with market.services.database.transaction() as session:
        needs.close(
            session,
            actor=market.buyer,
            now=market.clock.now(),
            need_id=need,
            reason="已自行解决",
        )
    market.settle()
    assert held(market, "achievement") | held(market, "need") == set()
    assert market.index.check().none


def test_an_event_delivered_twice_changes_nothing(market: Market) -> None:
    market.settle()
    made = market.achievement()
    market.settle()
    before = held(market)
    with market.services.database.transaction() as session:
        for _ in range(2):
            service.note_changes(
                session, now=market.clock.now(), document_ids=[f"achievement:{made}"]
            )
    market.settle()
    assert held(market) == before
    assert market.index.check().none


def test_drafts_and_unverified_institutions_are_not_indexed(market: Market) -> None:
    market.settle()
    draft = market.draft()
    newcomer = market.world.organisation(OrganisationKind.ENTERPRISE, verified=False)
    with market.services.database.transaction() as session:
        names = [f"achievement:{draft}", f"organisation:{newcomer.id}"]
        service.note_changes(session, now=market.clock.now(), document_ids=names)
    market.settle()
    assert held(market).isdisjoint(names)


def test_what_changes_while_the_engine_is_away_is_taken_in_later(
    market: Market, mocker: MockerFixture
) -> None:
    market.settle()
    away = mocker.patch.object(market.index.engine, "upsert", side_effect=SearchUnavailable("away"))
    made = market.achievement()
    market.services.outbox.deliver_due(market.services.database, now=market.clock.now())
    assert market.index.keep_up(now=market.clock.now()) == 0
    with market.services.database.reading() as session:
        assert queries.waiting_changes(session).count >= 1
        assert not queries.is_indexed(session, f"achievement:{made}")
    mocker.stop(away)
    market.settle()
    assert f"achievement:{made}" in held(market)
    with market.services.database.reading() as session:
        assert queries.waiting_changes(session).count == 0
        assert queries.is_indexed(session, f"achievement:{made}")


def test_an_index_that_cannot_be_opened_is_built_anew(
    market: Market, services: wiring.Services
) -> None:
    made = market.achievement()
    market.settle()
    folder = services.settings.data_dir / "search"
    generation = (folder / "CURRENT").read_text()
    (folder / generation / "meta.json").write_text("{broken")
    fresh = wiring.build(services.settings, database=services.database, clock=market.clock)
    index: SearchIndex = fresh.resources[SearchIndex]
    assert wiring.search_problems(fresh)
    wiring.ensure_search_index(fresh)
    assert f"achievement:{made}" in set(index.engine.ids())
    assert not wiring.search_problems(fresh)


def test_a_server_that_is_away_is_waited_for_and_not_rebuilt(
    market: Market, mocker: MockerFixture
) -> None:
    market.settle()
    before = market.index.engine.generation()
    away = Health(False, before, 0, "no answer in time", away=True)
    mocker.patch.object(market.index.engine, "health", return_value=away)
    with pytest.raises(SearchUnavailable):
        market.index.ensure(now=market.clock.now())
    assert market.index.engine.generation() == before
    problems = market.index.problems(now=market.clock.now())
    assert problems == ["search: no answer in time; does the server at SEARCH_URL run?"]


def test_check_names_what_differs(market: Market) -> None:
    made = market.achievement()
    market.settle()
    market.index.engine.delete([f"achievement:{made}"])
    assert market.index.check().missing == (f"achievement:{made}",)
    market.index.rebuild(now=market.clock.now())
    assert market.index.check().none


def test_a_listed_broker_is_found_and_one_who_leaves_the_register_is_not(market: Market) -> None:
    market.settle()
    agency = market.world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
    )
    broker = market.world.actor(Role.BROKER, agency, name="李静舒")
    for listed in (True, False):
        with market.services.database.transaction() as session:
            seen = brokerage.find_broker(session, broker.user_id)
            brokerage_service.save_profile(
                session,
                actor=broker,
                now=market.clock.now(),
                certificate=Certificate(None, "", "", None),
                fields=[TechnologyField.ENVIRONMENT],
                introduction="专做烟气治理与余热利用的成果转化",
                listed=listed,
                version=seen.version if seen else None,
            )
        market.settle()
        assert (f"broker:{broker.user_id}" in held(market)) is listed


def test_a_renamed_owner_is_renamed_in_its_results(market: Market) -> None:
    made = market.achievement()
    market.settle()
    events = {s.event.__name__ for s in handlers.SUBSCRIPTIONS}
    assert "OrganisationChanged" in events
    with market.services.database.transaction() as session:
        event = next(s for s in handlers.SUBSCRIPTIONS if s.event.__name__ == "OrganisationChanged")
        event.handle(
            session,
            event.event(organisation_id=market.university.id),
            now=market.clock.now(),
        )
    with market.services.database.reading() as session:
        assert queries.waiting_changes(session).count == 2
        assert not queries.is_indexed(session, f"achievement:{made}")


def test_commands_rebuild_check_and_show_status(market: Market) -> None:
    market.achievement()
    group = commands.make_group(
        lambda: (market.index, market.services.database, market.clock.now())
    )
    run = CliRunner()
    missing = run.invoke(group, ["check"])
    assert missing.exit_code == 1
    built = run.invoke(group, ["rebuild"])
    assert built.exit_code == 0, built.output
    assert "documents in g-" in built.output
    assert "agree" in run.invoke(group, ["check"]).output
    market.index.engine.delete(["organisation:1", f"organisation:{market.university.id}"])
    checked = run.invoke(group, ["check"])
    assert checked.exit_code == 1
    assert f"missing: organisation:{market.university.id}" in checked.output
    assert "waiting" in run.invoke(group, ["status"]).output


def test_verdicts_need_a_signed_in_person_and_things_they_may_see(market: Market) -> None:
    made, need, draft = market.achievement(), market.open_need(), market.draft()
    database, now = market.services.database, market.clock.now()

    def judge(actor: object, achievement_id: int, verdict: Verdict = Verdict.USEFUL) -> None:
        with database.transaction() as session:
            service.judge_match(
                session,
                actor=actor,  # type: ignore[arg-type]  # a test's shorthand
                now=now,
                need_id=need,
                achievement_id=achievement_id,
                verdict=verdict,
            )

    with pytest.raises(NotAllowed):
        judge(ANONYMOUS, made)
    with pytest.raises(NotFound):
        judge(market.buyer, draft)
    judge(market.buyer, made)
    judge(market.buyer, made, Verdict.USELESS)
    with database.reading() as session:
        assert queries.verdicts_on_need(session, market.buyer, need) == {made: Verdict.USELESS}
        assert queries.verdicts_on_need(session, market.officer, need) == {}
