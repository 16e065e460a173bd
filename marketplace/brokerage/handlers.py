"""What brokerage does when something happens in the trading hall or to a need."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts.consent_rules import ConsentPurpose
from marketplace.accounts.events import ConsentWithdrawn
from marketplace.brokerage import service
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Subscription
from marketplace.foundation.trade import TradingMode
from marketplace.listings.events import IntentRegistered, ListingAwarded
from marketplace.needs import queries as needs
from marketplace.needs.events import AnswerDecided


def open_for_intent(session: Session, event: IntentRegistered, *, now: datetime) -> None:
    """Open a lead for a registered intent, unless the pair has a deal already."""
    service.open_from_intent(
        session,
        actor=SYSTEM,
        now=now,
        intent_id=event.intent_id,
        listing_id=event.listing_id,
        achievement_id=event.achievement_id,
        seller_organisation_id=event.seller_organisation_id,
        buyer_organisation_id=event.buyer_organisation_id,
    )


def take_award(session: Session, event: ListingAwarded, *, now: datetime) -> None:
    """Bring the winner's deal to the contract draft with its price."""
    service.take_award(
        session,
        actor=SYSTEM,
        now=now,
        listing_id=event.listing_id,
        achievement_id=event.achievement_id,
        seller_organisation_id=event.seller_organisation_id,
        buyer_organisation_id=event.buyer_organisation_id,
        price_fen=Fen(event.price_fen),
        trading_mode=TradingMode(event.trading_mode) if event.trading_mode else None,
    )


def open_for_answer(session: Session, event: AnswerDecided, *, now: datetime) -> None:
    """Open a lead when a need's owner accepts an answer."""
    if not event.accepted:
        return
    answer = next(
        view
        for view in needs.answers_for(session, SYSTEM, event.need_id)
        if view.id == event.answer_id
    )
    service.open_from_answer(
        session,
        actor=SYSTEM,
        now=now,
        need_id=event.need_id,
        achievement_id=answer.achievement_id,
        seller_organisation_id=event.answering_organisation_id,
        buyer_organisation_id=event.organisation_id,
    )


def forget_phone(session: Session, event: ConsentWithdrawn, *, now: datetime) -> None:
    """Let go of the numbers that a person no longer wants a broker to have."""
    if event.purpose == ConsentPurpose.PHONE_TO_BROKER:
        service.forget_phone(
            session,
            actor=SYSTEM,
            now=now,
            user_id=event.user_id,
            broker_user_id=int(event.recipient.partition(":")[2]),
        )


SUBSCRIPTIONS: tuple[Subscription, ...] = (
    Subscription("brokerage.intent", IntentRegistered, open_for_intent),
    Subscription("brokerage.award", ListingAwarded, take_award),
    Subscription("brokerage.answer", AnswerDecided, open_for_answer),
    Subscription("brokerage.consent_withdrawn", ConsentWithdrawn, forget_phone),
)
