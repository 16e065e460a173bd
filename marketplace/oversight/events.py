"""What happens in oversight."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.foundation.outbox import Event


@dataclass(frozen=True, kw_only=True)
class ReportDecided(Event):
    """The operator answered a report."""

    report_id: int
    code: str
    title: str
    reporter_user_id: int | None
    words: str
