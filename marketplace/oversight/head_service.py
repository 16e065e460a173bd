"""Publish where the audit chain stands, once a day, and send it to mailboxes outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Database
from marketplace.oversight.models import DailyHead

log = structlog.get_logger()

_BATCH = 20


def publish_head(session: Session, now: datetime) -> int:
    """Publish the head of the day that has ended, unless it is published; return how many were.

    A day on which the worker did not run has no head of its own: the next one covers it.
    """
    day = local_date(now) - timedelta(days=1)
    if session.scalar(select(DailyHead.id).where(DailyHead.day >= day).limit(1)) is not None:
        return 0
    sequence, digest = audit.head(session)
    if sequence == 0:
        return 0
    session.add(
        DailyHead(day=day, sequence=sequence, digest=digest, published_at=now, mailed_at=None)
    )
    audit.record(
        session,
        actor=SYSTEM,
        action="oversight.publish_head",
        subject=f"daily_head:{day.isoformat()}",
        now=now,
        after={"sequence": sequence, "digest": digest},
    )
    return 1


@dataclass(frozen=True)
class HeadPost:
    """Sends published heads to mailboxes that the platform's keepers cannot change.

    ``send`` takes mailbox, subject and text and returns what went wrong, or an empty text.
    """

    mailboxes: Sequence[str]
    public_address: str
    send: Callable[[str, str, str], str]

    def deliver_due(self, database: Database, *, now: datetime) -> int:
        """Send the heads that were not sent yet; one that no mailbox took is tried again.

        Heads are few and public: what was sent twice does no harm.
        """
        if not self.mailboxes:
            return 0
        unsent = select(DailyHead).where(DailyHead.mailed_at.is_(None)).order_by(DailyHead.day)
        with database.reading() as session:
            waiting = list(session.scalars(unsent.limit(_BATCH)))
        sent = [row.id for row in waiting if self._sent(row)]
        if sent:
            with database.transaction() as session:
                for row in session.scalars(select(DailyHead).where(DailyHead.id.in_(sent))):
                    row.mailed_at = now
                    audit.record(
                        session,
                        actor=SYSTEM,
                        action="oversight.mail_head",
                        subject=f"daily_head:{row.day.isoformat()}",
                        now=now,
                        after={"mailboxes": len(self.mailboxes)},
                    )
        return len(sent)

    def _sent(self, row: DailyHead) -> bool:
        subject = f"【济南科技成果转化平台】{row.day.isoformat()} 审计链摘要"
        text = (
            f"日期：{row.day.isoformat()}\n行数：{row.sequence}\n摘要：{row.digest}\n\n"
            f"公布页：{self.public_address}/audit-heads\n"
            "请留存这封邮件。以后核对：marketplace audit verify "
            f"--head {row.sequence}:{row.digest}\n"
        )
        errors = [self.send(mailbox, subject, text) for mailbox in self.mailboxes]
        for error in filter(None, errors):
            log.warning("oversight.mail_failed", day=row.day.isoformat(), error=error)
        return not all(errors)
