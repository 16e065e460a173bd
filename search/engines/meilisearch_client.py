"""The way to a Meilisearch server: address, bounded times, tasks, errors that say what is wrong."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from meilisearch_python_sdk import Client
from meilisearch_python_sdk.errors import (
    MeilisearchApiError,
    MeilisearchCommunicationError,
    MeilisearchError,
)
from meilisearch_python_sdk.models.search import SearchParams, SearchResultsWithUID

from search.engines import addresses
from search.errors import AskRejected, IndexBroken, IndexMissing, SearchUnavailable

Answer = TypeVar("Answer")

DEFAULT_PREFIX = "market"

# A page waits no longer than this before it falls back; a writer has more patience.
READING_SECONDS = 5.0
WRITING_SECONDS = 60.0
# What the server may take for one task; a batch of a rebuild waits its turn behind others.
TASK_SECONDS = 300.0
_POLL_FIRST, _POLL_LAST = 0.004, 0.25

# Two dashes stand between the prefix and the rest of an index's name.
_PREFIX = re.compile(r"[a-z0-9_]+(?:-[a-z0-9_]+)*")
_LONGEST_PREFIX = 64
_LARGEST_ANSWER = 256_000_000
_LONGEST_REASON = 200

# What the server says where an index was made with other settings than ours.
_OTHER_SETTINGS = frozenset(
    {
        "invalid_search_filter",
        "invalid_search_sort",
        "invalid_search_facets",
        "invalid_facet_search_facet_name",
    }
)


@dataclass(frozen=True)
class Server:
    """Where a server is reached, with what key, and with what our indexes' names begin."""

    url: str
    prefix: str
    key: str = ""


def parse(address: str) -> Server:
    """Understand ``meilisearch+http(s)://:key@host:7700/prefix``."""
    named = addresses.parse(address, port=7700, wanted="meilisearch+http://:key@host:7700/prefix")
    prefix = named.prefix or DEFAULT_PREFIX
    if not _PREFIX.fullmatch(prefix) or len(prefix) > _LONGEST_PREFIX:
        raise AskRejected(
            "SEARCH_URL", f"no name for indexes: {prefix!r}; use a-z, 0-9, _ and single -"
        )
    return Server(named.url, prefix, named.password)


class Connection:
    """One server, asked with little patience by readers and with more by writers."""

    def __init__(
        self,
        server: Server,
        *,
        reading_seconds: float | None = None,
        writing_seconds: float | None = None,
        task_seconds: float | None = None,
    ) -> None:
        self._server = server
        self._reading_seconds = reading_seconds or READING_SECONDS
        self._writing_seconds = writing_seconds or WRITING_SECONDS
        self._task_seconds = task_seconds or TASK_SECONDS
        self._guard = threading.Lock()
        self._clients: dict[tuple[int, float], Client] = {}

    @property
    def reading(self) -> Client:
        """Return the client that pages wait for."""
        return self._client(self._reading_seconds)

    @property
    def writing(self) -> Client:
        """Return the client for writers and for listings of everything."""
        return self._client(self._writing_seconds)

    @property
    def task_ms(self) -> int:
        """Return how long a task may take, in milliseconds."""
        return int(self._task_seconds * 1000)

    def search(self, queries: Sequence[SearchParams]) -> list[SearchResultsWithUID[Any]]:
        """Ask several questions in one request; an answer for each, in their order."""
        with as_unavailable():
            answers = again(lambda: self.reading.multi_search(list(queries)))
            if not isinstance(answers, list) or len(answers) != len(queries):
                raise ValueError("not an answer for each question")
            return answers

    def wait(self, tasks: Iterable[int]) -> None:
        """Wait until the server has done the tasks; one that failed or takes too long is said."""
        deadline = time.monotonic() + self._task_seconds
        with as_unavailable():
            for task in tasks:
                self._wait(task, deadline)

    def _wait(self, task: int, deadline: float) -> None:
        pause = _POLL_FIRST
        while True:
            held = self.writing.get_task(task)
            if held.status == "succeeded":
                return
            if held.status in ("failed", "canceled"):
                raise SearchUnavailable(f"Meilisearch's task {held.status}: {_cut(held.error)}")
            if time.monotonic() > deadline:
                raise SearchUnavailable("Meilisearch has not done a task in time")
            time.sleep(pause)
            pause = min(pause * 1.5, _POLL_LAST)

    def _client(self, seconds: float) -> Client:
        # Open connections must not be shared with a process that was forked off.
        place = (os.getpid(), seconds)
        with self._guard:
            if place not in self._clients:
                client = Client(self._server.url, self._server.key or None)
                client.http_client.timeout = httpx2.Timeout(seconds)
                client.http_client.event_hooks = {
                    "request": [_noting_the_deadline(seconds)],
                    "response": [_bound],
                }
                self._clients[place] = client
            return self._clients[place]


def question(index: str, clause: str, **options: Any) -> SearchParams:
    """Return one question to an index: what passes the filter, with its stored form by default."""
    chosen = {"attributes_to_retrieve": ["payload"], **options}
    return SearchParams(index_uid=index, q=None, filter=clause, **chosen)


def again(call: Callable[[], Answer]) -> Answer:
    """Call once more where the connection broke: the server may have closed an idle one."""
    try:
        return call()
    except MeilisearchCommunicationError:
        return call()


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Turn what the client raises into this package's errors, without addresses or secrets."""
    try:
        yield
    except MeilisearchApiError as refused:
        if refused.code == "index_not_found":
            raise IndexMissing("there is no index of this version yet") from refused
        reason = f"Meilisearch answered {refused.status_code} {_cut(refused.code)}"
        if refused.code in _OTHER_SETTINGS:
            raise IndexBroken(f"the index has other settings: {reason}") from refused
        raise SearchUnavailable(reason) from refused
    except httpx2.HTTPStatusError as refused:
        # An answer in another form than Meilisearch's own.
        raise SearchUnavailable(f"Meilisearch answered {refused.response.status_code}") from refused
    except (MeilisearchError, httpx2.HTTPError) as broken:
        raise SearchUnavailable(f"Meilisearch: {_named(broken)}") from broken
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as strange:
        # Whatever came back, it was not an answer of Meilisearch's.
        raise SearchUnavailable(
            f"Meilisearch's answer was not understood: {type(strange).__name__}"
        ) from strange


def _named(broken: Exception) -> str:
    cause = broken.__cause__ or broken
    if isinstance(cause, httpx2.TimeoutException):
        return "no answer in time"
    return f"{type(cause).__name__}: {_cut(cause)}"


def _cut(reason: object) -> str:
    return str(reason)[:_LONGEST_REASON]


def _noting_the_deadline(seconds: float) -> Callable[[httpx2.Request], None]:
    def note(request: httpx2.Request) -> None:
        request.extensions["deadline"] = time.monotonic() + seconds

    return note


def _bound(response: httpx2.Response) -> None:
    """Bound the time and the size of an answer as a whole; a time-out alone bounds each packet."""
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _Bounded(response.stream, response.request.extensions["deadline"])


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, stream: httpx2.SyncByteStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if time.monotonic() > self._deadline:
                raise httpx2.ReadTimeout("the answer goes on and on")
            if size > _LARGEST_ANSWER:
                raise httpx2.ReadError("the answer is too large")
            yield piece

    def close(self) -> None:
        self._stream.close()
