"""Introductions and commission: what the parties can be held to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import (
    commission_rules,
    parameters,
    register_rules,
    rules,
    terms_rules,
)
from marketplace.brokerage.commission_models import CommissionShare
from marketplace.brokerage.commission_rules import Share
from marketplace.brokerage.deal_queries import sees
from marketplace.brokerage.family_queries import belongs_to
from marketplace.brokerage.introduction_events import (
    CommissionAgreed,
    IntroductionAcknowledged,
    IntroductionRecorded,
)
from marketplace.brokerage.models import Commission, Deal, Introduction
from marketplace.brokerage.pipeline_service import load_led, subject
from marketplace.brokerage.register_queries import find_broker
from marketplace.brokerage.terms_rules import (
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
)
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken


def introduce(session: Session, *, actor: Actor, now: datetime, deal_id: int) -> int:
    """Record that the broker introduced the deal's parties to each other; return its id.

    Of two brokers who introduce the same pair for the same subject the first stands; the second
    is told so with ``Conflict``.
    """
    require(actor, terms_rules.INTRODUCE)
    deal = load_led(session, actor, deal_id)
    if actor.user_id is None or deal.broker_user_id != actor.user_id:
        raise NotAllowed("introduction.not_broker", "只有本项目的技术经理人可以把介绍存证")
    today = local_date(now)
    _check_certified(session, actor.user_id, today)
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
    _refuse_second(session, deal, about, actor, now=now)
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
        valid_to=parameters.introduction_ends_on(today),
        digest=terms_rules.introduction_digest(
            seller_uscc=seller.uscc, buyer_uscc=buyer.uscc, subject=about, introduced_at=now
        ),
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as taken:
        # Somebody committed the same pair while we looked.
        raise already_introduced(None) from taken
    audit.record(
        session,
        actor=actor,
        action="brokerage.introduce",
        subject=subject(deal.id),
        now=now,
        after={"introduction": row.id, "digest": row.digest, "valid_to": row.valid_to},
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


def _check_certified(session: Session, user_id: int, today: date) -> None:
    entry = find_broker(session, user_id)
    if entry is not None:
        register_rules.check_still_certified(
            entry.certificate_valid_to, name=entry.name, today=today
        )


def _refuse_second(
    session: Session, deal: Deal, about: str, actor: Actor, *, now: datetime
) -> None:
    """Refuse a second introduction of a pair; one that has run out makes room for it."""
    first = session.scalar(
        select(Introduction).where(
            Introduction.subject == about,
            Introduction.seller_organisation_id == deal.seller_organisation_id,
            Introduction.buyer_organisation_id == deal.buyer_organisation_id,
            Introduction.ended_at.is_(None),
        )
    )
    if first is None:
        return
    if first.valid_to < local_date(now):
        first.ended_at = now
        session.flush()
        return
    if first.broker_user_id == actor.user_id:
        raise Conflict("introduction.done", "这次介绍已经存证，不必重复")
    raise already_introduced(first.introduced_at)


def already_introduced(first_at: datetime | None) -> Conflict:
    """Return the refusal of a second introduction; who made the first one is not told."""
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
    partners: Sequence[tuple[int, int]] = (),
) -> int:
    """Let the deal's broker propose a commission to one side; return its id.

    ``partners`` are (broker's user id, ten-thousandths) of everybody who shares it, the proposing
    broker included; empty means that he takes the whole. What that side has not confirmed yet is
    replaced; what it has confirmed stands.
    """
    require(actor, terms_rules.PROPOSE_COMMISSION)
    deal = load_led(session, actor, deal_id)
    if actor.user_id is None or deal.broker_user_id != actor.user_id:
        raise NotAllowed("commission.not_broker", "只有本项目的技术经理人可以提出佣金约定")
    if deal.stage not in rules.TALKING:
        raise Conflict("commission.late", f"项目已经是“{deal.stage.label}”；佣金要在签约之前约定")
    _check_certified(session, actor.user_id, local_date(now))
    terms_rules.check_commission(terms, price_fen=deal.amount_fen)
    shares = _shares(session, actor, partners, today=local_date(now))
    row = session.scalar(
        select(Commission)
        .where(Commission.deal_id == deal.id, Commission.payer == payer)
        .with_for_update()
    )
    if row is None or row.status in (CommissionStatus.PROPOSED, CommissionStatus.VOID):
        row = _confirmed_on_merged(session, deal.id, payer) or row
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
    row.minimum_fen, row.due_when = terms.minimum_fen, terms.due_when
    row.status = CommissionStatus.PROPOSED
    row.proposed_at = now
    row.agreed_at, row.agreed_by_name = None, ""
    session.flush()
    session.execute(delete(CommissionShare).where(CommissionShare.commission_id == row.id))
    session.add_all(
        CommissionShare(
            commission_id=row.id,
            broker_user_id=share.broker_user_id,
            organisation_id=share.organisation_id,
            per_myriad=share.per_myriad,
        )
        for share in shares
    )
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
            "minimum_fen": terms.minimum_fen,
            "due_when": terms.due_when,
            "shares": [[share.broker_user_id, share.per_myriad] for share in shares],
        },
    )
    return row.id


def _confirmed_on_merged(
    session: Session, deal_id: int, payer: CommissionPayer
) -> Commission | None:
    """Return what a side has confirmed on a deal that was merged into this one, or None."""
    return session.scalar(
        select(Commission).where(
            belongs_to(Commission.deal_id, deal_id),
            Commission.deal_id != deal_id,
            Commission.payer == payer,
            Commission.status.not_in((CommissionStatus.PROPOSED, CommissionStatus.VOID)),
        )
    )


def _shares(
    session: Session, actor: Actor, partners: Sequence[tuple[int, int]], *, today: date
) -> list[Share]:
    """Complete the shares with the agencies of their brokers and check them."""
    assert actor.user_id is not None
    if not partners:
        return [Share(actor.user_id, actor.organisation_id, terms_rules.WHOLE_RATE)]
    shares = []
    for user_id, per_myriad in partners:
        if user_id == actor.user_id:
            shares.append(Share(user_id, actor.organisation_id, per_myriad))
            continue
        entry = find_broker(session, user_id)
        if entry is None or not entry.listed:
            raise RuleBroken(
                "commission.unknown_partner", "请从名录中选择一起分佣的技术经理人", "partners"
            )
        register_rules.check_still_certified(
            entry.certificate_valid_to, name=entry.name, today=today
        )
        shares.append(Share(user_id, entry.organisation_id, per_myriad))
    if actor.user_id not in {share.broker_user_id for share in shares}:
        raise RuleBroken(
            "commission.share_own", "请把您自己也写进份额里：佣金由您与付款方约定", "partners"
        )
    commission_rules.check_shares(shares)
    return shares


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
