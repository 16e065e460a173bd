"""Reads of what was said and done on deals: notes, tasks, the timeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from marketplace.brokerage.commission_rules import ExpenseStatus
from marketplace.brokerage.deal_queries import visible_to
from marketplace.brokerage.family_queries import goes_on
from marketplace.brokerage.introduction_rules import DisputeState, RecognitionState
from marketplace.brokerage.models import Deal, Note, Task
from marketplace.brokerage.pipeline_rules import Step
from marketplace.brokerage.rules import DealStage, NoteKind, NoteVisibility
from marketplace.brokerage.seen_queries import seen_family
from marketplace.brokerage.step_queries import place_of
from marketplace.foundation import audit
from marketplace.foundation.access import Actor


@dataclass(frozen=True)
class NoteView:
    """A note as its reader sees it."""

    id: int
    deal_id: int
    kind: NoteKind
    visibility: NoteVisibility
    body: str
    written_at: datetime
    author: str


@dataclass(frozen=True)
class TaskView:
    """A task with the deal it belongs to."""

    id: int
    deal_id: int
    deal_title: str
    step: Step
    what: str
    due_on: date
    done_at: datetime | None
    result: str
    last_contact_at: datetime | None
    owner_user_id: int | None


def notes(session: Session, actor: Actor, deal_id: int) -> list[NoteView]:
    """List the notes that the actor may read, newest first; private ones only their author.

    Those of a merged deal stand among them for whoever reads them on its own page.
    """
    readable: ColumnElement[bool] = Note.visibility == NoteVisibility.SHARED
    if actor.user_id is not None:
        readable = or_(readable, Note.author_user_id == actor.user_id)
    among = seen_family(session, actor, deal_id)
    rows = session.scalars(
        select(Note).where(Note.deal_id.in_(among), readable).order_by(Note.id.desc())
    )
    return [
        NoteView(
            row.id,
            row.deal_id,
            row.kind,
            row.visibility,
            row.body,
            row.written_at,
            f"{row.author_name}，{row.author_organisation_name}"
            if row.author_organisation_name
            else row.author_name,
        )
        for row in rows
    ]


def _task(row: Task, deal: Deal) -> TaskView:
    return TaskView(
        row.id,
        deal.id,
        deal.title,
        place_of(deal)[1],
        row.what,
        row.due_on,
        row.done_at,
        row.result,
        deal.last_contact_at,
        row.owner_user_id,
    )


def tasks_of_deal(session: Session, actor: Actor, deal_id: int) -> list[TaskView]:
    """List a deal's tasks and those of what was merged into it, the open ones first by day."""
    rows = session.execute(
        select(Task, Deal)
        .join(Deal, Deal.id == Task.deal_id)
        .where(Task.deal_id.in_(seen_family(session, actor, deal_id)))
        .order_by(Task.done_at.is_not(None), Task.due_on, Task.id)
    )
    return [_task(task, deal) for task, deal in rows]


def open_tasks(
    session: Session, actor: Actor, *, until: date | None = None, limit: int = 100
) -> list[TaskView]:
    """List the actor's own open tasks through a day, the earliest first."""
    statement = (
        select(Task, Deal)
        .join(Deal, Deal.id == Task.deal_id)
        .where(
            Task.owner_user_id == actor.user_id,
            Task.done_at.is_(None),
            goes_on(),
            visible_to(session, actor),
        )
        .order_by(Task.due_on, Task.id)
        .limit(limit)
    )
    if until is not None:
        statement = statement.where(Task.due_on <= until)
    return [_task(task, deal) for task, deal in session.execute(statement)]


_ACTIONS = {
    "brokerage.open_deal": "建立项目",
    "brokerage.move": "进入",
    "brokerage.change_pipeline": "换流程",
    "brokerage.award": "挂牌成交，进入合同草拟",
    "brokerage.lose": "记为未成",
    "brokerage.set_terms": "更新交易条件",
    "brokerage.take_over": "经理人接手",
    "brokerage.introduce": "介绍存证",
    "brokerage.acknowledge": "确认介绍",
    "brokerage.offer_agreement": "提供保密协议",
    "brokerage.accept_agreement": "接受保密协议",
    "brokerage.revoke_agreement": "收回保密协议",
    "brokerage.waive_agreement": "约定不需要保密协议",
    "brokerage.propose_commission": "提出佣金约定",
    "brokerage.confirm_commission": "确认佣金约定",
    "brokerage.decline_commission": "不接受佣金约定",
    "brokerage.commission_due": "佣金应付",
    "brokerage.receive_commission": "佣金到账",
    "brokerage.commission_fixed": "佣金按登记合同算定",
    "brokerage.commission_invoiced": "登记佣金发票",
    "brokerage.commission_void": "佣金约定作废",
    "brokerage.mark_registered": "技术合同已登记",
    "brokerage.recognise": "核对登记的合同",
    "brokerage.open_dispute": "提出争议",
    "brokerage.end_dispute": "争议结束",
    "brokerage.claim_expense": "请求必要费用",
    "brokerage.move_expense": "必要费用",
    "brokerage.open_room": "开放资料室",
    "brokerage.close_room": "关闭资料室",
    "brokerage.add_file": "放进资料室文件",
    "brokerage.withdraw_file": "撤下资料室文件",
    "brokerage.open_file": "打开资料室文件",
    "brokerage.issue_link": "发出专人链接",
    "brokerage.revoke_link": "收回专人链接",
    "brokerage.propose_talk": "约会议时间",
    "brokerage.choose_slots": "选会议时间",
    "brokerage.fix_talk": "定下会议时间",
    "brokerage.cancel_talk": "取消会议",
    "brokerage.write_minutes": "写会议纪要",
    "brokerage.remind": "催办答复",
    "brokerage.merge": "并入另一个项目",
    "brokerage.take_in": "另一个项目并了进来",
    "brokerage.split": "分出一个项目",
    "brokerage.split_off": "从另一个项目分出",
}


def _entered(after: Mapping[str, Any]) -> str:
    """Return how the step was called; rows from before there were pipelines name the stage."""
    return str(after.get("step") or DealStage(after["stage"]).label)


# Where the label goes on with what was decided.
_DECIDED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "brokerage.move": _entered,
    "brokerage.change_pipeline": lambda after: f"{after['pipeline']}，在“{after['step']}”",
    "brokerage.recognise": lambda after: RecognitionState(after["state"]).label,
    "brokerage.end_dispute": lambda after: DisputeState(after["state"]).label,
    "brokerage.move_expense": lambda after: ExpenseStatus(after["status"]).label,
}


@dataclass(frozen=True)
class HistoryLine:
    """One line of a deal's timeline."""

    at: datetime
    what: str
    who: str
    note: str
    state: str


def history(session: Session, deal_id: int) -> list[HistoryLine]:
    """List what was done on a deal, newest first; notes and tasks stand elsewhere."""
    lines = []
    for entry in audit.history(session, f"deal:{deal_id}"):
        label = _ACTIONS.get(entry.action)
        if label is None:
            continue
        after = entry.after or {}
        if entry.action in _DECIDED:
            label = f"{label}：{_DECIDED[entry.action](after)}"
        lines.append(
            HistoryLine(
                entry.happened_at,
                label,
                entry.actor_name,
                f"项目 {after['deal']}" if "deal" in after else str(after.get("reason", "")),
                "bad" if entry.action == "brokerage.lose" else "",
            )
        )
    return lines[::-1]
