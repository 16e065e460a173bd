"""What time brings about for notices: their end."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation.due import DueTask
from marketplace.publicity import service
from marketplace.publicity.models import Notice
from marketplace.publicity.rules import PublicityState


def _next_close(session: Session, now: datetime) -> datetime | None:
    return session.scalar(
        select(func.min(Notice.closes_at)).where(
            Notice.state == PublicityState.OPEN, Notice.closes_at > now
        )
    )


def _close(session: Session, now: datetime) -> int:
    return service.close_due(session, now=now)


TASKS = [DueTask(name="publicity.close", next_due=_next_close, run=_close)]
