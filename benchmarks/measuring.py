"""What the benchmarks of search share: times, memory, and rows of a Markdown table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")

MEBIBYTE = 1 << 20


class Clocked(Iterator[Item]):
    """An iterator that sums the time its items take to be made, to be taken off again."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self.seconds = 0.0

    def __next__(self) -> Item:
        began = time.perf_counter()
        try:
            return next(self._items)
        finally:
            self.seconds += time.perf_counter() - began


def timed(action: Callable[[Item], object], items: Iterable[Item]) -> list[float]:
    """Do something with each item and return the milliseconds that each took, sorted."""
    return sorted(milliseconds(action, item) for item in items)


def milliseconds(
    action: Callable[[Item], object], item: Item, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Do something with one item and return how long it took by a clock of seconds."""
    began = clock()
    action(item)
    return (clock() - began) * 1000


def percentile(ordered: Sequence[float], per_cent: int) -> float:
    """Return the value below which so many per cent of the sorted ones lie."""
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)]


def spread(ordered: Sequence[float], *, at: Sequence[int] = (50, 95, 99)) -> str:
    """Return the percentiles of sorted milliseconds, as a cell of a table."""
    return " / ".join(f"{percentile(ordered, per_cent):.1f}" for per_cent in at) + " ms"


def memory() -> tuple[float, float]:
    """Return this process's peak memory and what of it is its own now, in MiB.

    The peak contains the pages of an index that is mapped into memory, which the system takes
    back when others need them. ``ru_maxrss`` is not used: a child inherits its parent's.
    """
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    held = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
    peak, own = (int(held[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon"))
    return peak, own


def folder_size(folder: Path) -> float:
    """Return the size of all files of a folder, in MiB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEBIBYTE


def heading(*titles: str) -> None:
    """Print the head of a Markdown table."""
    row(*titles)
    row(*("---" for _ in titles))


def row(*cells: object) -> None:
    """Print a row of a Markdown table, at once: some rows take minutes."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)
