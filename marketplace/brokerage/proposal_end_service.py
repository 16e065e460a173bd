"""Proposals that nobody answers: a reminder before the end, and the end told to both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.brokerage.proposal_events import ProposalLapsed, ProposalReminded
from marketplace.brokerage.proposal_models import Proposal
from marketplace.brokerage.proposal_rules import REMIND_BEFORE, ProposalState, SideAnswer
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import local_date
from marketplace.needs import queries as needs

_BATCH = 200


def remind_of_proposals(session: Session, now: datetime) -> int:
    """Remind once, some days before the end, who has not answered; return how many proposals."""
    today = local_date(now)
    rows = _open(
        session,
        Proposal.reminded_at.is_(None),
        Proposal.valid_to.between(today, today + REMIND_BEFORE),
    )
    for row in rows:
        row.reminded_at = now
        audit.record(
            session,
            actor=SYSTEM,
            action="brokerage.remind_of_proposal",
            subject=f"proposal:{row.id}",
            now=now,
            after={"valid_to": row.valid_to},
        )
        outbox.publish(session, _about(session, ProposalReminded, row), now=now)
    return len(rows)


def lapse_proposals(session: Session, now: datetime) -> int:
    """End the proposals whose time is over; return how many."""
    rows = _open(session, Proposal.valid_to < local_date(now))
    for row in rows:
        lapse(session, row, now=now)
    return len(rows)


def lapse(session: Session, row: Proposal, *, now: datetime) -> None:
    """End a locked proposal for want of an answer and tell of it."""
    row.state = ProposalState.LAPSED
    audit.record(
        session,
        actor=SYSTEM,
        action="brokerage.lapse_proposal",
        subject=f"proposal:{row.id}",
        now=now,
        after={"valid_to": row.valid_to},
    )
    outbox.publish(session, _about(session, ProposalLapsed, row), now=now)


def _open(session: Session, *conditions: ColumnElement[bool]) -> Sequence[Proposal]:
    return session.scalars(
        select(Proposal)
        .where(Proposal.state == ProposalState.OPEN, *conditions)
        .order_by(Proposal.id)
        .limit(_BATCH)
        .with_for_update()
    ).all()


def _about(
    session: Session, event: type[ProposalReminded | ProposalLapsed], row: Proposal
) -> ProposalReminded | ProposalLapsed:
    waiting = SideAnswer.WAITING
    return event(
        proposal_id=row.id,
        title=achievements.rows_of(session, [row.achievement_id])[row.achievement_id].title,
        need_title=needs.rows_of(session, [row.need_id])[row.need_id].title,
        valid_to=row.valid_to,
        seller_organisation_id=row.seller_organisation_id if row.seller_answer is waiting else None,
        buyer_organisation_id=row.buyer_organisation_id if row.buyer_answer is waiting else None,
        broker_user_id=row.broker_user_id,
    )
