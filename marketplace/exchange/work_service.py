"""Work through a started import, step by step, each in a transaction of its own.

Rows are checked in batches and their fates kept, then everything is written at once. Whenever the
machine dies, either nothing of the file is in or all of it is, and the work goes on where it stood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.queries import OrganisationView
from marketplace.achievements import import_service as achievements
from marketplace.exchange.events import ImportFinished
from marketplace.exchange.models import Import, ImportRow
from marketplace.exchange.row_reader import Reader
from marketplace.exchange.row_rules import ReadRow
from marketplace.exchange.rules import (
    INDEXING_LIMIT,
    TAKEN,
    UNWRITTEN,
    ImportKind,
    ImportState,
    RowFate,
)
from marketplace.exchange.tables import Table, TableRow, read_table
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.attachments import AttachmentStore, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import DomainError
from marketplace.needs import import_service as needs

CHECK_BATCH = 1_000

Indexed = Callable[[Session, str], bool]

log = structlog.get_logger()


def work_on(
    session: Session, *, now: datetime, store: AttachmentStore, import_id: int | None = None
) -> int:
    """Do the next step of the oldest waiting import, or of the given one; return 0 when idle.

    What fails ends the import with its reason and leaves nothing of the file behind. Once the
    records are written the import waits for ``close_indexed``.
    """
    statement = (
        select(Import)
        .where(Import.state.in_(UNWRITTEN))
        .order_by(Import.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if import_id is not None:
        statement = statement.where(Import.id == import_id)
    row = session.scalar(statement)
    if row is None:
        return 0
    try:
        with session.begin_nested():
            return _step(session, row, now=now, store=store)
    except DomainError as refusal:
        reason = refusal.message
    except Exception:  # whatever it was: the file must not block those behind it
        log.exception("exchange.failed", import_id=row.id)
        reason = "平台内部出错，已记录，没有写入任何内容；请稍后重新上传，仍不行请联系交易中心"
    session.execute(delete(ImportRow).where(ImportRow.import_id == row.id))
    row.error = reason
    _close(session, row, ImportState.FAILED, now=now)
    return 1


def close_indexed(session: Session, *, now: datetime, indexed: Indexed) -> int:
    """Close the imports whose records can be found by search; return how many.

    ``indexed(session, document_id)`` tells whether the index has taken a document in; events are
    delivered in their order, so the last record stands for all. An index that is away is not
    waited for beyond ``INDEXING_LIMIT``.
    """
    rows = session.scalars(
        select(Import)
        .where(Import.state == ImportState.INDEXING)
        .order_by(Import.id)
        .with_for_update(skip_locked=True)
    ).all()
    closed = 0
    for row in rows:
        last = session.scalar(
            select(func.max(ImportRow.record_id)).where(
                ImportRow.import_id == row.id, ImportRow.fate.in_(TAKEN)
            )
        )
        kind = "need" if row.kind is ImportKind.NEEDS else "achievement"
        late = row.finished_at is not None and now - row.finished_at > INDEXING_LIMIT
        if late or last is None or indexed(session, f"{kind}:{last}"):
            _close(session, row, ImportState.DONE, now=now)
            closed += 1
    return closed


def _step(session: Session, row: Import, *, now: datetime, store: AttachmentStore) -> int:
    actor = actor_of(session, row)
    if row.state is ImportState.QUEUED:
        row.state = ImportState.CHECKING
        row.started_at = now
        note(session, row, "exchange.check", actor=actor, now=now)
        return 1
    organisation = accounts.get_organisation(session, row.organisation_id)
    table = read_table(Upload(row.file_name, store.read(row.stored_name)), row.kind)
    if row.state is ImportState.CHECKING:
        batch = table.rows[row.checked_count : row.checked_count + CHECK_BATCH]
        _check(session, row, batch, organisation, now=now)
        row.checked_count += len(batch)
        if row.checked_count >= len(table.rows):
            row.state = ImportState.WRITING
        note(session, row, "exchange.check", actor=actor, now=now)
        return len(batch) or 1
    return _write(session, row, table, organisation, actor=actor, now=now)


def _reader_of(row: Import, organisation: OrganisationView, now: datetime) -> Reader:
    return Reader(
        row.kind, row.header, row.mapping, organisation.id, organisation.name, local_date(now)
    )


def _check(
    session: Session,
    row: Import,
    batch: Sequence[TableRow],
    organisation: OrganisationView,
    *,
    now: datetime,
) -> None:
    """Decide the fate of a batch of rows and keep it."""
    reader = _reader_of(row, organisation, now)
    read = [(line.number, reader.read(line)) for line in batch]
    known = _known(session, row, [entry for _, entry in read])
    seen = _seen(session, row.id)
    fates: list[dict[str, Any]] = []
    for number, entry in read:
        fate, reason = _fate(entry, known, seen)
        if fate in TAKEN:
            seen[entry.key] = number
        fates.append(
            {
                "import_id": row.id,
                "number": number,
                "title": entry.title[:200],
                "fate": fate,
                "reason": reason,
                "key": entry.key,
                "record_id": known[entry.key].record_id if entry.key in known else None,
            }
        )
    if fates:
        session.execute(insert(ImportRow), fates)


@dataclass(frozen=True)
class _Known:
    record_id: int
    same: bool


def _known(session: Session, row: Import, entries: Iterable[ReadRow]) -> dict[str, _Known]:
    """Find what the organisation has already, by the rows' keys."""
    taken = {entry.key: entry for entry in entries if entry.key and not entry.refused}
    if row.kind is ImportKind.NEEDS:
        found = needs.find_known(session, organisation_id=row.organisation_id, keys=list(taken))
        return {key: _Known(need_id, True) for key, need_id in found.items()}
    by_key, by_number = achievements.find_known(
        session,
        organisation_id=row.organisation_id,
        keys=list(taken),
        number_keys=[entry.number_key for entry in taken.values()],
    )
    known: dict[str, _Known] = {}
    for key, entry in taken.items():
        there = by_key.get(key) or by_number.get(entry.number_key)
        if there is not None:
            same = there.title == entry.content.title and (
                not entry.content.solution or there.solution == entry.content.solution
            )
            known[key] = _Known(there.achievement_id, same)
    return known


