"""Match every open need with a corpus of achievements, on one core, as a nightly run would.

    python -m benchmarks.match_all ENGINE DOCUMENTS [--needs 10000] [--sample 500] [--reuse]

Every match comes with its features and explanation. With --sample only so many of the needs are
matched, evenly spread, and the table says that the time for all of them is an extrapolation.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence

from benchmarks import search_corpus as corpus
from benchmarks.measuring import heading, row, timed
from search import matching, rebuild
from search.address import open_engine

_LIMIT = 10


def main(arguments: Sequence[str] | None = None) -> None:
    """Match the needs and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", help="an engine's address, as in SEARCH_URL")
    parser.add_argument("documents", type=int)
    parser.add_argument("--needs", type=int, default=10_000)
    parser.add_argument("--sample", type=int, help="match only so many and extrapolate")
    parser.add_argument("--reuse", action="store_true", help="take the index as it is")
    given = parser.parse_args(arguments)
    engine = open_engine(given.engine)
    if not given.reuse:
        engine.swap(
            rebuild.build(engine, corpus.documents(given.documents), expected=given.documents)
        )
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    seekers = list(corpus.needs(given.needs))
    if given.sample:
        seekers = seekers[:: max(1, given.needs // given.sample)][: given.sample]
    matching.match(engine, seekers[0], corpus.SCOPE)  # what is read once is read now
    began, worked = time.perf_counter(), time.process_time()
    times = timed(
        lambda seeker: matching.match(engine, seeker, corpus.SCOPE, limit=_LIMIT), seekers
    )
    took, worked = time.perf_counter() - began, time.process_time() - worked
    whole, alone = (spent / len(seekers) * given.needs / 60 for spent in (took, worked))
    how = f"extrapolated from {len(seekers):,} needs" if given.sample else "all matched"
    heading("measure", f"{given.documents:,} documents", "asked for")
    row("needs per minute, one core", f"{len(seekers) / took * 60:,.0f}", "300,000: ≥ 1,000")
    target = "10,000 × 300,000: ≤ 10 min"
    row(f"{given.needs:,} needs", f"{whole:.1f} min, of processor {alone:.1f} ({how})", target)
    row("each, p50 / p95 / p99", times.told(), "")


if __name__ == "__main__":
    main()
