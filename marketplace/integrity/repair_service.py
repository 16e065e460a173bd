"""Repair of credit: an organisation applies, the keepers decide, the record ends early."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.parameters import value_on
from marketplace.integrity import rules
from marketplace.integrity.events import RepairApplied, RepairDecided
from marketplace.integrity.models import CreditRepair, IntegrityRecord
from marketplace.integrity.rules import RepairState

MAX_FILES = 10


def apply(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    record_id: int,
    deeds: str,
    uploads: Sequence[Upload] = (),
    attachment_store: AttachmentStore | None = None,
) -> int:
    """Apply for the repair of one's own organisation's record; return the application's id."""
    require(actor, rules.REPAIR)
    seen = session.get(IntegrityRecord, record_id)
    require_own(actor, seen.organisation_id if seen else None)
    row = lock(session, IntegrityRecord, record_id)
    today = local_date(now)
    rules.check_repair(
        state=rules.state_on(
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            revoked=row.revoked_at is not None,
            on=today,
            repaired_on=row.repaired_on,
        ),
        possible_from=rules.repair_from(
            row.starts_on, after_days=value_on("credit_repair_after_days", today)
        ),
        today=today,
        deeds=deeds,
    )
    if session.scalar(
        select(CreditRepair.id).where(
            CreditRepair.record_id == row.id, CreditRepair.state == RepairState.APPLIED
        )
    ):
        raise Conflict("repair.waiting", "这条记录的信用修复申请正在审核，请等结果")
    if len(uploads) > MAX_FILES:
        raise RuleBroken(
            "repair.too_many_files", f"最多附 {MAX_FILES} 个文件，请合并后再交", "attachments"
        )
    repair = CreditRepair(
        record_id=row.id,
        state=RepairState.APPLIED,
        deeds=deeds.strip(),
        applied_at=now,
        applied_by_id=actor.user_id,
        decided_at=None,
        decided_by_id=None,
    )
    session.add(repair)
    session.flush()
    for upload in uploads:
        assert attachment_store is not None
        attachments.store(
            session,
            actor=actor,
            now=now,
            subject=subject_of(repair.id),
            upload=upload,
            visibility=FileVisibility.OWNER,
            store=attachment_store,
        )
    outbox.publish(
        session,
        RepairApplied(repair_id=repair.id, record_id=row.id, organisation_id=row.organisation_id),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="integrity.apply_repair",
        subject=f"organisation:{row.organisation_id}",
        now=now,
        after={"record": row.id, "repair": repair.id},
    )
    return repair.id


def decide(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    repair_id: int,
    granted: bool,
    opinion: str,
) -> None:
    """Grant or decline a repair; granted, the record counts no more from today on.

    The days before stay what they were: a year whose last day lies before them pays nothing.
    """
    require(actor, rules.KEEP)
    seen = session.get(CreditRepair, repair_id)
    if seen is None:
        raise NotFound()
    # The record before its applications, everywhere.
    row = lock(session, IntegrityRecord, seen.record_id)
    repair = lock(session, CreditRepair, repair_id)
    rules.check_repair_decision(
        state=repair.state, opinion=opinion, decider=actor, organisation_id=row.organisation_id
    )
    today = local_date(now)
    repair.state = RepairState.GRANTED if granted else RepairState.DECLINED
    repair.opinion = opinion.strip()
    repair.decided_at, repair.decided_by_id = now, actor.user_id
    if granted:
        row.repaired_on = today
    outbox.publish(
        session,
        RepairDecided(
            repair_id=repair.id,
            record_id=row.id,
            organisation_id=row.organisation_id,
            granted=granted,
            opinion=repair.opinion,
            effect_on=today if granted else None,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="integrity.decide_repair",
        subject=f"organisation:{row.organisation_id}",
        now=now,
        after={"record": row.id, "repair": repair.id, "granted": granted},
    )


def subject_of(repair_id: int) -> str:
    """Return the subject under which an application's files stand."""
    return f"repair:{repair_id}"
