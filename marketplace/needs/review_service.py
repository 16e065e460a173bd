"""The operator's review of needs: open them, read imported ones, return with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, lazyload

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.numbering import next_number
from marketplace.needs.events import NeedClosed, NeedOpened, NeedReturned
from marketplace.needs.models import Need
from marketplace.needs.rules import OPERATE, NeedState, check_reason, move


def accept(session: Session, *, actor: Actor, now: datetime, need_id: int) -> None:
    """Open a reviewed need to everybody."""
    require(actor, OPERATE)
    row = lock(session, Need, need_id)
    if row.state is not NeedState.REVIEW:
        raise Conflict(
            "needs.no_review",
            f"这条需求现在是“{row.state.label}”，没有等待审核；可能别人已经办理",
        )
    row.state = move(row.state, NeedState.OPEN)
    # Before the number is drawn, which flushes: an open need has the moment of its opening.
    row.opened_at = row.updated_at = row.reviewed_at = now
    if row.number is None:
        row.number = next_number(session, "XQ", local_date(now).year)
    row.closing_reason = ""
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="needs.open",
        subject=f"need:{row.id}",
        now=now,
        after={"number": row.number},
    )
    outbox.publish(
        session, NeedOpened(need_id=row.id, organisation_id=row.organisation_id), now=now
    )


def accept_imported(
    session: Session, *, actor: Actor, now: datetime, need_ids: Sequence[int]
) -> int:
    """Note that the operator has read imported needs and leaves them open; return how many."""
    require(actor, OPERATE)
    if not need_ids:
        raise RuleBroken("needs.none_chosen", "没有选中任何需求，请先勾选")
    rows = session.scalars(
        select(Need)
        .where(Need.id.in_(set(need_ids)), Need.reviewed_at.is_(None))
        .order_by(Need.id)
        .options(lazyload("*"))
        .with_for_update()
    ).all()
    for row in rows:
        row.reviewed_at = now
        audit.record(session, actor=actor, action="needs.read", subject=f"need:{row.id}", now=now)
    return len(rows)


def return_(session: Session, *, actor: Actor, now: datetime, need_id: int, reason: str) -> None:
    """Send a need back to its author as a draft, with the reason; an open one leaves the market."""
    require(actor, OPERATE)
    row = lock(session, Need, need_id)
    was_open = row.state is NeedState.OPEN
    if row.state is not NeedState.REVIEW and not was_open:
        raise Conflict(
            "needs.no_review", f"这条需求现在是“{row.state.label}”，不能退回；请刷新页面"
        )
    text = check_reason(reason, "退回")
    row.state = move(row.state, NeedState.DRAFT)
    row.return_reason = text
    row.reviewed_at = row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="needs.return",
        subject=f"need:{row.id}",
        now=now,
        after={"reason": text},
    )
    outbox.publish(
        session,
        NeedReturned(
            need_id=row.id,
            organisation_id=row.organisation_id,
            title=row.title,
            author_user_id=row.author_id,
            reason=text,
        ),
        now=now,
    )
    if was_open:
        outbox.publish(
            session,
            NeedClosed(
                need_id=row.id,
                organisation_id=row.organisation_id,
                title=row.title,
                state=row.state.value,
                reason=text,
            ),
            now=now,
        )
