"""Programs read the pipelines, and move and change deals by their codes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.foundation.db import Database
from tests.api.conftest import MakeProgram
from tests.dealing import Market
from tests.world import World


@pytest.fixture
def market(sqlite_database: Database, page_world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(sqlite_database, page_world, now, tmp_path / "files")


def test_a_program_reads_what_each_step_asks_for(program: MakeProgram, market: Market) -> None:
    told = program(market.broker).get("/pipelines").json["items"]
    assert [each["code"] for each in told] == [each.code for each in pipelines().every]
    steps = {step["code"]: step for step in told[2]["steps"]}
    assert steps["on_trial"]["needs"] == ["agreement", "trial", "site_visit"]
    assert (steps["on_trial"]["stage"], steps["on_trial"]["stale_days"]) == ("technical_talk", 45)
    assert list(steps)[-3:] == ["signed", "registered", "paid"]


def test_a_program_takes_a_deal_through_its_pipeline(program: MakeProgram, market: Market) -> None:
    caller = program(market.broker)
    made = caller.post(
        "/deals",
        {
            "achievement_id": str(market.achievement()),
            "buyer_uscc": market.firm.uscc,
            "pipeline": "trial",
        },
    )
    deal_id = made.json["id"]
    home = f"/deals/{deal_id}"
    market.contact(deal_id)
    for wrong in ("trial_terms", "nothing"):
        assert caller.post(f"{home}/moves/{wrong}").status_code == 422
    assert caller.post(f"{home}/moves/{caller.get(home).json['onward']}").status_code == 200
    told = caller.get(home).json
    assert (told["pipeline"], told["step"], told["stage"]) == ("trial", "contacted", "contacted")
    assert caller.put(f"{home}/pipeline", {"pipeline": "service"}).status_code == 200
    [line] = caller.get("/deals?pipeline=service&step=contacted").json["items"]
    assert (line["id"], line["pipeline"], line["step"]) == (deal_id, "service", "contacted")
    assert caller.get("/deals?pipeline=trial").json["items"] == []
