"""Search servers for the tests: started once for all, or given by address."""

from __future__ import annotations

import os
import urllib.request
from functools import cache

from meilisearch_python_sdk import Client

from search.engines import meilisearch_client
from tests.beside import Missing
from tests.search.elasticsearch.node import Node


@cache
def _node() -> Node | str:
    """Start the node, once; a failure is remembered, not tried again for every test."""
    try:
        return Node()
    except Missing as missing:
        return str(missing)


def elasticsearch() -> str:
    """Return the address of a real Elasticsearch node."""
    node = _node()
    if isinstance(node, str):
        raise Missing(node)
    return node.url


def given(variable: str) -> str:
    """Return the address of a server that somebody else runs, from the environment."""
    url = os.environ.get(variable, "").rstrip("/")
    if not url:
        raise Missing(f"{variable} is not set")
    return url


def clear(address: str) -> None:
    """Remove from a server what a test made there."""
    if address.startswith("elasticsearch+"):
        wanted = urllib.request.Request(address.removeprefix("elasticsearch+") + "*")
        wanted.method = "DELETE"
        urllib.request.urlopen(wanted, timeout=30).close()
    if address.startswith("meilisearch+"):
        server = meilisearch_client.parse(address)
        with Client(server.url, server.key or None, timeout=30) as client:
            for index in client.get_indexes(limit=1000) or []:
                if index.uid.startswith(f"{server.prefix}--"):
                    client.wait_for_task(index.delete().task_uid, timeout_in_ms=30_000)


def stop() -> None:
    """End what was started."""
    if _node.cache_info().currsize and isinstance(node := _node(), Node):
        node.stop()
        _node.cache_clear()
