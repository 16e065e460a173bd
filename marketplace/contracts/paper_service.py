"""A contract's papers: attach its text, take it off, and keep what can be read of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib import import_module

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.contracts import rules
from marketplace.contracts.models import Contract, ContractText, ContractTextMark
from marketplace.contracts.record_queries import subject
from marketplace.contracts.text_rules import ReadText, marks
from marketplace.foundation import attachments
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken

MAX_FILES = 10


def load_editable(session: Session, actor: Actor, contract_id: int) -> Contract:
    """Lock a contract of the actor's organisation that may still be edited; refuse others."""
    row = lock(session, Contract, contract_id)
    require_own(actor, row.seller_organisation_id)
    if row.status not in rules.EDITABLE:
        raise Conflict(
            "contracts.not_editable",
            f"这份合同现在是“{row.status.label}”，不能修改；需要改动请联系登记机构退回补正",
        )
    return row


def attach(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    uploads: Sequence[Upload],
    store: AttachmentStore,
) -> None:
    """Attach the contract's text."""
    require(actor, rules.DRAW_UP)
    row = load_editable(session, actor, contract_id)
    keep(session, row, actor=actor, now=now, uploads=uploads, store=store)


def keep(
    session: Session,
    row: Contract,
    *,
    actor: Actor,
    now: datetime,
    uploads: Sequence[Upload],
    store: AttachmentStore,
) -> None:
    """Store uploads of a contract whose caller may edit it, with what can be read of each."""
    if len(attachments.of(session, subject(row.id))) + len(uploads) > MAX_FILES:
        raise RuleBroken(
            "contracts.files", f"一份合同最多 {MAX_FILES} 个附件，请合并成一个 PDF", "attachments"
        )
    for upload in uploads:
        attachment_id = attachments.store(
            session,
            actor=actor,
            now=now,
            subject=subject(row.id),
            upload=upload,
            visibility=FileVisibility.OWNER,
            store=store,
        )
        # Only after the store has accepted its size and its kind.
        # The readers of PDF and Word are loaded with the first paper: they slow every start.
        read: ReadText = import_module("marketplace.contracts.text_reading").read_text(upload)
        session.add(
            ContractText(
                attachment_id=attachment_id,
                contract_id=row.id,
                body=read.body,
                problem=read.problem,
            )
        )
    session.flush()
    _refresh(session, row)


def detach(
    session: Session, *, actor: Actor, now: datetime, contract_id: int, attachment_id: int
) -> None:
    """Take an attachment off a contract that has not been sent."""
    require(actor, rules.DRAW_UP)
    row = load_editable(session, actor, contract_id)
    session.execute(
        delete(ContractText).where(
            ContractText.attachment_id == attachment_id, ContractText.contract_id == row.id
        )
    )
    attachments.remove(
        session, actor=actor, now=now, subject=subject(row.id), attachment_id=attachment_id
    )
    session.flush()
    _refresh(session, row)


def _refresh(session: Session, row: Contract) -> None:
    """Note what the first attachment is, and the marks by which like texts find each other."""
    files = attachments.of(session, subject(row.id))
    row.text_sha256 = files[0].sha256 if files else ""
    session.execute(delete(ContractTextMark).where(ContractTextMark.contract_id == row.id))
    body = session.scalar(
        select(ContractText.body)
        .where(ContractText.contract_id == row.id, ContractText.body != "")
        .order_by(ContractText.attachment_id)
        .limit(1)
    )
    session.add_all(ContractTextMark(contract_id=row.id, mark=mark) for mark in marks(body or ""))
