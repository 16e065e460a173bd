"""Reads of imports: lists, progress, the preview of a file, every row's fate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.exchange.models import Import, ImportRow
from marketplace.exchange.row_reader import Reader
from marketplace.exchange.rules import (
    IMPORT,
    RUNNING,
    UNWRITTEN,
    ImportKind,
    ImportState,
    RowFate,
)
from marketplace.exchange.tables import Table, read_table, unknown_columns
from marketplace.foundation.access import Actor, Role, permits
from marketplace.foundation.attachments import AttachmentStore, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.waiting import WaitingItem

_PREVIEW_ROWS = 10


@dataclass(frozen=True)
class ImportView:
    """An import as its pages show it."""

    id: int
    kind: ImportKind
    organisation_id: int
    state: ImportState
    file_name: str
    source: str
    header: tuple[str, ...]
    mapping: dict[str, int]
    row_count: int
    checked_count: int
    imported_count: int
    incomplete_count: int
    existing_count: int
    refused_count: int
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def running(self) -> bool:
        """Tell whether the worker is at it, or soon will be."""
        return self.state in RUNNING

    @property
    def unwritten(self) -> bool:
        """Tell whether its records are still to be written."""
        return self.state in UNWRITTEN

    @property
    def percent(self) -> int:
        """Return how far it is; writing everything at once is the last tenth."""
        if self.state is ImportState.DONE:
            return 100
        if self.state is ImportState.INDEXING:
            return 95
        return self.checked_count * 90 // max(self.row_count, 1)

    @property
    def taken_count(self) -> int:
        """Return how many records came in."""
        return self.imported_count + self.incomplete_count


def _view(row: Import) -> ImportView:
    return ImportView(
        id=row.id,
        kind=row.kind,
        organisation_id=row.organisation_id,
        state=row.state,
        file_name=row.file_name,
        source=row.source,
        header=tuple(row.header),
        mapping=dict(row.mapping),
        row_count=row.row_count,
        checked_count=row.checked_count,
        imported_count=row.imported_count,
        incomplete_count=row.incomplete_count,
        existing_count=row.existing_count,
        refused_count=row.refused_count,
        error=row.error,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _visible(actor: Actor) -> Select[Import]:
    statement = select(Import)
    if actor.has(Role.OPERATOR):
        return statement
    return statement.where(Import.organisation_id == (actor.organisation_id or 0))


def get(session: Session, actor: Actor, import_id: int) -> ImportView:
    """Return one import of the actor's organisation, any for the operator."""
    return _view(_row(session, actor, import_id))


def get_internal(session: Session, import_id: int) -> ImportView:
    """Return one import to the command line."""
    return _view(session.get_one(Import, import_id))


def _row(session: Session, actor: Actor, import_id: int) -> Import:
    row = session.scalar(_visible(actor).where(Import.id == import_id))
    if row is None:
        raise NotFound()
    return row


def listed(
    session: Session, actor: Actor, *, after: str | None = None, size: int = 20
) -> Page[ImportView]:
    """List imports, the newest first."""
    return paginate(session, _visible(actor), keys=[Import.id.desc()], after=after, size=size).map(
        _view
    )


def latest(session: Session, actor: Actor) -> ImportView | None:
    """Return the newest finished import of the actor's organisation, for its workbench."""
    row = session.scalar(
        select(Import)
        .where(
            Import.organisation_id == (actor.organisation_id or 0),
            Import.state == ImportState.DONE,
        )
        .order_by(Import.id.desc())
        .limit(1)
    )
    return None if row is None else _view(row)


@dataclass(frozen=True)
class RowView:
    """One row's fate."""

    number: int
    title: str
    fate: RowFate
    reason: str
    record_id: int | None


def _row_view(row: ImportRow) -> RowView:
    return RowView(row.number, row.title, row.fate, row.reason, row.record_id)


def rows(
    session: Session,
    import_id: int,
    *,
    fate: RowFate | None = None,
    after: str | None = None,
    size: int = 50,
) -> Page[RowView]:
    """List the rows of an import by their number; the caller has checked whose it is."""
    statement = select(ImportRow).where(ImportRow.import_id == import_id)
    if fate is not None:
        statement = statement.where(ImportRow.fate == fate)
    return paginate(session, statement, keys=[ImportRow.number.asc()], after=after, size=size).map(
        _row_view
    )


@dataclass(frozen=True)
class Preview:
    """What an import would do with its first rows, and how many rows could not go in."""

    samples: tuple[tuple[int, str, str, bool], ...]
    refused_count: int
    lacking_count: int
    unknown: tuple[str, ...]


def preview(
    session: Session,
    view: ImportView,
    *,
    mapping: Mapping[str, int],
    now: datetime,
    store: AttachmentStore,
) -> Preview:
    """Read the whole file as the import would, without the database, and show the first rows."""
    table = _table(session, view, store)
    organisation = accounts.get_organisation(session, view.organisation_id)
    reader = Reader(
        view.kind, view.header, mapping, organisation.id, organisation.name, local_date(now)
    )
    read = [(line.number, reader.read(line)) for line in table.rows]
    refused = [(number, entry) for number, entry in read if entry.refused]
    shown = dict([*refused[:_PREVIEW_ROWS], *read[:_PREVIEW_ROWS]])
    return Preview(
        samples=tuple(
            (number, entry.title, entry.reason, bool(entry.refused))
            for number, entry in sorted(shown.items())
        ),
        refused_count=len(refused),
        lacking_count=sum(1 for _, entry in read if not entry.refused and entry.reason),
        unknown=tuple(unknown_columns(table, dict(mapping))),
    )


def result_rows(
    session: Session, view: ImportView, *, store: AttachmentStore
) -> Iterator[list[str | int]]:
    """Yield the rows of the result file: every row of the file, its fate and the reason."""
    table = _table(session, view, store)
    fates = {
        row.number: row
        for row in session.scalars(select(ImportRow).where(ImportRow.import_id == view.id))
    }
    for line in table.rows:
        row = fates.get(line.number)
        yield [
            line.number,
            row.fate.label if row else "",
            row.reason if row else "",
            row.record_id or "" if row else "",
            *line.cells,
        ]


RESULT_HEADER = ("行号", "结果", "原因", "平台编号")
RESULT_WIDTHS = (8, 18, 50, 10)


def _table(session: Session, view: ImportView, store: AttachmentStore) -> Table:
    row = session.get_one(Import, view.id)
    return read_table(Upload(row.file_name, store.read(row.stored_name)), row.kind)


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """Remind of files that were uploaded but neither started nor cancelled."""
    if not permits(actor, IMPORT) or actor.organisation_id is None:
        return []
    found = session.scalars(
        select(Import)
        .where(
            Import.organisation_id == actor.organisation_id,
            Import.state == ImportState.UPLOADED,
        )
        .order_by(Import.id)
        .limit(5)
    )
    return [
        WaitingItem(
            what=f"确认导入：{row.file_name}",
            why=f"{row.row_count:,} 行{row.kind.label}已经上传，看过预览后开始导入或取消",
            endpoint="exchange.show",
            params={"import_id": row.id},
            act="看预览",
        )
        for row in found
    ]
