"""The audit's pages: the operator finds rows, everybody sees the heads, downloads leave rows."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.db import Database
from marketplace.oversight import head_service, verify
from tests.conftest import Browser
from tests.dealing import Market
from tests.statements import statements
from tests.world import World


@pytest.fixture
def operator(page_world: World) -> Actor:
    """A member of the trading centre."""
    return page_world.actor(Role.OPERATOR)


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    """A market on the application's database and store."""
    return Market(sqlite_database, page_world, now, tmp_path / "attachments")


def _rows(database: Database, action: str) -> list[AuditRow]:
    with database.reading() as session:
        return list(
            session.scalars(
                select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.sequence)
            )
        )


def test_the_operator_finds_rows_by_each_filter(
    client: Browser, market: Market, operator: Actor
) -> None:
    deal_id = market.deal()
    client.sign_in_as(operator)
    for query, shown, hidden in (
        ({"action": "brokerage.open_deal"}, "建立撮合项目", "发布成果<"),
        ({"kind": "deal", "number": str(deal_id)}, f"撮合项目 {deal_id}", "科技成果 1<"),
        ({"organisation": market.agency.name}, "李静舒", "周敏"),
        ({"organisation": market.agency.uscc}, "李静舒", "周敏"),
        ({"since": "2024-03-16"}, "登录", "李静舒"),
        ({"since": "2024-03-16", "until": "2024-03-16"}, "没有符合条件的记录", "data-field"),
        ({"until": "2024-03-15"}, "李静舒", "没有符合条件的记录"),
    ):
        page = client.get("/desk/audit", query_string=query)
        body = page.get_data(as_text=True)
        table = (body.partition("<tbody>")[2] or body.partition("</form>")[2]).partition("<footer")[
            0
        ]
        assert page.status_code == 200
        assert shown in table, query
        assert hidden not in table, query


def test_a_change_is_told_in_words(
    client: Browser, sqlite_database: Database, operator: Actor, now: datetime
) -> None:
    with sqlite_database.transaction() as session:
        audit.record(
            session,
            actor=SYSTEM,
            action="tests.x",
            subject="thing:1",
            now=now,
            before={"amount_fen": 48_000_000, "signed": None},
            after={"amount_fen": 50_000_050, "starts_at": datetime(2024, 3, 15, 1, tzinfo=UTC)},
        )
    client.sign_in_as(operator)
    page = client.get("/desk/audit", query_string={"action": "tests.x"}).get_data(as_text=True)
    assert "金额：480,000.00 元 → 500,000.50 元" in page
    assert "签订日：（空） → （未记）" in page
    assert "开始时间：2024-03-15 09:00" in page


def test_what_cannot_be_found_is_said_beside_its_field(client: Browser, operator: Actor) -> None:
    client.sign_in_as(operator)
    for query, words in (
        ({"person": "nobody@test.example"}, "没有用这个邮箱登录的账号"),
        ({"organisation": "没有的大学"}, "没有这家机构"),
        ({"number": "12"}, "请同时选择对象的类型"),
        ({"kind": "deal"}, "请填写对象的编号"),
        ({"since": "15.3.2024"}, "日期写成"),
        ({"after": "forged"}, "翻页位置无效"),
    ):
        answer = client.get("/desk/audit", query_string=query)
        assert answer.status_code == 422, query
        assert words in answer.get_data(as_text=True)
        if "after" not in query:
            assert next(iter(query.values())) in answer.get_data(as_text=True)


def test_pages_follow_each_other_in_the_same_number_of_statements(
    client: Browser, sqlite_database: Database, operator: Actor, now: datetime
) -> None:
    for number in range(130):
        with sqlite_database.transaction() as session:
            audit.record(
                session, actor=SYSTEM, action="tests.x", subject=f"thing:{number}", now=now
            )
    client.sign_in_as(operator)
    seen: list[str] = []
    costs = []
    address: str | None = "/desk/audit"
    while address:
        with statements(sqlite_database) as asked:
            body = client.get(address).get_data(as_text=True)
        costs.append(len([one for one in asked if "foundation_audit_rows" in one]))
        seen += [part.split(" 行")[0] for part in body.split("第 ")[1:]]
        following = body.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        address = following.replace("&amp;", "&") if 'rel="next"' in body else None
    assert len(seen) == len(set(seen))
    assert len(seen) > 130
    assert set(costs) == {1}


def test_each_filter_is_answered_by_its_index(sqlite_database: Database) -> None:
    """What makes a page of ten million rows cost as much as one of a hundred."""
    with sqlite_database.engine.connect() as connection:
        for column, value, index in (
            ("user_id", 1, "ix_audit_user"),
            ("organisation_id", 1, "ix_audit_organisation"),
            ("action", "'x'", "ix_audit_action"),
            ("subject", "'x'", "ix_audit_subject"),
        ):
            plan = connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT * FROM foundation_audit_rows "
                f"WHERE {column} = {value} AND happened_at <= '2024-01-01' "
                "ORDER BY happened_at DESC, sequence DESC LIMIT 51"
            ).fetchall()
            told = " ".join(str(row[3]) for row in plan)
            assert f"{index} ({column}=? AND happened_at<?)" in told
            assert "TEMP B-TREE" not in told


def test_everybody_sees_the_published_heads(
    client: Browser, sqlite_database: Database, market: Market, now: datetime
) -> None:
    assert "还没有公布的摘要" in client.get("/audit-heads").get_data(as_text=True)
    with sqlite_database.transaction() as session:
        digest = audit.head(session)[1]
        head_service.publish_head(session, now)
    assert digest in client.get("/audit-heads").get_data(as_text=True)


def test_evidence_is_downloaded_and_that_is_noted(
    client: Browser, sqlite_database: Database, market: Market, operator: Actor
) -> None:
    deal_id = market.deal()
    client.sign_in_as(operator)
    assert f"/desk/evidence/deals/{deal_id}" in client.get(f"/deals/{deal_id}").get_data(
        as_text=True
    )
    answer = client.get(f"/desk/evidence/deals/{deal_id}")
    assert verify.check(io.BytesIO(answer.data)).deal == deal_id
    (row,) = _rows(sqlite_database, "exports.send")
    assert row.user_id == operator.user_id
    assert row.after["path"] == f"/desk/evidence/deals/{deal_id}"
    assert row.origin == "127.0.0.1"
    client.sign_in_as(market.broker)
    assert client.get(f"/desk/evidence/deals/{deal_id}").status_code == 403
    assert "/desk/evidence/" not in client.get(f"/deals/{deal_id}").get_data(as_text=True)


def test_a_confidential_file_is_noted_before_it_leaves(
    client: Browser,
    sqlite_database: Database,
    market: Market,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract_id = market.contract()
    client.sign_in_as(market.officer)
    page = client.get(f"/contracts/{contract_id}").get_data(as_text=True)
    address = page.partition(f'href="/contracts/{contract_id}/files/')[2].partition('"')[0]
    path = f"/contracts/{contract_id}/files/{address}"
    assert client.get(path).status_code == 200
    (row,) = _rows(sqlite_database, "attachments.download")
    assert (row.subject, row.user_id) == (f"contract:{contract_id}", market.officer.user_id)

    def fail(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("marketplace.foundation.web.files.audit.record", fail)
    answer = client.get(path)
    assert answer.status_code == 500
    assert b"%PDF" not in answer.data
