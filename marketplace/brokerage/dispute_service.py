"""Disputes about an introduction or its commission: raised, withdrawn, decided."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.brokerage import introduction_rules, ledger_service
from marketplace.brokerage.deal_queries import sees
from marketplace.brokerage.introduction_events import DisputeDecided, DisputeOpened
from marketplace.brokerage.introduction_models import Dispute
from marketplace.brokerage.introduction_rules import DisputeGround, DisputeState, dispute_subject
from marketplace.brokerage.models import Commission, Introduction
from marketplace.brokerage.pipeline_service import load, subject
from marketplace.brokerage.rules import Side
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound


def open_dispute(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    introduction_id: int,
    ground: DisputeGround,
    words: str,
    uploads: list[Upload] | None = None,
    store: AttachmentStore | None = None,
) -> int:
    """Let the broker or a party dispute an introduction or its commission; return the id.

    One at a time: while one is open, another is refused with ``Conflict``.
    """
    require(actor, introduction_rules.DISPUTE)
    row = lock(session, Introduction, introduction_id)
    if row.deal_id is None or not sees(session, actor, row.deal_id):
        raise NotFound()
    _deal, sides = load(session, actor, row.deal_id)
    by_broker = bool(sides & {Side.BROKER, Side.AGENCY})
    text = introduction_rules.check_dispute(ground, words, by_broker=by_broker)
    dispute = Dispute(
        introduction_id=row.id,
        ground=ground,
        words=text,
        state=DisputeState.OPEN,
        opened_at=now,
        opened_by_id=actor.user_id,
        opened_by_name=actor.name,
        opened_by_organisation_id=actor.organisation_id,
        by_broker=by_broker,
    )
    session.add(dispute)
    try:
        session.flush()
    except IntegrityError as taken:
        raise Conflict(
            "dispute.exists", "这次介绍已有一件争议在处理；请在那里补充，不必另提"
        ) from taken
    for upload in uploads or ():
        assert store is not None
        attachments.store(
            session,
            actor=actor,
            now=now,
            subject=dispute_subject(dispute.id),
            upload=upload,
            visibility=FileVisibility.OWNER,
            store=store,
        )
    audit.record(
        session,
        actor=actor,
        action="brokerage.open_dispute",
        subject=subject(row.deal_id),
        now=now,
        after={"dispute": dispute.id, "ground": ground, "reason": text},
    )
    outbox.publish(
        session,
        DisputeOpened(
            dispute_id=dispute.id,
            deal_id=row.deal_id,
            subject_title=row.subject_title,
            ground=ground.value,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            broker_user_id=row.broker_user_id,
        ),
        now=now,
    )
    return dispute.id


def withdraw_dispute(session: Session, *, actor: Actor, now: datetime, dispute_id: int) -> None:
    """Let who raised a dispute take it back."""
    require(actor, introduction_rules.DISPUTE)
    dispute = lock(session, Dispute, dispute_id)
    require_own(actor, dispute.opened_by_organisation_id)
    if dispute.opened_by_id != actor.user_id:
        raise NotAllowed("dispute.not_yours", "请由提出争议的人撤回")
    introduction_rules.check_open(dispute.state)
    _end(session, dispute, DisputeState.WITHDRAWN, "提出人撤回", actor=actor, now=now)


def decide_dispute(
    session: Session, *, actor: Actor, now: datetime, dispute_id: int, upheld: bool, words: str
) -> None:
    """Let the operator decide a dispute with its reasons.

    Where the commission does not stand, what is owed and has not arrived is struck.
    """
    require(actor, introduction_rules.DECIDE_DISPUTE)
    dispute = lock(session, Dispute, dispute_id)
    introduction_rules.check_open(dispute.state)
    reasons = introduction_rules.check_decision(words)
    state = DisputeState.UPHELD if upheld else DisputeState.REJECTED
    row = _end(session, dispute, state, reasons, actor=actor, now=now)
    if not upheld and row.deal_id is not None:
        rows = session.scalars(
            select(Commission).where(Commission.deal_id == row.deal_id).with_for_update()
        ).all()
        ledger_service.void_unpaid(session, rows, actor=actor, now=now, reason=reasons)


def _end(
    session: Session,
    dispute: Dispute,
    state: DisputeState,
    reasons: str,
    *,
    actor: Actor,
    now: datetime,
) -> Introduction:
    dispute.state, dispute.decision = state, reasons
    dispute.decided_at, dispute.decided_by_name = now, actor.name
    row = session.get_one(Introduction, dispute.introduction_id)
    audit.record(
        session,
        actor=actor,
        action="brokerage.end_dispute",
        subject=subject(row.deal_id or 0),
        now=now,
        after={"dispute": dispute.id, "state": state, "reason": reasons},
    )
    outbox.publish(
        session,
        DisputeDecided(
            dispute_id=dispute.id,
            deal_id=row.deal_id or 0,
            subject_title=row.subject_title,
            state=state.value,
            reason=reasons,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            broker_user_id=row.broker_user_id,
        ),
        now=now,
    )
    return row
