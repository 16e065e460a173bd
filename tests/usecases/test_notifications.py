"""From an event to inboxes and mails: who is told, once, and what a dead mail server does."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from marketplace.accounts.rules import OrganisationKind
from marketplace.assessments.events import AssessmentAssigned
from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotFound
from marketplace.foundation.outbox import Event, Outbox
from marketplace.listings.events import IntentRegistered
from marketplace.notifications import handlers, queries, service
from marketplace.notifications.mail import Letter, MailRoom, SmtpSender, sender_for
from marketplace.notifications.models import Mail, Message
from marketplace.notifications.rules import MailState, MessageKind
from marketplace.payments.events import PaymentConfirmed
from marketplace.publicity.events import PublicityClosed
from tests.assessing import Bench
from tests.world import World


class FakeSender:
    """Keeps the letters; fails while told to."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.failing = ""

    def send(self, letters: Sequence[Letter]) -> list[str]:
        if not self.failing:
            self.letters += letters
        return [self.failing for _ in letters]


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


def happen(database: Database, event: Event, *, now: datetime) -> None:
    """Publish an event and deliver it to the inboxes."""
    with database.transaction() as session:
        outbox.publish(session, event, now=now)
    deliver = Outbox(handlers.SUBSCRIPTIONS)
    while deliver.deliver_due(database, now=now):
        pass
    with database.reading() as session:
        assert outbox.waiting_count(session) == 0, "a delivery failed"


def titles(database: Database, actor: Actor) -> list[str]:
    with database.reading() as session:
        return [message.title for message in queries.inbox(session, actor).items]


def paid(world: World, payer: int, payee: int) -> PaymentConfirmed:
    return PaymentConfirmed(
        payment_id=1,
        number="PM-2024-0001",
        purpose="deposit",
        subject="intent:5",
        payer_organisation_id=payer,
        payee_organisation_id=payee,
        amount_fen=18_000_000,
    )


def test_both_sides_of_a_payment_are_told_and_nobody_else(
    database: Database, world: World, now: datetime
) -> None:
    payer = world.organisation(OrganisationKind.ENTERPRISE)
    buyer = world.actor(Role.ENTERPRISE, payer)
    operator = world.actor(Role.OPERATOR)
    stranger = world.actor(Role.OFFICER)
    happen(database, paid(world, payer.id, operator.organisation_id or 0), now=now)
    assert titles(database, buyer) == ["已到账：18 万元"]
    assert titles(database, operator) == ["已到账：18 万元"]
    assert titles(database, stranger) == []
    with database.reading() as session:
        assert queries.unread_count(session, buyer) == 1
        message = queries.inbox(session, buyer).items[0]
        assert payer.name in message.text
        assert (message.endpoint, message.params) == ("payments.show", {"payment_id": 1})


def test_the_administrator_is_told_where_nobody_else_acts(
    database: Database, world: World, now: datetime
) -> None:
    lonely = world.organisation(OrganisationKind.ENTERPRISE)
    admin = world.actor(Role.ORG_ADMIN, lonely)
    operator = world.actor(Role.OPERATOR)
    happen(database, paid(world, lonely.id, operator.organisation_id or 0), now=now)
    assert "已到账：18 万元" in titles(database, admin)


def test_the_seller_does_not_learn_the_buyer_from_a_message(
    database: Database, world: World, now: datetime
) -> None:
    bench = Bench(database, world, now)
    achievement_id = bench.achievement()
    buyer = world.organisation(OrganisationKind.ENTERPRISE, name="锐泉精密制造")
    happen(
        database,
        IntentRegistered(
            intent_id=1,
            listing_id=1,
            achievement_id=achievement_id,
            seller_organisation_id=bench.university.id,
            buyer_organisation_id=buyer.id,
        ),
        now=now,
    )
    with database.reading() as session:
        seller = next(
            m for m in queries.inbox(session, bench.officer).items if "受让意向" in m.title
        )
        assert "低温脱硝催化剂" in seller.title
        assert "锐泉" not in seller.title + seller.text
        operator = queries.inbox(session, bench.operator).items[0]
        assert "锐泉精密制造" in operator.text


