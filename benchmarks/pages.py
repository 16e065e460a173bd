"""Time the pages that people open most against a running platform with its demo data.

    python benchmarks/pages.py http://127.0.0.1:8000

Prints the median and the 95th percentile in milliseconds of each page, one request at a time.
"""

from __future__ import annotations

import statistics
import sys
import time
import urllib.request

PAGES = {
    "home": "/",
    "search, no words": "/search",
    "search, words": "/search?q=%E5%82%AC%E5%8C%96%E5%89%82",
    "achievement": "/achievements/5",
    "need": "/needs/3",
    "trading hall": "/listings",
}
WARM, COUNTED = 10, 100


def milliseconds(url: str) -> float:
    """Fetch a page once and return how long it took, its body read."""
    begun = time.perf_counter()
    with urllib.request.urlopen(url, timeout=30) as answer:
        answer.read()
    return (time.perf_counter() - begun) * 1000


def main(base: str) -> None:
    """Measure every page and print a line for each."""
    for name, path in PAGES.items():
        for _ in range(WARM):
            milliseconds(base + path)
        times = sorted(milliseconds(base + path) for _ in range(COUNTED))
        middle, late = statistics.median(times), times[int(COUNTED * 0.95) - 1]
        print(f"{name:<20} median {middle:6.1f} ms   p95 {late:6.1f} ms")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
