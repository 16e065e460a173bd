"""What time alone does in discovery: the table of learned terms is made anew."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.discovery.learning_service import learn_when_due
from marketplace.foundation.due import DueTask


def _at_no_moment_ahead(_session: Session, _now: datetime) -> datetime | None:
    """Return None: nobody waits for it, so a demo's clock need not stop there."""
    return None


TASKS = [DueTask("discovery.learn", _at_no_moment_ahead, learn_when_due)]
