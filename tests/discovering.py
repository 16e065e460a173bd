"""A small market for tests of search and matches: a university offers, an enterprise asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from marketplace import wiring
from marketplace.accounts.rules import OrganisationKind
from marketplace.achievements import service as achievements
from marketplace.discovery.indexing import SearchIndex
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.needs import service as needs
from marketplace.needs.rules import Indicator
from marketplace.settings import Settings
from tests.achievement_contents import complete_content, complete_need
from tests.conftest import MovableClock
from tests.world import World

FLUE_GAS: dict[str, Any] = {
    "title": "铸造烘炉烟气氮氧化物达标，不新增加热炉",
    "problem": "烘炉烟气 170 至 200 ℃，氮氧化物超标，希望低温脱硝，不再用燃气加热烟气。",
    "present_solution": "先用燃气加热到 280 ℃ 再脱硝，燃气费太高。",
    "indicators": (Indicator("脱硝率", "41", "≥90", "%"), Indicator("供货工期", "", "≤60", "天")),
    "budget_min_fen": Fen(80_000_000),
    "budget_max_fen": Fen(200_000_000),
    "modes": (TradingMode.LICENCE_ORDINARY,),
    "field": TechnologyField.ENVIRONMENT,
    "expert_terms": ("低温脱硝",),
}


class Market:
    """Publishes achievements and opens needs through the services, and keeps the index."""

    catalyst: int
    descaling: int
    need: int

    def __init__(self, world: World, services: wiring.Services, clock: MovableClock) -> None:
        self.world = world
        self.services = services
        self.clock = clock
        self.index: SearchIndex = services.resources[SearchIndex]
        self.university = world.organisation(name="泉城理工大学")
        self.officer = world.actor(Role.OFFICER, self.university)
        self.operator = world.actor(Role.OPERATOR)
        company = world.organisation(OrganisationKind.ENTERPRISE, name="锐泉精密制造有限公司")
        self.buyer = world.actor(Role.ENTERPRISE, company)

    def draft(self, **changed: Any) -> int:
        """Write down an achievement that nobody else may see yet."""
        with self.services.database.transaction() as session:
            content = complete_content(self.university, **changed)
            return achievements.create_draft(
                session, actor=self.officer, now=self.clock.now(), content=content
            )

    def achievement(self, **changed: Any) -> int:
        """Publish an achievement."""
        made = self.draft(**changed)
        now = self.clock.now()
        with self.services.database.transaction() as session:
            achievements.submit_for_review(
                session, actor=self.officer, now=now, achievement_id=made
            )
            achievements.approve_review(session, actor=self.officer, now=now, achievement_id=made)
        return made

    def withdraw(self, achievement_id: int) -> None:
        """Take an achievement off the market."""
        with self.services.database.transaction() as session:
            achievements.withdraw(
                session,
                actor=self.officer,
                now=self.clock.now(),
                achievement_id=achievement_id,
                reason="改为自行实施",
            )

    def open_need(self, **changed: Any) -> int:
        """Submit a need and let the operator open it."""
        now = self.clock.now()
        with self.services.database.transaction() as session:
            made = needs.create_draft(
                session, actor=self.buyer, now=now, content=complete_need(**(FLUE_GAS | changed))
            )
            needs.submit(session, actor=self.buyer, now=now, need_id=made)
            needs.accept(session, actor=self.operator, now=now, need_id=made)
        return made

    def settle(self) -> None:
        """Deliver every event and take in what changed, as the worker does."""
        for _ in range(20):
            self.clock.forward(seconds=1)
            done = self.services.outbox.deliver_due(self.services.database, now=self.clock.now())
            done += self.index.keep_up(now=self.clock.now())
            if done == 0:
                return
        raise AssertionError("the index never becomes quiet")


def market_on(world: World, database: Database, clock: MovableClock, folder: Path) -> Market:
    """Make a market on any database, with an index of its own in the folder."""
    settings = Settings(data_dir=folder, secret_key="test-key-" + "x" * 32)
    return Market(world, wiring.build(settings, database=database, clock=clock), clock)
