"""Who did what, for whom, when: one row per state change, in a hash chain.

Rows are collected during the use case and chained just before the commit, so that the chain's
head is the last lock a transaction takes and can be part of no deadlock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, event, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.foundation.access import Actor
from marketplace.foundation.db import Base, Id, Json, TransactionSession, ensure_row

_GENESIS = "0" * 64
_PENDING = "audit.pending"


class AuditRow(Base):
    """One link of the chain; ``digest`` covers every other column and the digest before."""

    __tablename__ = "foundation_audit_rows"
    __table_args__ = (Index("ix_audit_subject", "subject", "id"),)

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
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The chain's newest link, locked while one is added."""

    __tablename__ = "foundation_audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))


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
            actor_name=actor.name,
            action=action,
            subject=subject,
            before=_plain(before),
            after=_plain(after),
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


def _digest(row: AuditRow) -> str:
    content = [
        row.sequence,
        row.happened_at.astimezone(UTC).isoformat(),
        row.user_id,
        row.organisation_id,
        row.actor_name,
        row.action,
        row.subject,
        row.before,
        row.after,
        row.previous,
    ]
    packed = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(packed.encode()).hexdigest()


@event.listens_for(TransactionSession, "before_commit")
def _chain(session: Session) -> None:
    rows: list[AuditRow] = session.info.pop(_PENDING, [])
    if not rows:
        return
    session.flush()
    ensure_row(session, AuditHead, id=1, sequence=0, digest=_GENESIS)
    head = session.get_one(AuditHead, 1, with_for_update=True, populate_existing=True)
    for row in rows:
        row.sequence = head.sequence + 1
        row.previous = head.digest
        row.digest = _digest(row)
        head.sequence, head.digest = row.sequence, row.digest
        session.add(row)
    session.flush()


@event.listens_for(TransactionSession, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_PENDING, None)


@dataclass(frozen=True)
class BrokenLink:
    """The first place at which the chain does not hold, and what is wrong there."""

    sequence: int
    what: str


def verify(session: Session) -> tuple[int, BrokenLink | None]:
    """Walk the whole chain; return how many rows hold and the first that does not.

    Finds a changed, missing, inserted or moved row, and a chain cut off at its end.
    """
    previous, expected = _GENESIS, 1
    for row in session.scalars(
        select(AuditRow).order_by(AuditRow.sequence).execution_options(yield_per=1000)
    ):
        if row.sequence != expected:
            return expected - 1, BrokenLink(expected, "missing")
        if row.previous != previous:
            return expected - 1, BrokenLink(expected, "moved")
        if _digest(row) != row.digest:
            return expected - 1, BrokenLink(expected, "changed")
        previous, expected = row.digest, expected + 1
    head = session.get(AuditHead, 1)
    last = (head.sequence, head.digest) if head else (0, _GENESIS)
    if last != (expected - 1, previous):
        return expected - 1, BrokenLink(expected, "missing")
    return expected - 1, None


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
