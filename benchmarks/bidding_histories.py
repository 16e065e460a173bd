"""Random histories of listings through the services: no illegal step, no lost deposit, sum zero.

    python -m benchmarks.bidding_histories [--histories 100000] [--seed 1] [--processes 2]

Histories grow as trees: a listing is announced and driven by random steps; from each fork it goes
on in several ways, each with random steps of its own, and every leaf is brought to its end. What
must be true is checked after every step. A history is a way from the announcement to one leaf; ways
that differ in no step count once. Stops at the first that fails, with the tree and the steps.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import multiprocessing
import sys
import time
from collections import Counter
from copy import copy
from datetime import datetime
from random import Random
from sqlite3 import Connection

from marketplace import wiring
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Base, Database
from marketplace.listings.bidding_rules import BiddingKind
from tests.histories import Cast, History, likely

_KINDS = tuple(BiddingKind)
# Steps up to each fork, and how many ways lead on from it.
_STRETCHES = (14, 9, 7, 6)
_WAYS = 5
LEAVES = _WAYS ** (len(_STRETCHES) - 1)
_NOW = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)


class Grove:
    """Grows trees of histories in one database in memory."""

    def __init__(self) -> None:
        assert wiring.BLUEPRINTS  # every slice's tables are known
        self.database = Database("sqlite://")
        Base.metadata.create_all(self.database.engine)
        self.cast = Cast(self.database, _NOW)
        self._barren = self._keep()
        self.taken: Counter[str] = Counter()
        self.found: set[bytes] = set()

    def grow(self, seed: int) -> None:
        """Grow one tree; raise ``RuntimeError`` with the steps that led to a failure."""
        self._restore(self._barren)
        chance = Random(seed)
        history = History(self.cast, _KINDS[seed % len(_KINDS)], _NOW)
        told: list[str] = []
        try:
            self._go_on(history, chance, 0, told)
        except Exception as failure:
            raise RuntimeError(f"tree {seed} fails after {', '.join(told)}") from failure

    def _go_on(self, history: History, chance: Random, fork: int, told: list[str]) -> None:
        if fork == 0 and chance.random() < 0.7:
            for name in ("intend", "judge", "pay"):
                for who in range(4):
                    self._step(history, name, who, 1, told)
        for _ in range(_STRETCHES[fork]):
            name = chance.choice(likely(history.state, chance.random()))
            self._step(history, name, chance.randrange(4), chance.randrange(1000), told)
        if fork == len(_STRETCHES) - 1:
            history.finish()
            self.taken += history.taken
            self.taken[f"ended {history.state.value}"] += 1
            self.found.add(hashlib.sha256("\n".join(told).encode()).digest()[:12])
            return
        image, moment, length = self._keep(), history.hall.now, len(told)
        for _ in range(_WAYS):
            self._restore(image)
            following = copy(history)
            following.taken = Counter()
            following.hall.now = moment
            self._go_on(following, chance, fork + 1, told)
            del told[length:]

    def _step(self, history: History, name: str, who: int, size: int, told: list[str]) -> None:
        told.append(f"{name}({who}, {size})")
        history.step(name, who, size)

    def _raw(self) -> Connection:
        with self.database.engine.connect() as connection:
            raw = connection.connection.driver_connection
        assert isinstance(raw, Connection)
        return raw

    def _keep(self) -> bytes:
        return self._raw().serialize()

    def _restore(self, image: bytes) -> None:
        self._raw().deserialize(image)


_groves: list[Grove] = []


def grow_one(seed: int) -> tuple[Counter[str], set[bytes]]:
    """Grow one tree in this process's database and return what was taken and found."""
    if not _groves:
        _groves.append(Grove())
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
    grove = _groves[0]
    grove.taken, grove.found = Counter(), set()
    grove.grow(seed)
    return grove.taken, grove.found


def main() -> int:
    """Grow them all and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="the first tree")
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    trees = range(asked.seed, asked.seed + -(-asked.histories // LEAVES))
    began = time.perf_counter()
    total: Counter[str] = Counter()
    found: set[bytes] = set()
    with multiprocessing.Pool(asked.processes) as pool:
        for done, (taken, ways) in enumerate(pool.imap_unordered(grow_one, trees), 1):
            total += taken
            found |= ways
            print(
                f"{done:,} trees, {len(found):,} histories, {time.perf_counter() - began:.0f} s",
                flush=True,
            )
            if done % 100 == 0 or done == len(trees):
                print(", ".join(f"{name} {n:,}" for name, n in sorted(total.items())), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
