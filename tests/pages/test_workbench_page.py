"""The first page after sign-in, for each kind of organisation and role."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import html

from marketplace import wiring
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.foundation.access import Role
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.trading import Hall
from tests.walking import ROLES, sign_in
from tests.world import World

_K, _S = OrganisationKind, OrganisationSubkind
HOMES: dict[Role, tuple[OrganisationKind, tuple[OrganisationSubkind, ...]]] = {
    Role.OFFICER: (_K.UNIVERSITY, ()),
    Role.LEADER: (_K.UNIVERSITY, ()),
    Role.INVENTOR: (_K.RESEARCH_INSTITUTE, ()),
    Role.ENTERPRISE: (_K.ENTERPRISE, ()),
    Role.BROKER: (_K.SERVICE_INSTITUTION, (_S.AGENCY,)),
    Role.AGENCY_HEAD: (_K.SERVICE_INSTITUTION, (_S.AGENCY,)),
    Role.PROVIDER: (_K.SERVICE_INSTITUTION, (_S.IP_FIRM,)),
    Role.ASSESSOR: (_K.SERVICE_INSTITUTION, (_S.ASSESSOR,)),
    Role.EXPERT: (_K.UNIVERSITY, ()),
    Role.REGISTRAR: (_K.REGISTRAR, ()),
    Role.DISTRICT_REVIEWER: (_K.GOVERNMENT, (_S.DISTRICT,)),
    Role.CENTRE_REVIEWER: (_K.GOVERNMENT, (_S.PROMOTION_CENTRE,)),
    Role.BUREAU_REVIEWER: (_K.GOVERNMENT, (_S.BUREAU,)),
    Role.TREASURER: (_K.GOVERNMENT, (_S.FINANCE_BUREAU,)),
    Role.OPERATOR: (_K.OPERATOR, ()),
}


@pytest.mark.parametrize("role", list(HOMES))
def test_each_role_is_told_what_waits_and_how_to_begin(
    role: Role, client: Any, page_world: Any
) -> None:
    kind, subkinds = HOMES[role]
    organisation = page_world.organisation(kind, subkinds=subkinds)
    client.sign_in_as(page_world.actor(role, organisation))
    answer = client.get("/workbench")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "待我办理" in page
    assert role.label in page
    assert "2024-03-15" in page
    assert "星期五" in page


def test_the_public_is_asked_to_sign_in(client: Any) -> None:
    answer = client.get("/workbench")
    assert answer.status_code == 302
    assert "/sign-in?next=/workbench" in answer.headers["Location"]


def workbench(client: Browser) -> str:
    answer = client.get("/workbench")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def figure(page: str, label: str) -> str:
    found = re.search(rf"<b>([^<]+)<small>&nbsp;[^<]*</small></b><span>{label}</span>", page)
    assert found, f"no figure {label}"
    return found[1]


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    """An achievement and a need that fit each other, indexed."""
    made = Market(page_world, services, clock)
    made.catalyst = made.achievement()
    made.need = made.open_need()
    made.settle()
    return made


def test_an_enterprise_sees_its_needs_with_fresh_matches(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    page = workbench(client)
    assert figure(page, "征集中的需求") == "1"
    assert f'href="/my/needs/{market.need}"' in page
    assert f'href="/achievements/{market.catalyst}"' in page
    assert "/ 100 匹配" in page
    assert "登记成果" not in page  # what is not this desk's is not offered first


def test_a_university_sees_how_far_each_achievement_came(client: Browser, market: Market) -> None:
    client.sign_in_as(market.officer)
    page = workbench(client)
    assert figure(page, "已发布") == "1"
    row = re.search(r"<tr><th scope=\"row\">.*?</tr>", page, re.DOTALL)
    assert row
    assert "低温脱硝催化剂" in row[0]
    assert re.findall(r"class=\"num\" data-label=\"(\S+)\">(\d+)<", row[0]) == [
        ("接洽", "0"),
        ("洽谈", "0"),
        ("合同", "0"),
    ]
    assert "还没有未成的项目" in page


def test_another_university_sees_nothing_of_it(
    client: Browser, market: Market, page_world: World
) -> None:
    client.sign_in_as(page_world.actor(Role.OFFICER))
    page = workbench(client)
    assert "低温脱硝催化剂" not in page
    assert figure(page, "已发布") == "0"


def test_what_waits_comes_by_its_term_and_overdue_is_counted(
    client: Browser, market: Market
) -> None:
    client.sign_in_as(market.officer)
    assert "已超过期限" not in workbench(client)
    market.clock.forward(days=200)
    market.services.due.run(market.services.database, now=market.clock.now())
    page = workbench(client)
    assert "长期未确认" in page
    assert "今天到期" in page


def test_the_operator_sees_the_hall_of_the_day(
    client: Browser, page_world: World, services: wiring.Services, clock: MovableClock
) -> None:
    hall = Hall(services.database, page_world, clock.now())
    hall.applied()
    page_world.organisation(OrganisationKind.ENTERPRISE, name="待核验公司", verified=False)
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    page = workbench(client)
    assert figure(page, "待受理挂牌") == "1"
    assert figure(page, "待核验机构") == "1"
    assert "核验机构：待核验公司" in page


def test_an_unverified_organisation_is_told_what_it_may_do_already(
    client: Browser, page_world: World
) -> None:
    newcomer = page_world.organisation(OrganisationKind.ENTERPRISE, verified=False)
    client.sign_in_as(page_world.actor(Role.ENTERPRISE, newcomer))
    page = workbench(client)
    assert "单位待核验" in page
    assert "核验之前可以起草" in page


def test_nothing_finished_is_shown_as_late(demo_site: Any) -> None:
    client = demo_site.client()
    late: list[str] = []
    rows = 0
    for role in ROLES[1:]:
        sign_in(client, role)
        page = html.fromstring(client.get("/workbench").get_data(as_text=True))
        for row in page.find_class("rowitem"):
            rows += 1
            ended = row.find_class("status--ok") or row.find_class("status--danger")
            if ended and row.find_class("due--late"):
                late.append(f"{role}: {' '.join(row.text_content().split())}")
    assert rows > 10
    assert not late, "\n".join(late)


def test_what_is_to_be_paid_stands_once(demo_site: Any) -> None:
    client = demo_site.client()
    sign_in(client, Role.OFFICER.value)
    page = client.get("/workbench").get_data(as_text=True)
    assert page.count("<b>支付评估费") == 1


def test_what_is_left_of_a_term_is_told_alike_on_the_workbench_and_in_the_queue(
    demo_site: Any,
) -> None:
    client = demo_site.client()
    sign_in(client, Role.REGISTRAR.value)
    queue = html.fromstring(client.get("/registry").get_data(as_text=True))
    in_queue = {
        row.find(".//th/a").text_content(): due.text_content()
        for row in queue.findall(".//tbody/tr")
        for due in row.find_class("due")
    }
    bench = html.fromstring(client.get("/workbench").get_data(as_text=True))
    on_bench = {
        item.find(".//b").text_content().removeprefix("审核合同："): due.text_content()
        for item in bench.findall(".//li")
        for due in item.find_class("due")
        if "审核合同：" in item.text_content()
    }
    assert len(on_bench) > 3
    assert {name: in_queue.get(name) for name in on_bench} == on_bench
    assert all("工作日" in left or "今天" in left for left in on_bench.values())
