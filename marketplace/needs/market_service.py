"""A need on the market: matched, contracted, closed, run out."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, lazyload

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require, require_own
from marketplace.foundation.clock import local_date, local_midnight
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict
from marketplace.needs.events import NeedChanged, NeedClosed
from marketplace.needs.models import Need
from marketplace.needs.rules import EDIT, VISIBLE_STATES, NeedState, check_reason, move

_BATCH = 500


def close(session: Session, *, actor: Actor, now: datetime, need_id: int, reason: str) -> None:
    """Close an own need, with the reason."""
    require(actor, EDIT)
    row = lock(session, Need, need_id)
    require_own(actor, row.organisation_id)
    if row.state is NeedState.MATCHED:
        raise Conflict("needs.busy", "这条需求正在撮合，请先在撮合项目中结束它，再关闭需求")
    shown = row.state in VISIBLE_STATES
    text = check_reason(reason, "关闭")
    row.state = move(row.state, NeedState.CLOSED)
    row.closing_reason = text
    row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="needs.close",
        subject=f"need:{row.id}",
        now=now,
        after={"reason": text},
    )
    if shown:
        _announce_end(session, row, text, now=now)


def close_all(session: Session, *, now: datetime, organisation_id: int, reason: str) -> int:
    """Close a suspended owner's open needs; matched ones wait with their deal."""
    ids = session.scalars(
        select(Need.id)
        .where(Need.organisation_id == organisation_id, Need.state == NeedState.OPEN)
        .order_by(Need.id)
    ).all()
    for need_id in ids:
        close(session, actor=SYSTEM, now=now, need_id=need_id, reason=reason)
    return len(ids)


# --- marks that deals and contracts set; their own services have asked for the right ---


def mark_matched(session: Session, *, actor: Actor, now: datetime, need_id: int) -> None:
    """Note that a deal on it began; begun already, do nothing."""
    row = lock(session, Need, need_id)
    if row.state is NeedState.OPEN:
        _mark(session, row, NeedState.MATCHED, "needs.match", actor=actor, now=now)


def mark_unmatched(session: Session, *, actor: Actor, now: datetime, need_id: int) -> None:
    """Note that its last open deal came to nothing."""
    row = lock(session, Need, need_id)
    if row.state is NeedState.MATCHED:
        _mark(session, row, NeedState.OPEN, "needs.unmatch", actor=actor, now=now)


def mark_contracted(session: Session, *, actor: Actor, now: datetime, need_id: int) -> None:
    """Note that a contract on it was registered; repeating does nothing."""
    row = lock(session, Need, need_id)
    if row.state is not NeedState.CONTRACTED:
        _mark(session, row, NeedState.CONTRACTED, "needs.contract", actor=actor, now=now)


def _mark(
    session: Session, row: Need, to: NeedState, action: str, *, actor: Actor, now: datetime
) -> None:
    before = row.state
    row.state = move(before, to)
    row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"need:{row.id}",
        now=now,
        before={"state": before},
        after={"state": to},
    )
    outbox.publish(
        session, NeedChanged(need_id=row.id, organisation_id=row.organisation_id), now=now
    )


# --- what time brings about ---


def next_due(session: Session, now: datetime) -> datetime | None:
    """Return when the next open need runs out: the day after its deadline begins."""
    first = session.scalar(select(func.min(Need.deadline)).where(Need.state == NeedState.OPEN))
    return None if first is None else local_midnight(first + timedelta(days=1))


def expire(session: Session, now: datetime) -> int:
    """End the needs whose deadline has passed; return how many."""
    rows = session.scalars(
        select(Need)
        .where(Need.state == NeedState.OPEN, Need.deadline < local_date(now))
        .order_by(Need.id)
        .limit(_BATCH)
        .options(lazyload("*"))
        .with_for_update()
    ).all()
    for row in rows:
        row.state = move(row.state, NeedState.EXPIRED)
        row.updated_at = now
        row.version += 1
        audit.record(
            session, actor=SYSTEM, action="needs.expire", subject=f"need:{row.id}", now=now
        )
        _announce_end(session, row, "征集截止日期已过", now=now)
    return len(rows)


def _announce_end(session: Session, row: Need, reason: str, *, now: datetime) -> None:
    outbox.publish(
        session,
        NeedClosed(
            need_id=row.id,
            organisation_id=row.organisation_id,
            title=row.title,
            state=row.state.value,
            reason=reason,
        ),
        now=now,
    )