@pytest.mark.parametrize(("upheld", "title"), [(False, "公示结束"), (True, "异议成立，公示终止")])
def test_of_two_outcomes_only_the_one_that_came_is_told(
    database: Database, world: World, now: datetime, upheld: bool, title: str
) -> None:
    owner = world.organisation(OrganisationKind.UNIVERSITY)
    officer = world.actor(Role.OFFICER, owner)
    happen(
        database,
        PublicityClosed(
            publicity_id=3,
            kind="negotiated_price",
            subject="listing:4",
            title="脱硝催化剂许可",
            organisation_id=owner.id,
            upheld=upheld,
        ),
        now=now,
    )
    assert titles(database, officer) == [f"{title}：脱硝催化剂许可"]


def test_a_repeated_event_tells_once_but_a_later_one_again(
    database: Database, world: World, now: datetime
) -> None:
    bench = Bench(database, world, now)
    event = AssessmentAssigned(
        assessment_id=7,
        achievement_id=1,
        organisation_id=bench.university.id,
        assessor_organisation_id=bench.house.id,
        title="低温脱硝催化剂",
    )
    happen(database, event, now=now)
    happen(database, event, now=now + timedelta(hours=1))
    assert titles(database, bench.assessor) == ["新的评估委托：低温脱硝催化剂"]
    happen(database, event, now=now + timedelta(days=2))
    assert len(titles(database, bench.assessor)) == 2


def test_mail_goes_by_choice_and_leaves_outside_the_use_case(
    database: Database, world: World, now: datetime, sender: FakeSender
) -> None:
    bench = Bench(database, world, now)
    event = AssessmentAssigned(
        assessment_id=7,
        achievement_id=1,
        organisation_id=bench.university.id,
        assessor_organisation_id=bench.house.id,
        title="低温脱硝催化剂",
    )
    happen(database, event, now=now)
    room = MailRoom(sender, site_url="https://market.example/")
    assert room.deliver_due(database, now=now) == 1
    letter = sender.letters[0]
    assert letter.subject == "【济南科技成果转化平台】新的评估委托：低温脱硝催化剂"
    with database.reading() as session:
        message_id = session.scalars(select(Message.id)).one()
        assert session.scalars(select(Mail.state)).one() is MailState.SENT
    assert f"https://market.example/inbox/{message_id}" in letter.text
    assert room.deliver_due(database, now=now + timedelta(hours=1)) == 0

    with database.transaction() as session:
        service.choose(session, actor=bench.assessor, now=now, by_mail=[MessageKind.CLAIM])
    happen(database, event, now=now + timedelta(days=2))
    assert room.deliver_due(database, now=now + timedelta(days=2)) == 0
    assert len(titles(database, bench.assessor)) == 2


def test_a_dead_mail_server_is_tried_again_then_given_up(
    database: Database, world: World, now: datetime, sender: FakeSender
) -> None:
    payer = world.organisation(OrganisationKind.ENTERPRISE)
    world.actor(Role.ENTERPRISE, payer)
    payee = world.organisation(OrganisationKind.OPERATOR)
    happen(database, paid(world, payer.id, payee.id), now=now)
    room = MailRoom(sender, site_url="")
    sender.failing = "connection refused"
    assert room.deliver_due(database, now=now) == 1
    assert room.deliver_due(database, now=now + timedelta(seconds=29)) == 0
    assert room.deliver_due(database, now=now + timedelta(seconds=30)) == 1
    sender.failing = ""
    assert room.deliver_due(database, now=now + timedelta(seconds=89)) == 0
    assert room.deliver_due(database, now=now + timedelta(seconds=90)) == 1
    assert len(sender.letters) == 1
    with database.reading() as session:
        assert session.scalars(select(Mail.last_error)).one() == ""


def test_a_mail_of_three_days_is_no_news(
    database: Database, world: World, now: datetime, sender: FakeSender
) -> None:
    payer = world.organisation(OrganisationKind.ENTERPRISE)
    world.actor(Role.ENTERPRISE, payer)
    payee = world.organisation(OrganisationKind.OPERATOR)
    happen(database, paid(world, payer.id, payee.id), now=now)
    room = MailRoom(sender, site_url="")
    assert room.deliver_due(database, now=now + timedelta(days=4)) == 0
    with database.reading() as session:
        assert queries.mail_counts(session) == {MailState.SKIPPED: 1}
        assert queries.failed_mails(session) == []


