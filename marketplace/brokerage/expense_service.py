"""Necessary expenses of a deal that came to no contract: claimed, answered, settled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage import commission_rules, terms_rules
from marketplace.brokerage.commission_models import Expense
from marketplace.brokerage.commission_rules import ExpenseStatus
from marketplace.brokerage.family_queries import belongs_to
from marketplace.brokerage.introduction_events import ExpenseClaimed
from marketplace.brokerage.models import Commission
from marketplace.brokerage.pipeline_service import load, load_led, subject
from marketplace.brokerage.rules import Side
from marketplace.brokerage.terms_rules import CommissionPayer, CommissionStatus
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require, require_own
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotAllowed, NotFound
from marketplace.foundation.money import Fen


def claim_expense(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    payer: CommissionPayer,
    amount_fen: Fen,
    words: str,
) -> int:
    """Let the broker of a lost deal ask one side for his necessary expenses; return the id."""
    require(actor, terms_rules.PROPOSE_COMMISSION)
    deal = load_led(session, actor, deal_id)
    if actor.user_id is None or deal.broker_user_id != actor.user_id:
        raise NotAllowed("expense.not_broker", "只有本项目的技术经理人可以请求必要费用")
    owed = session.scalar(
        select(Commission.id).where(
            belongs_to(Commission.deal_id, deal.id),
            Commission.payer == payer,
            Commission.status.not_in((CommissionStatus.VOID, CommissionStatus.PROPOSED)),
        )
    )
    text = commission_rules.check_expense(
        stage=deal.stage, amount_fen=amount_fen, words=words, commission_owed=owed is not None
    )
    row = session.scalar(
        select(Expense).where(Expense.deal_id == deal.id, Expense.payer == payer).with_for_update()
    )
    if row is None:
        row = Expense(deal_id=deal.id, payer=payer, broker_user_id=actor.user_id)
        session.add(row)
    else:
        commission_rules.move_expense(row.status, ExpenseStatus.CLAIMED)
    row.payer_organisation_id = (
        deal.seller_organisation_id
        if payer is CommissionPayer.SELLER
        else deal.buyer_organisation_id
    )
    row.amount_fen, row.words, row.status = amount_fen, text, ExpenseStatus.CLAIMED
    row.claimed_at, row.answered_at = now, None
    row.answer = row.answered_by_name = ""
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="brokerage.claim_expense",
        subject=subject(deal.id),
        now=now,
        after={"expense": row.id, "amount_fen": amount_fen, "payer": payer, "reason": text},
    )
    outbox.publish(
        session,
        ExpenseClaimed(
            expense_id=row.id,
            deal_id=deal.id,
            title=deal.title,
            amount_fen=amount_fen,
            payer_organisation_id=row.payer_organisation_id,
            broker_user_id=row.broker_user_id,
        ),
        now=now,
    )
    return row.id


def answer_expense(
    session: Session, *, actor: Actor, now: datetime, expense_id: int, accepted: bool, answer: str
) -> int:
    """Let the asked side agree to the expenses or decline them; return the deal's id."""
    require(actor, terms_rules.CONFIRM_COMMISSION)
    row = lock(session, Expense, expense_id)
    require_own(actor, row.payer_organisation_id)
    to = ExpenseStatus.ACCEPTED if accepted else ExpenseStatus.DECLINED
    _move_expense(session, row, to, actor=actor, now=now, answer=answer.strip())
    return row.deal_id


def settle_expense(session: Session, *, actor: Actor, now: datetime, expense_id: int) -> int:
    """Let the broker note that the expenses have arrived; return the deal's id."""
    require(actor, terms_rules.RECEIVE_COMMISSION)
    row = lock(session, Expense, expense_id)
    _deal, sides = load(session, actor, row.deal_id)
    if not sides & {Side.BROKER, Side.AGENCY} and actor is not SYSTEM:
        raise NotFound()
    _move_expense(session, row, ExpenseStatus.SETTLED, actor=actor, now=now, answer=row.answer)
    return row.deal_id


def _move_expense(
    session: Session,
    row: Expense,
    to: ExpenseStatus,
    *,
    actor: Actor,
    now: datetime,
    answer: str,
) -> None:
    row.status = commission_rules.move_expense(row.status, to)
    if to is not ExpenseStatus.SETTLED:
        row.answered_at, row.answered_by_name, row.answer = now, actor.name, answer
    audit.record(
        session,
        actor=actor,
        action="brokerage.move_expense",
        subject=subject(row.deal_id),
        now=now,
        after={"expense": row.id, "status": to, "reason": answer},
    )
