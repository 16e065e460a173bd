"""Play random bidding sessions of every kind and let their published records replay.

    python -m benchmarks.bidding_sessions [--sessions 1000000] [--seed 1] [--processes 2]

Each record goes through JSON, as it would to somebody who downloads it, and must come to the same
winner. Ends with 1 and the seed of the first session that does not.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from random import Random

from marketplace.listings import record_rules
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.replay_rules import RecordBroken, read_document, replay
from tests.bidding_simulation import play

_CHUNK = 5_000
_KINDS = tuple(BiddingKind)


def run_chunk(job: tuple[int, int]) -> Counter[str]:
    """Play a number of sessions from a first seed on and count what they were."""
    first, count = job
    counted: Counter[str] = Counter()
    for seed in range(first, first + count):
        kind = _KINDS[seed % len(_KINDS)]
        played = play(Random(seed), kind)
        text = json.dumps(record_rules.document(played.entries))
        try:
            verdict = replay(read_document(json.loads(text)))
            same = (verdict.plate, verdict.amount_fen) == (played.winner or (None, None))
        except RecordBroken as broken:
            same = False
            sys.stderr.write(f"{broken}\n")
        if not same:
            sys.stderr.write(f"seed {seed}, {kind.value}: another winner\n")
            counted["wrong"] += 1
        counted[kind.value] += 1
        counted["entries"] += len(played.entries)
        counted["bids refused"] += played.refused
        counted["won"] += played.winner is not None
    return counted


def main() -> int:
    """Play them all and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    jobs = [
        (asked.seed + begin, min(_CHUNK, asked.sessions - begin))
        for begin in range(0, asked.sessions, _CHUNK)
    ]
    began = time.perf_counter()
    total: Counter[str] = Counter()
    with multiprocessing.Pool(asked.processes) as pool:
        for counted in pool.imap_unordered(run_chunk, jobs):
            total += counted
    seconds = time.perf_counter() - began
    print(f"{asked.sessions:,} sessions in {seconds:.0f} s, {total['wrong']} with another winner")
    print(", ".join(f"{name} {count:,}" for name, count in sorted(total.items())))
    return 1 if total["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
