"""Work on all processors, in processes forked from one that holds what the work rests on."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

# What the processes of one run call: they inherit it, so that nothing is sent to them.
_inherited: tuple[Callable[[Any], Any], Sequence[Any]] | None = None


def forked_map(function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """Map like the built-in, in order, on as many processes as there are processors.

    Only results travel between processes. For a command that holds no connection and runs no
    threads: a process with either must not be forked. Errors of the function are raised here.
    """
    global _inherited
    parts = list(parts)
    processors = min(len(os.sched_getaffinity(0)), len(parts))
    if processors < 2:
        yield from map(function, parts)
        return
    _inherited = function, parts
    try:
        with multiprocessing.get_context("fork").Pool(processors) as pool:
            yield from pool.imap(_call, range(len(parts)))
    finally:
        _inherited = None


def _call(number: int) -> Any:
    assert _inherited is not None
    function, parts = _inherited
    return function(parts[number])
