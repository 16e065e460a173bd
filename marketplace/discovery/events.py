"""What happened to saved searches and answers to matches."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class NewResultsFound(Event):
    """A look at a saved search found entries that its keeper was never told of."""

    saved_search_id: int
    document_ids: list[str]
