"""What time brings about: information goes stale, unconfirmed it expires. The worker calls here."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, lazyload

from marketplace.achievements.authoring_service import subject
from marketplace.achievements.events import AchievementExpired, AchievementsWentStale
from marketplace.achievements.models import Achievement
from marketplace.achievements.rules import VISIBLE_STATES, AchievementState, move
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.parameters import value_on

_BATCH = 500


def next_due(session: Session, now: datetime) -> datetime | None:
    """Return when the next achievement goes stale or expires."""
    oldest = session.scalar(
        select(func.min(Achievement.confirmed_at)).where(
            Achievement.state.in_(VISIBLE_STATES), Achievement.stale.is_(False)
        )
    )
    first_end = session.scalar(
        select(func.min(Achievement.valid_until)).where(
            Achievement.state == AchievementState.PUBLISHED
        )
    )
    moments = []
    if oldest is not None:
        moments.append(oldest + timedelta(days=value_on("freshness_days", local_date(now))))
    if first_end is not None:
        moments.append(local_midnight(first_end + timedelta(days=1)))
    return min(moments, default=None)


def mark_stale(session: Session, now: datetime) -> int:
    """Mark what nobody has confirmed within the freshness period; return how many."""
    limit = now - timedelta(days=value_on("freshness_days", local_date(now)))
    rows = session.scalars(
        select(Achievement)
        .where(
            Achievement.state.in_(VISIBLE_STATES),
            Achievement.stale.is_(False),
            Achievement.confirmed_at <= limit,
        )
        .order_by(Achievement.id)
        .limit(_BATCH)
        .options(lazyload("*"))
        .with_for_update()
    ).all()
    by_owner: dict[int, list[int]] = {}
    for row in rows:
        row.stale = True
        by_owner.setdefault(row.organisation_id, []).append(row.id)
        audit.record(
            session, actor=SYSTEM, action="achievements.stale", subject=subject(row), now=now
        )
    for organisation_id, ids in by_owner.items():
        outbox.publish(
            session,
            AchievementsWentStale(achievement_ids=ids, organisation_id=organisation_id),
            now=now,
        )
    return len(rows)


def expire(session: Session, now: datetime) -> int:
    """Take off what has reached the end of its validity; return how many."""
    rows = session.scalars(
        select(Achievement)
        .where(
            Achievement.state == AchievementState.PUBLISHED,
            Achievement.valid_until < local_date(now),
        )
        .order_by(Achievement.id)
        .limit(_BATCH)
        .options(lazyload("*"))
        .with_for_update()
    ).all()
    for row in rows:
        row.state = move(row.state, AchievementState.EXPIRED)
        row.updated_at = now
        row.version += 1
        audit.record(
            session, actor=SYSTEM, action="achievements.expire", subject=subject(row), now=now
        )
        outbox.publish(
            session,
            AchievementExpired(
                achievement_id=row.id, organisation_id=row.organisation_id, title=row.title
            ),
            now=now,
        )
    return len(rows)
