"""Small writes of many requests in one transaction: shared by all, undone for one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.db import Database
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.group_commit import GroupCommit

MANY = 12


def note(subject: str, now: datetime) -> Callable[[Session], None]:
    def write(session: Session) -> None:
        audit.come_from(session, f"from {subject}")
        audit.record(session, actor=SYSTEM, action="tests.note", subject=subject, now=now)

    return write


def refuse(_session: Session) -> None:
    raise RuleBroken("tests.refused", "不行")


def written(database: Database) -> dict[str, str]:
    with database.reading() as session:
        return {row.subject: row.origin for row in session.scalars(select(AuditRow))}


class Rush:
    """Lets many threads write while the first of them is held inside its transaction."""

    def __init__(self, database: Database) -> None:
        self.group = GroupCommit(database)
        self.failures: dict[str, BaseException] = {}
        self.commits = 0
        self._entered, self._go_on = threading.Event(), threading.Event()
        event.listen(database.engine, "commit", self._count)

    def _count(self, _connection: Connection) -> None:
        self.commits += 1

    def _hold(self, _session: Session) -> None:
        self._entered.set()
        assert self._go_on.wait(30)

    def _carry_out(self, name: str, write: Callable[[Session], None]) -> None:
        try:
            self.group.carry_out(write)
        except BaseException as failure:
            self.failures[name] = failure

    def run(self, writes: dict[str, Callable[[Session], None]]) -> None:
        threads = [threading.Thread(target=self._carry_out, args=("first", self._hold))]
        threads[0].start()
        assert self._entered.wait(30)
        for name, write in writes.items():
            threads.append(threading.Thread(target=self._carry_out, args=(name, write)))
            threads[-1].start()
        while len(self.group._arrived) < len(writes):
            threading.Event().wait(0.01)
        self._go_on.set()
        for thread in threads:
            thread.join(30)


def test_what_arrives_while_one_commits_is_committed_together(
    database: Database, now: datetime
) -> None:
    rush = Rush(database)
    rush.run({f"note:{n}": note(f"note:{n}", now) for n in range(MANY)})
    assert rush.failures == {}
    assert rush.commits == 1  # the first writes nothing, all others write together
    assert written(database) == {f"note:{n}": f"from note:{n}" for n in range(MANY)}
    with database.reading() as session:
        assert audit.verify(session) == (MANY, None)


def test_one_that_fails_takes_no_other_with_it(database: Database, now: datetime) -> None:
    rush = Rush(database)
    rush.run({"a": note("note:1", now), "b": refuse, "c": note("note:2", now)})
    assert list(rush.failures) == ["b"]
    assert isinstance(rush.failures["b"], RuleBroken)
    assert set(written(database)) == {"note:1", "note:2"}


def test_it_is_committed_when_the_call_returns(database: Database, now: datetime) -> None:
    group = GroupCommit(database)
    group.carry_out(note("note:1", now))
    assert set(written(database)) == {"note:1"}
    with pytest.raises(RuleBroken):
        group.carry_out(refuse)
    group.carry_out(note("note:2", now))
    assert set(written(database)) == {"note:1", "note:2"}


class Ended(BaseException):
    """What ends a thread, such as a server that stops."""


def test_where_the_leader_is_ended_nobody_takes_his_write_for_done(
    database: Database, now: datetime
) -> None:
    def end(_session: Session) -> None:
        raise Ended

    rush = Rush(database)
    rush.run({"a": note("note:1", now), "b": end, "c": note("note:2", now)})
    assert set(rush.failures) == {"a", "b", "c"}
    assert written(database) == {}


def test_nothing_is_stored_with_a_question(database: Database, now: datetime) -> None:
    with database.asking() as session:
        assert session.scalar(text("SELECT 1")) == 1
        session.add(AuditRow(subject="note:1"))
        with pytest.raises(RuntimeError):
            session.flush()
    assert written(database) == {}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_question_begins_no_transaction(database: Database) -> None:
    with database.asking() as session:
        first = session.scalar(text("SELECT now()"))
        assert session.scalar(text("SELECT now()")) != first  # it is a transaction's beginning
    with database.reading() as session:
        first = session.scalar(text("SELECT now()"))
        assert session.scalar(text("SELECT now()")) == first
