"""Saved searches tell what is new, once, and only what their keeper may see at that moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_mock import MockerFixture
from sqlalchemy import func, select

from marketplace import worker
from marketplace.accounts import queries as organisations
from marketplace.accounts import service as accounts
from marketplace.discovery import subscription_queries as queries
from marketplace.discovery import subscription_service as service
from marketplace.discovery.models import SavedHit, SavedSearch
from marketplace.discovery.subscription_rules import MOST_KEPT, Frequency
from marketplace.foundation import audit
from marketplace.foundation.access import ANONYMOUS, Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.notifications import queries as notifications
from marketplace.notifications.models import Mail
from marketplace.notifications.rules import MessageKind
from search.errors import SearchUnavailable
from tests.conftest import MovableClock
from tests.discovering import Market, market_on
from tests.world import World

Save = Callable[..., int]


@pytest.fixture
def market(world: World, database: Database, clock: MovableClock, tmp_path: Path) -> Market:
    """A market on each database, with an index of its own."""
    made = market_on(world, database, clock, tmp_path)
    work(made)
    return made


@pytest.fixture
def save(market: Market) -> Save:
    def kept(
        actor: Actor | None = None,
        *,
        name: str = "低温脱硝",
        frequency: Frequency = Frequency.IMMEDIATE,
        **arguments: list[str],
    ) -> int:
        with market.services.database.transaction() as session:
            return service.save(
                session,
                actor=actor or market.buyer,
                now=market.clock.now(),
                name=name,
                arguments=arguments or {"q": ["低温脱硝"]},
                frequency=frequency,
            )

    return kept


def work(market: Market) -> None:
    market.clock.forward(seconds=2)
    worker.run_until_quiet(market.services)


def told(market: Market, actor: Actor | None = None) -> list[str]:
    with market.services.database.reading() as session:
        found = notifications.inbox(session, actor or market.buyer, kind=MessageKind.SEARCH)
        return [f"{message.title}\n{message.text}" for message in found.items]


def act(market: Market, use_case: Any, **arguments: Any) -> Any:
    with market.services.database.transaction() as session:
        return use_case(session, actor=market.buyer, now=market.clock.now(), **arguments)


def test_new_results_are_told_once_by_inbox_and_mail(market: Market, save: Save) -> None:
    saved = save()
    work(market)
    assert told(market) == []
    market.achievement()
    work(market)
    [message] = told(market)
    assert "“低温脱硝”有 1 条新内容" in message
    assert "低温脱硝催化剂：180 ℃ 去除率 92 %" in message
    with market.services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Mail)) >= 1
        assert queries.get_own(session, market.buyer, saved).looked_at is not None
    for _ in range(3):
        market.clock.forward(hours=7)
        work(market)
    assert len(told(market)) == 1


def test_the_first_look_does_not_tell_what_stood_there_already(market: Market, save: Save) -> None:
    for number in range(3):
        market.achievement(title=f"低温脱硝催化剂第 {number} 代，烟气不再加热")
    work(market)
    save()
    market.clock.forward(days=1)
    work(market)
    assert told(market) == []


def test_many_at_once_come_as_one_message_and_none_is_lost(
    market: Market, save: Save, mocker: MockerFixture
) -> None:
    mocker.patch("marketplace.discovery.alerts.PAGE", 2)
    saved = save()
    market.clock.forward(seconds=5)
    for number in range(11):
        market.achievement(title=f"低温脱硝催化剂第 {number} 代，烟气不再加热")
    work(market)
    [message] = told(market)
    assert "有 11 条新内容" in message
    assert "还有 3 条" in message
    with market.services.database.reading() as session:
        kept = session.scalar(
            select(func.count()).where(SavedHit.saved_search_id == saved).select_from(SavedHit)
        )
    assert kept == 11


def test_what_holds_only_a_part_of_the_words_is_not_told(market: Market, save: Save) -> None:
    save(q=["钢铁 烧结 烟气 石膏 拜耳法 电解"])
    market.clock.forward(seconds=5)
    market.achievement()
    work(market)
    assert told(market) == []


def test_filters_and_tab_count(market: Market, save: Save) -> None:
    save(name="信息领域", field=["information"])
    save(name="需求", q=["低温脱硝"], tab=["needs"])
    market.clock.forward(seconds=5)
    market.achievement()
    work(market)
    assert told(market) == []
    market.open_need()
    work(market)
    [message] = told(market)
    assert "“需求”有 1 条新内容" in message


def test_daily_waits_for_the_morning(market: Market, save: Save) -> None:
    save(frequency=Frequency.DAILY)
    market.clock.forward(seconds=5)
    market.achievement()
    work(market)
    assert told(market) == []
    market.clock.forward(hours=23)
    work(market)
    assert len(told(market)) == 1


def test_what_was_withdrawn_before_the_message_is_not_told(market: Market, save: Save) -> None:
    saved = save(frequency=Frequency.DAILY)
    market.clock.forward(seconds=5)
    gone = market.achievement()
    work(market)
    with market.services.database.transaction() as session:
        service.note_found(
            session,
            now=market.clock.now(),
            saved_search_id=saved,
            document_ids=[f"achievement:{gone}"],
        )
    market.withdraw(gone)
    work(market)
    assert told(market) == []
    with market.services.database.reading() as session:
        assert queries.known_hits(session, saved, [f"achievement:{gone}"]) == frozenset()


def test_a_member_who_left_is_told_nothing(market: Market, save: Save) -> None:
    save()
    with market.services.database.reading() as session:
        company = organisations.get_organisation(session, market.buyer.organisation_id or 0)
    head = market.world.actor(Role.ORG_ADMIN, company)
    with market.services.database.transaction() as session:
        accounts.set_roles(
            session,
            actor=head,
            now=market.clock.now(),
            user_id=market.buyer.user_id or 0,
            roles=(),
        )
    market.clock.forward(seconds=5)
    market.achievement()
    work(market)
    assert told(market) == []


def test_a_paused_search_tells_afterwards_what_came_meanwhile(market: Market, save: Save) -> None:
    saved = save()
    act(market, service.pause, saved_search_id=saved, paused=True)
    market.clock.forward(seconds=5)
    market.achievement()
    work(market)
    assert told(market) == []
    act(market, service.pause, saved_search_id=saved, paused=False)
    market.clock.forward(minutes=11)
    work(market)
    assert len(told(market)) == 1


def test_an_engine_that_is_away_delays_and_loses_nothing(
    market: Market, save: Save, mocker: MockerFixture
) -> None:
    save()
    market.clock.forward(seconds=5)
    market.achievement()
    away = mocker.patch.object(market.index.engine, "search", side_effect=SearchUnavailable("away"))
    work(market)
    assert told(market) == []
    mocker.stop(away)
    work(market)
    assert len(told(market)) == 1


def test_an_event_delivered_twice_tells_once(market: Market, save: Save) -> None:
    saved = save()
    market.clock.forward(seconds=5)
    made = market.achievement()
    work(market)
    with market.services.database.transaction() as session:
        service.tell(
            session,
            now=market.clock.now(),
            saved_search_id=saved,
            document_ids=[f"achievement:{made}"],
        )
    assert len(told(market)) == 1


def test_one_search_is_kept_once_under_a_name_and_within_bounds(market: Market, save: Save) -> None:
    saved = save()
    with pytest.raises(Conflict, match="已经保存过"):
        save(name="另一个名字")
    with pytest.raises(RuleBroken):
        save(name=" ", q=["别的"])
    with pytest.raises(NotAllowed):
        save(ANONYMOUS)
    for number in range(MOST_KEPT - 1):
        save(q=[f"词{number}"])
    with pytest.raises(Conflict, match="最多"):
        save(q=["太多了"])
    with market.services.database.reading() as session:
        assert len(queries.list_own(session, market.buyer)) == MOST_KEPT
        assert queries.get_own(session, market.buyer, saved).name == "低温脱硝"


def test_nobody_else_reaches_a_search(market: Market, save: Save) -> None:
    saved = save()
    with market.services.database.reading() as session, pytest.raises(NotFound):
        queries.get_own(session, market.officer, saved)
    for use_case, more in (
        (service.remove, {}),
        (service.renew_feed, {}),
        (service.close_feed, {}),
        (service.pause, {"paused": True}),
        (service.change, {"name": "我的", "frequency": Frequency.DAILY}),
    ):
        with market.services.database.transaction() as session, pytest.raises(NotFound):
            use_case(  # type: ignore[operator]  # several signatures, one test
                session,
                actor=market.officer,
                now=market.clock.now(),
                saved_search_id=saved,
                **more,
            )


def test_every_change_is_audited_and_removal_leaves_nothing(market: Market, save: Save) -> None:
    saved = save()
    act(
        market,
        service.change,
        saved_search_id=saved,
        name="新名字",
        frequency=Frequency.WEEKLY,
    )
    act(market, service.renew_feed, saved_search_id=saved)
    act(market, service.close_feed, saved_search_id=saved)
    market.clock.forward(seconds=5)
    market.achievement()
    market.clock.forward(days=8)
    work(market)
    assert len(told(market)) == 1
    act(market, service.remove, saved_search_id=saved)
    with market.services.database.reading() as session:
        actions = [row.action for row in audit.history(session, f"saved_search:{saved}")]
        assert actions == [
            f"discovery.search_{what}"
            for what in ("save", "change", "renew_feed", "close_feed", "remove")
        ]
        assert session.scalar(select(func.count()).select_from(SavedSearch)) == 0
        assert session.scalar(select(func.count()).select_from(SavedHit)) == 0