def _seen(session: Session, import_id: int) -> dict[str, int]:
    rows = session.execute(
        select(ImportRow.key, ImportRow.number).where(
            ImportRow.import_id == import_id, ImportRow.fate.in_(TAKEN)
        )
    )
    return {key: number for key, number in rows if key}


def _fate(
    entry: ReadRow, known: Mapping[str, _Known], seen: Mapping[str, int]
) -> tuple[RowFate, str]:
    if entry.refused:
        return RowFate.REFUSED, entry.refused
    if entry.key in known:
        same = known[entry.key].same
        return RowFate.EXISTING, (
            "以前已登记，内容相同" if same else "以前已登记，内容与这一行不同；没有覆盖，请手工修改"
        )
    if entry.key in seen:
        return RowFate.EXISTING, f"与第 {seen[entry.key]} 行相同，只登记一次"
    return (RowFate.INCOMPLETE if entry.reason else RowFate.IMPORTED), entry.reason


# --- writing -----------------------------------------------------------------------------------


def _write(
    session: Session,
    row: Import,
    table: Table,
    organisation: OrganisationView,
    *,
    actor: Actor,
    now: datetime,
) -> int:
    """Write all rows that were taken, at once, and close the import."""
    reader = _reader_of(row, organisation, now)
    chosen = {
        number
        for (number,) in session.execute(
            select(ImportRow.number).where(ImportRow.import_id == row.id, ImportRow.fate.in_(TAKEN))
        )
    }
    entries = [(line.number, reader.read(line)) for line in table.rows if line.number in chosen]
    # Somebody may have registered one of them since it was checked.
    known = _known(session, row, [entry for _, entry in entries])
    fresh = [(number, entry) for number, entry in entries if entry.key not in known]
    ids = _store(session, row, [entry for _, entry in fresh], organisation, actor=actor, now=now)
    written = {number: record for (number, _), record in zip(fresh, ids, strict=True)}
    overtaken = {
        number: known[entry.key].record_id for number, entry in entries if entry.key in known
    }
    _set_records(session, row.id, written, overtaken)
    if ids:
        row.state = ImportState.INDEXING
        row.finished_at = now
        _count_fates(session, row)
        note(session, row, "exchange.write", actor=actor, now=now)
    else:
        _close(session, row, ImportState.DONE, now=now)
    return len(ids) or 1


