"""A buyer's intent: register, deposit, qualify, withdraw; it is judged in qualification_service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import outbox
from marketplace.foundation.access import SYSTEM, Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.integrity import queries as integrity
from marketplace.listings import rules
from marketplace.listings.events import (
    IntentQualified,
    IntentRegistered,
    IntentRejected,
    IntentWithdrawn,
)
from marketplace.listings.models import Intent, Listing
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.listings.trail import note_intent
from marketplace.payments import queries as payments
from marketplace.payments import service as payment_service
from marketplace.payments.rules import PaymentState


@dataclass(frozen=True, kw_only=True)
class IntentContent:
    """What a buyer states; ``promised`` is the undertaking to buy at no less than the offer."""

    offer_fen: Fen
    plan: str
    promised: bool
    related_party: bool = False
    relation: str = ""


def register_intent(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    listing_id: int,
    content: IntentContent,
) -> int:
    """Register the wish of the actor's enterprise to acquire; return the intent's id."""
    require(actor, rules.INTEND)
    listing = lock(session, Listing, listing_id)
    if listing.state not in rules.PUBLIC_STATES:
        raise NotFound()
    if actor.organisation_id is None:
        raise NotFound()
    if actor.organisation_id == listing.organisation_id:
        raise NotAllowed("listings.own", "这是贵单位自己挂牌的项目，不能登记受让意向")
    _check_open(listing, now)
    check_buyer(session, actor.organisation_id, now)
    rules.check_intent(
        offer_fen=content.offer_fen,
        base_price_fen=listing.base_price_fen,
        promised=content.promised,
        plan=content.plan,
    )
    if content.related_party and len(content.relation.strip()) < 2:
        raise RuleBroken(
            "listings.relation", "请写明与成果完成人或转让方的关系，成交公示时会注明", "relation"
        )
    if _live_intent(session, listing.id, actor.organisation_id) is not None:
        raise Conflict("listings.intent_twice", "贵单位已经登记过受让意向，不用重复登记")
    intent = Intent(
        listing_id=listing.id,
        organisation_id=actor.organisation_id,
        user_id=actor.user_id,
        state=IntentState.REGISTERED,
        offer_fen=content.offer_fen,
        plan=content.plan.strip(),
        related_party=content.related_party,
        relation=content.relation.strip() if content.related_party else "",
        registered_at=now,
        decided_at=None,
        decided_by_id=None,
        payment_id=None,
        plate=None,
        barred_at=None,
    )
    session.add(intent)
    session.flush()
    outbox.publish(
        session,
        IntentRegistered(
            intent_id=intent.id,
            listing_id=listing.id,
            achievement_id=listing.achievement_id,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=intent.organisation_id,
        ),
        now=now,
    )
    note_intent(session, intent, actor, "register", now, offer_fen=intent.offer_fen)
    return intent.id


def withdraw_intent(session: Session, *, actor: Actor, now: datetime, intent_id: int) -> None:
    """Take an intent back before bidding or a price binds it; a deposit goes back."""
    require(actor, rules.INTEND)
    listing, intent = lock_pair(session, intent_id)
    require_own(actor, intent.organisation_id)
    if listing.state not in (
        ListingState.ANNOUNCED,
        ListingState.QUALIFYING,
        ListingState.NEGOTIATING,
    ):
        raise RuleBroken(
            "listings.intent_bound", f"项目已是“{listing.state.label}”，受让意向不能再撤回"
        )
    before = intent.state
    intent.state = rules.move_intent(before, IntentState.WITHDRAWN)
    intent.plate = None
    release_deposit(session, intent, now=now, reason="撤回受让意向，保证金无息退还")
    outbox.publish(
        session,
        IntentWithdrawn(
            intent_id=intent.id,
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=intent.organisation_id,
        ),
        now=now,
    )
    note_intent(session, intent, actor, "withdraw", now, before=before)


def deposit_arrived(session: Session, *, now: datetime, intent_id: int, payment_id: int) -> None:
    """Qualify the buyer whose deposit arrived; a deposit that came too late goes back."""
    listing, intent = lock_pair(session, intent_id)
    if intent.payment_id != payment_id:
        return
    if intent.state is IntentState.ADMITTED:
        qualify(session, listing, intent, actor=SYSTEM, now=now)
    elif intent.state in (
        IntentState.LOST,
        IntentState.REJECTED,
        IntentState.WITHDRAWN,
        IntentState.BARRED,
    ):
        release_deposit(session, intent, now=now, reason="意向已结束，保证金无息退还")


def lock_pair(session: Session, intent_id: int) -> tuple[Listing, Intent]:
    """Lock an intent's listing, then the intent."""
    listing_id = session.scalar(select(Intent.listing_id).where(Intent.id == intent_id))
    if listing_id is None:
        raise NotFound()
    return lock(session, Listing, listing_id), lock(session, Intent, intent_id)


