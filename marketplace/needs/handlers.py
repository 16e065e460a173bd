"""What needs do when something happens to their owner."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.accounts.events import OrganisationSuspended
from marketplace.foundation.outbox import Subscription
from marketplace.needs import market_service


def owner_suspended(session: Session, event: OrganisationSuspended, *, now: datetime) -> None:
    """Take a suspended owner's open needs off."""
    market_service.close_all(
        session,
        now=now,
        organisation_id=event.organisation_id,
        reason=f"机构被交易中心暂停：{event.reason}",
    )


SUBSCRIPTIONS = (Subscription("needs.owner_suspended", OrganisationSuspended, owner_suspended),)
