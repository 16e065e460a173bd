"""Pages of merging and splitting: what they say before, what stands on both pages after."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from marketplace.brokerage import service
from marketplace.brokerage.merge_rules import MergedPrice, SplitSubject
from marketplace.brokerage.models import Deal, Note, Task
from marketplace.brokerage.rules import NoteKind, NoteVisibility
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.money import Fen
from tests.conftest import Browser
from tests.dealing import Market
from tests.statements import statements
from tests.world import World


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(sqlite_database, page_world, now, tmp_path / "files")


def text(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


def test_a_merge_says_first_what_will_happen_and_both_pages_say_it_after(
    client: Browser, market: Market
) -> None:
    ending, standing = market.deal(), market.deal()
    market.terms(ending, title="先谈的 × 锐泉精密", amount_fen=Fen(30_000), signed_on=None)
    market.terms(standing, title="后谈的 × 锐泉精密", amount_fen=Fen(10_000), signed_on=None)
    market.contact(ending)
    client.sign_in_as(market.broker)
    assert "合并或拆分" in text(client.get(f"/deals/{ending}"))
    assert "后谈的 × 锐泉精密" in text(client.get(f"/deals/{ending}/merge"))
    page = text(client.get(f"/deals/{ending}/merge/{standing}"))
    assert "不能撤销" in page
    assert "1 条。原来谁能看到" in page
    assert "相加为 400.00 元" in page
    # A form without the choice is refused and changes nothing.
    assert client.send(f"/deals/{ending}/merge/{standing}", price="").status_code == 422
    client.click_twice(f"/deals/{ending}/merge/{standing}", price="add")

    there = text(client.get(f"/deals/{ending}"))
    assert "已并入另一个项目" in there
    assert f'href="/deals/{standing}"' in there
    assert "安排下一步" not in there
    here = text(client.get(f"/deals/{standing}"))
    assert "企业想先看检测报告" in here
    assert "并进来的项目" in here
    assert "400.00" in here
    client.sign_in_as(market.buyer)
    assert "企业想先看检测报告" in text(client.get(f"/deals/{standing}"))
    # Merged a moment ago: the second one is told.
    client.sign_in_as(market.head)
    late = client.send(f"/deals/{ending}/merge/{standing}", price="keep", submission_key="late")
    assert late.status_code == 409 or "已经并入" in text(late)


def test_a_merge_that_is_refused_has_no_button(client: Browser, market: Market) -> None:
    agreed, waived = market.deal(), market.deal()
    market.contact(agreed)
    market.agree(agreed)
    market.do(service.waive_agreement, market.broker, deal_id=waived, reason="只谈公开的专利")
    client.sign_in_as(market.broker)
    page = text(client.get(f"/deals/{agreed}/merge/{waived}"))
    assert "会放宽保密" in page
    assert "合并，不再撤销" not in page
    assert client.get(f"/deals/{agreed}/merge/{agreed}").status_code == 200


def test_who_does_not_lead_finds_no_page(client: Browser, market: Market) -> None:
    ending, standing = market.deal(), market.deal()
    stranger = market.world.actor(Role.BROKER, market.agency)
    paths = (
        f"/deals/{ending}/merge",
        f"/deals/{ending}/merge/{standing}",
        f"/deals/{ending}/split",
    )
    for actor in (stranger, market.officer):
        client.sign_in_as(actor)
        assert [client.get(path).status_code for path in paths] == [404] * 3
        for path in paths[1:]:
            client.send(path, price="keep", what="part", part="一部分", title="新项目")
    with market.database.reading() as session:
        assert session.scalars(select(Deal.id)).all() == [ending, standing]


def test_a_split_takes_what_is_ticked(client: Browser, market: Market) -> None:
    deal_id = market.drafted_deal()
    market.do(
        service.add_task, market.broker, deal_id=deal_id, what="另报一个价", due_on=market.today
    )
    client.sign_in_as(market.broker)
    page = text(client.get(f"/deals/{deal_id}/split"))
    assert "另报一个价" in page
    assert "介绍存证" in page
    assert SplitSubject.NEED.label not in page, "there is no need that could be split off"
    with market.database.reading() as session:
        task_id = session.scalars(select(Task.id)).one()
        note_id = session.scalars(select(Note.id)).one()
    chosen = {
        "what": "part",
        "part": "第二件专利的许可",
        "title": "第二件专利 × 锐泉精密",
        "amount_fen": "500000",
        "task_ids": [str(task_id)],
        "note_ids": [str(note_id)],
    }
    refused = client.send(f"/deals/{deal_id}/split", **(chosen | {"part": ""}))
    assert refused.status_code == 422
    assert "请写明新项目谈哪一部分" in text(refused)
    assert "第二件专利 × 锐泉精密" in text(refused)  # nothing typed is lost
    home = client.click_twice(f"/deals/{deal_id}/split", **chosen).headers["Location"]
    made = text(client.get(home))
    assert "另报一个价" in made
    assert "第二件专利的许可" in made
    assert f'href="/deals/{deal_id}"' in made
    assert "另报一个价" not in text(client.get(f"/deals/{deal_id}"))


def test_the_statements_of_a_page_do_not_grow_with_what_was_merged(
    client: Browser, market: Market
) -> None:
    standing = market.deal()
    client.sign_in_as(market.broker)

    def merge_some(number: int) -> None:
        for _each in range(number):
            ending = market.deal()
            market.contact(ending)
            market.do(
                service.add_note,
                market.broker,
                deal_id=ending,
                kind=NoteKind.REMARK,
                visibility=NoteVisibility.PRIVATE,
                body="只给自己",
            )
            market.do(
                service.merge_deals,
                market.broker,
                deal_id=ending,
                into_deal_id=standing,
                price=MergedPrice.KEEP,
            )

    merge_some(1)
    with statements(market.database) as few:
        assert client.get(f"/deals/{standing}").status_code == 200
    merge_some(3)
    with statements(market.database) as many:
        assert client.get(f"/deals/{standing}").status_code == 200
    assert len(many) == len(few)
