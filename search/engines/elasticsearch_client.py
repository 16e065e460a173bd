"""The way to an Elasticsearch server: address, bounded times, and errors that say what is wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from elastic_transport import (
    ConnectionTimeout,
    NodeConfig,
    TransportError,
    Urllib3HttpNode,
)
from elasticsearch import ApiError, Elasticsearch
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import ReadTimeoutError
from urllib3.response import BaseHTTPResponse

from search.engines import addresses
from search.errors import AskRejected, IndexBroken, IndexMissing, SearchUnavailable

DEFAULT_PREFIX = "market"

# A page waits no longer than this before it falls back; a writer has more patience.
READING_SECONDS = 5.0
WRITING_SECONDS = 60.0
# The names of indices begin with it: what Elasticsearch allows and nothing with a meaning in it.
_PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PIECE = 65_536
_LARGEST_ANSWER = 256_000_000
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Server:
    """Where a server is reached, as whom, and with what the names of our indices begin."""

    url: str
    prefix: str
    user: str = ""
    password: str = ""


def parse(address: str) -> Server:
    """Understand ``elasticsearch+http(s)://user:password@host:9200/prefix``."""
    named = addresses.parse(address, port=9200, wanted="elasticsearch+http://host:9200/prefix")
    prefix = named.prefix or DEFAULT_PREFIX
    if not _PREFIX.fullmatch(prefix) or "-g-" in prefix:  # which begins a generation's name
        raise AskRejected("SEARCH_URL", f"no name for indices: {prefix!r}; use a-z, 0-9, - and _")
    return Server(named.url, prefix, named.user, named.password)


def connect(server: Server, *, seconds: float | None = None) -> Elasticsearch:
    """Return a client that waits so long for an answer; nothing is sent yet.

    A connection that broke is tried once more; an answer that did not come in time, or that
    refuses, is final: the caller falls back, and asking again would only add to the load.
    """
    return Elasticsearch(
        server.url,
        basic_auth=(server.user, server.password) if server.user else None,
        node_class=_Node,
        request_timeout=seconds or READING_SECONDS,
        max_retries=1,
        retry_on_timeout=False,
        retry_on_status=(),
    )


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Turn what the client raises into this package's errors, without addresses or secrets."""
    try:
        yield
    except ApiError as refused:
        said = str(refused.body)
        if "index_not_found_exception" in said:
            raise IndexMissing("there is no index of this version yet") from refused
        reason = f"Elasticsearch answered {refused.status_code}: {_reason(refused.body)}"
        closed = "index_closed_exception" in said
        raise (IndexBroken if closed else SearchUnavailable)(reason) from refused
    except TransportError as broken:
        raise SearchUnavailable(f"Elasticsearch: {_named(broken)}") from broken
    except (KeyError, TypeError, AttributeError, ValueError) as strange:
        # Whatever came back, it was not an answer of Elasticsearch's.
        raise SearchUnavailable(
            f"Elasticsearch's answer was not understood: {type(strange).__name__}"
        ) from strange


def _named(broken: TransportError) -> str:
    if isinstance(broken, ConnectionTimeout):
        return "no answer in time"
    return f"{type(broken).__name__}: {_cut(str(broken.message))}"


def _reason(body: Any) -> str:
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, Mapping):
        return _cut(f"{error.get('type')}: {error.get('reason')}")
    return _cut(str(error or "no reason given"))


def _cut(reason: str) -> str:
    return reason[:_LONGEST_REASON]


class _Node(Urllib3HttpNode):
    """Bounds the time of an answer as a whole; the transport alone bounds each packet of it."""

    def __init__(self, config: NodeConfig) -> None:
        super().__init__(config)
        self.pool = _Pool(self.pool, config.request_timeout)  # type: ignore[assignment]  # the part of it that a node uses


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: HTTPHeaderDict
    data: bytes


class _Pool:
    """A connection pool that reads answers piece by piece against the clock."""

    def __init__(self, pool: Any, seconds: float | None) -> None:
        self._pool = pool
        self._seconds = seconds or READING_SECONDS

    def urlopen(self, method: str, target: str, **options: Any) -> _Answer:
        """Send a request and return the whole answer; raise where it takes too long."""
        seconds = options.setdefault("timeout", self._seconds) or self._seconds
        deadline = time.monotonic() + float(seconds)
        response: BaseHTTPResponse = self._pool.urlopen(
            method, target, preload_content=False, **options
        )
        pieces: list[bytes] = []
        size = 0
        try:
            while piece := response.read1(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if time.monotonic() > deadline or size > _LARGEST_ANSWER:
                    raise ReadTimeoutError(self._pool, target, "the answer takes too long")
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return _Answer(response.status, response.headers, b"".join(pieces))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()
