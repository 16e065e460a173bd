"""People and organisations stay when their tables are built anew, and nobody's password expires."""

from __future__ import annotations

from sqlalchemy import text

from marketplace.foundation.db import Database
from marketplace.migrations import schema

_MOMENT = "2024-03-15 09:00:00+00:00"


def test_rows_that_others_point_to_survive(empty: Database) -> None:
    schema.upgrade(empty, "0003")
    with empty.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO accounts_organisations (id, uscc, name, short_name, kind, subkinds,"
                " region_code, industry, high_tech, address, representative, contact_name,"
                " contact_phone, contact_email, introduction, state, state_reason, registered_at,"
                " version) VALUES (1, '913701000000000013', '甲', '甲', 'university', '[]',"
                " '370100', '', false, '', '', '', '', '', '', 'verified', '', :at, 1)"
            ),
            {"at": _MOMENT},
        )
        connection.execute(
            text(
                "INSERT INTO accounts_users (id, email, name, title, phone, password_hash,"
                " disabled, created_at) VALUES (1, 'a@b.example', '乙', '', '', 'x', false, :at)"
            ),
            {"at": _MOMENT},
        )
        connection.execute(
            text("INSERT INTO accounts_memberships VALUES (1, 1, 1, 'officer')"),
        )
    schema.upgrade(empty)
    with empty.engine.begin() as connection:
        changed, created = connection.execute(
            text("SELECT password_changed_at, created_at FROM accounts_users")
        ).one()
        assert changed == created
        assert connection.scalar(text("SELECT count(*) FROM accounts_memberships")) == 1
    schema.downgrade(empty, "0003")
    with empty.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM accounts_memberships")) == 1