def qualify(
    session: Session, listing: Listing, intent: Intent, *, actor: Actor, now: datetime
) -> None:
    """Give an admitted buyer its number plate; both rows are locked."""
    before = intent.state
    intent.state = rules.move_intent(before, IntentState.QUALIFIED)
    taken = session.scalars(
        select(Intent.plate).where(Intent.listing_id == listing.id, Intent.plate.is_not(None))
    )
    intent.plate = rules.plate(
        listing.id, intent.id, frozenset(plate for plate in taken if plate is not None)
    )
    session.flush()
    outbox.publish(
        session,
        IntentQualified(
            intent_id=intent.id,
            listing_id=listing.id,
            title=listing.title,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=intent.organisation_id,
            plate=intent.plate,
        ),
        now=now,
    )
    note_intent(session, intent, actor, "qualify", now, before=before, plate=intent.plate)


def reject(
    session: Session,
    listing: Listing,
    intent: Intent,
    *,
    actor: Actor,
    now: datetime,
    reason: str,
) -> None:
    """Reject an intent that was not qualified yet; both rows are locked."""
    before = intent.state
    intent.state = rules.move_intent(before, IntentState.REJECTED)
    intent.decided_at = now
    intent.decided_by_id = actor.user_id
    intent.reason = reason
    release_deposit(session, intent, now=now, reason=f"未获资格：{reason}")
    outbox.publish(
        session,
        IntentRejected(
            intent_id=intent.id,
            listing_id=listing.id,
            title=listing.title,
            buyer_organisation_id=intent.organisation_id,
            reason=reason,
        ),
        now=now,
    )
    note_intent(session, intent, actor, "reject", now, before=before, reason=reason)


def release_deposit(session: Session, intent: Intent, *, now: datetime, reason: str) -> None:
    """Cancel a deposit that nobody paid, or ask that a received one goes back within the term.

    One that the buyer says was sent stays open: it goes back when it arrives.
    """
    if intent.payment_id is None:
        return
    state = payments.state_of(session, intent.payment_id)
    if state is PaymentState.EXPECTED:
        payment_service.cancel(session, actor=SYSTEM, now=now, payment_id=intent.payment_id)
    elif state is PaymentState.CONFIRMED:
        today = local_date(now)
        payment_service.request_refund(
            session,
            actor=SYSTEM,
            now=now,
            payment_id=intent.payment_id,
            reason=reason,
            due_on=add_workdays(today, value_on("deposit_refund_workdays", today)),
        )


def lose(session: Session, intent: Intent, *, actor: Actor, now: datetime, reason: str) -> None:
    """Let a locked intent go that did not win, and its deposit with it."""
    before = intent.state
    intent.state = rules.move_intent(before, IntentState.LOST)
    release_deposit(session, intent, now=now, reason=reason)
    note_intent(session, intent, actor, "lose", now, before=before)


def forfeit_deposit(
    session: Session, intent: Intent, *, actor: Actor, now: datetime, reason: str
) -> None:
    """Ask that a received deposit does not go back, as the buyer is at fault."""
    if intent.payment_id is None:
        return
    if payments.state_of(session, intent.payment_id) is PaymentState.CONFIRMED:
        payment_service.request_forfeit(
            session,
            actor=actor,
            now=now,
            payment_id=intent.payment_id,
            reason=f"受让方原因未签约，保证金不予退还：{reason}",
        )


def _live_intent(session: Session, listing_id: int, organisation_id: int) -> int | None:
    return session.scalar(
        select(Intent.id).where(
            Intent.listing_id == listing_id,
            Intent.organisation_id == organisation_id,
            Intent.state.in_((*rules.LIVE_INTENTS, IntentState.WON)),
        )
    )


def _check_open(listing: Listing, now: datetime) -> None:
    open_until = listing.announcement_closes_at
    negotiating = (
        listing.state is ListingState.NEGOTIATING and listing.pricing_mode is PricingMode.NEGOTIATED
    )
    announced = listing.state is ListingState.ANNOUNCED
    if negotiating or (announced and open_until is not None and now < open_until):
        return
    ended = listing.announcement_ends_on
    raise RuleBroken(
        "listings.closed",
        f"登记意向到 {ended.isoformat() if ended else ''} 为止，现在不能再登记；"
        "可以关注同类成果，或请技术经理人联系转让方",
    )


def check_undecided(listing: Listing) -> None:
    """Refuse to judge a buyer when the qualification is over."""
    if listing.state not in (
        ListingState.ANNOUNCED,
        ListingState.QUALIFYING,
        ListingState.NEGOTIATING,
    ):
        raise RuleBroken(
            "listings.qualification_over", f"项目已是“{listing.state.label}”，资格确认已经结束"
        )


def check_buyer(session: Session, organisation_id: int, now: datetime) -> None:
    """Refuse a buyer in a period of recorded dishonesty."""
    found = integrity.dishonesty_on(session, organisation_id, local_date(now))
    if found is not None:
        raise RuleBroken(
            "listings.dishonest_buyer",
            f"意向方在科研失信期内（{found.document}，至 {found.ends_on.isoformat()}），"
            "不具备受让资格",
        )
