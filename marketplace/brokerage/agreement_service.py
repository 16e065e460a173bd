"""Confidentiality agreements: offered by the owner, accepted by the buyer, revoked, run out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements import service as achievement_service
from marketplace.brokerage import enquiry_service, parameters, rules, terms_rules
from marketplace.brokerage.introduction_events import AgreementAccepted, AgreementRevoked
from marketplace.brokerage.models import Agreement
from marketplace.brokerage.pipeline_service import load, load_led, subject
from marketplace.brokerage.rules import Side
from marketplace.brokerage.terms_rules import AgreementStatus
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken


def offer_agreement(session: Session, *, actor: Actor, now: datetime, deal_id: int) -> int:
    """Let the owner offer the confidentiality agreement to the deal's buyer; return its id.

    Only the owner can open its secrets: a broker cannot offer it in the owner's name.
    """
    require(actor, terms_rules.OFFER_AGREEMENT)
    deal, sides = load(session, actor, deal_id)
    if Side.SELLER not in sides and actor is not SYSTEM:
        raise NotAllowed("agreement.not_owner", "保密协议由成果方提供，请联系成果方的科研管理部门")
    if deal.achievement_id is None:
        raise RuleBroken("agreement.no_achievement", "这个项目没有成果条目，没有可开放的保密内容")
    text = parameters.agreement_text_on(local_date(now))
    row = session.scalar(
        select(Agreement)
        .where(
            Agreement.achievement_id == deal.achievement_id,
            Agreement.buyer_organisation_id == deal.buyer_organisation_id,
        )
        .with_for_update()
    )
    if row is not None and row.status is not AgreementStatus.REVOKED:
        return row.id
    if row is None:
        row = Agreement(
            achievement_id=deal.achievement_id,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
        )
        session.add(row)
    row.deal_id = deal.id
    row.status = AgreementStatus.OFFERED
    row.offered_at = now
    row.text_version, row.text_digest = text.version, text.digest
    row.accepted_at = row.accepted_on = row.valid_to = row.revoked_at = None
    row.accepted_by_name = row.revoked_reason = ""
    session.flush()
    enquiry_service.close_enquiry(session, deal, actor=actor, now=now)
    audit.record(
        session,
        actor=actor,
        action="brokerage.offer_agreement",
        subject=subject(deal.id),
        now=now,
        after={"agreement": row.id, "version": text.version},
    )
    return row.id


def accept_agreement(session: Session, *, actor: Actor, now: datetime, agreement_id: int) -> None:
    """Let the buyer accept the agreement and read the confidential layer from then on."""
    require(actor, terms_rules.ACCEPT_AGREEMENT)
    row = lock(session, Agreement, agreement_id)
    require_own(actor, row.buyer_organisation_id)
    if row.status is AgreementStatus.ACCEPTED:
        return
    if row.status is AgreementStatus.REVOKED:
        raise Conflict("agreement.revoked", "成果方已收回这份协议；需要继续了解请与成果方联系")
    today = local_date(now)
    row.status = AgreementStatus.ACCEPTED
    row.accepted_at, row.accepted_on = now, today
    row.accepted_by_name = actor.name
    row.valid_to = parameters.agreement_ends_on(today)
    audit.record(
        session,
        actor=actor,
        action="brokerage.accept_agreement",
        subject=subject(row.deal_id or 0),
        now=now,
        after={"agreement": row.id, "text": row.text_digest, "valid_to": row.valid_to},
    )
    outbox.publish(
        session,
        AgreementAccepted(
            agreement_id=row.id,
            achievement_id=row.achievement_id,
            deal_id=row.deal_id,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
        ),
        now=now,
    )
    achievement_service.open_confidential_layer(
        session,
        actor=actor,
        now=now,
        achievement_id=row.achievement_id,
        organisation_id=row.buyer_organisation_id,
        ground=f"在线保密协议第 {row.text_version} 版，{today.isoformat()} 接受",
    )


def revoke_agreement(
    session: Session, *, actor: Actor, now: datetime, agreement_id: int, reason: str
) -> int | None:
    """Close the confidential layer for a buyer again, at once; return the deal's id."""
    require(actor, terms_rules.OFFER_AGREEMENT)
    row = lock(session, Agreement, agreement_id)
    require_own(actor, row.seller_organisation_id)
    words = terms_rules.check_revocation(reason)
    if row.status is AgreementStatus.REVOKED:
        return row.deal_id
    _revoke(session, row, actor=actor, now=now, reason=words)
    return row.deal_id


def _revoke(session: Session, row: Agreement, *, actor: Actor, now: datetime, reason: str) -> None:
    row.status = AgreementStatus.REVOKED
    row.revoked_at, row.revoked_reason = now, reason
    audit.record(
        session,
        actor=actor,
        action="brokerage.revoke_agreement",
        subject=subject(row.deal_id or 0),
        now=now,
        after={"agreement": row.id, "reason": reason},
    )
    outbox.publish(
        session,
        AgreementRevoked(
            agreement_id=row.id,
            achievement_id=row.achievement_id,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            reason=reason,
        ),
        now=now,
    )
    achievement_service.close_confidential_layer(
        session,
        actor=actor,
        now=now,
        achievement_id=row.achievement_id,
        organisation_id=row.buyer_organisation_id,
        reason=reason,
    )


def end_agreements(session: Session, now: datetime) -> int:
    """Close the confidential layer where an agreement has run out; return how many."""
    rows = session.scalars(
        select(Agreement)
        .where(Agreement.status == AgreementStatus.ACCEPTED, Agreement.valid_to < local_date(now))
        .order_by(Agreement.id)
        .limit(200)
        .with_for_update()
    ).all()
    for row in rows:
        _revoke(session, row, actor=SYSTEM, now=now, reason="协议有效期届满")
    return len(rows)


def waive_agreement(
    session: Session, *, actor: Actor, now: datetime, deal_id: int, reason: str
) -> None:
    """Note why the talks need no confidentiality agreement, so that the deal may go on."""
    require(actor, rules.LEAD)
    deal = load_led(session, actor, deal_id)
    words = rules.check_waiver(reason)
    deal.agreement_waiver = words
    deal.touched_at = now
    deal.version += 1
    audit.record(
        session,
        actor=actor,
        action="brokerage.waive_agreement",
        subject=subject(deal.id),
        now=now,
        after={"reason": words},
    )
