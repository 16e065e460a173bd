"""The broker's lists take work in proportion to the deals, counted in steps of SQLite, not in time.

A list that looks through all deals from each of them takes four times as many steps for twice as
many deals; ten thousand of them would then take seconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from marketplace.brokerage import queries
from marketplace.brokerage.queries import DealFilter
from marketplace.foundation.db import Base, Database
from tests.dealing import Market
from tests.many_deals import fill
from tests.world import World

Read = Callable[[Session, Market], object]

READS: dict[str, Read] = {
    "board": lambda session, market: queries.board(
        session, market.broker, chosen=DealFilter(), now=market.now
    ),
    "today": lambda session, market: queries.today_list(session, market.broker, now=market.now),
    "figures": lambda session, market: queries.deal_figures(session, market.broker, now=market.now),
}


def steps(folder: Path, now: datetime, deals: int) -> dict[str, int]:
    """Count the steps of each read with so many deals, in hundreds."""
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'day.db'}")
    Base.metadata.create_all(database.engine)
    market = Market(database, World(database, now), now, folder / "files")
    fill(market, deals, deals * 2)
    found = {}
    for name, read in READS.items():
        counter = itertools.count()
        with database.reading() as session:
            connection: Any = session.connection().connection.driver_connection
            connection.set_progress_handler(lambda counter=counter: next(counter) and None, 100)
            read(session, market)
            connection.set_progress_handler(None, 0)
        found[name] = next(counter)
    database.engine.dispose()
    return found


@pytest.fixture(scope="module")
def growth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    now = datetime.fromisoformat("2024-03-15T10:00:00+08:00")
    folder = tmp_path_factory.mktemp("growth")
    few, many = steps(folder / "few", now, 1000), steps(folder / "many", now, 2000)
    return {name: many[name] / few[name] for name in READS}


@pytest.mark.parametrize("name", READS)
def test_twice_the_deals_take_no_more_than_twice_the_steps(
    growth: dict[str, float], name: str
) -> None:
    assert growth[name] < 2.5
