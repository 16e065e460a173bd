"""From events to the index: note which documents have to be read again, nothing else.

The worker reads them afterwards, so order and repetition of events do not matter. What a look at
a saved search has found is told to its keeper.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts import events as accounts
from marketplace.achievements import events as achievements
from marketplace.achievements import expert_queries
from marketplace.achievements import queries as achievement_queries
from marketplace.brokerage import register_events as register
from marketplace.discovery import service, subscription_service
from marketplace.discovery.events import NewResultsFound
from marketplace.foundation.outbox import Handler, Subscription
from marketplace.needs import events as needs

# An organisation's new name stands in the results of everything it owns.
_MOST_OWNED = 10_000


def _achievement(session: Session, event: Any, *, now: datetime) -> None:
    gone = getattr(event, "past_inventor_ids", [])
    noted = _with_experts(session, [event.achievement_id])
    service.note_changes(session, now=now, document_ids=[*noted, *_experts(gone)])


def _achievements(session: Session, event: Any, *, now: datetime) -> None:
    noted = _with_experts(session, event.achievement_ids)
    service.note_changes(session, now=now, document_ids=noted)


def _with_experts(session: Session, achievement_ids: list[int]) -> list[str]:
    """Return the documents of achievements and of the members whom they name."""
    named = expert_queries.inventor_ids(session, achievement_ids)
    return [*(f"achievement:{number}" for number in achievement_ids), *_experts(named)]


def _experts(user_ids: list[int]) -> list[str]:
    return [f"expert:{user_id}" for user_id in user_ids]


def _need(session: Session, event: Any, *, now: datetime) -> None:
    service.note_changes(session, now=now, document_ids=[f"need:{event.need_id}"])


def _needs(session: Session, event: Any, *, now: datetime) -> None:
    noted = [f"need:{need_id}" for need_id in event.need_ids]
    service.note_changes(session, now=now, document_ids=noted)


def _organisation(session: Session, event: Any, *, now: datetime) -> None:
    owned = achievement_queries.published_by(session, event.organisation_id, size=_MOST_OWNED)
    noted = [f"organisation:{event.organisation_id}"]
    noted += _with_experts(session, [row.id for row in owned.items])
    service.note_changes(session, now=now, document_ids=noted)


def _broker(session: Session, event: Any, *, now: datetime) -> None:
    service.note_changes(session, now=now, document_ids=[f"broker:{event.user_id}"])


def _tell(session: Session, event: NewResultsFound, *, now: datetime) -> None:
    subscription_service.tell(
        session,
        now=now,
        saved_search_id=event.saved_search_id,
        document_ids=event.document_ids,
    )


def _listen(event: type[Any], handle: Handler) -> Subscription:
    return Subscription(f"discovery.index.{event.name()}", event, handle)


SUBSCRIPTIONS: tuple[Subscription, ...] = (
    _listen(achievements.AchievementPublished, _achievement),
    _listen(achievements.AchievementChanged, _achievement),
    _listen(achievements.AchievementWithdrawn, _achievement),
    _listen(achievements.AchievementExpired, _achievement),
    _listen(achievements.AchievementTransferred, _achievement),
    _listen(achievements.AchievementsImported, _achievements),
    _listen(achievements.AchievementsConfirmed, _achievements),
    _listen(achievements.AchievementsWentStale, _achievements),
    _listen(needs.NeedOpened, _need),
    _listen(needs.NeedChanged, _need),
    _listen(needs.NeedClosed, _need),
    _listen(needs.NeedReturned, _need),
    _listen(needs.NeedsImported, _needs),
    _listen(accounts.OrganisationVerified, _organisation),
    _listen(accounts.OrganisationRejected, _organisation),
    _listen(accounts.OrganisationChanged, _organisation),
    _listen(register.BrokerProfileChanged, _broker),
    Subscription("discovery.tell.new_results_found", NewResultsFound, _tell),
)
