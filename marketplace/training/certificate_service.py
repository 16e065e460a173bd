"""A certificate that the platform takes back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage import service as brokerage
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.errors import Conflict, NotFound
from marketplace.training import rules
from marketplace.training.events import TrainingCertificateRevoked
from marketplace.training.models import TrainingCertificate
from marketplace.training.service import subject


def revoke(session: Session, *, actor: Actor, now: datetime, number: str, reason: str) -> int:
    """Take a certificate back with its reason; return its course's id.

    The public page says so from then on, the holder is told, and the register shows it no longer.
    It is not given back: who earns one anew gets another number.
    """
    require(actor, rules.CONDUCT)
    row = session.scalar(
        select(TrainingCertificate).where(TrainingCertificate.number == number).with_for_update()
    )
    if row is None:
        raise NotFound()
    text = rules.check_revocation(reason)
    if row.revoked_at is not None:
        raise Conflict("training.revoked", "这张证书已经撤销，不用再撤；请刷新页面")
    row.revoked_at, row.revoked_reason = now, text
    audit.record(
        session,
        actor=actor,
        action="training.revoke_certificate",
        subject=subject(row.course_id),
        now=now,
        after={"number": row.number, "reason": text},
    )
    brokerage.drop_certificate(
        session, actor=actor, now=now, user_id=row.user_id, certificate_no=row.number
    )
    outbox.publish(
        session,
        TrainingCertificateRevoked(user_id=row.user_id, number=row.number, reason=text),
        now=now,
    )
    return row.course_id
