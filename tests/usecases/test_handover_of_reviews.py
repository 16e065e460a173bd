"""Assessors and registrars hand over what rests in their hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from marketplace.accounts import service as accounts
from marketplace.assessments import handover_service as assessments_handover
from marketplace.assessments import queries as assessments
from marketplace.contracts import handover_service as contracts_handover
from marketplace.contracts import record_queries
from marketplace.contracts import service as contracts
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.handover import Handovers
from tests.assessing import Bench
from tests.dealing import Market
from tests.world import World


def test_a_registrar_hands_over_what_was_taken_up(
    database: Database, world: World, now: datetime, tmp_path: Path
) -> None:
    market = Market(database, world, now, tmp_path)
    contract_id = market.submitted()
    market.do(contracts.take_up, market.registrar, contract_id=contract_id)
    admin = world.actor(Role.ORG_ADMIN, market.registry)
    colleague = world.actor(Role.REGISTRAR, market.registry, name="钱接")
    works = Handovers((contracts_handover,))
    handing = {"giver_id": market.registrar.user_id, "leaving": True, "works": works}
    with pytest.raises(RuleBroken, match="要交给登记员"):
        market.do(accounts.hand_over, admin, taker_id=admin.user_id, **handing)
    counts = market.do(accounts.hand_over, admin, taker_id=colleague.user_id, **handing)
    assert counts == {contracts_handover.REVIEWS: 1}
    with database.reading() as session:
        view = record_queries.get_contract(session, SYSTEM, contract_id)
    assert view.reviewer_name == "钱接"
    assert market.do(contracts.register, colleague, contract_id=contract_id)


def test_an_assessor_hands_over_an_order(database: Database, world: World, now: datetime) -> None:
    house = Bench(database, world, now)
    assessment_id = house.accepted()
    with database.reading() as session:
        row = assessments.get_for(session, SYSTEM, assessment_id)
    giver = row.expert_id
    organisation = house.house
    admin = world.actor(Role.ORG_ADMIN, organisation)
    colleague = world.actor(Role.ASSESSOR, organisation)
    works = Handovers((assessments_handover,))
    handing = {"giver_id": giver, "leaving": False, "works": works}
    with pytest.raises(RuleBroken, match="要交给评估师"):
        house.do(accounts.hand_over, admin, taker_id=admin.user_id, **handing)
    counts = house.do(accounts.hand_over, admin, taker_id=colleague.user_id, **handing)
    assert counts == {assessments_handover.ORDERS: 1}
    with database.reading() as session:
        assert works.open_work(
            session, organisation_id=organisation.id, user_id=colleague.user_id or 0
        ) == {assessments_handover.ORDERS: 1}
