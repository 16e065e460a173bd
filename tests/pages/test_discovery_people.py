"""The tab 专家与经理人: experts and brokers by name and field, and an expert's page."""

from __future__ import annotations

import pytest
from pytest_mock import MockerFixture

from marketplace import wiring
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.brokerage import service as brokerage_service
from marketplace.brokerage.register_rules import Certificate
from marketplace.discovery.indexing import SearchIndex
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.trade import TechnologyField
from search.errors import SearchUnavailable
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.world import World


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    return Market(page_world, services, clock)


@pytest.fixture
def ding(market: Market) -> Actor:
    """An inventor of a published achievement in the field of the environment."""
    member = market.world.actor(Role.INVENTOR, market.university, name="丁文韬")
    market.catalyst = market.achievement()
    market.settle()
    return member


@pytest.fixture
def broker(market: Market) -> Actor:
    """A listed broker for the same field."""
    agency = market.world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
    )
    made = market.world.actor(Role.BROKER, agency, name="李静舒")
    with market.services.database.transaction() as session:
        brokerage_service.save_profile(
            session,
            actor=made,
            now=market.clock.now(),
            certificate=Certificate(None, "", "", None),
            fields=[TechnologyField.ENVIRONMENT],
            introduction="专做烟气治理与余热利用的成果转化",
            listed=True,
            version=None,
        )
    market.settle()
    return made


def text_of(client: Browser, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:400]
    return answer.get_data(as_text=True)


def test_experts_and_brokers_stand_in_one_tab_with_facets(
    client: Browser, ding: Actor, broker: Actor
) -> None:
    page = text_of(client, "/search?tab=people")
    assert "2 位专家与经理人" in page
    assert f'href="/experts/{ding.user_id}"' in page
    assert f'href="/brokers/{broker.user_id}"' in page
    assert "公开成果" in page
    experts = text_of(client, "/search?tab=people&kind=expert")
    assert "1 位专家与经理人" in experts
    assert "去掉条件：专家" in experts
    field = text_of(client, "/search?tab=people&field=environment")
    assert "2 位专家与经理人" in field
    assert "0 位专家与经理人" in text_of(client, "/search?tab=people&field=materials")


def test_people_are_found_by_what_they_do(client: Browser, ding: Actor, broker: Actor) -> None:
    by_term = text_of(client, "/search?tab=people&q=低温脱硝")
    assert "丁文韬" in by_term
    by_field = text_of(client, "/search?tab=people&q=环境保护")
    assert "丁文韬" in by_field
    assert "李静舒" in by_field
    assert "<mark>丁文韬</mark>" in text_of(client, "/search?tab=people&q=丁文韬")


def test_an_experts_page_shows_public_facts_only(
    client: Browser, market: Market, ding: Actor
) -> None:
    page = text_of(client, f"/experts/{ding.user_id}")
    for said in ("丁文韬", "泉城理工大学", "环境保护", "低温脱硝催化剂", "1 项"):
        assert said in page
    assert "@test.example" not in page
    market.withdraw(market.catalyst)
    text_of(client, f"/experts/{ding.user_id}", 404)
    text_of(client, f"/experts/{market.officer.user_id}", 404)


def test_while_the_engine_is_away_people_are_listed_by_name(
    client: Browser, ding: Actor, services: wiring.Services, mocker: MockerFixture
) -> None:
    engine = services.resources[SearchIndex].engine
    for name in ("search", "count", "facets"):
        mocker.patch.object(engine, name, side_effect=SearchUnavailable("down"))
    page = text_of(client, "/search?tab=people&q=丁")
    assert "检索服务暂时不可用" in page
    assert f'href="/experts/{ding.user_id}"' in page
