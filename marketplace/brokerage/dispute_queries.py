"""Reads of what follows from introductions: contracts recognised in them, disputes about them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage.deal_queries import sees
from marketplace.brokerage.introduction_models import Dispute, Recognition
from marketplace.brokerage.introduction_rules import (
    DECIDE_DISPUTE,
    DisputeGround,
    DisputeState,
    RecognitionGround,
    RecognitionState,
)
from marketplace.brokerage.models import Introduction
from marketplace.brokerage.seen_queries import seen_proofs
from marketplace.foundation.access import Actor, permits
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen


@dataclass(frozen=True)
class Pair:
    """An introduction named for a list: subject, parties, broker."""

    introduction_id: int
    deal_id: int | None
    subject_title: str
    seller_name: str
    buyer_name: str
    broker_name: str
    introduced_at: datetime
    valid_to: date


@dataclass(frozen=True)
class RecognitionView:
    """A registered contract put down to an introduction."""

    id: int
    pair: Pair
    contract_no: str
    project_name: str
    amount_fen: Fen
    signed_on: date
    ground: RecognitionGround
    state: RecognitionState
    recognised_at: datetime
    decided_by_name: str
    decision: str


@dataclass(frozen=True)
class DisputeView:
    """A dispute with the introduction it is about."""

    id: int
    pair: Pair
    ground: DisputeGround
    words: str
    state: DisputeState
    opened_at: datetime
    opened_by_id: int | None
    opened_by_name: str
    by_broker: bool
    decided_at: datetime | None
    decided_by_name: str
    decision: str


def _pairs(session: Session, introduction_ids: Collection[int]) -> dict[int, Pair]:
    rows = session.scalars(
        select(Introduction).where(Introduction.id.in_(set(introduction_ids)))
    ).all()
    organisations = accounts.get_organisations(
        session,
        {row.seller_organisation_id for row in rows} | {row.buyer_organisation_id for row in rows},
    )
    people = accounts.get_users(session, {row.broker_user_id for row in rows})
    return {
        row.id: Pair(
            row.id,
            row.deal_id,
            row.subject_title,
            organisations[row.seller_organisation_id].name,
            organisations[row.buyer_organisation_id].name,
            people[row.broker_user_id].name,
            row.introduced_at,
            row.valid_to,
        )
        for row in rows
    }


def _recognitions(session: Session, rows: list[Recognition]) -> list[RecognitionView]:
    pairs = _pairs(session, [row.introduction_id for row in rows])
    return [
        RecognitionView(
            row.id,
            pairs[row.introduction_id],
            row.contract_no,
            row.project_name,
            row.amount_fen,
            row.signed_on,
            row.ground,
            row.state,
            row.recognised_at,
            row.decided_by_name,
            row.decision,
        )
        for row in rows
    ]


def _disputes(session: Session, rows: list[Dispute]) -> list[DisputeView]:
    pairs = _pairs(session, [row.introduction_id for row in rows])
    return [
        DisputeView(
            row.id,
            pairs[row.introduction_id],
            row.ground,
            row.words,
            row.state,
            row.opened_at,
            row.opened_by_id,
            row.opened_by_name,
            row.by_broker,
            row.decided_at,
            row.decided_by_name,
            row.decision,
        )
        for row in rows
    ]


def recognitions_of_deal(session: Session, actor: Actor, deal_id: int) -> list[RecognitionView]:
    """List the contracts that were put down to the introductions that cover a deal."""
    rows = session.scalars(
        select(Recognition)
        .join(Introduction, Introduction.id == Recognition.introduction_id)
        .where(Introduction.deal_id.in_(seen_proofs(session, actor, deal_id)))
        .order_by(Recognition.id)
    ).all()
    return _recognitions(session, list(rows))


def recognitions_to_check(session: Session, *, limit: int = 100) -> list[RecognitionView]:
    """List the contracts that the operator has to look at, the oldest first."""
    rows = session.scalars(
        select(Recognition)
        .where(Recognition.state == RecognitionState.TO_CHECK)
        .order_by(Recognition.id)
        .limit(limit)
    ).all()
    return _recognitions(session, list(rows))


def get_recognition(session: Session, recognition_id: int) -> RecognitionView:
    """Return a contract put down to an introduction, for the operator."""
    row = session.get(Recognition, recognition_id)
    if row is None:
        raise NotFound()
    return _recognitions(session, [row])[0]


def disputes_of_deal(session: Session, actor: Actor, deal_id: int) -> list[DisputeView]:
    """List the disputes about the introductions that cover a deal, the newest first."""
    rows = session.scalars(
        select(Dispute)
        .join(Introduction, Introduction.id == Dispute.introduction_id)
        .where(Introduction.deal_id.in_(seen_proofs(session, actor, deal_id)))
        .order_by(Dispute.id.desc())
    ).all()
    return _disputes(session, list(rows))


def disputes(session: Session, *, open_only: bool, limit: int = 100) -> list[DisputeView]:
    """List all disputes for the operator: the open ones by age, else the newest first."""
    statement = select(Dispute).limit(limit)
    if open_only:
        statement = statement.where(Dispute.state == DisputeState.OPEN).order_by(Dispute.id)
    else:
        statement = statement.order_by(Dispute.id.desc())
    return _disputes(session, list(session.scalars(statement)))


def get_dispute(session: Session, actor: Actor, dispute_id: int) -> DisputeView:
    """Return a dispute to who takes part in its deal and to the operator."""
    row = session.get(Dispute, dispute_id)
    if row is None:
        raise NotFound()
    (view,) = _disputes(session, [row])
    if not permits(actor, DECIDE_DISPUTE) and not sees(session, actor, view.pair.deal_id or 0):
        raise NotFound()
    return view


def get_pair(session: Session, actor: Actor, introduction_id: int) -> Pair:
    """Name an introduction to who takes part in its deal and to the operator."""
    found = _pairs(session, [introduction_id]).get(introduction_id)
    if found is None or found.deal_id is None or not sees(session, actor, found.deal_id):
        raise NotFound()
    return found
