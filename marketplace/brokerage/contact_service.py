"""Use cases of telephone numbers that were handed to a broker: they are let go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage.models import ContactRequest
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.processing import term_of

_BATCH = 200


def forget_phone(
    session: Session, *, actor: Actor, now: datetime, user_id: int, broker_user_id: int
) -> None:
    """Let go of the numbers that a person had handed to one broker; repeating does nothing."""
    rows = session.scalars(
        select(ContactRequest).where(
            ContactRequest.requested_by_id == user_id,
            ContactRequest.broker_user_id == broker_user_id,
            ContactRequest.phone != "",
        )
    )
    for row in rows:
        _clear(session, row, actor, "撤回同意", now=now)


def remove_expired(session: Session, now: datetime) -> int:
    """Let go of the numbers of requests that were answered long ago; return how many."""
    before = now - term_of("phone_to_broker")
    rows = session.scalars(
        select(ContactRequest)
        .where(ContactRequest.answered_at < before, ContactRequest.phone != "")
        .order_by(ContactRequest.id)
        .limit(_BATCH)
    ).all()
    for row in rows:
        _clear(session, row, SYSTEM, "保存期满", now=now)
    return len(rows)


def forget_requests(session: Session, *, actor: Actor, now: datetime) -> None:
    """Remove name and number from the requests of somebody whose account is being closed."""
    rows = session.scalars(
        select(ContactRequest).where(ContactRequest.requested_by_id == actor.user_id)
    )
    for row in rows:
        row.contact_name = ""
        _clear(session, row, actor, "账号注销", now=now)


def _clear(
    session: Session, row: ContactRequest, actor: Actor, reason: str, *, now: datetime
) -> None:
    row.phone = ""
    audit.record(
        session,
        actor=actor,
        action="accounts.retain",
        subject=f"request:{row.id}",
        now=now,
        after={"phone": "", "reason": reason},
    )
