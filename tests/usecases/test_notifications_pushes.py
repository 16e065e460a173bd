"""Messages pushed to members' own systems: signed, tried again, stopped, and nobody else's."""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, func, select
from standardwebhooks import Webhook as Receiver
from standardwebhooks import WebhookVerificationError

from marketplace.accounts.models import Membership
from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, DomainError, NotFound
from marketplace.foundation.outbound import Answer, Outbound
from marketplace.notifications import queries, service, webhook_queries, webhook_rules
from marketplace.notifications import webhook_service as pushes
from marketplace.notifications.rules import MessageKind
from marketplace.notifications.service import News
from marketplace.notifications.webhook_models import Delivery
from marketplace.notifications.webhook_post import Secrets, WebhookPost
from marketplace.notifications.webhook_queries import DeliveryView
from marketplace.notifications.webhook_rules import DeliveryState, WebhookState
from tests.world import World

URL = "https://system.example.edu.cn/hook"
KEY = "a signing key of at least thirty-two letters"


class System(Outbound):
    """A member's system: takes what is pushed, or answers as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.status = 204
        self.failure: Exception | None = None

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.taken.append((url, body, headers))
        if self.failure is not None:
            raise self.failure
        return Answer(self.status, "说明")


class Desk:
    """One reader with an address, the system behind it, and the post in between."""

    def __init__(self, database: Database, world: World, now: datetime) -> None:
        self.database, self.world, self.now = database, world, now
        self.company = world.organisation(OrganisationKind.ENTERPRISE)
        self.reader = world.actor(Role.ENTERPRISE, self.company)
        self.system = System()
        self.secrets = Secrets(KEY)
        self.post = WebhookPost(
            self.system,
            self.secrets,
            machine_clock=SystemClock(),
            site_url="https://market.example",
        )

    def create(
        self, actor: Actor | None = None, kinds: tuple[MessageKind, ...] = (MessageKind.DEAL,)
    ) -> int:
        with self.database.transaction() as session:
            return pushes.create_webhook(
                session,
                actor=actor or self.reader,
                now=self.now,
                name="待办",
                url=URL,
                kinds=kinds,
            )

    def tell(self, title: str, *, kind: MessageKind = MessageKind.DEAL) -> None:
        news = News(kind, title, f"{title}的内容", "brokerage.deal", {"deal_id": 7}, title)
        with self.database.transaction() as session:
            service.tell(session, now=self.now, user_ids=[self.reader.user_id or 0], news=news)

    def deliver(self, **later: float) -> int:
        self.now += timedelta(**later)
        return self.post.deliver_due(self.database, now=self.now)

    def secret(self, webhook_id: int) -> str:
        with self.database.reading() as session:
            view = webhook_queries.get_webhook(session, self.reader, webhook_id)
        return self.secrets.of(view.id, view.salt)

    def state(self, webhook_id: int) -> WebhookState:
        with self.database.reading() as session:
            return webhook_queries.get_webhook(session, self.reader, webhook_id).state

    def pushed(self, webhook_id: int) -> list[DeliveryView]:
        with self.database.reading() as session:
            return list(webhook_queries.deliveries_of(session, webhook_id).items)

    def titles(self) -> list[str]:
        with self.database.reading() as session:
            return [message.title for message in queries.inbox(session, self.reader).items]


@pytest.fixture
def desk(database: Database, world: World, now: datetime) -> Desk:
    return Desk(database, world, now)


def test_a_message_reaches_the_system_signed_as_the_standard_says(desk: Desk) -> None:
    webhook_id = desk.create()
    desk.tell("对方已确认介绍")
    desk.tell("已到账", kind=MessageKind.PAYMENT)  # a kind that was not asked for
    assert desk.deliver() == 1
    [(url, body, headers)] = desk.system.taken
    assert url == URL
    found = Receiver(desk.secret(webhook_id)).verify(body, dict(headers))
    assert found["type"] == "deal"
    assert found["data"]["title"] == "对方已确认介绍"
    assert found["data"]["parameters"] == {"deal_id": 7}
    assert found["data"]["link"].startswith("https://market.example/inbox/")
    with pytest.raises(WebhookVerificationError):
        Receiver(desk.secret(webhook_id)).verify(body.replace(b"deal", b"dial"), dict(headers))
    [push] = desk.pushed(webhook_id)
    assert push.state is DeliveryState.DELIVERED
    assert [(attempt.status, attempt.answer) for attempt in push.attempts] == [(204, "说明")]
    assert desk.deliver(days=2) == 0


def test_each_address_has_a_secret_of_its_own_and_no_table_holds_it(desk: Desk) -> None:
    one, two = desk.create(), desk.create()
    first, second = desk.secret(one), desk.secret(two)
    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32
    assert Secrets("another key of at least thirty-two letters").of(one, "") != first
    with desk.database.reading() as session:
        for view in webhook_queries.webhooks_of(session, desk.reader):
            assert first not in repr(view)
            assert second not in repr(view)


def test_what_is_not_taken_is_tried_again_with_the_same_id(desk: Desk) -> None:
    webhook_id = desk.create()
    desk.tell("对方已确认介绍")
    desk.system.status = 500
    assert desk.deliver() == 1
    assert desk.deliver(seconds=50) == 0  # not before the minute is over
    desk.system.failure = TimeoutError("too slow")
    assert desk.deliver(seconds=10) == 1
    desk.system.failure, desk.system.status = None, 200
    assert desk.deliver(minutes=5) == 1
    ids = {headers["webhook-id"] for _, _, headers in desk.system.taken}
    assert len(ids) == 1
    [push] = desk.pushed(webhook_id)
    assert push.state is DeliveryState.DELIVERED
    assert [attempt.status for attempt in push.attempts] == [500, None, 200]
    assert "too slow" in push.attempts[1].answer


def test_an_address_that_never_answers_is_stopped_and_its_owner_told(desk: Desk) -> None:
    webhook_id = desk.create()
    desk.tell("对方已确认介绍")
    desk.system.status = 404
    for wait in (timedelta(), *webhook_rules.WAITS):
        assert desk.deliver(seconds=wait.total_seconds()) == 1
    assert desk.state(webhook_id) is WebhookState.FAILING
    assert desk.pushed(webhook_id)[0].state is DeliveryState.FAILED
    assert "推送“待办”已停：多次送不到" in desk.titles()
    desk.tell("又一条")
    assert desk.deliver(days=3) == 0  # nothing is queued for a stopped address
    assert len(desk.pushed(webhook_id)) == 1

    with desk.database.transaction() as session:
        pushes.resume_webhook(session, actor=desk.reader, now=desk.now, webhook_id=webhook_id)
    [failed] = desk.pushed(webhook_id)
    with desk.database.transaction() as session:
        pushes.push_again(session, actor=desk.reader, now=desk.now, delivery_id=failed.id)
    with pytest.raises(Conflict), desk.database.transaction() as session:
        pushes.push_again(session, actor=desk.reader, now=desk.now, delivery_id=failed.id)
    desk.system.status = 200
    assert desk.deliver() == 1
    assert desk.pushed(webhook_id)[0].state is DeliveryState.DELIVERED


def test_a_trial_is_sent_once_and_says_at_once_whether_it_came(desk: Desk) -> None:
    webhook_id = desk.create()
    desk.system.status = 503
    for _ in range(2):  # a double click
        with desk.database.transaction() as session:
            pushes.try_webhook(session, actor=desk.reader, now=desk.now, webhook_id=webhook_id)
    assert desk.deliver() == 1
    [push] = desk.pushed(webhook_id)
    assert push.state is DeliveryState.FAILED
    assert json.loads(desk.system.taken[0][1])["type"] == "test"
    assert desk.state(webhook_id) is WebhookState.LIVING  # a trial stops nothing
    assert desk.deliver(days=1) == 0


def test_nothing_is_pushed_for_who_has_left(desk: Desk) -> None:
    webhook_id = desk.create()
    desk.tell("对方已确认介绍")
    with desk.database.transaction() as session:
        session.execute(delete(Membership).where(Membership.user_id == desk.reader.user_id))
    assert desk.deliver() == 0
    assert desk.system.taken == []
    assert desk.state(webhook_id) is WebhookState.ENDED
    assert [push.state for push in desk.pushed(webhook_id)] == [DeliveryState.FAILED]


def test_an_ended_address_gets_nothing_more(desk: Desk) -> None:
    webhook_id = desk.create()
    desk.tell("对方已确认介绍")
    for _ in range(2):
        with desk.database.transaction() as session:
            pushes.end_webhook(session, actor=desk.reader, now=desk.now, webhook_id=webhook_id)
    assert desk.deliver() == 0
    assert [push.state for push in desk.pushed(webhook_id)] == [DeliveryState.FAILED]
    for use_case in (pushes.try_webhook, pushes.resume_webhook):
        with desk.database.transaction() as session, pytest.raises(Conflict):
            use_case(session, actor=desk.reader, now=desk.now, webhook_id=webhook_id)
    with desk.database.reading() as session:
        ended = select(func.count()).where(AuditRow.action == "notifications.end_webhook")
        assert session.scalar(ended) == 1


def test_an_address_is_its_owners_alone(desk: Desk) -> None:
    webhook_id = desk.create()
    colleague = desk.world.actor(Role.ENTERPRISE, desk.company)
    for use_case in (
        pushes.try_webhook, pushes.resume_webhook, pushes.end_webhook, pushes.note_secret_shown,
    ):  # fmt: skip
        with desk.database.transaction() as session, pytest.raises(NotFound):
            use_case(session, actor=colleague, now=desk.now, webhook_id=webhook_id)
    with desk.database.reading() as session, pytest.raises(NotFound):
        webhook_queries.get_webhook(session, colleague, webhook_id)
    with desk.database.transaction() as session:
        pushes.try_webhook(session, actor=desk.reader, now=desk.now, webhook_id=webhook_id)
    [push] = desk.pushed(webhook_id)
    with desk.database.transaction() as session, pytest.raises(NotFound):
        pushes.push_again(session, actor=colleague, now=desk.now, delivery_id=push.id)


def test_who_has_five_addresses_ends_one_first(desk: Desk) -> None:
    ids = [desk.create() for _ in range(webhook_rules.MOST_LIVING)]
    with pytest.raises(Conflict):
        desk.create()
    with desk.database.transaction() as session:
        pushes.end_webhook(session, actor=desk.reader, now=desk.now, webhook_id=ids[0])
    assert desk.create() not in ids


def test_an_address_needs_a_kind_and_an_organisation(desk: Desk) -> None:
    with pytest.raises(DomainError, match="至少勾选一类"):
        desk.create(kinds=())
    alone = Actor(desk.reader.user_id, None, frozenset(), "单独一人")
    with pytest.raises(DomainError, match="以一个单位的身份"):
        desk.create(alone)


def test_an_inner_address_is_not_called_and_says_so(desk: Desk) -> None:
    webhook_id = desk.create()
    inner = Outbound(resolve=lambda _host, _port: [ipaddress.ip_address("10.0.0.5")])
    desk.post = WebhookPost(
        inner, desk.secrets, machine_clock=SystemClock(), site_url="https://market.example"
    )
    desk.tell("对方已确认介绍")
    assert desk.deliver() == 1
    [push] = desk.pushed(webhook_id)
    assert [(a.status, a.answer) for a in push.attempts] == [
        (None, "地址在内部网络中，平台不访问；确需推送的，请运营机构先放行")
    ]


def test_two_couriers_send_a_push_once(desk: Desk) -> None:
    desk.create()
    desk.tell("对方已确认介绍")
    original = desk.system.post

    def meanwhile(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        assert desk.post.deliver_due(desk.database, now=desk.now) == 0
        return original(url, body, headers)

    desk.system.post = meanwhile  # type: ignore[method-assign]  # a second courier at that moment
    assert desk.deliver() == 1
    assert len(desk.system.taken) == 1
    with desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1
