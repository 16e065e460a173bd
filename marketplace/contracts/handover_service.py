"""Use cases of a registrar's colleague: contracts under review pass into another hand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.contracts.models import Contract
from marketplace.contracts.record_queries import subject
from marketplace.contracts.rules import ContractStatus
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.handover import Handing

REVIEWS = "审核中的技术合同"


def open_work(session: Session, *, organisation_id: int, user_id: int) -> dict[str, int]:
    """Count the contracts that a registrar has taken up and not decided."""
    rows = _reviews(session, organisation_id, user_id).subquery()
    return {REVIEWS: session.scalar(select(func.count()).select_from(rows)) or 0}


def take_over(session: Session, *, actor: Actor, now: datetime, handing: Handing) -> dict[str, int]:
    """Give the contracts that a registrar has taken up to a colleague of the same office."""
    rows = session.scalars(
        _reviews(session, handing.organisation_id, handing.giver_id).with_for_update()
    ).all()
    if rows and not handing.taker.has(Role.REGISTRAR):
        raise RuleBroken(
            "contracts.taker",
            "审核中的合同要交给登记员：请先给这位同事加上“技术合同登记员”角色",
            "taker",
        )
    for row in rows:
        row.reviewer_name = handing.taker.name
        row.touched_at = now
        row.version += 1
        audit.record(
            session,
            actor=actor,
            action="contracts.hand_over",
            subject=subject(row.id),
            now=now,
            before={"person": handing.giver_id},
            after={"person": handing.taker.user_id},
        )
    return {REVIEWS: len(rows)}


def _reviews(session: Session, organisation_id: int, user_id: int) -> Select[Contract]:
    # A contract keeps the name of who took it up, as the applicant sees it.
    name = accounts.get_user(session, user_id).name
    return (
        select(Contract)
        .where(
            Contract.registrar_organisation_id == organisation_id,
            Contract.status == ContractStatus.REVIEW,
            Contract.reviewer_name == name,
        )
        .order_by(Contract.id)
    )
