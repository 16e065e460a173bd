"""The worker's part of the imports: one step each time it is asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.exchange.work_service import work_on
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.due import DueTask


def tasks(store: AttachmentStore) -> list[DueTask]:
    """Return the timed work of the imports; a queued one is due at once, at no moment ahead."""

    def next_due(_session: Session, _now: datetime) -> datetime | None:
        return None

    def run(session: Session, now: datetime) -> int:
        return work_on(session, now=now, store=store)

    return [DueTask("exchange.imports", next_due, run)]
