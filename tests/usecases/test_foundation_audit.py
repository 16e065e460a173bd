"""The audit chain: whatever is done to it by hand, verify names the place."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import insert, select, text

from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.audit_chain import ALGORITHM, BrokenLink
from marketplace.foundation.db import Database


@pytest.fixture
def chained(database: Database, now: datetime) -> Database:
    """A database with five audit rows."""
    for number in range(1, 6):
        with database.transaction() as session:
            audit.record(
                session,
                actor=SYSTEM,
                action="tests.change",
                subject=f"thing:{number}",
                now=now,
                after={"number": number},
            )
    return database


def _verify(database: Database) -> tuple[int, BrokenLink | None]:
    with database.reading() as session:
        return audit.verify(session)


def _by_hand(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(statement))


def test_an_untouched_chain_holds(chained: Database) -> None:
    assert _verify(chained) == (5, None)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE foundation_audit_rows SET actor_name = 'x' WHERE sequence = 3", 3),
        ("UPDATE foundation_audit_rows SET action = 'x' WHERE sequence = 1", 1),
        ("DELETE FROM foundation_audit_rows WHERE sequence = 2", 2),
        ("DELETE FROM foundation_audit_rows WHERE sequence = 5", 5),
    ],
)
def test_a_change_or_a_gap_is_named(chained: Database, statement: str, place: int) -> None:
    _by_hand(chained, statement)
    held, broken = _verify(chained)
    assert broken is not None
    assert broken.sequence == place
    assert held == place - 1


def test_two_swapped_rows_are_named(chained: Database) -> None:
    _by_hand(chained, "UPDATE foundation_audit_rows SET sequence = 99 WHERE sequence = 2")
    _by_hand(chained, "UPDATE foundation_audit_rows SET sequence = 2 WHERE sequence = 4")
    _by_hand(chained, "UPDATE foundation_audit_rows SET sequence = 4 WHERE sequence = 99")
    _held, broken = _verify(chained)
    assert broken is not None
    assert broken.sequence == 2


def test_an_inserted_row_is_named(chained: Database, now: datetime) -> None:
    _by_hand(
        chained, "UPDATE foundation_audit_rows SET sequence = sequence + 100 WHERE sequence > 2"
    )
    _by_hand(
        chained, "UPDATE foundation_audit_rows SET sequence = sequence - 99 WHERE sequence > 99"
    )
    with chained.reading() as session:
        before = audit.digest_at(session, 2)
    with chained.engine.begin() as connection:
        connection.execute(
            insert(AuditRow).values(
                sequence=3, happened_at=now, user_id=None, organisation_id=None, actor_name="x",
                action="tests.x", subject="thing:3", before=None, after=None, origin="",
                algorithm=ALGORITHM, previous=before, digest="0" * 64,
            )
        )  # fmt: skip
    assert _verify(chained) == (2, BrokenLink(3, "inserted"))


def test_a_row_knows_from_where_it_was_asked(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        audit.come_from(session, "203.0.113.9")
        audit.record(session, actor=SYSTEM, action="tests.x", subject="thing:1", now=now)
    with database.transaction() as session:
        audit.record(session, actor=SYSTEM, action="tests.x", subject="thing:2", now=now)
    with database.reading() as session:
        rows = session.scalars(select(AuditRow).order_by(AuditRow.sequence)).all()
    assert [row.origin for row in rows] == ["203.0.113.9", "platform"]
    _by_hand(database, "UPDATE foundation_audit_rows SET origin = '10.0.0.1' WHERE sequence = 1")
    assert _verify(database)[1] == BrokenLink(1, "changed")


def test_a_rolled_back_change_leaves_no_row(chained: Database, now: datetime) -> None:
    def change_and_fail() -> None:
        with chained.transaction() as session:
            audit.record(session, actor=SYSTEM, action="tests.x", subject="thing:9", now=now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert _verify(chained) == (5, None)
