"""An engine by its address.

``embedded:/a/folder``, ``elasticsearch+http://user:password@host:9200/prefix``,
``meilisearch+http://:key@host:7700/prefix``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

from search import dense
from search.engine import Engine
from search.errors import AskRejected

# By name, so that only the client of the engine in use is loaded: the others take half a second.
_MODULES: Mapping[str, str] = {
    "embedded": "search.engines.embedded",
    "elasticsearch+http": "search.engines.elasticsearch",
    "elasticsearch+https": "search.engines.elasticsearch",
    "meilisearch+http": "search.engines.meilisearch",
    "meilisearch+https": "search.engines.meilisearch",
}


def open_engine(address: str) -> Engine:
    """Return the engine behind an address; nothing is opened or created yet."""
    scheme = address.partition(":")[0]
    if scheme not in _MODULES:
        # The rest may hold a password.
        known = ", ".join(_MODULES)
        raise AskRejected("SEARCH_URL", f"no engine for {scheme!r}; an address begins with {known}")
    engine: Engine = importlib.import_module(_MODULES[scheme]).at(address)
    return engine


def with_encoder(engine: Engine, encoder: str, folder: Path) -> Engine:
    """Return the engine with a dense encoder beside it; its vectors are kept in the folder."""
    made = dense.load(encoder)
    # By its name: only who has an encoder loads it.
    module = importlib.import_module("search.engines.dense")
    wrapped: Engine = module.DenseEngine(engine, made, folder)
    return wrapped
