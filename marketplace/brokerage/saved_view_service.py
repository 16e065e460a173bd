"""Keep a view of the deals under a name, rename it, make it the start view, let it go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.brokerage import saved_view_rules
from marketplace.brokerage.saved_view_models import SavedDealView
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound


def save_view(
    session: Session, *, actor: Actor, now: datetime, name: str, arguments: Mapping[str, str]
) -> int:
    """Keep a view under a name; return its id."""
    require(actor, saved_view_rules.KEEP_VIEWS)
    if actor.user_id is None or actor.organisation_id is None:
        raise NotFound()
    kept_name = saved_view_rules.check_name(name)
    stated = saved_view_rules.check_arguments(arguments)
    own = select(func.count()).where(
        SavedDealView.user_id == actor.user_id,
        SavedDealView.organisation_id == actor.organisation_id,
    )
    saved_view_rules.check_room(session.scalar(own) or 0)
    row = SavedDealView(
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        name=kept_name,
        arguments=stated,
        saved_at=now,
    )
    session.add(row)
    _flush(session, kept_name)
    _audited(session, row, "save", actor=actor, now=now, after={"name": kept_name})
    return row.id


def rename_view(session: Session, *, actor: Actor, now: datetime, view_id: int, name: str) -> None:
    """Give a view another name."""
    row = _load_own(session, actor, view_id)
    before, row.name = row.name, saved_view_rules.check_name(name)
    _flush(session, row.name)
    _audited(
        session,
        row,
        "rename",
        actor=actor,
        now=now,
        before={"name": before},
        after={"name": row.name},
    )


def start_with(
    session: Session, *, actor: Actor, now: datetime, view_id: int, starts: bool
) -> None:
    """Make a view the one that the list of deals begins with, or not any more."""
    row = _load_own(session, actor, view_id)
    others = session.scalars(
        select(SavedDealView).where(
            SavedDealView.user_id == row.user_id,
            SavedDealView.organisation_id == row.organisation_id,
            SavedDealView.starts.is_(True),
        )
    )
    for other in others:
        other.starts = False
    session.flush()
    row.starts = starts
    session.flush()
    _audited(session, row, "start" if starts else "plain", actor=actor, now=now)


def remove_view(session: Session, *, actor: Actor, now: datetime, view_id: int) -> None:
    """Let a view go."""
    row = _load_own(session, actor, view_id)
    _audited(session, row, "remove", actor=actor, now=now, before={"name": row.name})
    session.delete(row)


def _load_own(session: Session, actor: Actor, view_id: int) -> SavedDealView:
    require(actor, saved_view_rules.KEEP_VIEWS)
    row = lock(session, SavedDealView, view_id)
    if (row.user_id, row.organisation_id) != (actor.user_id, actor.organisation_id):
        raise NotFound()
    return row


def _flush(session: Session, name: str) -> None:
    try:
        session.flush()
    except IntegrityError as taken:
        raise Conflict("view.same_name", f"已有名为“{name}”的视图，请换一个名字", "name") from taken


def _audited(
    session: Session,
    row: SavedDealView,
    what: str,
    *,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"brokerage.view_{what}",
        subject=f"deal_view:{row.id}",
        now=now,
        before=before,
        after=after,
    )
