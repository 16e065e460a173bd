"""Use cases of a broker's colleague: deals, tasks and requests pass into another hand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from marketplace.brokerage import rules
from marketplace.brokerage.models import ContactRequest, Deal, Task
from marketplace.brokerage.pipeline_service import subject
from marketplace.brokerage.register_rules import RequestStatus
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.handover import Handing

DEALS, TASKS, REQUESTS = "撮合项目", "待办", "待答复的联系请求"


def open_work(session: Session, *, organisation_id: int, user_id: int) -> dict[str, int]:
    """Count a person's open deals, tasks and requests within an organisation's deals."""

    def count(statement: Select[Deal] | Select[Task] | Select[ContactRequest]) -> int:
        return session.scalar(select(func.count()).select_from(statement.subquery())) or 0

    return {
        DEALS: count(_deals(organisation_id, user_id)),
        TASKS: count(_tasks(organisation_id, user_id)),
        REQUESTS: count(_requests(user_id)),
    }


def take_over(session: Session, *, actor: Actor, now: datetime, handing: Handing) -> dict[str, int]:
    """Give a broker's open deals, tasks and requests to a colleague who may lead deals."""
    deals = session.scalars(
        # In the order in which merging locks them.
        _deals(handing.organisation_id, handing.giver_id).order_by(Deal.id).with_for_update()
    ).all()
    tasks = session.scalars(
        _tasks(handing.organisation_id, handing.giver_id).order_by(Task.id).with_for_update()
    ).all()
    requests = session.scalars(_requests(handing.giver_id).with_for_update()).all()
    if (deals or requests) and not handing.taker.has(Role.BROKER):
        raise RuleBroken(
            "deal.taker", "撮合项目要交给技术经理人：请先给这位同事加上“技术经理人”角色", "taker"
        )
    for deal in deals:
        deal.broker_user_id = handing.taker.user_id
        deal.touched_at = now
        deal.version += 1
        _note(session, actor, subject(deal.id), handing, now=now)
    for task in tasks:
        task.owner_user_id = handing.taker.user_id
        _note(session, actor, subject(task.deal_id), handing, now=now, task=task.id)
    for request in requests:
        request.broker_user_id = handing.taker.user_id or request.broker_user_id
        request.phone = ""  # its owner agreed to one broker's having it, not to another's
        _note(session, actor, f"contact_request:{request.id}", handing, now=now)
    return {DEALS: len(deals), TASKS: len(tasks), REQUESTS: len(requests)}


def _deals(organisation_id: int, user_id: int) -> Select[Deal]:
    return select(Deal).where(
        Deal.broker_user_id == user_id,
        Deal.agency_organisation_id == organisation_id,
        Deal.stage.not_in(rules.CLOSED),
    )


def _tasks(organisation_id: int, user_id: int) -> Select[Task]:
    return (
        select(Task)
        .join(Deal, Deal.id == Task.deal_id)
        .where(
            Task.owner_user_id == user_id,
            Task.done_at.is_(None),
            or_(
                Deal.agency_organisation_id == organisation_id,
                Deal.seller_organisation_id == organisation_id,
                Deal.buyer_organisation_id == organisation_id,
            ),
        )
    )


def _requests(user_id: int) -> Select[ContactRequest]:
    return select(ContactRequest).where(
        ContactRequest.broker_user_id == user_id, ContactRequest.status == RequestStatus.OPEN
    )


def _note(
    session: Session,
    actor: Actor,
    about: str,
    handing: Handing,
    *,
    now: datetime,
    task: int | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        action="brokerage.hand_over",
        subject=about,
        now=now,
        before={"person": handing.giver_id},
        after={"person": handing.taker.user_id, "task": task},
    )
