"""Reads of the inbox, of what people want by mail, and of the mails on their way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.notifications import rules
from marketplace.notifications.models import Mail, Message, Preference
from marketplace.notifications.rules import MailState, MessageKind


@dataclass(frozen=True)
class MessageView:
    """One message as its reader sees it; ``endpoint`` and ``params`` name the page it is about."""

    id: int
    kind: MessageKind
    title: str
    text: str
    endpoint: str
    params: dict[str, Any]
    created_at: datetime
    read_at: datetime | None

    @property
    def unread(self) -> bool:
        """Tell whether it was not opened yet."""
        return self.read_at is None


@dataclass(frozen=True)
class FailedMail:
    """A mail that could not be sent, for the operator."""

    address: str
    title: str
    tries: int
    last_error: str
    queued_at: datetime


def unread_count(session: Session, actor: Actor) -> int:
    """Count the actor's unread messages."""
    if actor.user_id is None:
        return 0
    return (
        session.scalar(
            select(func.count())
            .select_from(Message)
            .where(Message.user_id == actor.user_id, Message.read_at.is_(None))
        )
        or 0
    )


def inbox(
    session: Session,
    actor: Actor,
    *,
    kind: MessageKind | None = None,
    unread: bool = False,
    after: str | None = None,
    size: int = 20,
) -> Page[MessageView]:
    """Read one page of the actor's messages, the newest first."""
    statement = select(Message).where(Message.user_id == actor.user_id)
    if kind is not None:
        statement = statement.where(Message.kind == kind)
    if unread:
        statement = statement.where(Message.read_at.is_(None))
    page = paginate(
        session,
        statement,
        keys=[Message.created_at.desc(), Message.id.desc()],
        after=after,
        size=size,
    )
    return page.map(_view)


def unread_by_kind(session: Session, actor: Actor) -> dict[MessageKind, int]:
    """Count the actor's unread messages by kind."""
    rows = session.execute(
        select(Message.kind, func.count())
        .where(Message.user_id == actor.user_id, Message.read_at.is_(None))
        .group_by(Message.kind)
    )
    return dict(rows.all())


def get_message(session: Session, actor: Actor, message_id: int) -> MessageView:
    """Return one of the actor's messages, else raise ``NotFound``."""
    row = session.get(Message, message_id)
    if row is None or row.user_id != actor.user_id:
        raise NotFound()
    return _view(row)


def preferences(session: Session, user_id: int) -> dict[MessageKind, bool]:
    """Return for every kind whether it comes by mail to a person."""
    chosen = {
        row.kind: row.by_mail
        for row in session.scalars(select(Preference).where(Preference.user_id == user_id))
    }
    return {kind: rules.mailed(kind, chosen.get(kind)) for kind in MessageKind}


def mail_counts(session: Session) -> dict[MailState, int]:
    """Count the mails by state."""
    rows = session.execute(select(Mail.state, func.count()).group_by(Mail.state))
    return dict(rows.all())


def failed_mails(session: Session, *, limit: int = 20) -> list[FailedMail]:
    """List the mails that were given up, the newest first."""
    rows = session.execute(
        select(Mail, Message.title)
        .join(Message, Message.id == Mail.message_id)
        .where(Mail.state == MailState.FAILED)
        .order_by(Mail.queued_at.desc(), Mail.id.desc())
        .limit(limit)
    )
    return [
        FailedMail(mail.address, title, mail.tries, mail.last_error, mail.queued_at)
        for mail, title in rows
    ]


def _view(row: Message) -> MessageView:
    return MessageView(
        id=row.id,
        kind=row.kind,
        title=row.title,
        text=row.text,
        endpoint=row.endpoint,
        params=dict(row.params or {}),
        created_at=row.created_at,
        read_at=row.read_at,
    )
