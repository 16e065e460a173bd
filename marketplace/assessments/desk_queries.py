"""What waits for whom in assessments."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.assessments import panel_queries, rules
from marketplace.assessments.models import Assessment
from marketplace.assessments.panel_rules import SeatState
from marketplace.assessments.queries import mine
from marketplace.assessments.rules import OPEN_STATES, AssessmentState
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.waiting import WaitingItem


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor: choosing, accepting, scoring, reporting, filing."""
    if not permits(actor, rules.VIEW) or not actor.verified:
        return []
    rows = session.scalars(
        select(Assessment)
        .where(mine(actor), Assessment.state.in_(OPEN_STATES))
        .order_by(Assessment.requested_at)
        .limit(60)
    )
    today = local_date(now)
    found = (_waiting_item(actor, row, today) for row in rows)
    return [*_seats(session, actor), *(item for item in found if item is not None)]


def _seats(session: Session, actor: Actor) -> list[WaitingItem]:
    """List the acting expert's seats on which something is to be done."""
    if not permits(actor, rules.SIT):
        return []
    return [
        WaitingItem(
            f"专家评分：{seat.title}",
            "先声明没有利益关系" if seat.state is SeatState.INVITED else "独立评分，提交后不能修改",
            "assessments.seat",
            {"seat_id": seat.id},
            "声明" if seat.state is SeatState.INVITED else "评分",
            seat.due_on,
        )
        for seat in panel_queries.my_seats(session, actor)
        if not seat.over and seat.state in (SeatState.INVITED, SeatState.DECLARED)
    ]


def _waiting_item(actor: Actor, row: Assessment, today: date) -> WaitingItem | None:
    def item(
        what: str, why: str, act: str, due_on: date | None = None, *, workdays: bool = False
    ) -> WaitingItem:
        params = {"assessment_id": row.id}
        return WaitingItem(
            f"{what}：{row.title}", why, "assessments.show", params, act, due_on, workdays
        )

    state = row.state
    if (
        state is AssessmentState.PRE_ASSESSED
        and row.organisation_id == actor.organisation_id
        and permits(actor, rules.REQUEST)
    ):
        why = (
            f"上一家机构未接受：{row.declined_reason}"
            if row.declined_reason
            else f"预评估 {rules.score_text(row.pre_score_tenths)} 分，可以委托评估定价"
        )
        return item("选择评估机构", why, "选择机构")
    if row.assessor_organisation_id == actor.organisation_id:
        if state is AssessmentState.ASSIGNED and permits(actor, rules.ACCEPT):
            why = "先核对利益关系，再接受或说明不接受的理由"
            return item("接受评估委托", why, "答复", row.answer_by, workdays=True)
        if state in rules.WORKING_STATES and (
            row.expert_id == actor.user_id or permits(actor, rules.ISSUE)
        ):
            if row.panel_called_at is None:
                return item("组建专家组", "五位或七位专家独立评分", "选专家", row.due_on)
            if row.low_fen is None:
                return item("估值", "收益法、市场法或成本法", "估值", row.due_on)
            if row.score_tenths is not None:
                return item("出具评估报告", "专家评分已交齐，评估值已有", "出具报告", row.due_on)
    if state is AssessmentState.REPORT and permits(actor, rules.FILE):
        return item("备案评估报告", f"报告 {row.report_number}", "核对并备案")
    return None
