"""Every line of the announcement tables as a subscription: event → news → inboxes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.foundation.outbox import Handler, Subscription
from marketplace.notifications import (
    award_announcements,
    claim_announcements,
    deal_announcements,
    guild_announcements,
    service,
    supply_announcements,
    trading_announcements,
)
from marketplace.notifications.announcing import Announcement, news_of, numbered

ANNOUNCEMENTS = (
    *supply_announcements.ANNOUNCEMENTS,
    *trading_announcements.ANNOUNCEMENTS,
    *award_announcements.ANNOUNCEMENTS,
    *claim_announcements.ANNOUNCEMENTS,
    *deal_announcements.ANNOUNCEMENTS,
    *guild_announcements.ANNOUNCEMENTS,
)


def _telling(announcement: Announcement) -> Handler:
    def handle(session: Session, event: Any, *, now: datetime) -> None:
        if not announcement.when(event):
            return
        user_ids = announcement.to(session, event)
        if user_ids:
            service.tell(
                session, now=now, user_ids=user_ids, news=news_of(session, announcement, event)
            )

    return handle


SUBSCRIPTIONS = [
    Subscription(name, announcement.event, _telling(announcement))
    for name, announcement in numbered(ANNOUNCEMENTS)
]
