"""The worker's part of certificates: make and seal one file each time it is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.due import DueTask
from marketplace.listings.certificate_service import seal_next

if TYPE_CHECKING:  # the libraries of seals are loaded when there is something to seal
    from marketplace.listings.document_seal import Sealer


def tasks(
    open_seal: Callable[[], Sealer | None], store: AttachmentStore, site_url: str
) -> list[DueTask]:
    """Return the sealing of certificates; without a seal they wait for one."""

    def next_due(_session: Session, _now: datetime) -> datetime | None:
        return None

    def run(session: Session, now: datetime) -> int:
        return seal_next(session, now=now, open_seal=open_seal, store=store, site_url=site_url)

    return [DueTask("listings.seal_certificates", next_due, run)]
