"""An engine by its address.

``embedded:/a/folder``, ``elasticsearch+http://user:password@host:9200/prefix``,
``meilisearch+http://:key@host:7700/prefix``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

from search import dense
from search.engine import Engine
from search.engines import elasticsearch_client, meilisearch_client
from search.engines.elasticsearch import ElasticsearchEngine
from search.engines.embedded import EmbeddedEngine
from search.engines.meilisearch import MeilisearchEngine
from search.errors import AskRejected


def _embedded(address: str) -> Engine:
    folder = address.partition(":")[2].removeprefix("//")
    if not folder:
        raise AskRejected("SEARCH_URL", "write embedded:/a/folder")
    return EmbeddedEngine(Path(folder))


def _elasticsearch(address: str) -> Engine:
    return ElasticsearchEngine(elasticsearch_client.parse(address))


def _meilisearch(address: str) -> Engine:
    return MeilisearchEngine(meilisearch_client.parse(address))


_ENGINES: Mapping[str, Callable[[str], Engine]] = {
    "embedded": _embedded,
    "elasticsearch+http": _elasticsearch,
    "elasticsearch+https": _elasticsearch,
    "meilisearch+http": _meilisearch,
    "meilisearch+https": _meilisearch,
}


def open_engine(address: str) -> Engine:
    """Return the engine behind an address; nothing is opened or created yet."""
    scheme = address.partition(":")[0]
    if scheme not in _ENGINES:
        # The rest may hold a password.
        known = ", ".join(_ENGINES)
        raise AskRejected("SEARCH_URL", f"no engine for {scheme!r}; an address begins with {known}")
    return _ENGINES[scheme](address)


def with_encoder(engine: Engine, encoder: str, folder: Path) -> Engine:
    """Return the engine with a dense encoder beside it; its vectors are kept in the folder."""
    made = dense.load(encoder)
    try:
        # By its name: it needs numpy, which only who has an encoder installs.
        module = importlib.import_module("search.engines.dense")
    except ImportError as missing:
        raise AskRejected(
            "SEARCH_ENCODER", f"an encoder needs the extra `dense` of this package ({missing})"
        ) from missing
    wrapped: Engine = module.DenseEngine(engine, made, folder)
    return wrapped
