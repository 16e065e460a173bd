"""Use cases of an organisation's papers: licence and letter of authorisation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.models import Organisation
from marketplace.accounts.rules import PaperKind
from marketplace.foundation import attachments
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotFound, RuleBroken

MOST_PAPERS = 6


def paper_subject(organisation_id: int, kind: PaperKind) -> str:
    """Name an organisation's papers of a kind for the attachment store."""
    return f"organisation_{kind.value}:{organisation_id}"


def add_papers(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    kind: PaperKind,
    uploads: Sequence[Upload],
    store: AttachmentStore,
) -> None:
    """Keep papers that the operator verifies an organisation by; only it and the operator see them.

    They can be exchanged until the organisation is verified, and renewed afterwards.
    """
    require(actor, rules.MANAGE_MEMBERS)
    require_own(actor, organisation_id)
    lock(session, Organisation, organisation_id)
    subject = paper_subject(organisation_id, kind)
    if len(attachments.of(session, subject)) + len(uploads) > MOST_PAPERS:
        raise RuleBroken(
            "accounts.too_many_papers",
            f"{kind.label}最多 {MOST_PAPERS} 个文件，请先移除不用的",
            kind.value,
        )
    for upload in uploads:
        attachments.store(
            session,
            actor=actor,
            now=now,
            subject=subject,
            upload=upload,
            visibility=FileVisibility.OWNER,
            store=store,
        )


def remove_paper(
    session: Session, *, actor: Actor, now: datetime, organisation_id: int, attachment_id: int
) -> None:
    """Take a paper off while the operator has not verified by it."""
    require(actor, rules.MANAGE_MEMBERS)
    require_own(actor, organisation_id)
    row = lock(session, Organisation, organisation_id)
    if row.verified_at is not None:
        raise RuleBroken(
            "accounts.paper_kept", "核验已凭这份文件通过，文件须留存；可以补充新的文件"
        )
    for kind in PaperKind:
        subject = paper_subject(organisation_id, kind)
        if any(paper.id == attachment_id for paper in attachments.of(session, subject)):
            attachments.remove(
                session, actor=actor, now=now, subject=subject, attachment_id=attachment_id
            )
            return
    raise NotFound()