def test_a_mail_tried_for_three_days_has_failed(
    database: Database, world: World, now: datetime, sender: FakeSender
) -> None:
    payer = world.organisation(OrganisationKind.ENTERPRISE)
    world.actor(Role.ENTERPRISE, payer)
    payee = world.organisation(OrganisationKind.OPERATOR)
    happen(database, paid(world, payer.id, payee.id), now=now)
    room = MailRoom(sender, site_url="")
    sender.failing = "connection refused"
    room.deliver_due(database, now=now)
    sender.failing = ""
    assert room.deliver_due(database, now=now + timedelta(days=4)) == 0
    with database.reading() as session:
        assert queries.mail_counts(session) == {MailState.FAILED: 1}
        assert queries.failed_mails(session)[0].last_error == "connection refused"


def test_a_claimed_mail_is_left_alone_until_the_lease_ends(
    database: Database, world: World, now: datetime, sender: FakeSender
) -> None:
    payer = world.organisation(OrganisationKind.ENTERPRISE)
    world.actor(Role.ENTERPRISE, payer)
    payee = world.organisation(OrganisationKind.OPERATOR)
    happen(database, paid(world, payer.id, payee.id), now=now)

    class Dying:
        def send(self, letters: Sequence[Letter]) -> list[str]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MailRoom(Dying(), site_url="").deliver_due(database, now=now)
    room = MailRoom(sender, site_url="")
    assert room.deliver_due(database, now=now + timedelta(seconds=60)) == 0
    assert room.deliver_due(database, now=now + timedelta(minutes=2)) == 1


def test_nobody_reads_or_marks_anothers_messages(
    database: Database, world: World, now: datetime
) -> None:
    payer = world.organisation(OrganisationKind.ENTERPRISE)
    buyer = world.actor(Role.ENTERPRISE, payer)
    other = world.actor(Role.ENTERPRISE)
    payee = world.organisation(OrganisationKind.OPERATOR)
    happen(database, paid(world, payer.id, payee.id), now=now)
    with database.reading() as session:
        message_id = session.scalars(select(Message.id)).one()
        with pytest.raises(NotFound):
            queries.get_message(session, other, message_id)
    with pytest.raises(NotFound), database.transaction() as session:
        service.mark_read(session, actor=other, now=now, message_id=message_id)
    with database.transaction() as session:
        service.mark_all_read(session, actor=other, now=now)
    with database.reading() as session:
        assert queries.unread_count(session, buyer) == 1
    with database.transaction() as session:
        service.mark_read(session, actor=buyer, now=now, message_id=message_id)
    with database.reading() as session:
        assert queries.unread_count(session, buyer) == 0


class _Smtp(socketserver.StreamRequestHandler):
    """Just enough of a mail server: refuses one address, keeps the rest."""

    def handle(self) -> None:
        kept: list[str] = self.server.kept  # type: ignore[attr-defined]  # set below
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline().decode():
            verb = line[:4].upper()
            if verb == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            if verb == "RCPT" and "nobody@" in line:
                self.wfile.write(b"550 no such mailbox\r\n")
            elif verb == "DATA":
                self.wfile.write(b"354 go on\r\n")
                text = ""
                while (part := self.rfile.readline().decode()) != ".\r\n":
                    text += part
                kept.append(text)
                self.wfile.write(b"250 kept\r\n")
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def mail_server() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
        server.kept = []  # type: ignore[attr-defined]  # what the handler has received
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_smtp_sends_chinese_and_survives_a_refused_address(
    mail_server: socketserver.ThreadingTCPServer,
) -> None:
    port = mail_server.server_address[1]
    sender = sender_for(f"smtp://127.0.0.1:{port}", "no-reply@market.example")
    outcomes = sender.send(
        [
            Letter("nobody@test.example", "第一封", "没有这个信箱"),
            Letter("officer@test.example", "评估报告已出具\n多行", "评估值 260 万元至 380 万元"),
        ]
    )
    assert outcomes[0] != ""
    assert outcomes[1] == ""
    kept = mail_server.kept  # type: ignore[attr-defined]  # set by the fixture
    assert len(kept) == 1
    assert "Auto-Submitted: auto-generated" in kept[0]


def test_no_server_is_an_error_for_every_letter() -> None:
    sender = SmtpSender("smtp://127.0.0.1:9", "no-reply@market.example")
    assert all(sender.send([Letter("a@test.example", "主题", "正文")] * 2))
    with pytest.raises(ValueError, match="MAIL_URL"):
        SmtpSender("http://mail", "no-reply@market.example")
