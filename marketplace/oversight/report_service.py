"""Use cases of reports: anybody tells of a record that breaks the rules, the operator answers."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.brokerage import service as brokerage
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.processing import term_of
from marketplace.oversight import report_rules, rules
from marketplace.oversight.events import ReportDecided
from marketplace.oversight.models import Report
from marketplace.oversight.report_queries import Reported
from marketplace.oversight.report_rules import ReportedKind, ReportReason, ReportState

_BATCH = 200


@dataclass(frozen=True)
class ReportContent:
    """What somebody says of a record; ``contact`` only where an answer is wanted."""

    reason: ReportReason | None
    words: str
    contact: str = ""


def report(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    reported: Reported,
    content: ReportContent,
    origin: str,
) -> str:
    """Report a record that the actor can see; return the code under which the answer is found.

    Nobody's name is told to whom the record belongs. Of one network address so many a day only.
    """
    report_rules.check(content.reason, content.words)
    assert content.reason is not None
    sent = session.scalar(
        select(func.count())
        .select_from(AuditRow)
        .where(
            AuditRow.action == "oversight.report",
            AuditRow.happened_at > now - timedelta(days=1),
            AuditRow.origin == origin,
        )
    )
    if (sent or 0) >= report_rules.MOST_PER_DAY:
        raise RuleBroken(
            "oversight.many_reports",
            f"一天最多提交 {report_rules.MOST_PER_DAY} 件举报；"
            "同一情况请合并写在一件里，明天可以再提交",
        )
    row = Report(
        code=secrets.token_urlsafe(18),
        subject=reported.subject,
        subject_title=reported.title,
        organisation_id=reported.organisation_id,
        reason=content.reason,
        words=content.words.strip(),
        contact=content.contact.strip(),
        reporter_user_id=actor.user_id,
        reported_at=now,
        state=ReportState.OPEN,
        decided_at=None,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="oversight.report",
        subject=f"report:{row.id}",
        now=now,
        after={"record": row.subject, "reason": row.reason},
    )
    return row.code


def decide(
    session: Session, *, actor: Actor, now: datetime, report_id: int, upheld: bool, words: str
) -> None:
    """Answer a report, once, with what was found and done; nobody answers their own."""
    require(actor, rules.ANSWER_REPORTS)
    row = lock(session, Report, report_id)
    if row.state is not ReportState.OPEN:
        raise Conflict("oversight.decided", f"这件举报已经是“{row.state.label}”，不必再处理")
    if row.reporter_user_id is not None and row.reporter_user_id == actor.user_id:
        raise RuleBroken("oversight.own_report", "自己提交的举报请同事处理")
    if len(words.strip()) < report_rules.SHORTEST_WORDS:
        raise RuleBroken(
            "oversight.few_words",
            f"请写明核查的结果和处理，至少 {report_rules.SHORTEST_WORDS} 个字，举报人会看到",
            "words",
        )
    kind, _, number = row.subject.partition(":")
    if upheld and kind == ReportedKind.RATING:
        # Words are all that such a report can be about, so they go with the answer.
        brokerage.hide_words(
            session, actor=actor, now=now, rating_id=int(number), reason=words.strip()
        )
    row.state = ReportState.UPHELD if upheld else ReportState.DISMISSED
    row.decided_at, row.decided_by_id, row.decision_words = now, actor.user_id, words.strip()
    audit.record(
        session,
        actor=actor,
        action="oversight.decide_report",
        subject=f"report:{row.id}",
        now=now,
        before={"state": ReportState.OPEN},
        after={"state": row.state, "words": row.decision_words},
    )
    outbox.publish(
        session,
        ReportDecided(
            report_id=row.id,
            code=row.code,
            title=row.subject_title,
            reporter_user_id=row.reporter_user_id,
            words=row.decision_words,
        ),
        now=now,
    )


def remove_expired(session: Session, now: datetime) -> int:
    """Let go of the contacts of reports that were answered long ago; return how many."""
    before = now - term_of("report")
    rows = session.scalars(
        select(Report)
        .where(Report.decided_at < before, Report.contact != "")
        .order_by(Report.id)
        .limit(_BATCH)
    ).all()
    for row in rows:
        row.contact = ""
        audit.record(
            session,
            actor=SYSTEM,
            action="accounts.retain",
            subject=f"report:{row.id}",
            now=now,
            after={"contact": "", "reason": "保存期满"},
        )
    return len(rows)
