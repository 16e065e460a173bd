"""Notes and tasks: what was said on a deal, and what comes next."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.brokerage import enquiry_service, rules
from marketplace.brokerage.events import NoteShared
from marketplace.brokerage.family_queries import belongs_to, standing_id
from marketplace.brokerage.models import Deal, Note, Task
from marketplace.brokerage.pipeline_service import load, subject
from marketplace.brokerage.rules import CONTACTS, NoteKind, NoteVisibility
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken


def add_note(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    kind: NoteKind,
    visibility: NoteVisibility,
    body: str,
) -> int:
    """Write a note on a deal; a shared one is announced to the other sides."""
    require(actor, rules.WRITE_NOTE)
    deal, _sides = load(session, actor, deal_id)
    text = body.strip()
    if len(text) < 2:
        raise RuleBroken("deal.note_empty", "请写下谈了什么、结果怎样", "body")
    shared = visibility is NoteVisibility.SHARED
    return write_note(session, deal, actor=actor, now=now, kind=kind, body=text, shared=shared)


def write_note(
    session: Session,
    deal: Deal,
    *,
    actor: Actor,
    now: datetime,
    kind: NoteKind,
    body: str,
    shared: bool,
) -> int:
    """Store a note on a locked deal, announce it when shared, and return its id."""
    note = Note(
        deal_id=deal.id,
        kind=kind,
        visibility=NoteVisibility.SHARED if shared else NoteVisibility.PRIVATE,
        body=body,
        written_at=now,
        author_user_id=actor.user_id,
        author_name=actor.name,
        author_organisation_name=actor.organisation_name,
    )
    session.add(note)
    if kind in CONTACTS:
        deal.last_contact_at = now
    deal.touched_at = now
    session.flush()
    # The words stay out of the audit row: a private note is its author's alone.
    audit.record(
        session,
        actor=actor,
        action="brokerage.add_note",
        subject=subject(deal.id),
        now=now,
        after={"note": note.id, "kind": kind, "visibility": note.visibility},
    )
    if shared:
        enquiry_service.message_written(session, deal, actor=actor, now=now)
        outbox.publish(
            session,
            NoteShared(
                deal_id=deal.id,
                title=deal.title,
                author_user_id=actor.user_id,
                seller_organisation_id=deal.seller_organisation_id,
                buyer_organisation_id=deal.buyer_organisation_id,
                broker_user_id=deal.broker_user_id,
            ),
            now=now,
        )
    return note.id


def add_task(
    session: Session, *, actor: Actor, now: datetime, deal_id: int, what: str, due_on: date
) -> int:
    """Set the next thing to do on a deal, with its day."""
    require(actor, rules.WRITE_NOTE)
    deal, _sides = load(session, actor, deal_id)
    if deal.stage in rules.CLOSED:
        raise Conflict("deal.closed", f"项目已经是“{deal.stage.label}”，不再安排下一步")
    return assign_task(
        session,
        deal,
        actor=actor,
        now=now,
        what=what,
        due_on=due_on,
        owner_user_id=actor.user_id,
    )


def assign_task(
    session: Session,
    deal: Deal,
    *,
    actor: Actor,
    now: datetime,
    what: str,
    due_on: date,
    owner_user_id: int | None,
) -> int:
    """Set the next thing that somebody has to do on a locked deal; return the task's id."""
    text = rules.check_task(what, due_on, today=local_date(now))
    task = Task(
        deal_id=deal.id,
        what=text,
        due_on=due_on,
        owner_user_id=owner_user_id,
        created_at=now,
    )
    session.add(task)
    session.flush()
    refresh_next_task(session, deal)
    deal.touched_at = now
    audit.record(
        session,
        actor=actor,
        action="brokerage.add_task",
        subject=subject(deal.id),
        now=now,
        after={"task": task.id, "due_on": due_on},
    )
    return task.id


def finish_task(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    task_id: int,
    result: str = "",
    kind: NoteKind | None = None,
    next_what: str = "",
    next_due_on: date | None = None,
) -> int:
    """Tick off a task, with its result as a note and the next step; return the deal's id.

    Ticked off already: do nothing. What follows from a task of a merged deal stands with the deal
    that goes on.
    """
    require(actor, rules.WRITE_NOTE)
    found = session.get(Task, task_id)
    if found is None:
        raise NotFound()
    # The deal first: whoever holds it may be moving its tasks.
    deal, _sides = load(session, actor, standing_id(session, found.deal_id))
    task = lock(session, Task, task_id)
    if standing_id(session, task.deal_id) != deal.id:
        raise Conflict("deal.task_moved", "这项待办刚随项目的合并或拆分转走，请刷新页面再记结果")
    if task.owner_user_id != actor.user_id and actor is not SYSTEM:
        raise NotFound()
    if task.done_at is not None:
        return deal.id
    task.done_at, task.result = now, result.strip()
    session.flush()
    refresh_next_task(session, deal)
    deal.touched_at = now
    audit.record(
        session,
        actor=actor,
        action="brokerage.finish_task",
        subject=subject(deal.id),
        now=now,
        after={"task": task.id},
    )
    if task.result:
        write_note(
            session,
            deal,
            actor=actor,
            now=now,
            kind=kind or NoteKind.REMARK,
            body=f"{task.what}：{task.result}",
            shared=False,
        )
    if next_due_on is not None:
        add_task(session, actor=actor, now=now, deal_id=deal.id, what=next_what, due_on=next_due_on)
    elif next_what.strip():
        raise RuleBroken("deal.task_no_day", "请给下一步定一个日期", "next_due_on")
    return deal.id


def refresh_next_task(session: Session, deal: Deal) -> None:
    """Keep the earliest open task's day with a locked deal, those of merged deals included."""
    deal.next_task_on = session.scalar(
        select(func.min(Task.due_on)).where(
            belongs_to(Task.deal_id, deal.id), Task.done_at.is_(None)
        )
    )
