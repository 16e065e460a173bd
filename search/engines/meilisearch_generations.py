"""Generations of a Meilisearch index: their names, the one in use, making, swapping, removing."""

from __future__ import annotations

import re
import time
import uuid

from meilisearch_python_sdk.errors import MeilisearchApiError

from search import text
from search.engines.meilisearch_client import Connection, as_unavailable
from search.engines.meilisearch_documents import MARKER, SETTINGS
from search.errors import IndexBroken, IndexMissing, SearchUnavailable

_GENERATION = re.compile(r"g-[a-z0-9-]{1,100}")
_MOST_INDEXES = 1_000


class Generations:
    """The indexes of one prefix on one server.

    A swap exchanges the contents of two indexes and leaves them their names. So each index holds
    a marker that names its generation, and the name of the one that readers ask never changes.
    """

    def __init__(self, connection: Connection, prefix: str, form: str) -> None:
        self._connection = connection
        self._prefix = prefix
        self._version = f"{text.ANALYZER_VERSION}-{form}"
        self.live = f"{prefix}--live-{self._version}"

    def current(self) -> str | None:
        """Name the generation in use."""
        marked = self._marked(self.live)
        return marked and marked[1]

    def all(self) -> dict[str, str]:
        """Return the index of each generation held, the oldest first."""
        with as_unavailable():
            indexes = self._connection.writing.get_indexes(limit=_MOST_INDEXES) or []
            ours = [index.uid for index in indexes if index.uid.startswith(f"{self._prefix}--")]
        marked = [(self._marked(index), index) for index in ours]
        held = sorted((marker, index) for marker, index in marked if marker is not None)
        return {generation: index for (_, generation), index in held}

    def index(self, generation: str | None) -> str:
        """Return the index of a generation, by default the one in use.

        Writing to a name that does not exist would make an index without our settings.
        """
        if generation is None:
            if self.current() is None:
                raise IndexMissing("there is no index of this version yet")
            return self.live
        held = self.all()
        if generation not in held:
            raise IndexMissing(f"no generation {generation}")
        return held[generation]

    def create(self, generation: str) -> None:
        """Make an empty generation, replacing an unfinished one of the same name."""
        if not _GENERATION.fullmatch(generation):
            raise SearchUnavailable(f"no name for a generation: {generation!r}")
        if generation == self.current():
            raise SearchUnavailable(f"the generation in use cannot be made anew: {generation}")
        self.drop(generation)
        index = f"{self._prefix}--{uuid.uuid4().hex}"
        marker = {"id": MARKER, "generation": generation, "made_at": time.time_ns()}
        client = self._connection.writing
        with as_unavailable():
            # Whatever fails, the marker comes last: an index without one is no generation.
            made = client.create_index(index, "id", timeout_in_ms=self._connection.task_ms)
            shaped = made.update_settings(SETTINGS)
            marked = made.add_documents([marker])
        self._connection.wait([shaped.task_uid, marked.task_uid])

    def swap(self, generation: str) -> str | None:
        """Take a generation into use for all readers in one task; return the one before."""
        if f"{self._version}-" not in generation:
            raise IndexBroken(f"generation {generation} was made by another version")
        index = self.index(generation)
        before = self.current()
        if index == self.live:
            return before
        with as_unavailable():
            # The first swap has nothing to exchange with and gives the index its new name.
            task = self._connection.writing.swap_indexes(
                [(index, self.live)], rename=before is None
            )
        self._connection.wait([task.task_uid])
        return before

    def drop(self, generation: str) -> None:
        """Remove a generation that is not in use; one that is not held is no error."""
        index = self.all().get(generation)
        if index == self.live:
            raise SearchUnavailable(f"the generation in use cannot be dropped: {generation}")
        if index is not None:
            with as_unavailable():
                task = self._connection.writing.index(index).delete()
            self._connection.wait([task.task_uid])

    def _marked(self, index: str) -> tuple[int, str] | None:
        """Return when the generation in an index was made, and its name."""
        with as_unavailable():
            try:
                marker = self._connection.reading.index(index).get_document(MARKER)
            except MeilisearchApiError as missing:
                if missing.code in ("index_not_found", "document_not_found"):
                    return None
                raise
            return int(marker["made_at"]), str(marker["generation"])
