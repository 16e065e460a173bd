"""Time the board, the day's list and the figures of one broker with many deals and notes.

    python benchmarks/brokers_day.py [deals] [notes]      10000 and 200000 if not said

Works on a SQLite database of its own in a temporary folder and prints the median and the 95th
percentile in milliseconds, and how many statements each read sends.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from benchmarks.measuring import timed
from marketplace.brokerage import queries
from marketplace.brokerage.queries import DealFilter
from marketplace.foundation.db import Base, Database
from tests.dealing import Market
from tests.many_deals import fill
from tests.statements import statements
from tests.world import World

ROUNDS = 30
NOW = datetime(2024, 3, 15, 2, 0, tzinfo=UTC)


def sent(database: Database, read: Callable[[Session], object]) -> int:
    """Count the statements of one read."""
    with statements(database) as asked, database.reading() as session:
        read(session)
    return len(asked)


def main(deals: int, notes: int) -> None:
    """Fill a database and print a line for each read."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/day.db")
        Base.metadata.create_all(database.engine)
        market = Market(database, World(database, NOW), NOW, Path(folder) / "files")
        fill(market, deals, notes)
        reads: dict[str, Callable[[Session], object]] = {
            "board": lambda s: queries.board(s, market.broker, chosen=DealFilter(), now=market.now),
            "today": lambda s: queries.today_list(s, market.broker, now=market.now),
            "figures": lambda s: queries.deal_figures(s, market.broker, now=market.now),
        }
        for name, read in reads.items():

            def once(_round: int, read: Callable[[Session], object] = read) -> None:
                with database.reading() as session:
                    read(session)

            times = timed(once, range(ROUNDS))
            print(f"{name:8} {sent(database, read)} statements, {times.told((50, 95))}")


if __name__ == "__main__":
    main(*(int(text) for text in (sys.argv[1:] or ("10000", "200000"))))
