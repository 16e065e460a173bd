"""Anybody reports a record, the operator answers, the code leads to the answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.processing import term_of
from marketplace.oversight import report_service
from marketplace.oversight.models import Report
from marketplace.oversight.report_rules import MOST_PER_DAY, ReportState
from tests.conftest import Browser
from tests.world import World

WORDS = "该机构自称拥有的专利，登记在别的单位名下。"


@pytest.fixture
def operator(page_world: World) -> Actor:
    """A member of the trading centre."""
    return page_world.actor(Role.OPERATOR)


def _report(client: Browser, organisation_id: int, **changed: str) -> str:
    form = {"reason": "not_theirs", "words": WORDS, "contact": "13805310001"} | changed
    answer = client.send(f"/report/organisation/{organisation_id}", **form)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def _stored(client: Browser) -> Report:
    with client.database.reading() as session:
        return session.scalars(select(Report)).one()


def test_a_visitor_reports_and_finds_the_answer(
    client: Browser, page_world: World, operator: Actor
) -> None:
    house = page_world.organisation(name="山泉研究院")
    assert f"/report/organisation/{house.id}" in client.get(f"/institutions/{house.id}").get_data(
        as_text=True
    )
    address = _report(client, house.id)
    assert "已收到" in client.get(address).get_data(as_text=True)
    assert client.get("/desk/reports").status_code in (302, 403)

    client.sign_in_as(operator)
    assert "处理举报：山泉研究院" in client.get("/workbench").get_data(as_text=True)
    assert "山泉研究院" in client.get("/desk/reports").get_data(as_text=True)
    desk = f"/desk/reports/{_stored(client).id}"
    page = client.get(desk).get_data(as_text=True)
    assert WORDS in page
    assert "13805310001" in page
    assert client.send(desk, upheld="yes", words="短").status_code == 422
    client.click_twice(desk, upheld="yes", words="已核实，请该机构更正，内容已退回。")
    client.sign_out()
    answer = client.get(address).get_data(as_text=True)
    assert "已核实，请该机构更正" in answer
    assert "13805310001" not in answer
    assert _stored(client).state is ReportState.UPHELD


def test_what_one_cannot_see_cannot_be_reported(client: Browser, page_world: World) -> None:
    hidden = page_world.organisation(verified=False)
    for path in (
        f"/report/organisation/{hidden.id}",
        "/report/organisation/999999",
        "/report/achievement/999999",
        "/report/listing/999999",
        "/report/need/999999",
        "/report/user/1",
        "/reports/guessed",
    ):
        assert client.get(path).status_code == 404, path


def test_what_is_missing_is_said_and_kept(client: Browser, page_world: World) -> None:
    house = page_world.organisation()
    path = f"/report/organisation/{house.id}"
    answer = client.send(path, reason="sham", words="太短", contact="留一个电话")
    assert answer.status_code == 422
    assert "至少 10 个字" in answer.get_data(as_text=True)
    assert "留一个电话" in answer.get_data(as_text=True)
    assert client.send(path, words=WORDS).status_code == 422


def test_one_address_sends_so_many_a_day(client: Browser, page_world: World) -> None:
    house = page_world.organisation()
    for _ in range(MOST_PER_DAY):
        _report(client, house.id)
    path = f"/report/organisation/{house.id}"
    refused = client.send(path, reason="sham", words=WORDS)
    assert refused.status_code == 422
    assert "明天可以再提交" in refused.get_data(as_text=True)
    client.environ_base["REMOTE_ADDR"] = "10.9.9.9"
    assert client.send(path, reason="sham", words=WORDS).status_code == 303


def test_nobody_answers_their_own_report(
    client: Browser, page_world: World, operator: Actor
) -> None:
    house = page_world.organisation()
    client.sign_in_as(operator)
    _report(client, house.id)
    desk = f"/desk/reports/{_stored(client).id}"
    answer = client.send(desk, upheld="no", words="核查之后没有发现问题。")
    assert "请同事处理" in answer.get_data(as_text=True)
    assert _stored(client).state is ReportState.OPEN


def test_contacts_are_let_go_after_their_term(
    client: Browser, page_world: World, operator: Actor, sqlite_database: Database, now: datetime
) -> None:
    _report(client, page_world.organisation().id)
    with sqlite_database.transaction() as session:
        report_service.decide(
            session,
            actor=operator,
            now=now,
            report_id=_stored(client).id,
            upheld=False,
            words="核查之后没有发现问题。",
        )
    for days, gone in ((0, 0), (1, 1)):
        with sqlite_database.transaction() as session:
            moment = now + term_of("report") + timedelta(days=days)
            assert report_service.remove_expired(session, moment) == gone
    assert _stored(client).contact == ""
