"""An engine by its address: ``embedded:/a/folder``."""

from __future__ import annotations

from pathlib import Path

from search.engine import Engine
from search.engines.embedded import EmbeddedEngine
from search.errors import AskRejected


def open_engine(address: str) -> Engine:
    """Return the engine behind an address; nothing is opened or created yet."""
    scheme, _, rest = address.partition(":")
    if scheme == "embedded" and rest:
        return EmbeddedEngine(Path(rest.removeprefix("//")))
    raise AskRejected("SEARCH_URL", f"no engine for the address {address!r}")
