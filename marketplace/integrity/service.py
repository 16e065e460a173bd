"""Put an organisation on record, take a record back; its repair stands in ``repair_service``."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.integrity import rules
from marketplace.integrity.events import DishonestyRecorded, DishonestyRevoked
from marketplace.integrity.models import IntegrityRecord
from marketplace.integrity.rules import DishonestyGround


def record(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    ground: DishonestyGround,
    reason: str,
    document: str,
    starts_on: date,
    ends_on: date,
) -> int:
    """Put an organisation on record for a period, both ends included; return the record's id."""
    require(actor, rules.KEEP)
    rules.check_record(reason=reason, document=document, starts_on=starts_on, ends_on=ends_on)
    organisation = accounts.get_organisation(session, organisation_id)
    row = IntegrityRecord(
        organisation_id=organisation.id,
        ground=ground,
        reason=reason.strip(),
        document=document.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        recorded_at=now,
        recorded_by_id=actor.user_id,
        revoked_at=None,
        repaired_on=None,
    )
    session.add(row)
    session.flush()
    outbox.publish(
        session,
        DishonestyRecorded(
            record_id=row.id,
            organisation_id=organisation.id,
            starts_on=starts_on,
            ends_on=ends_on,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="integrity.record",
        subject=f"organisation:{organisation.id}",
        now=now,
        after={"record": row.id, "starts_on": starts_on, "ends_on": ends_on},
    )
    return row.id


def record_by_uscc(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    uscc: str,
    ground: DishonestyGround,
    reason: str,
    document: str,
    starts_on: date,
    ends_on: date,
) -> int:
    """Put the organisation with this code on record; return the record's id."""
    require(actor, rules.KEEP)
    organisation = accounts.find_organisation_by_uscc(session, uscc)
    if organisation is None:
        raise RuleBroken(
            "integrity.unknown", "平台上没有这个代码的机构，请核对统一社会信用代码", "uscc"
        )
    return record(
        session,
        actor=actor,
        now=now,
        organisation_id=organisation.id,
        ground=ground,
        reason=reason,
        document=document,
        starts_on=starts_on,
        ends_on=ends_on,
    )


def revoke(session: Session, *, actor: Actor, now: datetime, record_id: int, reason: str) -> None:
    """Take a record back with its reason: from then on it counts on no day."""
    require(actor, rules.KEEP)
    rules.check_revocation(reason)
    row = lock(session, IntegrityRecord, record_id)
    if row.revoked_at is not None:
        raise Conflict("integrity.revoked", "这条记录已经撤销")
    row.revoked_at = now
    row.revoked_reason = reason.strip()
    outbox.publish(
        session,
        DishonestyRevoked(record_id=row.id, organisation_id=row.organisation_id),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="integrity.revoke",
        subject=f"organisation:{row.organisation_id}",
        now=now,
        after={"record": row.id, "reason": row.revoked_reason},
    )
