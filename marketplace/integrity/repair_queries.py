"""Reads of applications for the repair of credit, and what of them waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import attachments
from marketplace.foundation.access import Actor, permits, require_own
from marketplace.foundation.attachments import AttachmentView
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.parameters import value_on
from marketplace.foundation.waiting import WaitingItem
from marketplace.integrity import queries, rules
from marketplace.integrity.models import CreditRepair, IntegrityRecord
from marketplace.integrity.queries import IntegrityRecordView
from marketplace.integrity.repair_service import subject_of
from marketplace.integrity.rules import RecordState, RepairState


@dataclass(frozen=True)
class RepairView:
    """An application with the record it is about."""

    id: int
    record: IntegrityRecordView
    state: RepairState
    deeds: str
    applied_at: datetime
    opinion: str
    decided_at: datetime | None
    files: tuple[AttachmentView, ...]


@dataclass(frozen=True)
class OwnRecord:
    """One of one's own records, with its applications and from when one may apply."""

    record: IntegrityRecordView
    repairs: tuple[RepairView, ...]
    possible_from: date

    def may_apply(self, today: date) -> bool:
        """Tell whether an application is possible today."""
        waits = any(repair.state is RepairState.APPLIED for repair in self.repairs)
        current = self.record.state is RecordState.CURRENT
        return current and not waits and today >= self.possible_from


def own_records(session: Session, organisation_id: int, on: date) -> list[OwnRecord]:
    """List an organisation's records with their applications, the newest first."""
    ids = session.scalars(
        select(IntegrityRecord.id)
        .where(IntegrityRecord.organisation_id == organisation_id)
        .order_by(IntegrityRecord.id.desc())
    ).all()
    after_days = value_on("credit_repair_after_days", on)
    found = []
    for record_id in ids:
        record = queries.get_record(session, record_id, on)
        repairs = _views(
            session,
            session.scalars(
                select(CreditRepair)
                .where(CreditRepair.record_id == record_id)
                .order_by(CreditRepair.id.desc())
            ).all(),
            on,
        )
        possible_from = rules.repair_from(record.starts_on, after_days=after_days)
        found.append(OwnRecord(record, tuple(repairs), possible_from))
    return found


def open_repairs(session: Session, on: date) -> list[RepairView]:
    """List the applications that wait for a decision, oldest first."""
    rows = session.scalars(
        select(CreditRepair)
        .where(CreditRepair.state == RepairState.APPLIED)
        .order_by(CreditRepair.id)
    ).all()
    return _views(session, rows, on)


def get_repair(session: Session, actor: Actor, repair_id: int, on: date) -> RepairView:
    """Return an application that the actor keeps or has made, else raise ``NotFound``."""
    row = session.get(CreditRepair, repair_id)
    if row is None:
        raise NotFound()
    view = _views(session, [row], on)[0]
    if not permits(actor, rules.KEEP):
        require_own(actor, view.record.organisation_id)
    return view


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List the applications that wait for the keepers of the record."""
    if not permits(actor, rules.KEEP):
        return []
    return [
        WaitingItem(
            what=f"审核信用修复：{repair.record.organisation_name}",
            why=f"{repair.record.document}，{local_date(repair.applied_at).isoformat()} 申请",
            endpoint="integrity.repair",
            params={"repair_id": repair.id},
            act="审核",
        )
        for repair in open_repairs(session, local_date(now))
        if repair.record.organisation_id != actor.organisation_id
    ]


def _views(session: Session, rows: Sequence[CreditRepair], on: date) -> list[RepairView]:
    return [
        RepairView(
            id=row.id,
            record=queries.get_record(session, row.record_id, on),
            state=row.state,
            deeds=row.deeds,
            applied_at=row.applied_at,
            opinion=row.opinion,
            decided_at=row.decided_at,
            files=tuple(attachments.of(session, subject_of(row.id))),
        )
        for row in rows
    ]
