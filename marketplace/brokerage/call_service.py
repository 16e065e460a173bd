"""What is done in one tap: log a call, choose the day of the next step."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage import rules
from marketplace.brokerage.diary_service import (
    add_task,
    finish_task,
    refresh_next_task,
    write_note,
)
from marketplace.brokerage.family_queries import belongs_to
from marketplace.brokerage.models import Task
from marketplace.brokerage.parameters import follow_up_days_on
from marketplace.brokerage.pipeline_service import load, subject
from marketplace.brokerage.rules import NoteKind
from marketplace.brokerage.today_rules import AFTER_CALL, FOLLOW_UP, CallOutcome
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.workdays import add_workdays


def log_call(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    outcome: CallOutcome,
    words: str = "",
    next_what: str = "",
    next_due_on: date | None = None,
) -> None:
    """Note a call for the caller alone, tick off what was due, and keep a next step set.

    A call nobody answered is no contact and finishes nothing: the step moves to the next working
    day.
    """
    require(actor, rules.WRITE_NOTE)
    deal, _sides = load(session, actor, deal_id)
    _check_open(deal.stage)
    if next_what.strip() and next_due_on is None:
        raise RuleBroken("deal.task_no_day", "请给下一步定一个日期", "next_due_on")
    today = local_date(now)
    reached = outcome is CallOutcome.REACHED
    body = words.strip() or ("电话已接通" if reached else "电话没有接通")
    kind = NoteKind.CALL if reached else NoteKind.REMARK
    write_note(session, deal, actor=actor, now=now, kind=kind, body=body, shared=False)
    if reached:
        for task in _own_open(session, actor, deal_id):
            if task.due_on <= today:
                finish_task(session, actor=actor, now=now, task_id=task.id)
        due_on = next_due_on or today + timedelta(days=follow_up_days_on(today))
    else:
        due_on = next_due_on or add_workdays(today, 1)
    if next_due_on is None and reached and _own_open(session, actor, deal_id):
        return
    wanted = next_what.strip()
    if not wanted and not _own_open(session, actor, deal_id):
        wanted = AFTER_CALL[outcome]
    plan_next(session, actor=actor, now=now, deal_id=deal_id, due_on=due_on, what=wanted)


def plan_next(
    session: Session, *, actor: Actor, now: datetime, deal_id: int, due_on: date, what: str = ""
) -> int:
    """Move the actor's next step on a deal to a day, or set one; return the task's id."""
    require(actor, rules.WRITE_NOTE)
    deal, _sides = load(session, actor, deal_id)
    _check_open(deal.stage)
    tasks = _own_open(session, actor, deal_id)
    if not tasks:
        return add_task(
            session, actor=actor, now=now, deal_id=deal_id, what=what or FOLLOW_UP, due_on=due_on
        )
    task = tasks[0]
    text = rules.check_task(what or task.what, due_on, today=local_date(now))
    before = task.due_on
    task.what, task.due_on = text, due_on
    session.flush()
    refresh_next_task(session, deal)
    deal.touched_at = now
    audit.record(
        session,
        actor=actor,
        action="brokerage.plan_next",
        subject=subject(deal.id),
        now=now,
        before={"due_on": before},
        after={"task": task.id, "due_on": due_on},
    )
    return task.id


def _check_open(stage: rules.DealStage) -> None:
    if stage in rules.CLOSED:
        raise Conflict("deal.closed", f"项目已经是“{stage.label}”，不再记通话和安排下一步")


def _own_open(session: Session, actor: Actor, deal_id: int) -> list[Task]:
    return list(
        session.scalars(
            select(Task)
            .where(
                belongs_to(Task.deal_id, deal_id),
                Task.owner_user_id == actor.user_id,
                Task.done_at.is_(None),
            )
            .order_by(Task.due_on, Task.id)
        )
    )
