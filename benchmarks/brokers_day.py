"""Time the board, the day's list and the figures of one broker with many deals and notes.

    python benchmarks/brokers_day.py [deals] [notes]      10000 and 200000 if not said

Works on a SQLite database of its own in a temporary folder and prints the median and the 95th
percentile in milliseconds, and how many statements each read sends.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.measuring import timed
from marketplace.brokerage import queries
from marketplace.brokerage.models import Deal, Note, Task
from marketplace.brokerage.queries import DealFilter
from marketplace.brokerage.rules import (
    ORDER,
    DealSource,
    DealStage,
    LostReason,
    NoteKind,
    NoteVisibility,
)
from marketplace.foundation.db import Base, Database
from tests.dealing import Market
from tests.statements import statements
from tests.world import World

ROUNDS = 30
NOW = datetime(2024, 3, 15, 2, 0, tzinfo=UTC)


def fill(market: Market, deals: int, notes: int) -> None:
    """Store deals of every stage for one broker, with tasks and notes."""
    stages = (*ORDER, DealStage.LOST)
    with market.database.transaction() as session:
        session.execute(
            insert(Deal),
            [
                {
                    "id": number,
                    "title": f"撮合项目 {number}",
                    "source": DealSource.BROKER,
                    "pipeline": "transfer",
                    "step": (*ORDER, DealStage.PRICE_TALK)[number % len(stages)],
                    "stage": stages[number % len(stages)],
                    "stage_since": market.now - timedelta(days=number % 90),
                    "opened_at": market.now - timedelta(days=100),
                    "touched_at": market.now,
                    "seller_organisation_id": market.university.id,
                    "buyer_organisation_id": market.firm.id,
                    "broker_user_id": market.broker.user_id,
                    "agency_organisation_id": market.agency.id,
                    "amount_fen": number * 10_000 if number % 3 else None,
                    "lost_reason": LostReason.PRICE if number % len(stages) == 9 else None,
                    "lost_from": DealStage.PRICE_TALK if number % len(stages) == 9 else None,
                    "last_contact_at": market.now - timedelta(days=number % 40),
                }
                for number in range(1, deals + 1)
            ],
        )
        session.execute(
            insert(Task),
            [
                {
                    "deal_id": number,
                    "what": "回电话",
                    "due_on": market.today + timedelta(days=number % 31 - 10),
                    "owner_user_id": market.broker.user_id,
                    "created_at": market.now,
                }
                for number in range(1, deals + 1, 2)
            ],
        )
        session.execute(
            insert(Note),
            [
                {
                    "deal_id": number % deals + 1,
                    "kind": NoteKind.CALL,
                    "visibility": NoteVisibility.PRIVATE,
                    "body": "企业想先看检测报告",
                    "written_at": market.now,
                    "author_user_id": market.broker.user_id,
                    "author_name": market.broker.name,
                    "author_organisation_name": market.agency.name,
                }
                for number in range(notes)
            ],
        )


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
