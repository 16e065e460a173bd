"""What follows from a registered contract: deal, listing, achievement and commission move on.

Each is a delivery of its own: where one cannot move, the others still do.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.achievements import service as achievement_service
from marketplace.achievements.rules import SHOWN_STATES
from marketplace.brokerage import service as brokerage_service
from marketplace.brokerage.introduction_rules import ContractFacts
from marketplace.contracts.events import (
    ContractCancelled,
    ContractRegistered,
    ReceiptConfirmed,
)
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


def recognise_introduction(session: Session, event: ContractRegistered, *, now: datetime) -> None:
    """Look for introductions of the parties behind the contract, whoever drew it up."""
    parties = accounts.get_organisations(
        session, (event.seller_organisation_id, event.buyer_organisation_id)
    )
    brokerage_service.recognise_contract(
        session,
        actor=SYSTEM,
        now=now,
        contract=ContractFacts(
            contract_id=event.contract_id,
            contract_no=event.contract_no,
            project_name=event.project_name,
            seller_uscc=parties[event.seller_organisation_id].uscc,
            buyer_uscc=parties[event.buyer_organisation_id].uscc,
            signed_on=get_registered(session, event.contract_id).signed_on or event.registered_on,
            registered_on=event.registered_on,
            deal_id=event.deal_id,
            achievement_id=event.achievement_id,
        ),
        amount_fen=Fen(event.amount_fen),
    )


def accrue_commission(session: Session, event: ReceiptConfirmed, *, now: datetime) -> None:
    """Make the commission due that goes with a payment received under the contract."""
    brokerage_service.accrue(
        session,
        actor=SYSTEM,
        now=now,
        contract_no=event.contract_no,
        receipt_id=event.receipt_id,
        received_fen=Fen(event.received_fen),
        price_fen=Fen(event.price_fen),
    )


def strike_commission(session: Session, event: ContractCancelled, *, now: datetime) -> None:
    """Strike the unpaid commission of a contract that is no longer in the register."""
    brokerage_service.strike_for_cancelled(
        session,
        actor=SYSTEM,
        now=now,
        contract_no=event.contract_no,
        reason=f"合同登记已撤销：{event.reason}",
    )


def strike_ratings(session: Session, event: ContractCancelled, *, now: datetime) -> None:
    """Let what the parties said of the broker count no longer."""
    brokerage_service.strike_ratings(
        session,
        actor=SYSTEM,
        now=now,
        contract_no=event.contract_no,
        reason=f"合同登记已撤销：{event.reason}",
    )


SUBSCRIPTIONS: tuple[Subscription, ...] = (
    Subscription("contracts.deal", ContractRegistered, settle_deal),
    Subscription("contracts.listing", ContractRegistered, settle_listing),
    Subscription("contracts.achievement", ContractRegistered, settle_achievement),
    Subscription("contracts.introduction", ContractRegistered, recognise_introduction),
    Subscription("contracts.commission", ReceiptConfirmed, accrue_commission),
    Subscription("contracts.commission_struck", ContractCancelled, strike_commission),
    Subscription("contracts.ratings_struck", ContractCancelled, strike_ratings),
)
