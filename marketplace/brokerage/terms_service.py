"""Introductions and commission: what the parties can be held to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import rules, terms_rules
from marketplace.brokerage.deal_queries import parties_of, sees
from marketplace.brokerage.events import (
    CommissionAgreed,
    IntroductionAcknowledged,
    IntroductionRecorded,
)
from marketplace.brokerage.models import Commission, Deal, Introduction
from marketplace.brokerage.pipeline_service import load_led, subject
from marketplace.brokerage.rules import Side
from marketplace.brokerage.terms_rules import (
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
)
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound


def introduce(session: Session, *, actor: Actor, now: datetime, deal_id: int) -> int:
    """Record that the broker introduced the deal's parties to each other; return its id.

    Of two brokers who introduce the same pair for the same subject the first stands; the second
    is told so with ``Conflict``.
    """
    require(actor, terms_rules.INTRODUCE)
    deal = load_led(session, actor, deal_id)
    if actor.user_id is None or deal.broker_user_id != actor.user_id:
        raise NotAllowed("introduction.not_broker", "只有本项目的技术经理人可以把介绍存证")
    terms_rules.check_introduction(
        seller_organisation_id=deal.seller_organisation_id,
        buyer_organisation_id=deal.buyer_organisation_id,
        agency_organisation_id=actor.organisation_id,
    )
    about, title = _subject_of(session, deal)
    pair = accounts.get_organisations(
        session, (deal.seller_organisation_id, deal.buyer_organisation_id)
    )
    seller, buyer = pair[deal.seller_organisation_id], pair[deal.buyer_organisation_id]
    _refuse_second(session, deal, about, actor)
    row = Introduction(
        deal_id=deal.id,
        subject=about,
        subject_title=title,
        seller_organisation_id=seller.id,
        buyer_organisation_id=buyer.id,
        seller_uscc=seller.uscc,
        buyer_uscc=buyer.uscc,
        broker_user_id=actor.user_id,
        agency_organisation_id=actor.organisation_id,
        introduced_at=now,
        digest=terms_rules.introduction_digest(
            seller_uscc=seller.uscc, buyer_uscc=buyer.uscc, subject=about, introduced_at=now
        ),
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as taken:
        # Somebody committed the same pair while we looked.
        raise _already(None) from taken
    audit.record(
        session,
        actor=actor,
        action="brokerage.introduce",
        subject=subject(deal.id),
        now=now,
        after={"introduction": row.id, "digest": row.digest},
    )
    outbox.publish(
        session,
        IntroductionRecorded(
            introduction_id=row.id,
            deal_id=deal.id,
            subject=about,
            seller_organisation_id=seller.id,
            buyer_organisation_id=buyer.id,
            broker_user_id=actor.user_id,
            digest=row.digest,
        ),
        now=now,
    )
    return row.id


def _subject_of(session: Session, deal: Deal) -> tuple[str, str]:
    if deal.achievement_id is not None:
        title = achievements.get_internal(session, deal.achievement_id).title
        return f"achievement:{deal.achievement_id}", title
    return f"need:{deal.need_id}", deal.title


def _refuse_second(session: Session, deal: Deal, about: str, actor: Actor) -> None:
    first = session.scalar(
        select(Introduction).where(
            Introduction.subject == about,
            Introduction.seller_organisation_id == deal.seller_organisation_id,
            Introduction.buyer_organisation_id == deal.buyer_organisation_id,
        )
    )
    if first is None:
        return
    if first.broker_user_id == actor.user_id:
        raise Conflict("introduction.done", "这次介绍已经存证，不必重复")
    raise _already(first.introduced_at)


def _already(first_at: datetime | None) -> Conflict:
    when = f"（{local_date(first_at).isoformat()}）" if first_at else ""
    return Conflict(
        "introduction.second",
        f"另一位技术经理人已经先把这两方就同一标的作了介绍存证{when}，以先到的为准；"
        "可与交易中心联系查询",
    )


def acknowledge_introduction(
    session: Session, *, actor: Actor, now: datetime, introduction_id: int
) -> int | None:
    """Let a party confirm that the broker introduced it; return the deal's id. Idempotent."""
    require(actor, terms_rules.ACKNOWLEDGE)
    row = lock(session, Introduction, introduction_id)
    if row.deal_id is not None and not sees(session, actor, row.deal_id):
        raise NotFound()
    if actor.organisation_id == row.seller_organisation_id:
        if row.seller_acknowledged_at is not None:
            return row.deal_id
        row.seller_acknowledged_at = now
    elif actor.organisation_id == row.buyer_organisation_id:
        if row.buyer_acknowledged_at is not None:
            return row.deal_id
        row.buyer_acknowledged_at = now
    else:
        raise NotFound()
    audit.record(
        session,
        actor=actor,
        action="brokerage.acknowledge",
        subject=subject(row.deal_id or 0),
        now=now,
        after={"introduction": row.id, "organisation": actor.organisation_id},
    )
    outbox.publish(
        session,
        IntroductionAcknowledged(
            introduction_id=row.id,
            deal_id=row.deal_id,
            subject=row.subject,
            organisation_id=actor.organisation_id,
            broker_user_id=row.broker_user_id,
            complete=bool(row.seller_acknowledged_at and row.buyer_acknowledged_at),
        ),
        now=now,
    )
    return row.deal_id


