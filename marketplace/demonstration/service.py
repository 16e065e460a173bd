"""The use case of moving the demo clock."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.foundation import audit, clock
from marketplace.foundation.access import PUBLIC, Actor, require
from marketplace.foundation.due import DueTasks
from marketplace.foundation.errors import RuleBroken


def advance(session: Session, *, actor: Actor, now: datetime, due: DueTasks) -> datetime:
    """Move the demo clock to the next moment at which something falls due; return it."""
    require(actor, PUBLIC)
    target = due.next_due(session, now=now)
    if target is None:
        raise RuleBroken("demonstration.nothing_due", "目前没有等待到期的事项，时钟不必快进")
    clock.advance_demo(session, to=target)
    audit.record(
        session,
        actor=actor,
        action="demonstration.advance",
        subject="platform:1",
        now=now,
        before={"now": now},
        after={"now": target},
    )
    return target
