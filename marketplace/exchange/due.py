"""The worker's part of the imports: one step each time it is asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.exchange.work_service import Indexed, close_indexed, work_on
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.due import DueTask


def tasks(store: AttachmentStore, indexed: Indexed) -> list[DueTask]:
    """Return the timed work of the imports; a queued one is due at once, at no moment ahead.

    ``indexed`` comes from the slice that keeps the index: an import is over when its records can
    be found.
    """

    def next_due(_session: Session, _now: datetime) -> datetime | None:
        return None

    def run(session: Session, now: datetime) -> int:
        return work_on(session, now=now, store=store)

    def close(session: Session, now: datetime) -> int:
        return close_indexed(session, now=now, indexed=indexed)

    return [
        DueTask("exchange.imports", next_due, run),
        DueTask("exchange.indexed", next_due, close),
    ]