def propose_commission(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    payer: CommissionPayer,
    terms: CommissionTerms,
) -> int:
    """Let the deal's broker propose a commission to one side; return its id.

    What that side has not confirmed yet is replaced; what it has confirmed stands.
    """
    require(actor, terms_rules.PROPOSE_COMMISSION)
    deal = load_led(session, actor, deal_id)
    if actor.user_id is None or deal.broker_user_id != actor.user_id:
        raise NotAllowed("commission.not_broker", "只有本项目的技术经理人可以提出佣金约定")
    if deal.stage not in rules.TALKING:
        raise Conflict("commission.late", f"项目已经是“{deal.stage.label}”；佣金要在签约之前约定")
    terms_rules.check_commission(terms, price_fen=deal.amount_fen)
    row = session.scalar(
        select(Commission)
        .where(Commission.deal_id == deal.id, Commission.payer == payer)
        .with_for_update()
    )
    if row is not None and row.status not in (CommissionStatus.PROPOSED, CommissionStatus.VOID):
        raise Conflict("commission.exists", f"{payer.label}的佣金{row.status.label}，不能再改")
    if row is None:
        row = Commission(deal_id=deal.id, payer=payer)
        session.add(row)
    row.broker_user_id = actor.user_id
    row.agency_organisation_id = actor.organisation_id
    row.payer_organisation_id = (
        deal.seller_organisation_id
        if payer is CommissionPayer.SELLER
        else deal.buyer_organisation_id
    )
    row.basis, row.rate_per_myriad, row.fixed_fen = (
        terms.basis,
        terms.rate_per_myriad,
        terms.fixed_fen,
    )
    row.status = CommissionStatus.PROPOSED
    row.proposed_at = now
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="brokerage.propose_commission",
        subject=subject(deal.id),
        now=now,
        after={
            "commission": row.id,
            "payer": payer,
            "rate_per_myriad": terms.rate_per_myriad,
            "fixed_fen": terms.fixed_fen,
        },
    )
    return row.id


def confirm_commission(session: Session, *, actor: Actor, now: datetime, commission_id: int) -> int:
    """Let the paying side confirm the commission it was offered; return the deal's id."""
    require(actor, terms_rules.CONFIRM_COMMISSION)
    row = lock(session, Commission, commission_id)
    require_own(actor, row.payer_organisation_id)
    row.status = terms_rules.move_commission(row.status, CommissionStatus.AGREED)
    row.agreed_at, row.agreed_by_name = now, actor.name
    audit.record(
        session,
        actor=actor,
        action="brokerage.confirm_commission",
        subject=subject(row.deal_id),
        now=now,
        after={"commission": row.id},
    )
    outbox.publish(
        session,
        CommissionAgreed(
            commission_id=row.id,
            deal_id=row.deal_id,
            payer_organisation_id=row.payer_organisation_id,
            broker_user_id=row.broker_user_id,
        ),
        now=now,
    )
    return row.deal_id


def decline_commission(session: Session, *, actor: Actor, now: datetime, commission_id: int) -> int:
    """Let the paying side decline a proposed commission; return the deal's id."""
    require(actor, terms_rules.CONFIRM_COMMISSION)
    row = lock(session, Commission, commission_id)
    require_own(actor, row.payer_organisation_id)
    if row.status is not CommissionStatus.PROPOSED:
        raise Conflict("commission.agreed", "佣金已经约定，不能单方取消；请与技术经理人协商")
    row.status = terms_rules.move_commission(row.status, CommissionStatus.VOID)
    audit.record(
        session,
        actor=actor,
        action="brokerage.decline_commission",
        subject=subject(row.deal_id),
        now=now,
        after={"commission": row.id},
    )
    return row.deal_id


def receive_commission(session: Session, *, actor: Actor, now: datetime, commission_id: int) -> int:
    """Let the broker or his agency note that a due commission has arrived; return the deal's id."""
    require(actor, terms_rules.RECEIVE_COMMISSION)
    row = lock(session, Commission, commission_id)
    deal = session.get_one(Deal, row.deal_id)
    if not rules.sides_of(actor, parties_of(deal)) & {Side.BROKER, Side.AGENCY, Side.PLATFORM}:
        raise NotFound()
    if row.status is CommissionStatus.RECEIVED:
        return row.deal_id
    row.status = terms_rules.move_commission(row.status, CommissionStatus.RECEIVED)
    row.received_on = local_date(now)
    audit.record(
        session,
        actor=actor,
        action="brokerage.receive_commission",
        subject=subject(row.deal_id),
        now=now,
        after={"commission": row.id, "due_fen": row.due_fen},
    )
    return row.deal_id
