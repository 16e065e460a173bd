"""Tell people, mark what they have read, keep what they want by mail."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.errors import NotFound
from marketplace.notifications import rules, webhook_service
from marketplace.notifications.models import Mail, Message, Preference
from marketplace.notifications.rules import MailState, MessageKind


@dataclass(frozen=True)
class News:
    """What is told: the same words to everybody concerned."""

    kind: MessageKind
    title: str
    text: str
    endpoint: str
    params: Mapping[str, int]
    key: str


def tell(session: Session, *, now: datetime, user_ids: Collection[int], news: News) -> int:
    """Put the news into each person's inbox and queue the mails; return how many were told.

    Who was told the same within a day is not told again, so that a repeated delivery does no harm.
    """
    known = set(
        session.scalars(
            select(Message.user_id).where(
                Message.user_id.in_(user_ids),
                Message.key == news.key,
                Message.created_at > now - rules.REPEAT_WINDOW,
            )
        )
    )
    people = accounts.get_users(session, set(user_ids) - known)
    wants = _by_mail(session, people, news.kind)
    messages = [
        Message(
            user_id=user.id,
            kind=news.kind,
            title=news.title,
            text=news.text,
            endpoint=news.endpoint,
            params=dict(news.params),
            key=news.key,
            created_at=now,
        )
        for user in sorted(people.values(), key=lambda person: person.id)
        if not user.disabled
    ]
    session.add_all(messages)
    session.flush()
    session.add_all(
        Mail(
            message_id=message.id,
            address=people[message.user_id].email,
            state=MailState.QUEUED,
            queued_at=now,
            next_try_at=now,
            sent_at=None,
        )
        for message in messages
        if people[message.user_id].email and wants[message.user_id]
    )
    webhook_service.queue(session, messages, now=now)
    return len(messages)


def mark_read(session: Session, *, actor: Actor, now: datetime, message_id: int) -> None:
    """Mark one of the actor's messages as read."""
    require(actor, rules.READ)
    row = session.get(Message, message_id, with_for_update=True)
    if row is None or row.user_id != actor.user_id:
        raise NotFound()
    if row.read_at is None:
        row.read_at = now


def mark_all_read(
    session: Session, *, actor: Actor, now: datetime, kind: MessageKind | None = None
) -> None:
    """Mark all of the actor's messages, or those of one kind, as read."""
    require(actor, rules.READ)
    statement = update(Message).where(Message.user_id == actor.user_id, Message.read_at.is_(None))
    if kind is not None:
        statement = statement.where(Message.kind == kind)
    session.execute(statement.values(read_at=now))


def choose(
    session: Session, *, actor: Actor, now: datetime, by_mail: Collection[MessageKind]
) -> None:
    """Keep which kinds of messages a person wants by mail."""
    require(actor, rules.READ)
    assert actor.user_id is not None
    kept = {
        row.kind: row
        for row in session.scalars(select(Preference).where(Preference.user_id == actor.user_id))
    }
    for kind in MessageKind:
        wanted = kind in by_mail
        if kind in kept:
            kept[kind].by_mail = wanted
        else:
            session.add(Preference(user_id=actor.user_id, kind=kind, by_mail=wanted))
    audit.record(
        session,
        actor=actor,
        action="notifications.choose",
        subject=f"user:{actor.user_id}",
        now=now,
        after={"by_mail": sorted(by_mail)},
    )


def _by_mail(session: Session, user_ids: Collection[int], kind: MessageKind) -> dict[int, bool]:
    chosen = {
        row.user_id: row.by_mail
        for row in session.scalars(
            select(Preference).where(Preference.user_id.in_(user_ids), Preference.kind == kind)
        )
    }
    return {user_id: rules.mailed(kind, chosen.get(user_id)) for user_id in user_ids}
