"""Open a notice, object to it, answer, close it when its time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import PUBLIC, SYSTEM, Actor, require
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotAllowed, NotFound, RuleBroken
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.publicity import queries, rules
from marketplace.publicity.events import (
    ObjectionDecided,
    ObjectionRaised,
    PublicityClosed,
    PublicityOpened,
)
from marketplace.publicity.models import Notice, Objection
from marketplace.publicity.rules import ObjectionState, Objector, PublicityKind, PublicityState

MAX_FILES = 5


def open(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    kind: PublicityKind,
    subject: str,
    title: str,
    body: str,
    organisation_id: int,
    ends_on: date | None = None,
    days: int | None = None,
    workdays: int | None = None,
    facts: Sequence[tuple[str, str]] = (),
) -> int:
    """Put a matter before the public and return the notice's id.

    The slice whose matter it is has asked for permission. ``organisation_id`` is the organisation
    that the notice is about. Give one of ``ends_on``, ``days``, ``workdays``, or none for the
    shortest period of the kind; a shorter one is refused (for negotiated prices by
    《山东省促进科技成果转化条例》第十四条).
    """
    opened_on = local_date(now)
    least = value_on(rules.MINIMUM[kind], opened_on)
    earliest = (
        add_workdays(opened_on, least)
        if rules.counts_workdays(kind)
        else rules.earliest_end(opened_on, least)
    )
    if ends_on is None:
        if days is not None:
            ends_on = rules.earliest_end(opened_on, days)
        elif workdays is not None:
            ends_on = add_workdays(opened_on, workdays)
        else:
            ends_on = earliest
    rules.check_period(kind, ends_on=ends_on, earliest=earliest, least=least)
    notice = Notice(
        kind=kind,
        state=PublicityState.OPEN,
        subject=subject,
        title=title,
        body=body,
        facts=[[label, value] for label, value in facts],
        organisation_id=organisation_id,
        opened_at=now,
        opened_on=opened_on,
        ends_on=ends_on,
        closes_at=rules.closes_at(ends_on),
        closed_at=None,
    )
    session.add(notice)
    session.flush()
    outbox.publish(
        session,
        PublicityOpened(
            publicity_id=notice.id,
            kind=kind.value,
            subject=subject,
            title=title,
            organisation_id=organisation_id,
            ends_on=ends_on,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="publicity.open",
        subject=f"publicity:{notice.id}",
        now=now,
        after={"kind": kind, "subject": subject, "ends_on": ends_on},
    )
    return notice.id


def raise_objection(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    publicity_id: int,
    text: str,
    name: str = "",
    contact: str = "",
    uploads: Sequence[Upload] = (),
    attachment_store: AttachmentStore | None = None,
) -> int:
    """Object to a notice, as a member or as anybody with a name and a contact; return its id.

    A member's name and contact come from the account. From now until the answer the notice is
    suspended.
    """
    require(actor, PUBLIC)
    if actor.user_id is not None:
        user = accounts.get_user(session, actor.user_id)
        name, contact = user.name, contact or user.phone or user.email
    if len(uploads) > MAX_FILES:
        raise RuleBroken(
            "publicity.too_many_files", f"最多附 {MAX_FILES} 个文件，请合并后再交", "attachments"
        )
    notice = lock(session, Notice, publicity_id)
    rules.check_objection(
        state=notice.state,
        closes=notice.closes_at,
        now=now,
        text=text,
        objector=Objector(name, contact),
    )
    objection = Objection(
        notice_id=notice.id,
        state=ObjectionState.OPEN,
        name=name.strip(),
        contact=contact.strip(),
        text=text.strip(),
        organisation_id=actor.organisation_id,
        user_id=actor.user_id,
        raised_at=now,
        answer_by=_answer_by(local_date(now)),
        decided_at=None,
        decided_by_id=None,
    )
    before = notice.state
    notice.state = PublicityState.SUSPENDED
    session.add(objection)
    session.flush()
    for upload in uploads:
        assert attachment_store is not None
        attachments.store(
            session,
            actor=actor,
            now=now,
            subject=queries.subject_of(objection.id),
            upload=upload,
            visibility=FileVisibility.OWNER,
            store=attachment_store,
        )
    outbox.publish(
        session,
        ObjectionRaised(
            objection_id=objection.id,
            publicity_id=notice.id,
            kind=notice.kind.value,
            subject=notice.subject,
            title=notice.title,
            organisation_id=notice.organisation_id,
            objector_organisation_id=objection.organisation_id,
            objector_user_id=objection.user_id,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="publicity.object",
        subject=f"publicity:{notice.id}",
        now=now,
        before={"state": before},
        after={"state": notice.state, "objection": objection.id},
    )
    return objection.id


def _answer_by(today: date) -> date | None:
    """Return the day by which an objection is answered.

    An objection is taken also while next year's calendar is unknown: then no day is guessed.
    """
    try:
        return add_workdays(today, value_on("objection_answer_workdays", today))
    except RuleBroken:
        return None


def decide_objection(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    objection_id: int,
    upheld: bool,
    answer: str,
) -> None:
    """Answer an objection; the answer and its result are published.

    An upheld objection closes the notice at once; the last one not upheld lets it run on.
    """
    require(actor, rules.DECIDE)
    found = session.get(Objection, objection_id)
    if found is None:
        raise NotFound()
    # The notice is locked before its objections, everywhere: two answers never wait in a ring.
    notice = lock(session, Notice, found.notice_id)
    objection = lock(session, Objection, objection_id)
    if not queries.answers(actor, notice.kind):
        holders = "、".join(sorted(role.label for role in rules.deciders(notice.kind)))
        raise NotAllowed("publicity.not_decider", f"{notice.kind.label}的异议由{holders}答复")
    if actor.organisation_id == notice.organisation_id:
        raise NotAllowed("publicity.own", "不能答复对本单位公示的异议，请由其他单位的人员办理")
    rules.check_answer(objection.state, answer)
    before = notice.state
    objection.state = ObjectionState.UPHELD if upheld else ObjectionState.NOT_UPHELD
    objection.answer = answer.strip()
    objection.decided_at = now
    objection.decided_by_id = actor.user_id
    session.flush()
    others_open = session.scalar(
        select(Objection.id)
        .where(Objection.notice_id == notice.id, Objection.state == ObjectionState.OPEN)
        .limit(1)
    )
    notice.state = rules.after_decision(before, upheld=upheld, others_open=others_open is not None)
    outbox.publish(
        session,
        ObjectionDecided(
            objection_id=objection.id,
            publicity_id=notice.id,
            kind=notice.kind.value,
            subject=notice.subject,
            title=notice.title,
            organisation_id=notice.organisation_id,
            objector_organisation_id=objection.organisation_id,
            objector_user_id=objection.user_id,
            upheld=upheld,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="publicity.decide",
        subject=f"publicity:{notice.id}",
        now=now,
        before={"state": before},
        after={"state": notice.state, "objection": objection.id, "upheld": upheld},
    )
    if notice.state is PublicityState.OVERTURNED and before is not PublicityState.OVERTURNED:
        _close(session, notice, actor=actor, now=now, upheld=True)


def close_due(session: Session, *, now: datetime, limit: int = 20) -> int:
    """Close notices that stood their whole period without a waiting objection; count them."""
    rows = session.scalars(
        select(Notice)
        .where(Notice.state == PublicityState.OPEN, Notice.closes_at <= now)
        .order_by(Notice.closes_at, Notice.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for notice in rows:
        notice.state = PublicityState.PASSED
        _close(session, notice, actor=SYSTEM, now=now, upheld=False)
    return len(rows)


def _close(session: Session, notice: Notice, *, actor: Actor, now: datetime, upheld: bool) -> None:
    notice.closed_at = now
    outbox.publish(
        session,
        PublicityClosed(
            publicity_id=notice.id,
            kind=notice.kind.value,
            subject=notice.subject,
            title=notice.title,
            organisation_id=notice.organisation_id,
            upheld=upheld,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="publicity.close",
        subject=f"publicity:{notice.id}",
        now=now,
        after={"state": notice.state, "upheld": upheld},
    )
