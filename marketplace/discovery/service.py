"""What discovery writes: documents to index again, and readers' verdicts on matches."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.discovery import pairing_service
from marketplace.discovery.models import IndexChange, MatchVerdict
from marketplace.discovery.rules import JUDGE, Verdict
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.needs import queries as needs


def note_changes(session: Session, *, now: datetime, document_ids: Iterable[str]) -> None:
    """Note documents that have to be read again; repetition does no harm."""
    names = list(dict.fromkeys(document_ids))
    session.add_all(
        IndexChange(document_id=name, changed_at=now, indexed_at=None) for name in names
    )
    pairing_service.note_due(session, now=now, document_ids=names)


def judge_match(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    need_id: int,
    achievement_id: int,
    verdict: Verdict,
) -> None:
    """Store what the actor says of a match; a later word replaces an earlier one.

    Both sides must be visible to the actor, else ``NotFound``.
    """
    require(actor, JUDGE)
    needs.get_for(session, actor, need_id)
    achievements.get_for(session, actor, achievement_id)
    row = session.scalar(
        select(MatchVerdict)
        .where(
            MatchVerdict.need_id == need_id,
            MatchVerdict.achievement_id == achievement_id,
            MatchVerdict.user_id == actor.user_id,
        )
        .with_for_update()
    )
    if row is None:
        row = MatchVerdict(
            need_id=need_id, achievement_id=achievement_id, user_id=actor.user_id or 0
        )
        session.add(row)
    row.organisation_id, row.verdict, row.judged_at = actor.organisation_id, verdict, now
    pairing_service.note_due(session, now=now, document_ids=[f"need:{need_id}"])
    audit.record(
        session,
        actor=actor,
        action="discovery.judge",
        subject=f"need:{need_id}",
        now=now,
        after={"achievement_id": achievement_id, "verdict": verdict},
    )


def retract_verdict(
    session: Session, *, actor: Actor, now: datetime, need_id: int, achievement_id: int
) -> None:
    """Take back what the actor has said of a match; nothing happens where nothing was said."""
    require(actor, JUDGE)
    row = session.scalar(
        select(MatchVerdict)
        .where(
            MatchVerdict.need_id == need_id,
            MatchVerdict.achievement_id == achievement_id,
            MatchVerdict.user_id == actor.user_id,
        )
        .with_for_update()
    )
    if row is None:
        return
    audit.record(
        session,
        actor=actor,
        action="discovery.retract",
        subject=f"need:{need_id}",
        now=now,
        before={"achievement_id": achievement_id, "verdict": row.verdict},
    )
    session.delete(row)
    pairing_service.note_due(session, now=now, document_ids=[f"need:{need_id}"])
