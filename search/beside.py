"""Ask an engine one thing while another is worked on: engines let Python go on while they count."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")

# More than a web process has threads would only wait for each other.
_THREADS = 4


def begun(
    ask: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs
) -> Future[Answer]:
    """Begin to ask; ``result()`` waits for the answer, or raises what went wrong."""
    return _pool(os.getpid()).submit(ask, *given, **named)


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of this process: those of a parent do not live on in its children."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix=f"search-{process}")
