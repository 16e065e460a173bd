"""Experts follow the published achievements that name them, by what everybody may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.achievements import expert_queries, service
from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import FieldGroup, Inventor, Visibility
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.trade import TechnologyField
from search.schema import Document, Scope
from tests.achievement_contents import complete_content
from tests.conftest import MovableClock
from tests.discovering import Market, market_on
from tests.world import World

EXPERTS = Scope(kinds=frozenset({"expert"}))


@pytest.fixture
def market(world: World, database: Database, clock: MovableClock, tmp_path: Path) -> Market:
    made = market_on(world, database, clock, tmp_path)
    made.settle()
    return made


def indexed(market: Market, user_id: int | None) -> Document | None:
    name = f"expert:{user_id}"
    hit = market.index.engine.get([name], EXPERTS).get(name)
    return hit.document if hit else None


def change(market: Market, achievement_id: int, **changed: object) -> None:
    with market.services.database.transaction() as session:
        view = achievements.get_own(session, market.officer, achievement_id)
        service.save_draft(
            session,
            actor=market.officer,
            now=market.clock.now(),
            achievement_id=achievement_id,
            content=complete_content(market.university, **changed),
            version=view.version,
        )


def test_a_member_named_by_published_achievements_is_found_with_fields_and_count(
    market: Market,
) -> None:
    ding = market.world.actor(Role.INVENTOR, market.university, name="丁文韬")
    market.achievement()
    market.achievement(title="循环冷却水阻垢剂，一年不用酸洗", field=TechnologyField.MATERIALS)
    market.draft(title="还没有公开的第三项成果")
    market.settle()
    document = indexed(market, ding.user_id)
    assert document is not None
    assert document.title == "丁文韬"
    assert document.shown["works"] == 2
    assert document.shown["organisation"] == "泉城理工大学"
    assert set(document.field) == {"environment", "materials"}
    assert "第三项" not in document.body
    assert market.index.check().none


def test_who_is_no_member_or_named_by_drafts_only_is_no_expert(market: Market) -> None:
    market.achievement(inventors=(Inventor("外面的人"),))
    market.world.actor(Role.INVENTOR, market.university, name="丁文韬")
    market.draft()
    market.settle()
    assert not [name for name in market.index.engine.ids() if name.startswith("expert:")]


def test_a_team_that_is_not_public_names_no_expert(market: Market) -> None:
    ding = market.world.actor(Role.INVENTOR, market.university, name="丁文韬")
    made = market.achievement()
    market.settle()
    assert indexed(market, ding.user_id)
    hidden = {FieldGroup.SOLUTION: Visibility.PUBLIC, FieldGroup.INVENTORS: Visibility.MEMBERS}
    change(market, made, visibility=hidden)
    market.settle()
    assert indexed(market, ding.user_id) is None
    with market.services.database.reading() as session:
        assert expert_queries.find_expert(session, ding.user_id or 0) is None
        assert expert_queries.find_named(session, "丁文韬", limit=5) == []


def test_who_is_taken_out_of_a_team_leaves_the_index(market: Market) -> None:
    ding = market.world.actor(Role.INVENTOR, market.university, name="丁文韬")
    song = market.world.actor(Role.INVENTOR, market.university, name="宋知远")
    made = market.achievement()
    market.settle()
    assert indexed(market, ding.user_id)
    change(market, made, inventors=(Inventor("宋知远"),))
    market.settle()
    assert indexed(market, ding.user_id) is None
    assert indexed(market, song.user_id)


def test_experts_go_with_their_last_achievement(market: Market) -> None:
    ding = market.world.actor(Role.INVENTOR, market.university, name="丁文韬")
    made = market.achievement()
    market.settle()
    market.withdraw(made)
    market.settle()
    assert indexed(market, ding.user_id) is None
    assert market.index.check().none
