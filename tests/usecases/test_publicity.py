"""Public notices on both databases: the shortest period, objections, answers, the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.foundation import audit
from marketplace.foundation.access import ANONYMOUS, SYSTEM, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed, NotFound, RuleBroken
from marketplace.foundation.outbox import OutboxEvent
from marketplace.publicity import due, queries, service
from marketplace.publicity.models import Notice, Objection
from marketplace.publicity.rules import ObjectionState, PublicityKind, PublicityState
from tests.trading import Hall, day, local
from tests.world import World

GROUNDS = "受让方与第二发明人为近亲属，公告没有注明。"
ANSWER = "经核查户籍资料，双方没有亲属关系。"


@pytest.fixture
def hall(database: Database, world: World, now: datetime) -> Hall:
    return Hall(database, world, now)


def opened(hall: Hall, kind: PublicityKind, **term: Any) -> int:
    made: int = hall.do(
        service.open,
        SYSTEM,
        kind=kind,
        subject="order:1",
        title="两项手术导航专利",
        body="公示内容",
        organisation_id=hall.university.id,
        **term,
    )
    return made


def notice(hall: Hall, notice_id: int) -> Notice:
    row: Notice = hall.read(lambda s: s.get_one(Notice, notice_id))
    return row


def object_to(hall: Hall, notice_id: int, **changes: Any) -> int:
    values = {"text": GROUNDS, "name": "李明", "contact": "13800001234", **changes}
    made: int = hall.do(service.raise_objection, ANONYMOUS, publicity_id=notice_id, **values)
    return made


def decide(hall: Hall, objection_id: int, *, upheld: bool, by: Any = None) -> None:
    hall.do(
        service.decide_objection,
        by or hall.operator,
        objection_id=objection_id,
        upheld=upheld,
        answer=ANSWER,
    )


def closed_events(hall: Hall) -> list[dict[str, Any]]:
    return list(
        hall.read(
            lambda s: s.scalars(
                select(OutboxEvent.body).where(OutboxEvent.name == "publicity.PublicityClosed")
            ).all()
        )
    )


@pytest.mark.parametrize(
    ("kind", "term", "ends_on"),
    [
        (PublicityKind.NEGOTIATED_PRICE, {}, "2024-03-30"),
        (PublicityKind.NEGOTIATED_PRICE, {"days": 20}, "2024-04-04"),
        # Five working days after Friday 03-15.
        (PublicityKind.TRADING_RESULT, {}, "2024-03-22"),
        (PublicityKind.SUBSIDY_CLAIM, {"workdays": 7}, "2024-03-26"),
    ],
)
def test_a_notice_stands_at_least_its_shortest_period(
    hall: Hall, kind: PublicityKind, term: dict[str, Any], ends_on: str
) -> None:
    row = notice(hall, opened(hall, kind, **term))
    assert row.ends_on == day(ends_on)
    assert row.closes_at == local(*map(int, ends_on.split("-"))) + timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "term"),
    [
        (PublicityKind.NEGOTIATED_PRICE, {"days": 14}),
        (PublicityKind.NEGOTIATED_PRICE, {"workdays": 5}),
        (PublicityKind.TRADING_RESULT, {"workdays": 4}),
        (PublicityKind.SUBSIDY_CLAIM, {"ends_on": day("2024-03-21")}),
    ],
)
def test_a_shorter_one_is_impossible(hall: Hall, kind: PublicityKind, term: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken) as caught:
        opened(hall, kind, **term)
    assert caught.value.code == "publicity.too_short"
    assert hall.read(lambda s: s.scalar(select(func.count()).select_from(Notice))) == 0


def test_without_objections_it_passes_at_the_end_and_not_before(hall: Hall) -> None:
    notice_id = opened(hall, PublicityKind.TRADING_RESULT)
    closes = notice(hall, notice_id).closes_at
    assert hall.read(lambda s: due.TASKS[0].next_due(s, hall.now)) == closes
    hall.at(closes - timedelta(milliseconds=1))
    assert notice(hall, notice_id).state is PublicityState.OPEN
    hall.at(closes)
    assert notice(hall, notice_id).state is PublicityState.PASSED
    (event,) = closed_events(hall)
    assert event["upheld"] is False
    assert event["subject"] == "order:1"
    actions = hall.read(lambda s: [e.action for e in audit.history(s, f"publicity:{notice_id}")])
    assert actions == ["publicity.open", "publicity.close"]


def test_every_open_objection_holds_the_notice_until_it_is_answered(hall: Hall) -> None:
    notice_id = opened(hall, PublicityKind.TRADING_RESULT)
    first, second = object_to(hall, notice_id), object_to(hall, notice_id, name="王芳")
    hall.at(local(2024, 3, 25))
    assert notice(hall, notice_id).state is PublicityState.SUSPENDED
    decide(hall, first, upheld=False)
    hall.settle()
    assert notice(hall, notice_id).state is PublicityState.SUSPENDED
    decide(hall, second, upheld=False)
    hall.settle()
    assert notice(hall, notice_id).state is PublicityState.PASSED


def test_an_upheld_objection_ends_the_matter_once(hall: Hall) -> None:
    notice_id = opened(hall, PublicityKind.TRADING_RESULT)
    first, second = object_to(hall, notice_id), object_to(hall, notice_id, name="王芳")
    decide(hall, first, upheld=True)
    decide(hall, second, upheld=True)
    hall.at(local(2024, 3, 25))
    assert notice(hall, notice_id).state is PublicityState.OVERTURNED
    assert [event["upheld"] for event in closed_events(hall)] == [True]
    with pytest.raises(RuleBroken):
        decide(hall, first, upheld=False)
    with pytest.raises(RuleBroken):
        object_to(hall, notice_id)


def test_a_refused_objection_leaves_nothing(hall: Hall) -> None:
    notice_id = opened(hall, PublicityKind.TRADING_RESULT)
    for changes in ({"text": "不同意"}, {"name": " "}, {"contact": "1"}):
        with pytest.raises(RuleBroken):
            object_to(hall, notice_id, **changes)
    assert notice(hall, notice_id).state is PublicityState.OPEN
    with pytest.raises(NotFound):
        object_to(hall, 999)


def test_each_kind_is_answered_by_its_own_office(hall: Hall) -> None:
    bureau = hall.world.organisation(
        OrganisationKind.GOVERNMENT, subkinds=(OrganisationSubkind.BUREAU,)
    )
    reviewer = hall.world.actor(Role.BUREAU_REVIEWER, bureau)
    claim = opened(hall, PublicityKind.SUBSIDY_CLAIM)
    objection = object_to(hall, claim)
    with pytest.raises(NotAllowed):
        decide(hall, objection, upheld=False)
    assert hall.read(lambda s: queries.objection_files(s, hall.operator, claim)) == []
    assert len(hall.read(lambda s: queries.waiting(s, reviewer, now=hall.now))) == 1
    assert hall.read(lambda s: queries.waiting(s, hall.operator, now=hall.now)) == []
    decide(hall, objection, upheld=False, by=reviewer)
    stored: Objection = hall.read(lambda s: s.get_one(Objection, objection))
    assert stored.state is ObjectionState.NOT_UPHELD
    with pytest.raises(NotAllowed):
        decide(hall, objection, upheld=False, by=hall.officer)
