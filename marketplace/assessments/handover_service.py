"""Use cases of an assessor's colleague: orders pass into another hand.

A seat on a panel is the expert's own and goes to nobody: who cannot score leaves it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.assessments import choice_queries, rules
from marketplace.assessments.models import Assessment
from marketplace.assessments.ordering_service import count_version, note
from marketplace.assessments.rules import AssessmentState
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.handover import Handing

ORDERS = "评估委托"
_IN_HAND = (AssessmentState.ACCEPTED, AssessmentState.SCORING)


def open_work(session: Session, *, organisation_id: int, user_id: int) -> dict[str, int]:
    """Count the house's orders that rest in a person's hand."""
    rows = _orders(organisation_id, user_id).subquery()
    return {ORDERS: session.scalar(select(func.count()).select_from(rows)) or 0}


def take_over(session: Session, *, actor: Actor, now: datetime, handing: Handing) -> dict[str, int]:
    """Give an assessor's orders to a colleague who may work on them and has no conflict."""
    orders = session.scalars(
        _orders(handing.organisation_id, handing.giver_id).with_for_update()
    ).all()
    if orders and handing.taker.user_id not in {
        person for person, _name in choice_queries.experts_of(session, handing.organisation_id)
    }:
        raise RuleBroken(
            "assessments.taker", "评估委托要交给评估师或评审专家：请先给这位同事加上角色", "taker"
        )
    today = local_date(now)
    for row in orders:
        rules.check_no_conflict(
            rules.conflicts(
                choice_queries.party_facts(session, handing.organisation_id, on=today),
                choice_queries.party_facts(session, row.organisation_id, on=today),
                choice_queries.subject_facts(session, row.achievement_id),
                expert_id=handing.taker.user_id or 0,
            )
        )
        row.expert_id = handing.taker.user_id
        count_version(row)
        note(session, actor, "hand_over", row, now, giver=handing.giver_id, expert=row.expert_id)
    return {ORDERS: len(orders)}


def _orders(organisation_id: int, user_id: int) -> Select[Assessment]:
    return (
        select(Assessment)
        .where(
            Assessment.assessor_organisation_id == organisation_id,
            Assessment.expert_id == user_id,
            Assessment.state.in_(_IN_HAND),
        )
        .order_by(Assessment.id)
    )
