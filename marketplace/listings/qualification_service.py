"""Judge a buyer: checklist, what the data tell of its relations, admission, rejection, barring."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import RuleBroken
from marketplace.integrity import queries as integrity
from marketplace.listings import qualification_rules as qualification
from marketplace.listings import rules
from marketplace.listings.bidding_models import AutomaticOrder, BiddingSession
from marketplace.listings.events import IntentAdmitted, IntentBarred
from marketplace.listings.intent_service import (
    check_buyer,
    check_undecided,
    lock_pair,
    qualify,
    reject,
    release_deposit,
)
from marketplace.listings.models import Intent
from marketplace.listings.qualification_queries import signs_of_relation
from marketplace.listings.qualification_rules import JUDGED, CheckItem
from marketplace.listings.record_rules import RecordKind
from marketplace.listings.rules import IntentState
from marketplace.listings.session_service import append
from marketplace.listings.trail import note_intent
from marketplace.payments import service as payment_service
from marketplace.payments.rules import PaymentPurpose


def admit_intent(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    intent_id: int,
    ticked: Collection[CheckItem],
    related: bool = False,
    note: str = "",
) -> None:
    """Find a buyer eligible and ask for the deposit; without a deposit the buyer is qualified.

    ``ticked`` are the judged items of the checklist, ``related`` whether the officer takes the
    buyer for a related party: it may buy, and the notice of the result says so.
    """
    require(actor, rules.OPERATE)
    listing, intent = lock_pair(session, intent_id)
    check_undecided(listing)
    check_buyer(session, intent.organisation_id, now)
    signs = signs_of_relation(session, listing.id, intent.organisation_id)
    qualification.check_admission(
        ticked, signs=signs, declared=intent.related_party, related=related, note=note
    )
    before = intent.state
    intent.state = rules.move_intent(before, IntentState.ADMITTED)
    intent.decided_at = now
    intent.decided_by_id = actor.user_id
    if related and not intent.relation:
        intent.relation = "；".join(signs) or note.strip()
    intent.related_party = related
    intent.checks = _checks(session, intent, signs=signs, note=note, now=now)
    if listing.deposit_fen > 0:
        assert actor.organisation_id is not None
        intent.payment_id = payment_service.expect(
            session,
            actor=actor,
            now=now,
            purpose=PaymentPurpose.DEPOSIT,
            subject=f"intent:{intent.id}",
            payer_organisation_id=intent.organisation_id,
            payee_organisation_id=actor.organisation_id,
            amount_fen=listing.deposit_fen,
            description=f"{listing.number} {listing.title}",
            due_on=listing.qualification_ends_on,
        )
    outbox.publish(
        session,
        IntentAdmitted(
            intent_id=intent.id,
            listing_id=listing.id,
            title=listing.title,
            buyer_organisation_id=intent.organisation_id,
            deposit_fen=listing.deposit_fen,
        ),
        now=now,
    )
    note_intent(
        session, intent, actor, "admit", now, before=before, related=related, checks=intent.checks
    )
    if listing.deposit_fen == 0:
        qualify(session, listing, intent, actor=actor, now=now)


def reject_intent(
    session: Session, *, actor: Actor, now: datetime, intent_id: int, reason: str
) -> None:
    """Find a buyer not eligible, for a reason that the buyer is told."""
    require(actor, rules.OPERATE)
    rules.check_reason(reason, "不予确认资格")
    listing, intent = lock_pair(session, intent_id)
    check_undecided(listing)
    reject(session, listing, intent, actor=actor, now=now, reason=reason.strip())


def bar_intent(
    session: Session, *, actor: Actor, now: datetime, intent_id: int, reason: str
) -> None:
    """Take the right to bid from a qualified buyer, as when a hidden relation came to light.

    Until its session begins; the plate stays given, the deposit goes back.
    """
    require(actor, rules.OPERATE)
    rules.check_reason(reason, "取消竞价资格")
    listing, intent = lock_pair(session, intent_id)
    row = session.scalar(
        select(BiddingSession)
        .where(BiddingSession.listing_id == listing.id, BiddingSession.voided_at.is_(None))
        .with_for_update()
    )
    if row is not None and (row.opened_at is not None or now >= row.starts_at):
        raise RuleBroken(
            "listings.bar_late", "竞价已经开始，不能再取消资格；请在结果公示期按异议处理"
        )
    before = intent.state
    intent.state = rules.move_intent(before, IntentState.BARRED)
    intent.reason = reason.strip()
    intent.barred_at = now
    release_deposit(session, intent, now=now, reason=f"取消竞价资格：{intent.reason}")
    if row is not None:
        append(session, row, RecordKind.BARRED, {"plate": intent.plate}, at=now)
        order = session.scalar(
            select(AutomaticOrder).where(
                AutomaticOrder.session_id == row.id, AutomaticOrder.intent_id == intent.id
            )
        )
        if order is not None:
            session.delete(order)
            row.order_count -= 1
    outbox.publish(
        session,
        IntentBarred(
            intent_id=intent.id,
            listing_id=listing.id,
            title=listing.title,
            buyer_organisation_id=intent.organisation_id,
            reason=intent.reason,
        ),
        now=now,
    )
    note_intent(session, intent, actor, "bar", now, before=before, reason=intent.reason)


def _checks(
    session: Session, intent: Intent, *, signs: list[str], note: str, now: datetime
) -> list[dict[str, str]]:
    """Write down every item with what was found, as it was known at the decision."""
    dishonest = integrity.dishonesty_on(session, intent.organisation_id, local_date(now))
    relation = "；".join(
        part
        for part in (
            f"意向方申报：{intent.relation}" if intent.relation else "",
            *signs,
            f"认定：{'有关联，成交公示时注明' if intent.related_party else '无关联'}",
            note.strip(),
        )
        if part
    )
    found = {
        CheckItem.IDENTITY: "系统核对",
        CheckItem.PROMISE: "登记时勾选",
        CheckItem.INTEGRITY: "系统核对，无记录" if dishonest is None else dishonest.document,
        CheckItem.RELATED: relation,
    }
    found.update(dict.fromkeys(JUDGED, "业务员确认"))
    return [{"item": item.value, "found": found[item]} for item in CheckItem]
