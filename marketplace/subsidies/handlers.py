"""What subsidies do when contracts or notices announce something."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.contracts.events import ContractCancelled, ContractChanged, ContractRegistered
from marketplace.foundation.outbox import Subscription
from marketplace.publicity.events import PublicityClosed
from marketplace.subsidies import service


def take_publicity(session: Session, event: PublicityClosed, *, now: datetime) -> None:
    """Carry a claim on when its notice is over; other slices' notices are left to them."""
    kind, _, claim_id = event.subject.partition(":")
    if kind != "claim" or not claim_id.isdigit():
        return
    service.take_publicity(
        session,
        now=now,
        claim_id=int(claim_id),
        publicity_id=event.publicity_id,
        upheld=event.upheld,
    )


SUBSCRIPTIONS = [
    Subscription("subsidies.keep_registered", ContractRegistered, service.keep_registered),
    Subscription("subsidies.keep_changed", ContractChanged, service.keep_changed),
    Subscription("subsidies.keep_cancelled", ContractCancelled, service.keep_cancelled),
    Subscription("subsidies.take_publicity", PublicityClosed, take_publicity),
]
