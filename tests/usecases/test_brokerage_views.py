"""Kept views of the deals: whose they are, their names, the one that the list begins with."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.brokerage import personal_service, saved_view_queries, service
from marketplace.brokerage.saved_view_queries import KeptView
from marketplace.brokerage.saved_view_rules import KEPT, MOST_KEPT, check_arguments
from marketplace.foundation.access import Actor
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from tests.dealing import Market
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


def save(market: Market, name: str = "超期的", actor: Actor | None = None, **arguments: str) -> int:
    stated: dict[str, str] = arguments or {"overdue": "1"}
    made = market.do(service.save_view, actor or market.broker, name=name, arguments=stated)
    return int(made)


def views(market: Market, actor: Actor | None = None) -> list[KeptView]:
    with market.database.reading() as session:
        return saved_view_queries.own_views(session, actor or market.broker)


def test_a_view_belongs_to_its_keeper_alone(market: Market) -> None:
    number = save(market, stage="lead", q="催化")
    [view] = views(market)
    assert (view.name, view.arguments) == ("超期的", {"stage": "lead", "q": "催化"})
    assert views(market, market.head) == []
    for use_case, more in (
        (service.rename_view, {"name": "我的"}),
        (service.start_with, {"starts": True}),
        (service.remove_view, {}),
    ):
        arguments: dict[str, Any] = {"view_id": number, **more}
        with pytest.raises(NotFound):
            market.do(use_case, market.head, **arguments)


def test_names_are_single_and_views_are_few(market: Market) -> None:
    number = save(market)
    with pytest.raises(Conflict, match="已有名为"):
        save(market)
    with pytest.raises(RuleBroken):
        save(market, " ")
    other = save(market, "久未联系", stale="1")
    with pytest.raises(Conflict, match="已有名为"):
        market.do(service.rename_view, market.broker, view_id=other, name="超期的")
    market.do(service.rename_view, market.broker, view_id=number, name="今天要办")
    assert [view.name for view in views(market)] == ["今天要办", "久未联系"]
    for place in range(MOST_KEPT - 2):
        save(market, f"第{place}个")
    with pytest.raises(Conflict, match="最多保存"):
        save(market, "再来一个")


def test_only_one_view_starts(market: Market) -> None:
    first, second = save(market), save(market, "久未联系", stale="1")
    for number in (first, second):
        market.do(service.start_with, market.broker, view_id=number, starts=True)
    assert [view.starts for view in views(market)] == [False, True]
    market.do(service.start_with, market.broker, view_id=second, starts=False)
    assert [view.starts for view in views(market)] == [False, False]
    market.do(service.remove_view, market.broker, view_id=first)
    assert [view.id for view in views(market)] == [second]


def test_who_closes_his_account_leaves_no_view(market: Market) -> None:
    save(market)
    with market.database.reading() as session:
        held = personal_service.own_data(session, user_id=market.broker.user_id or 0)
    assert held["项目视图"] == [{"名称": "超期的"}]
    save(market, actor=market.head)

    def close(session: Any, *, actor: Actor, now: datetime) -> None:
        personal_service.let_go(session, actor=actor, now=now)
        service.save_view(session, actor=market.head, now=now, name="别人的", arguments={"q": "x"})

    market.do(close, market.broker)
    assert views(market) == []
    assert len(views(market, market.head)) == 2


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8)))
def test_a_view_holds_known_conditions_only(arguments: dict[str, str]) -> None:
    try:
        kept = check_arguments(arguments)
    except RuleBroken:
        assert not any(arguments.get(name) for name in KEPT)
    else:
        assert kept
        assert set(kept) <= set(KEPT)
