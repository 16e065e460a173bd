"""What notifications hold on one person: the inbox and what is wanted by mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor
from marketplace.foundation.clock import LOCAL
from marketplace.notifications.models import Mail, Message, Preference


def own_data(session: Session, *, user_id: int) -> dict[str, Any]:
    """Return a person's messages."""
    rows = session.scalars(select(Message).where(Message.user_id == user_id).order_by(Message.id))
    return {
        "消息": [
            {
                "时间": row.created_at.astimezone(LOCAL).isoformat(timespec="seconds"),
                "标题": row.title,
                "内容": row.text,
            }
            for row in rows
        ]
    }


def let_go(session: Session, *, actor: Actor, now: datetime) -> None:
    """Remove the inbox, its mails and the choices of somebody whose account is being closed."""
    own = select(Message.id).where(Message.user_id == actor.user_id)
    session.execute(delete(Mail).where(Mail.message_id.in_(own)))
    session.execute(delete(Message).where(Message.user_id == actor.user_id))
    session.execute(delete(Preference).where(Preference.user_id == actor.user_id))
