"""Reads of integrity records: on a day, for the public, for who keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.integrity import rules
from marketplace.integrity.models import IntegrityRecord
from marketplace.integrity.rules import DishonestyGround, RecordState


@dataclass(frozen=True)
class IntegrityRecordView:
    """A record as it stands on a day."""

    id: int
    organisation_id: int
    organisation_name: str
    ground: DishonestyGround
    reason: str
    document: str
    starts_on: date
    ends_on: date
    state: RecordState
    recorded_at: datetime
    revoked_reason: str
    repaired_on: date | None


def _counting(on: date) -> list[ColumnElement[bool]]:
    """Pick the records that count on a day: within their period, not revoked, not yet repaired."""
    return [
        IntegrityRecord.revoked_at.is_(None),
        IntegrityRecord.starts_on <= on,
        IntegrityRecord.ends_on >= on,
        or_(IntegrityRecord.repaired_on.is_(None), IntegrityRecord.repaired_on > on),
    ]


def dishonesty_on(session: Session, organisation_id: int, on: date) -> IntegrityRecordView | None:
    """Return the record that counts for an organisation on a day, the longest one, or None."""
    row = session.scalar(
        select(IntegrityRecord)
        .where(
            IntegrityRecord.organisation_id == organisation_id,
            *_counting(on),
        )
        .order_by(IntegrityRecord.ends_on.desc(), IntegrityRecord.id)
        .limit(1)
    )
    return None if row is None else _views(session, [row], on)[0]


def current(session: Session, on: date) -> list[IntegrityRecordView]:
    """List the records that count on a day, for the public, the newest first."""
    rows = session.scalars(
        select(IntegrityRecord)
        .where(
            *_counting(on),
        )
        .order_by(IntegrityRecord.starts_on.desc(), IntegrityRecord.id.desc())
    )
    return _views(session, list(rows), on)


def all_records(
    session: Session, on: date, *, after: str | None = None, size: int = 30
) -> Page[IntegrityRecordView]:
    """Read one page of all records, the newest first, for who keeps them."""
    page = paginate(
        session,
        select(IntegrityRecord),
        keys=[IntegrityRecord.id.desc()],
        after=after,
        size=size,
    )
    views = {view.id: view for view in _views(session, page.items, on)}
    return page.map(lambda row: views[row.id])


def get_record(session: Session, record_id: int, on: date) -> IntegrityRecordView:
    """Return one record or raise ``NotFound``."""
    row = session.get(IntegrityRecord, record_id)
    if row is None:
        raise NotFound()
    return _views(session, [row], on)[0]


def _views(
    session: Session, rows: Sequence[IntegrityRecord], on: date
) -> list[IntegrityRecordView]:
    names = accounts.get_organisations(session, (row.organisation_id for row in rows))
    return [
        IntegrityRecordView(
            id=row.id,
            organisation_id=row.organisation_id,
            organisation_name=names[row.organisation_id].name,
            ground=row.ground,
            reason=row.reason,
            document=row.document,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            state=rules.state_on(
                starts_on=row.starts_on,
                ends_on=row.ends_on,
                revoked=row.revoked_at is not None,
                on=on,
                repaired_on=row.repaired_on,
            ),
            recorded_at=row.recorded_at,
            revoked_reason=row.revoked_reason,
            repaired_on=row.repaired_on,
        )
        for row in rows
    ]
