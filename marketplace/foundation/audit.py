"""Who did what, for whom, when and from where: one row per state change, in a hash chain.

Rows are collected during the use case and chained just before the commit, so that the chain's
head is the last lock a transaction takes and can be part of no deadlock.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, event, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.foundation import audit_chain
from marketplace.foundation.access import Actor
from marketplace.foundation.audit_chain import GENESIS, BrokenLink, Entry, Link
from marketplace.foundation.db import Base, Id, Json, TransactionSession, ensure_row

_PENDING = "audit.pending"
_ORIGIN = "audit.origin"


class AuditRow(Base):
    """One link of the chain; ``digest`` covers every other column and the digest before."""

    __tablename__ = "foundation_audit_rows"
    # Each filter of the operator's page has its own index in the page's order, so that a page
    # costs the same at ten million rows.
    __table_args__ = (
        Index("ix_audit_subject", "subject", "happened_at", "sequence"),
        Index("ix_audit_user", "user_id", "happened_at", "sequence"),
        Index("ix_audit_organisation", "organisation_id", "happened_at", "sequence"),
        Index("ix_audit_action", "action", "happened_at", "sequence"),
        Index("ix_audit_moment", "happened_at", "sequence"),
    )

    id: Mapped[Id]
    sequence: Mapped[int] = mapped_column(unique=True)
    happened_at: Mapped[datetime]
    user_id: Mapped[int | None]
    organisation_id: Mapped[int | None]
    actor_name: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[Json]
    after: Mapped[Json]
    # The network address, or the name of the process that no person asked.
    origin: Mapped[str] = mapped_column(String(100))
    algorithm: Mapped[str] = mapped_column(String(20))
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The chain's newest link, locked while one is added."""

    __tablename__ = "foundation_audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


def come_from(session: Session, origin: str) -> None:
    """Say from where the changes of this transaction are asked: an address, or a process."""
    session.info[_ORIGIN] = origin[:100]


def record(
    session: Session,
    *,
    actor: Actor,
    action: str,
    subject: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Note one change; the row is chained and stored when the transaction commits.

    ``subject`` is ``kind:id``; ``before`` and ``after`` hold what changed, never secrets.
    """
    session.info.setdefault(_PENDING, []).append(
        AuditRow(
            happened_at=now,
            user_id=actor.user_id,
            organisation_id=actor.organisation_id,
            actor_name=f"{actor.name}（{actor.through}）" if actor.through else actor.name,
            action=action,
            subject=subject,
            before=_plain(before),
            after=_plain(after),
            origin=session.info.get(_ORIGIN, "platform"),
            algorithm=audit_chain.ALGORITHM,
        )
    )


def pending_count(session: Session) -> int:
    """Count the changes noted in this transaction."""
    return len(session.info.get(_PENDING, ()))


def _plain(values: Mapping[str, Any] | None) -> Any:
    return None if values is None else json.loads(json.dumps(values, default=_encode))


def _encode(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)


def _entry(row: AuditRow) -> Entry:
    return Entry(
        row.sequence,
        row.happened_at,
        row.user_id,
        row.organisation_id,
        row.actor_name,
        row.action,
        row.subject,
        row.before,
        row.after,
        row.origin,
        row.algorithm,
    )


def _link(row: AuditRow) -> Link:
    return Link(row.sequence, row.previous, row.digest, _entry(row))


def _locked_head(session: Session) -> AuditHead | None:
    return session.get(AuditHead, 1, with_for_update=True, populate_existing=True)


@event.listens_for(TransactionSession, "before_commit")
def _chain(session: Session) -> None:
    rows: list[AuditRow] = session.info.pop(_PENDING, [])
    if not rows:
        return
    session.flush()
    head = _locked_head(session)
    if head is None:  # the first change of all
        ensure_row(session, AuditHead, id=1, sequence=0, digest=GENESIS)
        head = _locked_head(session)
    assert head is not None
    for row in rows:
        row.sequence = head.sequence + 1
        row.previous = head.digest
        row.digest = audit_chain.digest_of(_entry(row), row.previous)
        head.sequence, head.digest = row.sequence, row.digest
        session.add(row)
    session.flush()


@event.listens_for(TransactionSession, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_PENDING, None)


def head(session: Session) -> tuple[int, str]:
    """Return place and digest of the newest link; zero where there is none."""
    row = session.get(AuditHead, 1)
    return (row.sequence, row.digest) if row else (0, GENESIS)


def verify(session: Session) -> tuple[int, BrokenLink | None]:
    """Walk the whole chain; return how many rows hold and the first that does not.

    Finds a changed, missing, inserted or moved row, and a chain cut off at its end.
    """
    return audit_chain.walk(
        links(session), head=head(session), place_of=lambda digest: _place_of(session, digest)
    )


def links(session: Session, *, first: int = 1, last: int | None = None) -> Iterator[Link]:
    """Read the chain's links by place, some at a time."""
    statement = select(AuditRow).where(AuditRow.sequence >= first).order_by(AuditRow.sequence)
    if last is not None:
        statement = statement.where(AuditRow.sequence <= last)
    for row in session.scalars(statement.execution_options(yield_per=1000)):
        yield _link(row)


def links_of(session: Session, subjects: Collection[str]) -> list[Link]:
    """Read the links that tell of some objects, by place."""
    rows = session.scalars(
        select(AuditRow).where(AuditRow.subject.in_(subjects)).order_by(AuditRow.sequence)
    )
    return [_link(row) for row in rows]


def digest_at(session: Session, sequence: int) -> str | None:
    """Return the digest of the link at a place, or None when there is no such link."""
    if sequence == 0:
        return GENESIS
    return session.scalar(select(AuditRow.digest).where(AuditRow.sequence == sequence))


def _place_of(session: Session, digest: str) -> int | None:
    return session.scalar(select(AuditRow.sequence).where(AuditRow.digest == digest).limit(1))


@dataclass(frozen=True)
class HistoryEntry:
    """One line of an object's timeline."""

    happened_at: datetime
    actor_name: str
    action: str
    before: Any
    after: Any


def history(session: Session, subject: str) -> list[HistoryEntry]:
    """List what was done to one object, oldest first."""
    return list(_entries(session, subject))


def _entries(session: Session, subject: str) -> Iterator[HistoryEntry]:
    for row in session.scalars(
        select(AuditRow).where(AuditRow.subject == subject).order_by(AuditRow.sequence)
    ):
        yield HistoryEntry(row.happened_at, row.actor_name, row.action, row.before, row.after)
