"""What follows from a registered contract: its deal, its listing and its achievement move on.

Each is a delivery of its own: where one cannot move, the others still do.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.achievements import service as achievement_service
from marketplace.achievements.rules import SHOWN_STATES
from marketplace.brokerage import service as brokerage_service
from marketplace.contracts.events import ContractRegistered
from marketplace.contracts.record_queries import get_registered
from marketplace.contracts.rules import ContractType, mode_of
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Subscription
from marketplace.listings import service as listing_service


def settle_deal(session: Session, event: ContractRegistered, *, now: datetime) -> None:
    """Mark the deal as registered, which makes its commission due."""
    if event.deal_id is not None:
        brokerage_service.mark_registered(
            session,
            actor=SYSTEM,
            now=now,
            deal_id=event.deal_id,
            contract_no=event.contract_no,
            amount_fen=Fen(event.amount_fen),
        )


def settle_listing(session: Session, event: ContractRegistered, *, now: datetime) -> None:
    """Mark the listing as signed."""
    if event.listing_id is not None:
        listing_service.mark_signed(
            session,
            actor=SYSTEM,
            now=now,
            listing_id=event.listing_id,
            contract_no=event.contract_no,
        )


def settle_achievement(session: Session, event: ContractRegistered, *, now: datetime) -> None:
    """Mark the achievement as transferred where its mode leaves nothing to offer."""
    if event.achievement_id is None:
        return
    if achievements.get_internal(session, event.achievement_id).state not in SHOWN_STATES:
        # Taken off the market by its owner meanwhile: there is nothing to mark.
        return
    subtype = get_registered(session, event.contract_id).subtype
    achievement_service.mark_transferred(
        session,
        actor=SYSTEM,
        now=now,
        achievement_id=event.achievement_id,
        mode=mode_of(ContractType(event.contract_type), subtype),
    )


SUBSCRIPTIONS: tuple[Subscription, ...] = (
    Subscription("contracts.deal", ContractRegistered, settle_deal),
    Subscription("contracts.listing", ContractRegistered, settle_listing),
    Subscription("contracts.achievement", ContractRegistered, settle_achievement),
)
