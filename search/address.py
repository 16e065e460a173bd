"""An engine by its address: ``embedded:/a/folder``."""

from __future__ import annotations

import importlib
from pathlib import Path

from search import dense
from search.engine import Engine
from search.engines.embedded import EmbeddedEngine
from search.errors import AskRejected


def open_engine(address: str) -> Engine:
    """Return the engine behind an address; nothing is opened or created yet."""
    scheme, _, rest = address.partition(":")
    if scheme == "embedded" and rest:
        return EmbeddedEngine(Path(rest.removeprefix("//")))
    raise AskRejected("SEARCH_URL", f"no engine for the address {address!r}")


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
