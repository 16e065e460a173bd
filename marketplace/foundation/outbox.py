"""What happened, written in the transaction in which it happened and delivered afterwards.

The worker fans each event out into one delivery per subscriber and delivers each in a transaction
of its own. There is no "last id seen": commit order differs from id order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

import structlog
from pydantic import TypeAdapter
from sqlalchemy import ForeignKey, Index, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from marketplace.foundation.db import Base, Database, Id, Json

MAX_TRIES = 12
FIRST_WAIT = timedelta(seconds=2)

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact in the past tense; subclasses are frozen keyword dataclasses of plain values."""

    _registry: ClassVar[dict[str, type[Event]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        Event._registry[cls.name()] = cls

    @classmethod
    def name(cls) -> str:
        """Return the event's stored name: slice and class, ``contracts.ContractRegistered``."""
        owner = cls.__module__.removeprefix("marketplace.").partition(".")[0]
        return f"{owner}.{cls.__qualname__}"


class OutboxEvent(Base):
    """One published event."""

    __tablename__ = "foundation_outbox_events"
    __table_args__ = (Index("ix_outbox_waiting", "fanned_out", "id"),)

    id: Mapped[Id]
    name: Mapped[str]
    body: Mapped[Json]
    happened_at: Mapped[datetime]
    fanned_out: Mapped[bool] = mapped_column(default=False)


class OutboxDelivery(Base):
    """One event on its way to one subscriber."""

    __tablename__ = "foundation_outbox_deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "subscriber"),
        Index("ix_outbox_due", "delivered_at", "parked", "next_try_at"),
    )

    id: Mapped[Id]
    event_id: Mapped[int] = mapped_column(ForeignKey("foundation_outbox_events.id"))
    subscriber: Mapped[str]
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    parked: Mapped[bool] = mapped_column(default=False)
    last_error: Mapped[str] = mapped_column(default="")


class Handler(Protocol):
    """Do one service call in reaction to an event; it must be safe to repeat."""

    def __call__(self, session: Session, event: Any, *, now: datetime) -> None: ...


@dataclass(frozen=True)
class Subscription:
    """A subscriber's stable name, the event it waits for, and what it does then."""

    subscriber: str
    event: type[Event]
    handle: Handler


_ADAPTERS: dict[str, TypeAdapter[Any]] = {}


def _adapter(kind: type[Event]) -> TypeAdapter[Any]:
    """Return the one adapter of a kind of event: making one costs more than using it."""
    known = _ADAPTERS.get(kind.name())
    if known is None:
        known = _ADAPTERS[kind.name()] = TypeAdapter(kind)
    return known


def publish(session: Session, event: Event, *, now: datetime) -> None:
    """Write an event into the outbox, within the caller's transaction."""
    body = _adapter(type(event)).dump_python(event, mode="json")
    session.add(OutboxEvent(name=event.name(), body=body, happened_at=now, fanned_out=False))


class Outbox:
    """Deliver what was published to those who subscribed."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._by_name: dict[str, Subscription] = {}
        self._by_event: dict[str, list[Subscription]] = {}
        for subscription in subscriptions:
            if subscription.subscriber in self._by_name:
                raise ValueError(f"subscriber named twice: {subscription.subscriber}")
            self._by_name[subscription.subscriber] = subscription
            self._by_event.setdefault(subscription.event.name(), []).append(subscription)

    def deliver_within(self, session: Session, *, now: datetime) -> int:
        """Deliver all that was never fanned out in the caller's transaction; return how many.

        For a caller who is alone with the database, such as the loader of the demo: a failure is
        the caller's and undoes everything.
        """
        count = 0
        waiting = select(OutboxEvent).where(OutboxEvent.fanned_out.is_(False))
        while rows := session.scalars(waiting.order_by(OutboxEvent.id)).all():
            for row in rows:
                row.fanned_out = True
                event = _adapter(Event._registry[row.name]).validate_python(row.body)
                for subscription in self._by_event.get(row.name, ()):
                    session.add(
                        OutboxDelivery(
                            event_id=row.id,
                            subscriber=subscription.subscriber,
                            tries=1,
                            next_try_at=now,
                            delivered_at=now,
                        )
                    )
                    subscription.handle(session, event, now=now)
                    count += 1
            session.flush()
        return count

    def deliver_due(self, database: Database, *, now: datetime, limit: int = 200) -> int:
        """Fan out and deliver what is due; return how many deliveries were attempted."""
        self._fan_out(database, now=now, limit=limit)
        attempts = 0
        while attempts < limit and self._deliver_next(database, now=now):
            attempts += 1
        return attempts

    def _fan_out(self, database: Database, *, now: datetime, limit: int) -> None:
        with database.reading() as session:
            waiting = session.scalar(
                select(OutboxEvent.id).where(OutboxEvent.fanned_out.is_(False)).limit(1)
            )
        if waiting is None:
            return
        with database.transaction() as session:
            rows = session.scalars(
                select(OutboxEvent)
                .where(OutboxEvent.fanned_out.is_(False))
                .order_by(OutboxEvent.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            for row in rows:
                row.fanned_out = True
                for subscription in self._by_event.get(row.name, ()):
                    session.add(
                        OutboxDelivery(
                            event_id=row.id,
                            subscriber=subscription.subscriber,
                            next_try_at=now,
                            delivered_at=None,
                        )
                    )

    def _deliver_next(self, database: Database, *, now: datetime) -> bool:
        """Try the oldest due delivery; a failure is kept with its reason and tried later."""
        due = (
            select(OutboxDelivery)
            .where(
                OutboxDelivery.delivered_at.is_(None),
                OutboxDelivery.parked.is_(False),
                OutboxDelivery.next_try_at <= now,
            )
            .order_by(OutboxDelivery.id)
            .limit(1)
        )
        with database.reading() as session:
            if session.scalar(due.with_only_columns(OutboxDelivery.id)) is None:
                return False
        delivery_id = 0
        try:
            with database.transaction() as session:
                delivery = session.scalar(due.with_for_update(skip_locked=True))
                if delivery is None:
                    return False
                delivery_id = delivery.id
                self._call(session, delivery, now=now)
                delivery.tries += 1
                delivery.delivered_at = now
        except Exception as failure:  # a handler may fail in any way; the lane must go on
            log.warning("outbox.failed", delivery=delivery_id, error=repr(failure), exc_info=True)
            self._keep_failure(database, delivery_id, failure, now=now)
        return True

    def _call(self, session: Session, delivery: OutboxDelivery, *, now: datetime) -> None:
        subscription = self._by_name.get(delivery.subscriber)
        if subscription is None:
            raise LookupError(f"no subscriber named {delivery.subscriber}")
        row = session.get_one(OutboxEvent, delivery.event_id)
        event = _adapter(Event._registry[row.name]).validate_python(row.body)
        subscription.handle(session, event, now=now)
        session.flush()

    def _keep_failure(
        self, database: Database, delivery_id: int, failure: Exception, *, now: datetime
    ) -> None:
        with database.transaction() as session:
            delivery = session.get(OutboxDelivery, delivery_id, with_for_update=True)
            if delivery is None or delivery.delivered_at is not None:
                return
            delivery.tries += 1
            delivery.last_error = repr(failure)[:500]
            delivery.parked = delivery.tries >= MAX_TRIES
            delivery.next_try_at = now + FIRST_WAIT * 2 ** (delivery.tries - 1)


def waiting_count(session: Session) -> int:
    """Count events and deliveries that have not arrived yet, parked ones left out."""
    events = session.scalar(
        select(func.count()).select_from(OutboxEvent).where(OutboxEvent.fanned_out.is_(False))
    )
    deliveries = session.scalar(
        select(func.count())
        .select_from(OutboxDelivery)
        .where(OutboxDelivery.delivered_at.is_(None), OutboxDelivery.parked.is_(False))
    )
    return (events or 0) + (deliveries or 0)


@dataclass(frozen=True)
class ParkedDelivery:
    """A delivery that failed too often and waits for the operator."""

    delivery_id: int
    event: str
    subscriber: str
    tries: int
    last_error: str


def parked(session: Session) -> list[ParkedDelivery]:
    """List deliveries given up on, oldest first."""
    rows = session.execute(
        select(OutboxDelivery, OutboxEvent.name)
        .join(OutboxEvent, OutboxEvent.id == OutboxDelivery.event_id)
        .where(OutboxDelivery.parked.is_(True))
        .order_by(OutboxDelivery.id)
    )
    return [
        ParkedDelivery(row.id, name, row.subscriber, row.tries, row.last_error)
        for row, name in rows
    ]
