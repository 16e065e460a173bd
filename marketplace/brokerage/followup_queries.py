"""What of introductions, answers, expenses and meetings waits for a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage.commission_models import Expense
from marketplace.brokerage.commission_rules import ExpenseStatus
from marketplace.brokerage.deal_queries import visible_to
from marketplace.brokerage.dispute_queries import disputes, recognitions_to_check
from marketplace.brokerage.family_queries import goes_on
from marketplace.brokerage.feedback_queries import owed_answers
from marketplace.brokerage.introduction_rules import DECIDE_DISPUTE
from marketplace.brokerage.models import Deal
from marketplace.brokerage.parameters import reminder_terms_on
from marketplace.brokerage.proposal_queries import awaiting_answer
from marketplace.brokerage.rules import WRITE_NOTE
from marketplace.brokerage.talk_models import Talk, TalkSlot, TalkVote
from marketplace.brokerage.talk_rules import TalkState
from marketplace.brokerage.terms_rules import CONFIRM_COMMISSION
from marketplace.foundation.access import SYSTEM, Actor, permits
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import format_yuan
from marketplace.foundation.waiting import WaitingItem
from marketplace.foundation.workdays import add_workdays

_MOST = 30


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor: answers, times, expenses, proposals, disputes to decide."""
    if actor is SYSTEM or actor.user_id is None:
        return []
    items: list[WaitingItem] = []
    if actor.organisation_id is not None and permits(actor, WRITE_NOTE):
        items += _answers(session, actor) + _times(session, actor, now=now)
    if actor.organisation_id is not None and permits(actor, CONFIRM_COMMISSION):
        items += _expenses(session, actor.organisation_id)
    if actor.organisation_id is not None:
        items += _proposals(session, actor, now=now)
    if permits(actor, DECIDE_DISPUTE):
        items += _desk(session)
    return items


def _proposals(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    return [
        WaitingItem(
            what=f"答复对接建议：{view.need_title}",
            why=f"{view.broker_name}建议与“{view.achievement_title}”对接",
            endpoint="brokerage.proposal",
            params={"proposal_id": view.id},
            act="答复",
            due_on=view.valid_to,
        )
        for view in awaiting_answer(session, actor, now=now, limit=_MOST)
    ]


def _answers(session: Session, actor: Actor) -> list[WaitingItem]:
    items = []
    for owed in owed_answers(session, actor, limit=_MOST):
        try:
            due_on = add_workdays(owed.asked_on, reminder_terms_on(owed.asked_on).first)
        except RuleBroken:  # next year's calendar is not published yet
            due_on = None
        items.append(
            WaitingItem(
                what=f"答复企业留言：{owed.title}",
                why=f"{owed.asked_on.isoformat()} 留言；超期提醒，再转交易中心",
                endpoint="brokerage.show",
                params={"deal_id": owed.deal_id, "_anchor": "notes"},
                act="答复",
                due_on=due_on,
                workdays=True,
            )
        )
    return items


def _times(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    answered = (
        select(TalkSlot.talk_id)
        .join(TalkVote, TalkVote.slot_id == TalkSlot.id)
        .where(TalkVote.organisation_id == actor.organisation_id)
    )
    rows = session.execute(
        select(Talk, Deal)
        .join(Deal, Deal.id == Talk.deal_id)
        .where(
            Talk.state == TalkState.PROPOSED,
            Talk.organisation_id != actor.organisation_id,
            Talk.id.not_in(answered),
            Talk.id.in_(select(TalkSlot.talk_id).where(TalkSlot.starts_at > now)),
            goes_on(),
            visible_to(session, actor),
        )
        .order_by(Talk.id)
        .limit(_MOST)
    )
    return [
        WaitingItem(
            what=f"选时间：{talk.topic}",
            why=f"项目“{deal.title}”，{talk.proposed_by_name}提出",
            endpoint="brokerage.talk",
            params={"talk_id": talk.id},
            act="选时间",
        )
        for talk, deal in rows
    ]


def _expenses(session: Session, organisation_id: int) -> list[WaitingItem]:
    rows = session.scalars(
        select(Expense)
        .where(
            Expense.payer_organisation_id == organisation_id,
            Expense.status == ExpenseStatus.CLAIMED,
        )
        .order_by(Expense.id)
        .limit(_MOST)
    )
    return [
        WaitingItem(
            what=f"答复必要费用：{format_yuan(row.amount_fen)} 元",
            why="没有促成合同，技术经理人按约定请求必要费用",
            endpoint="brokerage.answer_expense",
            params={"deal_id": row.deal_id, "expense_id": row.id},
            act="答复",
        )
        for row in rows
    ]


def _desk(session: Session) -> list[WaitingItem]:
    items = [
        WaitingItem(
            what=f"核对合同 {view.contract_no} 与介绍存证",
            why=view.ground.label,
            endpoint="brokerage.check_recognition",
            params={"recognition_id": view.id},
            act="核对",
        )
        for view in recognitions_to_check(session, limit=_MOST)
    ]
    return items + [
        WaitingItem(
            what=f"介绍有争议：{view.pair.subject_title}",
            why=f"{view.ground.label}，{view.opened_by_name}提出",
            endpoint="brokerage.dispute",
            params={"dispute_id": view.id},
            act="认定",
        )
        for view in disputes(session, open_only=True, limit=_MOST)
    ]
