"""The use cases of an import by hand: upload, map columns, start, cancel.

What follows the start is in ``work_service``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.exchange.models import Import, ImportRow
from marketplace.exchange.rules import (
    CANCELLABLE,
    CHANGEABLE,
    IMPORT,
    ImportKind,
    ImportState,
    check_mapping,
    check_state,
    kinds_for,
    recognise,
)
from marketplace.exchange.tables import read_table
from marketplace.exchange.work_service import close_indexed, note, work_on
from marketplace.foundation.access import SYSTEM, Actor, Role, require
from marketplace.foundation.attachments import AttachmentStore, Upload
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotAllowed, NotFound

__all__ = ["cancel", "close_indexed", "set_mapping", "start", "upload", "work_on"]


def upload(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    kind: ImportKind,
    organisation_id: int,
    file: Upload,
    store: AttachmentStore,
) -> int:
    """Take a file, recognise its columns and keep it for the preview; return the import's id.

    Refused with a message beside the file: what is no table, merged cells, formulas, too many
    rows, a missing required column. Members import for their own organisation, the operator for
    any that is verified.
    """
    require(actor, IMPORT)
    if kind not in kinds_for(actor.roles):
        raise NotAllowed("exchange.kind", "成果由科研管理员导入；企业经办人可以导入需求")
    if not _may_work_for(actor, organisation_id):
        raise NotFound()
    organisation = accounts.get_organisation(session, organisation_id)
    if not organisation.verified:
        raise NotAllowed(
            "exchange.unverified",
            f"“{organisation.name}”还没有通过交易中心核验，核验后才能批量导入",
        )
    table = read_table(file, kind)
    mapping = recognise(kind, table.header)
    check_mapping(kind, table.header, mapping)
    row = Import(
        kind=kind,
        organisation_id=organisation_id,
        user_id=actor.user_id,
        by_operator=actor is SYSTEM or actor.has(Role.OPERATOR),
        state=ImportState.UPLOADED,
        file_name=file.name.replace("/", "_").replace("\\", "_")[-200:],
        stored_name=store.write(file.content),
        sha256=hashlib.sha256(file.content).hexdigest(),
        source=table.source,
        header=list(table.header),
        mapping=mapping,
        row_count=len(table.rows),
        created_at=now,
    )
    session.add(row)
    session.flush()
    note(session, row, "exchange.upload", actor=actor, now=now)
    return row.id


def set_mapping(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    import_id: int,
    mapping: Mapping[str, int],
) -> None:
    """Change which column says what, before the import starts."""
    row = _load(session, actor, import_id)
    check_state(row.state, CHANGEABLE, "改列的对应")
    check_mapping(row.kind, row.header, mapping)
    row.mapping = dict(mapping)
    note(session, row, "exchange.map", actor=actor, now=now)


def start(session: Session, *, actor: Actor, now: datetime, import_id: int) -> None:
    """Put an import into the queue; the worker does the rest."""
    row = _load(session, actor, import_id)
    check_state(row.state, CHANGEABLE, "开始")
    row.state = ImportState.QUEUED
    note(session, row, "exchange.start", actor=actor, now=now)


def cancel(session: Session, *, actor: Actor, now: datetime, import_id: int) -> None:
    """Give an import up as long as nothing of it is written."""
    row = _load(session, actor, import_id)
    check_state(row.state, CANCELLABLE, "取消")
    row.state = ImportState.CANCELLED
    row.finished_at = now
    session.execute(delete(ImportRow).where(ImportRow.import_id == row.id))
    note(session, row, "exchange.cancel", actor=actor, now=now)


def _may_work_for(actor: Actor, organisation_id: int) -> bool:
    return actor is SYSTEM or actor.has(Role.OPERATOR) or actor.organisation_id == organisation_id


def _load(session: Session, actor: Actor, import_id: int) -> Import:
    require(actor, IMPORT)
    row = lock(session, Import, import_id)
    if not _may_work_for(actor, row.organisation_id):
        raise NotFound()
    return row
