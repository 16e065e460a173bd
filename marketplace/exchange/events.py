"""What happened to imports."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class ImportFinished(Event):
    """An import came to its end; ``state`` and ``kind`` are words by value."""

    import_id: int
    kind: str
    state: str
    organisation_id: int
    user_id: int | None
    file_name: str
    taken_count: int
    existing_count: int
    refused_count: int
