"""Reads of notices and objections; an objector's name reaches only those who answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import attachments
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.attachments import AttachmentView
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.foundation.waiting import WaitingItem
from marketplace.publicity import rules
from marketplace.publicity.models import Notice, Objection
from marketplace.publicity.rules import ObjectionState, PublicityKind, PublicityState


@dataclass(frozen=True)
class NoticeView:
    """A notice as the public sees it."""

    id: int
    kind: PublicityKind
    state: PublicityState
    subject: str
    title: str
    body: str
    facts: tuple[tuple[str, str], ...]
    organisation_id: int
    organisation_name: str
    opened_at: datetime
    opened_on: date
    ends_on: date
    closes_at: datetime
    closed_at: datetime | None
    objection_count: int
    open_objection_count: int

    @property
    def running(self) -> bool:
        """Tell whether the notice is not closed yet."""
        return self.state in rules.RUNNING

    @property
    def counts_workdays(self) -> bool:
        """Tell whether its period is counted in working days."""
        return rules.counts_workdays(self.kind)


@dataclass(frozen=True)
class PublishedObjection:
    """What the public learns of an objection: when, and after the decision its answer."""

    id: int
    state: ObjectionState
    raised_at: datetime
    answer_by: date | None
    decided_at: datetime | None
    answer: str
    by_member: bool


@dataclass(frozen=True)
class ObjectionFile:
    """An objection with who raised it and why, for those who answer it."""

    id: int
    notice_id: int
    state: ObjectionState
    name: str
    contact: str
    text: str
    organisation_name: str
    raised_at: datetime
    answer: str
    attachments: tuple[AttachmentView, ...]


def list_notices(
    session: Session,
    *,
    kind: PublicityKind | None = None,
    states: Sequence[PublicityState] = (),
    after: str | None = None,
    size: int = 20,
) -> Page[NoticeView]:
    """Read one page of notices, the newest first."""
    statement = select(Notice)
    if kind is not None:
        statement = statement.where(Notice.kind == kind)
    if states:
        statement = statement.where(Notice.state.in_(states))
    page = paginate(
        session,
        statement,
        keys=[Notice.opened_at.desc(), Notice.id.desc()],
        after=after,
        size=size,
    )
    views = {view.id: view for view in _views(session, page.items)}
    return page.map(lambda row: views[row.id])


def count_notices(session: Session) -> dict[tuple[PublicityKind, PublicityState], int]:
    """Count notices by kind and state."""
    rows = session.execute(
        select(Notice.kind, Notice.state, func.count()).group_by(Notice.kind, Notice.state)
    )
    return {(kind, state): count for kind, state, count in rows}


def get_notice(session: Session, notice_id: int) -> NoticeView:
    """Return one notice or raise ``NotFound``."""
    row = session.get(Notice, notice_id)
    if row is None:
        raise NotFound()
    return next(iter(_views(session, [row])))


def terms_of(session: Session, notice_ids: Iterable[int]) -> dict[int, tuple[date, PublicityState]]:
    """Return the last day and the state of several notices in one query."""
    wanted = set(notice_ids)
    if not wanted:
        return {}
    rows = session.execute(
        select(Notice.id, Notice.ends_on, Notice.state).where(Notice.id.in_(wanted))
    )
    return {row.id: (row.ends_on, row.state) for row in rows}


def published_objections(session: Session, notice_id: int) -> list[PublishedObjection]:
    """List a notice's objections as the public sees them, oldest first."""
    return [
        PublishedObjection(
            row.id,
            row.state,
            row.raised_at,
            row.answer_by,
            row.decided_at,
            row.answer,
            row.user_id is not None,
        )
        for row in _objections(session, notice_id)
    ]


def objection_files(session: Session, actor: Actor, notice_id: int) -> list[ObjectionFile]:
    """List a notice's objections in full: all for who answers them, else the actor's own."""
    notice = session.get(Notice, notice_id)
    if notice is None or not actor.signed_in:
        return []
    rows = _objections(session, notice_id)
    if not answers(actor, notice.kind):
        rows = [row for row in rows if row.user_id == actor.user_id]
    names = accounts.get_organisations(
        session, (row.organisation_id for row in rows if row.organisation_id)
    )
    return [
        ObjectionFile(
            id=row.id,
            notice_id=row.notice_id,
            state=row.state,
            name=row.name,
            contact=row.contact,
            text=row.text,
            organisation_name=names[row.organisation_id].name if row.organisation_id else "",
            raised_at=row.raised_at,
            answer=row.answer,
            attachments=tuple(attachments.of(session, subject_of(row.id))),
        )
        for row in rows
    ]


def get_objection_file(
    session: Session, actor: Actor, notice_id: int, objection_id: int
) -> ObjectionFile:
    """Return one objection in full for who answers it or raised it, else raise ``NotFound``."""
    for found in objection_files(session, actor, notice_id):
        if found.id == objection_id:
            return found
    raise NotFound()


def subject_of(objection_id: int) -> str:
    """Return the subject under which an objection's files and audit rows stand."""
    return f"objection:{objection_id}"


def answers(actor: Actor, kind: PublicityKind) -> bool:
    """Tell whether the actor answers objections to such a notice."""
    return permits(actor, rules.DECIDE) and actor.has(*rules.deciders(kind))


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List the objections that wait for the actor's answer."""
    kinds = [kind for kind in PublicityKind if answers(actor, kind)]
    if not kinds:
        return []
    rows = session.execute(
        select(Notice, func.count())
        .join(Objection, Objection.notice_id == Notice.id)
        .where(Objection.state == ObjectionState.OPEN, Notice.kind.in_(kinds))
        .group_by(Notice.id)
        .order_by(Notice.closes_at)
    )
    return [
        WaitingItem(
            what=f"答复异议：{notice.title}",
            why=f"{count} 条异议待答复，答复前{notice.kind.label}不能结束",
            endpoint="publicity.show",
            params={"notice_id": notice.id},
            act="核查并答复",
            due_on=notice.ends_on,
            workdays=rules.counts_workdays(notice.kind),
        )
        for notice, count in rows
    ]


def _objections(session: Session, notice_id: int) -> list[Objection]:
    return list(
        session.scalars(
            select(Objection).where(Objection.notice_id == notice_id).order_by(Objection.id)
        )
    )


def _views(session: Session, rows: Sequence[Notice]) -> list[NoticeView]:
    names = accounts.get_organisations(session, (row.organisation_id for row in rows))
    counts: dict[int, dict[ObjectionState, int]] = {}
    for notice_id, state, count in session.execute(
        select(Objection.notice_id, Objection.state, func.count())
        .where(Objection.notice_id.in_([row.id for row in rows]))
        .group_by(Objection.notice_id, Objection.state)
    ):
        counts.setdefault(notice_id, {})[state] = count
    return [
        NoticeView(
            id=row.id,
            kind=row.kind,
            state=row.state,
            subject=row.subject,
            title=row.title,
            body=row.body,
            facts=tuple((label, value) for label, value in row.facts),
            organisation_id=row.organisation_id,
            organisation_name=names[row.organisation_id].name,
            opened_at=row.opened_at,
            opened_on=row.opened_on,
            ends_on=row.ends_on,
            closes_at=row.closes_at,
            closed_at=row.closed_at,
            objection_count=sum(counts.get(row.id, {}).values()),
            open_objection_count=counts.get(row.id, {}).get(ObjectionState.OPEN, 0),
        )
        for row in rows
    ]
