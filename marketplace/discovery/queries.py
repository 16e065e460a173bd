"""Reads of discovery's own tables: verdicts on matches, documents that wait for the index."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from marketplace.discovery.models import IndexChange, MatchVerdict
from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import Actor


@dataclass(frozen=True)
class Waiting:
    """How many changes the index has not taken in, and since when the oldest waits."""

    count: int
    since: datetime | None


def waiting_changes(session: Session) -> Waiting:
    """Count the changes that the index has not taken in."""
    count, since = session.execute(
        select(func.count(), func.min(IndexChange.changed_at)).where(
            IndexChange.indexed_at.is_(None)
        )
    ).one()
    return Waiting(count, since)


def is_indexed(session: Session, document_id: str) -> bool:
    """Tell whether the newest change of a document has been taken into the index."""
    newest = session.scalar(
        select(IndexChange)
        .where(IndexChange.document_id == document_id)
        .order_by(IndexChange.id.desc())
        .limit(1)
    )
    return newest is not None and newest.indexed_at is not None


def verdicts_on_need(session: Session, actor: Actor, need_id: int) -> dict[int, Verdict]:
    """Return what the actor said of a need's matches, by achievement."""
    return _verdicts(session, actor, MatchVerdict.achievement_id, MatchVerdict.need_id, need_id)


def verdicts_on_achievement(
    session: Session, actor: Actor, achievement_id: int
) -> dict[int, Verdict]:
    """Return what the actor said of an achievement's matches, by need."""
    return _verdicts(
        session, actor, MatchVerdict.need_id, MatchVerdict.achievement_id, achievement_id
    )


def _verdicts(
    session: Session,
    actor: Actor,
    key: InstrumentedAttribute[int],
    about: InstrumentedAttribute[int],
    about_id: int,
) -> dict[int, Verdict]:
    if actor.user_id is None:
        return {}
    rows = session.execute(
        select(key, MatchVerdict.verdict).where(
            about == about_id, MatchVerdict.user_id == actor.user_id
        )
    )
    return dict(rows.all())
