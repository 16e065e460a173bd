"""What the statistics hear of: one line per event, event → fact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.achievements.events import AchievementPublished, AchievementsImported
from marketplace.assessments.events import AssessmentRequested, ReportFiled
from marketplace.brokerage.events import DealLost, DealOpened
from marketplace.contracts.events import ContractCancelled, ContractChanged, ContractRegistered
from marketplace.foundation.outbox import Event, Subscription
from marketplace.listings.events import IntentRegistered, ListingAnnounced, ListingAwarded
from marketplace.needs.events import NeedOpened, NeedsImported
from marketplace.statistics import service
from marketplace.statistics.rules import Measure
from marketplace.subsidies.events import ClaimPaid
from marketplace.techservices.events import OrderConfirmed


def _achievement(measure: Measure) -> Callable[..., None]:
    def handle(session: Session, event: Any, *, now: datetime) -> None:
        owner = getattr(event, "organisation_id", None) or event.seller_organisation_id
        service.note_achievements(
            session,
            now=now,
            measure=measure,
            achievement_ids=[event.achievement_id],
            organisation_id=owner,
        )

    return handle


def _fact(
    measure: Measure, subject: str, organisation: str, amount: str | None = None
) -> Callable[..., None]:
    """Note a fact: ``subject`` is ``kind:field``, the others name fields of the event."""
    kind, field = subject.split(":")

    def handle(session: Session, event: Any, *, now: datetime) -> None:
        service.note(
            session,
            now=now,
            measure=measure,
            subject=f"{kind}:{getattr(event, field)}",
            organisation_id=getattr(event, organisation),
            amount_fen=getattr(event, amount) if amount else None,
        )

    return handle


def _imported_achievements(session: Session, event: AchievementsImported, *, now: datetime) -> None:
    service.note_achievements(
        session,
        now=now,
        measure=Measure.ACHIEVEMENT_PUBLISHED,
        achievement_ids=event.achievement_ids,
        organisation_id=event.organisation_id,
    )


def _imported_needs(session: Session, event: NeedsImported, *, now: datetime) -> None:
    service.note_many(
        session,
        now=now,
        measure=Measure.NEED_OPENED,
        fields={f"need:{need_id}": None for need_id in event.need_ids},
        organisation_id=event.organisation_id,
    )


def _registered(session: Session, event: ContractRegistered, *, now: datetime) -> None:
    service.register_contract(session, event)


def _changed(session: Session, event: ContractChanged, *, now: datetime) -> None:
    service.change_contract(session, event)


def _cancelled(session: Session, event: ContractCancelled, *, now: datetime) -> None:
    service.cancel_contract(session, event)


_M = Measure
_SELLER = "seller_organisation_id"

_TABLE: tuple[tuple[type[Event], Callable[..., None]], ...] = (
    (AchievementPublished, _achievement(_M.ACHIEVEMENT_PUBLISHED)),
    (AchievementsImported, _imported_achievements),
    (AssessmentRequested, _achievement(_M.ACHIEVEMENT_ASSESSED)),
    (ReportFiled, _achievement(_M.ACHIEVEMENT_VALUED)),
    (ListingAnnounced, _achievement(_M.ACHIEVEMENT_LISTED)),
    (NeedOpened, _fact(_M.NEED_OPENED, "need:need_id", "organisation_id")),
    (NeedsImported, _imported_needs),
    (IntentRegistered, _fact(_M.INTENT_REGISTERED, "intent:intent_id", _SELLER)),
    (ListingAwarded, _fact(_M.LISTING_AWARDED, "listing:listing_id", _SELLER, "price_fen")),
    (DealOpened, _fact(_M.DEAL_OPENED, "deal:deal_id", _SELLER)),
    (DealLost, _fact(_M.DEAL_LOST, "deal:deal_id", _SELLER)),
    (ClaimPaid, _fact(_M.CLAIM_PAID, "claim:claim_id", "organisation_id", "amount_fen")),
    (
        OrderConfirmed,
        _fact(_M.SERVICE_CONFIRMED, "order:order_id", "provider_organisation_id", "paid_fen"),
    ),
    (ContractRegistered, _registered),
    (ContractChanged, _changed),
    (ContractCancelled, _cancelled),
)

SUBSCRIPTIONS = [
    Subscription(f"statistics.{event.name()}", event, handle) for event, handle in _TABLE
]
