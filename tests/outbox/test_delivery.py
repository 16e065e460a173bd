"""The outbox: delivered once to each, tried again, parked, and never lost."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation import outbox
from marketplace.foundation.db import Database
from marketplace.foundation.numbering import Sequence, next_number
from marketplace.foundation.outbox import MAX_TRIES, Event, Outbox, Subscription


@dataclass(frozen=True, kw_only=True)
class SomethingHappened(Event):
    """A fact of these tests."""

    number: int
    at: datetime


def _count(session: Session, event: SomethingHappened, *, now: datetime) -> None:
    next_number(session, f"E{event.number}", 2024)


def _deliveries(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {row.prefix: row.last for row in session.scalars(select(Sequence))}


def _publish(database: Database, now: datetime, count: int = 1) -> None:
    with database.transaction() as session:
        for number in range(count):
            outbox.publish(session, SomethingHappened(number=number, at=now), now=now)


def test_an_event_reaches_each_subscriber_once(database: Database, now: datetime) -> None:
    box = Outbox(
        [
            Subscription("tests.one", SomethingHappened, _count),
            Subscription("tests.two", SomethingHappened, _count),
        ]
    )
    _publish(database, now)
    assert box.deliver_due(database, now=now) == 2
    assert box.deliver_due(database, now=now) == 0
    assert _deliveries(database) == {"E0": 2}


def test_what_was_rolled_back_never_happened(database: Database, now: datetime) -> None:
    box = Outbox([Subscription("tests.one", SomethingHappened, _count)])

    def publish_and_fail() -> None:
        with database.transaction() as session:
            outbox.publish(session, SomethingHappened(number=1, at=now), now=now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        publish_and_fail()
    assert box.deliver_due(database, now=now) == 0


def test_a_failing_handler_leaves_nothing_and_is_tried_again(
    database: Database, now: datetime
) -> None:
    failing = [True]

    def handle(session: Session, event: SomethingHappened, *, now: datetime) -> None:
        _count(session, event, now=now)
        if failing[0]:
            raise RuntimeError("not yet")

    box = Outbox([Subscription("tests.one", SomethingHappened, handle)])
    _publish(database, now)
    assert box.deliver_due(database, now=now) == 1
    assert _deliveries(database) == {}
    assert box.deliver_due(database, now=now) == 0, "it waits before the next try"
    failing[0] = False
    assert box.deliver_due(database, now=now + timedelta(seconds=2)) == 1
    assert _deliveries(database) == {"E0": 1}


def test_a_failure_of_one_subscriber_does_not_hold_up_another(
    database: Database, now: datetime
) -> None:
    def fail(session: Session, event: SomethingHappened, *, now: datetime) -> None:
        raise RuntimeError("never")

    box = Outbox(
        [
            Subscription("tests.fails", SomethingHappened, fail),
            Subscription("tests.works", SomethingHappened, _count),
        ]
    )
    _publish(database, now)
    box.deliver_due(database, now=now)
    assert _deliveries(database) == {"E0": 1}


def test_after_the_last_try_it_is_parked_and_shown(database: Database, now: datetime) -> None:
    def fail(session: Session, event: SomethingHappened, *, now: datetime) -> None:
        raise RuntimeError("never")

    box = Outbox([Subscription("tests.fails", SomethingHappened, fail)])
    _publish(database, now)
    moment = now
    for _ in range(MAX_TRIES):
        assert box.deliver_due(database, now=moment) == 1
        moment += timedelta(days=1)
    assert box.deliver_due(database, now=moment) == 0
    with database.reading() as session:
        (given_up,) = outbox.parked(session)
        assert given_up.tries == MAX_TRIES
        assert "never" in given_up.last_error
        assert outbox.waiting_count(session) == 0


def test_two_workers_deliver_each_event_once(database: Database, now: datetime) -> None:
    box = Outbox([Subscription("tests.one", SomethingHappened, _count)])
    _publish(database, now, count=30)

    def work() -> None:
        while box.deliver_due(database, now=now):
            pass

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    while box.deliver_due(database, now=now):
        pass
    assert _deliveries(database) == {f"E{number}": 1 for number in range(30)}
