"""Deals from before there were pipelines go on where they stood."""

from __future__ import annotations

from sqlalchemy import text

from marketplace.foundation.db import Database
from marketplace.migrations import schema

_MOMENT = "2024-03-15 09:00:00+00:00"


def test_deals_go_on_in_the_first_pipeline(empty: Database) -> None:
    schema.upgrade(empty, "0016")
    with empty.engine.begin() as connection:
        for number in (1, 2):
            connection.execute(
                text(
                    "INSERT INTO accounts_organisations (id, uscc, name, short_name, kind,"
                    " subkinds, region_code, industry, high_tech, address, representative,"
                    " contact_name, contact_phone, contact_email, introduction, state,"
                    " state_reason, registered_at, version) VALUES (:id, :uscc, '甲', '甲',"
                    " 'university', '[]', '370100', '', false, '', '', '', '', '', '',"
                    " 'verified', '', :at, 1)"
                ),
                {"id": number, "uscc": f"91370100000000001{number}", "at": _MOMENT},
            )
        for number, (stage, lost_from) in enumerate(
            [("price_talk", None), ("signed", None), ("lost", "contacted"), ("lost", None)], 1
        ):
            connection.execute(
                text(
                    "INSERT INTO brokerage_deals (id, version, title, source, stage, stage_since,"
                    " opened_at, touched_at, seller_organisation_id, buyer_organisation_id,"
                    " agreement_waiver, contract_no, lost_reason, lost_words, lost_from) VALUES"
                    " (:id, 1, '丙', 'broker', :stage, :at, :at, :at, 1, 2, '', '', 'other', '',"
                    " :lost_from)"
                ),
                {"id": number, "stage": stage, "lost_from": lost_from, "at": _MOMENT},
            )
    schema.upgrade(empty, "0017")
    with empty.engine.begin() as connection:
        stands = connection.execute(
            text("SELECT pipeline, step, stage FROM brokerage_deals ORDER BY id")
        ).all()
        assert [tuple(row) for row in stands] == [
            ("transfer", "price_talk", "price_talk"),
            ("transfer", "signed", "signed"),
            ("transfer", "contacted", "lost"),
            ("transfer", "lead", "lost"),
        ]
    schema.downgrade(empty, "0016")
    with empty.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM brokerage_deals")) == 4
