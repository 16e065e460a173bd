"""What an owner's suspension does to achievements on the market."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements.market_service import withdraw
from marketplace.achievements.models import Achievement
from marketplace.achievements.rules import AchievementState
from marketplace.foundation.access import SYSTEM


def withdraw_all(session: Session, *, now: datetime, organisation_id: int, reason: str) -> int:
    """Take a suspended owner's published achievements off; return how many.

    Those in a deal stay where they are: the deal waits too.
    """
    ids = session.scalars(
        select(Achievement.id)
        .where(
            Achievement.organisation_id == organisation_id,
            Achievement.state == AchievementState.PUBLISHED,
        )
        .order_by(Achievement.id)
    ).all()
    for achievement_id in ids:
        withdraw(session, actor=SYSTEM, now=now, achievement_id=achievement_id, reason=reason)
    return len(ids)
