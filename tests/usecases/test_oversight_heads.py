"""The audit chain's head is published once a day and sent to mailboxes outside."""

from __future__ import annotations

from datetime import datetime, timedelta

from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import Database
from marketplace.oversight import head_queries, head_service
from marketplace.oversight.head_service import HeadPost


def _change(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        audit.record(session, actor=SYSTEM, action="tests.x", subject="thing:1", now=now)


def _publish(database: Database, now: datetime) -> int:
    with database.transaction() as session:
        return head_service.publish_head(session, now)


def test_a_day_that_ended_has_one_head(database: Database, now: datetime) -> None:
    assert _publish(database, now) == 0  # nothing has happened yet
    _change(database, now)
    with database.reading() as session:
        head = audit.head(session)
    assert (_publish(database, now), _publish(database, now)) == (1, 0)
    with database.reading() as session:
        (view,) = head_queries.page_of_heads(session, after=None).items
        assert (view.sequence, view.digest) == head
        assert view.day == local_date(now) - timedelta(days=1)
        assert audit.verify(session)[1] is None
    assert _publish(database, now + timedelta(days=1)) == 1


def test_the_head_that_covers_a_row_is_the_first_after_it(
    database: Database, now: datetime
) -> None:
    for days in range(3):
        _change(database, now + timedelta(days=days))
        _publish(database, now + timedelta(days=days))
    with database.reading() as session:
        heads = head_queries.page_of_heads(session, after=None).items[::-1]
        assert head_queries.head_from(session, heads[0].sequence) == heads[0]
        assert head_queries.head_from(session, heads[0].sequence + 1) == heads[1]
        assert head_queries.head_from(session, heads[-1].sequence + 1) is None
        assert head_queries.broken_heads(session) == []


def test_heads_are_mailed_until_a_mailbox_took_them(database: Database, now: datetime) -> None:
    _change(database, now)
    _publish(database, now)
    sent: list[tuple[str, str]] = []
    answer = "refused"

    def send(mailbox: str, _subject: str, words: str) -> str:
        sent.append((mailbox, words))
        return answer

    post = HeadPost(("a@bureau.example", "b@audit.example"), "https://market.example", send)
    assert HeadPost((), "", send).deliver_due(database, now=now) == 0
    assert post.deliver_due(database, now=now) == 0
    answer = ""
    assert post.deliver_due(database, now=now) == 1
    assert post.deliver_due(database, now=now) == 0
    with database.reading() as session:
        (view,) = head_queries.page_of_heads(session, after=None).items
    assert [mailbox for mailbox, _words in sent] == ["a@bureau.example", "b@audit.example"] * 2
    assert f"--head {view.sequence}:{view.digest}" in sent[-1][1]
    assert view.mailed_at == now
