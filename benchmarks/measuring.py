"""What the benchmarks share: times, memory, and rows of a Markdown table."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")

MEBIBYTE = 1 << 20
USUAL = (50, 95, 99)


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


@dataclass
class Times:
    """Milliseconds that one action took again and again: by the clock, and of the processor.

    Where others are at work only the processor's say something about us.
    """

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def note(self, action: Callable[[Item], object], item: Item) -> None:
        """Do something with an item and note how long it took."""
        wall, processor = time.perf_counter(), time.process_time()
        action(item)
        self.processor.append((time.process_time() - processor) * 1000)
        self.wall.append((time.perf_counter() - wall) * 1000)

    def told(self, at: Sequence[int] = USUAL) -> str:
        """Return the percentiles of both, as a cell of a table."""
        return f"{spread(self.wall, at=at)} (processor {spread(self.processor, at=at)})"

    def ratio(self, other: Times, at: Sequence[int] = USUAL) -> str:
        """Return the processor's percentiles against another's, as a cell of a table."""
        ours, theirs = sorted(self.processor), sorted(other.processor)
        return " / ".join(f"{percentile(ours, p) / percentile(theirs, p):.2f}" for p in at)


def timed(action: Callable[[Item], object], items: Iterable[Item]) -> Times:
    """Do something with each item and return how long each took."""
    times = Times()
    for item in items:
        times.note(action, item)
    return times


def percentile(ordered: Sequence[float], per_cent: int) -> float:
    """Return the value below which so many per cent of the sorted ones lie."""
    return ordered[min(len(ordered) - 1, len(ordered) * per_cent // 100)]


def spread(values: Iterable[float], *, at: Sequence[int] = USUAL) -> str:
    """Return the percentiles of milliseconds."""
    ordered = sorted(values)
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


def processor_seconds(marks: Mapping[str, str]) -> dict[str, float]:
    """Sum the processor time of the processes that run, by the mark that their title carries."""
    found = dict.fromkeys(marks, 0.0)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            # Fields 14 and 15 of the file, counted from behind the name, which may hold anything.
            fields = (process / "stat").read_text("utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        for name, mark in marks.items():
            if mark in title:
                found[name] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


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
