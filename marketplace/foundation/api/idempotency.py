"""One key, one call: a repeated call is answered as the first one was and changes nothing.

A key counts for one token and is kept with the hash of its request for two days: the same key
with another request is refused, since it cannot have been meant.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import String, Text, delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.foundation.db import Base, Database
from marketplace.foundation.errors import Conflict

_KEEP = timedelta(days=2)


class IdempotencyKey(Base):
    """A call that was carried out, and what was answered."""

    __tablename__ = "foundation_idempotency_keys"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    body: Mapped[str] = mapped_column(Text)
    carried_out_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True)
class Outcome:
    """What a call answers: the status and the JSON text."""

    status: int
    body: str
    repeated: bool = False


def once(
    database: Database,
    *,
    transaction: Callable[[], AbstractContextManager[Session]],
    token_id: int,
    key: str,
    request: bytes,
    now: datetime,
    use_case: Callable[[Session], Outcome],
) -> Outcome:
    """Carry out a use case in one transaction, at most once for a key.

    ``transaction`` opens the caller's transaction, which knows from where the call comes.
    ``request`` is all that makes the call what it is: method, address and body. ``Conflict`` when
    the key came with another request before.
    """
    if not key:
        with transaction() as session:
            return use_case(session)
    stored = hashlib.sha256(f"{token_id}\n{key}".encode()).hexdigest()
    digest = hashlib.sha256(request).hexdigest()
    done = _done(database, stored, digest)
    if done is not None:
        return done
    try:
        with transaction() as session:
            # The key first: a second call waits here for the first one's commit, then fails.
            row = IdempotencyKey(
                key=stored, request_hash=digest, status=0, body="", carried_out_at=now
            )
            session.add(row)
            session.flush()
            outcome = use_case(session)
            row.status, row.body = outcome.status, outcome.body
            session.execute(
                delete(IdempotencyKey).where(IdempotencyKey.carried_out_at < now - _KEEP)
            )
            return outcome
    except IntegrityError:
        done = _done(database, stored, digest)
        if done is None:
            raise
        return done


def _done(database: Database, stored: str, digest: str) -> Outcome | None:
    with database.reading() as session:
        row = session.get(IdempotencyKey, stored)
        if row is None:
            return None
        if row.request_hash != digest:
            raise Conflict(
                "api.key_reused",
                "这个 Idempotency-Key 已用于另一个内容不同的请求；新的请求请换一个新的键",
            )
        return Outcome(row.status, row.body, repeated=True)
