"""Random histories of listings through the services: no illegal step, no lost deposit, sum zero.

    python -m benchmarks.bidding_histories [--histories 100000] [--seed 1] [--processes 2]

Each history is one listing on an SQLite database without waiting for the disk, tried in thirty
random steps, checked after each, and brought to its end. Stops at the first that fails, with its
seed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import event

from marketplace import wiring
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Base, Database
from marketplace.listings.bidding_rules import BiddingKind
from tests.histories import Cast, History

_KINDS = tuple(BiddingKind)
_CHUNK = 100
_NAMES = ["intend", "judge", "pay", "wait", "bid"] * 4 + [
    "limit",
    "open",
    "end",
    "pay_out",
    "leave",
    "bar",
    "close",
    "wait_long",
]


def run_chunk(job: tuple[int, int]) -> Counter[str]:
    """Play a number of histories on a fresh database and count the steps."""
    first, count = job
    assert wiring.BLUEPRINTS  # every slice's tables are known
    now = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)
    taken: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="market-histories-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'market.db'}")

        @event.listens_for(database.engine, "connect")
        def hurry(connection: Any, _entry: Any) -> None:
            connection.execute("PRAGMA synchronous=OFF")

        Base.metadata.create_all(database.engine)
        cast = Cast(database, now)
        for seed in range(first, first + count):
            chance = Random(seed)
            try:
                history = History(cast, _KINDS[seed % len(_KINDS)], now)
                if chance.random() < 0.7:
                    for name in ("intend", "judge", "pay"):
                        for who in range(4):
                            history.step(name, who, 1)
                for _ in range(30):
                    history.step(chance.choice(_NAMES), chance.randrange(4), chance.randrange(1000))
                history.finish()
            except Exception as failure:
                raise RuntimeError(f"history {seed} fails") from failure
            taken += history.taken
            taken[f"ended {history.state.value}"] += 1
        database.engine.dispose()
    return taken


def main() -> int:
    """Play them all and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    jobs = [
        (asked.seed + begin, min(_CHUNK, asked.histories - begin))
        for begin in range(0, asked.histories, _CHUNK)
    ]
    began = time.perf_counter()
    total: Counter[str] = Counter()
    with multiprocessing.Pool(asked.processes) as pool:
        for done, taken in enumerate(pool.imap_unordered(run_chunk, jobs), 1):
            total += taken
            print(f"{done * _CHUNK:,} histories, {time.perf_counter() - began:.0f} s", flush=True)
    print(", ".join(f"{name} {count:,}" for name, count in sorted(total.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
