"""Integrity records on both databases, and their public page."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.integrity import queries, repair_service, service
from marketplace.integrity.rules import DishonestyGround, RecordState
from tests.trading import Hall, day
from tests.world import World


@pytest.fixture
def hall(database: Database, world: World, now: datetime) -> Hall:
    return Hall(database, world, now)


def put_on_record(hall: Hall, organisation_id: int, **changes: Any) -> int:
    values: dict[str, Any] = {
        "ground": DishonestyGround.FALSE_MATERIAL,
        "reason": "补助申报材料中伪造付款凭证",
        "document": "济科监〔2024〕3号",
        "starts_on": day("2024-03-01"),
        "ends_on": day("2024-12-31"),
        **changes,
    }
    made: int = hall.do(service.record, hall.operator, organisation_id=organisation_id, **values)
    return made


def found_on(hall: Hall, organisation_id: int, text: str) -> Any:
    return hall.read(lambda s: queries.dishonesty_on(s, organisation_id, day(text)))


def test_a_record_counts_on_both_its_ends_and_not_beside_them(hall: Hall) -> None:
    organisation, _ = hall.enterprise("失信公司")
    put_on_record(hall, organisation.id)
    assert found_on(hall, organisation.id, "2024-02-29") is None
    assert found_on(hall, organisation.id, "2024-03-01").reason == "补助申报材料中伪造付款凭证"
    assert found_on(hall, organisation.id, "2024-12-31") is not None
    assert found_on(hall, organisation.id, "2025-01-01") is None
    assert found_on(hall, hall.university.id, "2024-06-01") is None
    (shown,) = hall.read(lambda s: queries.current(s, day("2024-06-01")))
    assert shown.organisation_name == "失信公司"
    assert hall.read(lambda s: queries.current(s, day("2025-01-01"))) == []


def test_a_revoked_record_counts_on_no_day(hall: Hall) -> None:
    organisation, _ = hall.enterprise()
    record_id = put_on_record(hall, organisation.id)
    with pytest.raises(RuleBroken):
        hall.do(service.revoke, hall.operator, record_id=record_id, reason="误")
    hall.do(service.revoke, hall.operator, record_id=record_id, reason="复核后撤销原处理决定")
    assert found_on(hall, organisation.id, "2024-06-01") is None
    with pytest.raises(RuleBroken):
        put_on_record(hall, organisation.id, ends_on=day("2024-02-01"), reason="短", document="")


def test_only_the_bureau_and_the_operator_keep_records(hall: Hall) -> None:
    organisation, member = hall.enterprise()
    with pytest.raises(NotAllowed):
        hall.do(
            service.record,
            member,
            organisation_id=organisation.id,
            ground=DishonestyGround.OTHER,
            reason="自己给自己记一笔，不行",
            document="济科监〔2024〕3号",
            starts_on=day("2024-03-01"),
            ends_on=day("2024-12-31"),
        )


def test_the_public_page_shows_current_records_only(
    client: Any, page_world: Any, sqlite_database: Any, now: datetime
) -> None:
    hall = Hall(sqlite_database, page_world, now)
    present, _ = hall.enterprise("现在失信公司")
    past, _ = hall.enterprise("过去失信公司")
    put_on_record(hall, present.id)
    put_on_record(hall, past.id, starts_on=day("2020-01-01"), ends_on=day("2024-03-14"))
    page = client.get("/integrity").get_data(as_text=True)
    assert "现在失信公司" in page
    assert "过去失信公司" not in page
    assert client.get("/integrity/desk").status_code in (302, 403)
    client.sign_in_as(hall.world.actor(Role.OPERATOR, hall.centre))
    form = {
        "uscc": past.uscc,
        "ground": "other",
        "reason": "拒不履行已生效的处理决定",
        "document": "济科监〔2024〕9号",
        "starts_on": "2024-03-15",
        "ends_on": "2024-03-14",
    }
    wrong = client.send("/integrity/desk", **form)
    assert wrong.status_code == 422
    assert "截止日期早于开始日期" in wrong.get_data(as_text=True)
    assert client.send("/integrity/desk", **{**form, "ends_on": "2025-03-14"}).status_code == 303
    assert "过去失信公司" in client.get("/integrity").get_data(as_text=True)
    assert client.get("/integrity/1/revoke").status_code == 200


def _apply(
    hall: Hall,
    actor: Any,
    record_id: int,
    deeds: str = "款项已全额退回，制度已整改，人员已培训到位",
) -> int:
    made: int = hall.do(repair_service.apply, actor, record_id=record_id, deeds=deeds)
    return made


def test_a_repair_ends_a_record_from_its_day_on_and_leaves_the_days_before(hall: Hall) -> None:
    organisation, actor = hall.enterprise("改正公司")
    record_id = put_on_record(
        hall, organisation.id, starts_on=day("2023-09-01"), ends_on=day("2024-12-31")
    )
    repair_id = _apply(hall, actor, record_id)
    with pytest.raises(Conflict, match="正在审核"):
        _apply(hall, actor, record_id)
    with pytest.raises(RuleBroken, match="至少 10 个字"):
        hall.do(
            repair_service.decide, hall.operator, repair_id=repair_id, granted=True, opinion="好"
        )
    hall.do(
        repair_service.decide,
        hall.operator,
        repair_id=repair_id,
        granted=True,
        opinion="款项足额退回，整改措施经核查属实",
    )
    today = hall.now.date()
    before = today - timedelta(days=1)
    assert found_on(hall, organisation.id, str(today)) is None
    assert found_on(hall, organisation.id, str(before)) is not None
    assert found_on(hall, organisation.id, "2023-12-31") is not None
    assert found_on(hall, organisation.id, "2024-12-31") is None
    assert hall.read(lambda s: queries.current(s, today)) == []
    view = hall.read(lambda s: queries.get_record(s, record_id, today))
    assert view.state is RecordState.REPAIRED
    with pytest.raises(Conflict, match="不需要修复"):
        _apply(hall, actor, record_id)
    with pytest.raises(Conflict, match="已经办结"):
        hall.do(
            repair_service.decide,
            hall.operator,
            repair_id=repair_id,
            granted=False,
            opinion="款项足额退回，整改措施经核查属实",
        )


def test_a_declined_repair_changes_nothing_and_may_be_tried_again(hall: Hall) -> None:
    organisation, actor = hall.enterprise()
    record_id = put_on_record(
        hall, organisation.id, starts_on=day("2023-09-01"), ends_on=day("2024-12-31")
    )
    repair_id = _apply(hall, actor, record_id)
    hall.do(
        repair_service.decide,
        hall.operator,
        repair_id=repair_id,
        granted=False,
        opinion="退款凭证金额与应退金额不符，请补足",
    )
    assert found_on(hall, organisation.id, "2024-12-31") is not None
    assert _apply(hall, actor, record_id) != repair_id


def test_a_repair_is_ones_own_not_too_early_and_with_deeds(hall: Hall) -> None:
    organisation, actor = hall.enterprise()
    _other, stranger = hall.enterprise()
    early = put_on_record(hall, organisation.id)
    with pytest.raises(RuleBroken, match="2024-08-28 起才能申请"):
        _apply(hall, actor, early)
    record_id = put_on_record(
        hall, organisation.id, starts_on=hall.now.date() - timedelta(days=180)
    )
    with pytest.raises(NotFound):
        _apply(hall, stranger, record_id)
    with pytest.raises(RuleBroken, match="至少 20 个字"):
        _apply(hall, actor, record_id, deeds="已经改了")
    day_early = put_on_record(
        hall, organisation.id, starts_on=hall.now.date() - timedelta(days=179)
    )
    with pytest.raises(RuleBroken, match="起才能申请"):
        _apply(hall, actor, day_early)
    repair_id = _apply(hall, actor, record_id)
    with pytest.raises(NotAllowed):
        hall.do(
            repair_service.decide,
            actor,
            repair_id=repair_id,
            granted=True,
            opinion="自己同意自己，理由充分得很",
        )
    own = replace(hall.operator, organisation_id=organisation.id)
    with pytest.raises(NotAllowed, match="不能审核本单位的信用修复"):
        hall.do(
            repair_service.decide,
            own,
            repair_id=repair_id,
            granted=True,
            opinion="自己同意自己，理由充分得很",
        )