def _store(
    session: Session,
    row: Import,
    entries: Sequence[ReadRow],
    organisation: OrganisationView,
    *,
    actor: Actor,
    now: datetime,
) -> list[int]:
    if row.kind is ImportKind.NEEDS:
        return needs.open_imported(
            session,
            actor=actor,
            now=now,
            organisation_id=row.organisation_id,
            records=[
                needs.ImportedNeed(entry.content, entry.key, "；".join(entry.notes))
                for entry in entries
            ],
            region_code=organisation.region_code,
        )
    return achievements.publish_imported(
        session,
        actor=actor,
        now=now,
        organisation_id=row.organisation_id,
        records=[
            achievements.ImportedAchievement(entry.content, entry.key, "；".join(entry.notes))
            for entry in entries
        ],
    )


def _set_records(
    session: Session, import_id: int, written: Mapping[int, int], overtaken: Mapping[int, int]
) -> None:
    rows = session.execute(
        select(ImportRow.id, ImportRow.number).where(ImportRow.import_id == import_id)
    )
    by_number = {number: row_id for row_id, number in rows}
    changes: list[dict[str, Any]] = [
        {"id": by_number[number], "record_id": record} for number, record in written.items()
    ]
    if changes:
        session.execute(update(ImportRow), changes)
    for number, record in overtaken.items():
        session.execute(
            update(ImportRow)
            .where(ImportRow.id == by_number[number])
            .values(fate=RowFate.EXISTING, reason="检查之后已由别人登记", record_id=record)
        )


def _count_fates(session: Session, row: Import) -> None:
    fates = list(session.scalars(select(ImportRow.fate).where(ImportRow.import_id == row.id)))
    row.imported_count = fates.count(RowFate.IMPORTED)
    row.incomplete_count = fates.count(RowFate.INCOMPLETE)
    row.existing_count = fates.count(RowFate.EXISTING)
    row.refused_count = fates.count(RowFate.REFUSED)


def _close(session: Session, row: Import, state: ImportState, *, now: datetime) -> None:
    row.state = state
    row.finished_at = now
    _count_fates(session, row)
    note(session, row, "exchange.finish", actor=actor_of(session, row), now=now)
    outbox.publish(
        session,
        ImportFinished(
            import_id=row.id,
            kind=row.kind.value,
            state=state.value,
            organisation_id=row.organisation_id,
            user_id=row.user_id,
            file_name=row.file_name,
            taken_count=row.imported_count + row.incomplete_count,
            existing_count=row.existing_count,
            refused_count=row.refused_count,
        ),
        now=now,
    )


def actor_of(session: Session, row: Import) -> Actor:
    """Return for whom the worker writes: the person who started the import."""
    if row.user_id is None:
        return SYSTEM
    actor = accounts.actor_for(session, row.user_id, row.organisation_id)
    if actor is not None:
        return actor
    user = accounts.get_user(session, row.user_id)
    roles = frozenset({Role.OPERATOR}) if row.by_operator else frozenset[Role]()
    return Actor(user.id, None, roles, user.name, verified=row.by_operator)


def note(session: Session, row: Import, action: str, *, actor: Actor, now: datetime) -> None:
    """Record a step of an import in the audit chain."""
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"import:{row.id}",
        now=now,
        after={"state": row.state, "file": row.file_name, "checked": row.checked_count},
    )
