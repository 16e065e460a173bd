"""An engine by its address: ``embedded:/a/folder``, ``meilisearch+http://:key@host:7700/prefix``."""

from __future__ import annotations

from pathlib import Path

from search.engine import Engine
from search.engines import meilisearch_client
from search.engines.embedded import EmbeddedEngine
from search.engines.meilisearch import MeilisearchEngine
from search.errors import AskRejected


def open_engine(address: str) -> Engine:
    """Return the engine behind an address; nothing is opened or created yet."""
    scheme, _, rest = address.partition(":")
    if scheme == "embedded" and rest:
        return EmbeddedEngine(Path(rest.removeprefix("//")))
    if scheme in ("meilisearch+http", "meilisearch+https"):
        return MeilisearchEngine(meilisearch_client.parse(address))
    # The rest may hold a key.
    raise AskRejected("SEARCH_URL", f"no engine for the address {scheme!r}")
