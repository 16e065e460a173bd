"""专家会这样说 on pages, verdicts both ways with undo, and a search that becomes a need."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import pytest
from pytest_mock import MockerFixture

from marketplace import wiring
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.discovery import learning_service, service
from marketplace.discovery.finding import Finder
from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import Actor, Role
from marketplace.needs import queries as needs
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.world import World

TOLD = "凉水塔里全是水垢，每季度要停车酸洗一次，费用太高，想少洗几次。"


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    made = Market(page_world, services, clock)
    made.catalyst = made.achievement()
    made.need = made.open_need(
        title="凉水塔不再结垢", problem=TOLD, present_solution="", expert_terms=()
    )
    made.settle()
    return made


@pytest.fixture
def broker(market: Market) -> Actor:
    agency = market.world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
    )
    return market.world.actor(Role.BROKER, agency)


def text_of(client: Browser, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:400]
    return answer.get_data(as_text=True)


def proposals(page: str) -> list[str]:
    return re.findall(r'aria-label="采纳专业词：([^"]+)"', page)


def terms_of(market: Market) -> tuple[str, ...]:
    with market.services.database.reading() as session:
        return needs.get_internal(session, market.need).content.expert_terms


def test_a_reader_sees_the_terms_and_switches_them_off(client: Browser, market: Market) -> None:
    page = text_of(client, f"/needs/{market.need}")
    assert "专家会这样说，已一并匹配" in page
    assert proposals(page) == []
    off = re.search(r'href="(/needs/\d+\?without=[^"]+)" title="因为写了', page)
    assert off
    term = re.search(r'aria-label="不按这个词匹配：([^"]+)"', page)
    assert term
    less = text_of(client, off[1].replace("&amp;", "&"))
    assert f"不按这个词匹配：{term[1]}" not in less
    assert "全部用上" in less
    assert "有专业词没有用上" in text_of(client, f"/needs/{market.need}?expand=0")


@pytest.mark.parametrize("who", ["broker", "buyer"])
def test_a_proposed_term_is_accepted_by_one_press(
    client: Browser, market: Market, broker: Actor, who: str
) -> None:
    client.sign_in_as(broker if who == "broker" else market.buyer)
    page = text_of(client, f"/needs/{market.need}")
    first, *_ = proposals(page)
    assert "因为写了“" in page
    answer = client.send(f"/needs/{market.need}/terms", term=first)
    assert answer.headers["Location"] == f"/needs/{market.need}#terms"
    assert terms_of(market) == (first,)
    market.settle()
    page = text_of(client, f"/needs/{market.need}")
    assert "已采纳的专业词" in page
    assert first not in proposals(page)
    assert (f"去掉专业词：{first}" in page) is (who == "buyer")
    client.send(f"/needs/{market.need}/terms/drop", term=first)
    assert terms_of(market) == (() if who == "buyer" else (first,))


def test_others_cannot_write_into_a_need(client: Browser, market: Market, broker: Actor) -> None:
    client.sign_in_as(broker)
    client.send(f"/needs/{market.need}/terms", term="请买我的产品")
    assert terms_of(market) == ()
    client.sign_in_as(market.officer)
    client.send(f"/needs/{market.need}/terms", term="阻垢")
    assert "专业词由需求方" in text_of(client, f"/needs/{market.need}")
    assert terms_of(market) == ()
    client.sign_in_as(market.world.actor(Role.REGISTRAR))
    assert client.send(f"/needs/{market.need}/terms", term="阻垢").status_code == 403


def test_the_owners_page_offers_the_same(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    page = text_of(client, f"/my/needs/{market.need}")
    first, *_ = proposals(page)
    back = f"/my/needs/{market.need}#terms"
    answer = client.send(f"/needs/{market.need}/terms", term=first, next=back)
    assert answer.headers["Location"] == back
    assert terms_of(market) == (first,)


def test_while_a_need_is_written_terms_are_proposed_and_accepted(
    client: Browser, market: Market
) -> None:
    client.sign_in_as(market.buyer)
    made = client.send("/my/needs/new", title="凉水塔不再结垢", problem=TOLD).headers["Location"]
    page = text_of(client, made)
    first, second, *_ = proposals(page)
    assert "因为您写了“" in page
    assert 'data-propose-terms="/my/needs/terms"' in page
    form = {"title": "凉水塔不再结垢", "problem": TOLD, "expert_terms": "自己的词", "version": "1"}
    answer = client.post(made, data={**form, "accept_term": first})
    assert answer.headers["Location"] == f"{made}#terms"
    page = text_of(client, made)
    assert f"自己的词、{first}" in page
    assert first not in proposals(page)
    assert second in proposals(page)
    # The script asks with what is typed at this moment; nothing is stored by that.
    asked = client.post("/my/needs/terms", data={"title": "", "problem": TOLD})
    assert first in proposals(asked.get_data(as_text=True))
    nothing = client.post("/my/needs/terms", data={"title": "", "problem": ""})
    assert "写了问题之后" in nothing.get_data(as_text=True)


def test_without_script_a_button_saves_and_shows_the_terms(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    made = client.send("/my/needs/new", title="凉水塔不再结垢").headers["Location"]
    answer = client.send(made, title="凉水塔", problem=TOLD, version="1", then="terms")
    assert answer.headers["Location"] == f"{made}#terms"
    assert proposals(text_of(client, made))


def test_what_is_no_term_is_refused_beside_the_field(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    made = client.send("/my/needs/new", title="凉水塔不再结垢").headers["Location"]
    answer = client.send(made, title="凉水塔", version="1", accept_term="词" * 500)
    assert answer.status_code == 422
    assert "专业词要 2 到 30 个字" in answer.get_data(as_text=True)


@pytest.mark.parametrize("direction", ["need", "achievement"])
def test_verdicts_are_given_changed_and_taken_back_in_both_directions(
    client: Browser, market: Market, direction: str
) -> None:
    market.need = market.open_need()
    market.settle()
    client.sign_in_as(market.buyer)
    page_of = f"/needs/{market.need}" if direction == "need" else f"/achievements/{market.catalyst}"
    path = f"/matches/{market.need}/{market.catalyst}"
    assert f'action="{path}"' in text_of(client, page_of)
    client.send(path, verdict="useful", next=f"{page_of}#matches")
    page = text_of(client, page_of)
    assert "您认为有用" in page
    assert "改为无关" in page
    client.send(path, verdict="useless")
    assert "您认为无关" in text_of(client, page_of)
    answer = client.send(path, verdict="none", next=f"{page_of}#matches")
    assert answer.headers["Location"] == f"{page_of}#matches"
    assert "您认为" not in text_of(client, page_of)
    client.send(path, verdict="none")
    client.send(path, verdict="nonsense")
    assert "请选择“有用”或“无关”" in text_of(client, page_of)


def test_a_dismissed_match_out_of_sight_can_be_taken_back(
    client: Browser, market: Market, mocker: MockerFixture
) -> None:
    market.need = market.open_need()
    market.achievement(title="低温脱硝滤袋，一次脱硝除尘")
    market.settle()
    mocker.patch.object(
        Finder.of_need, "__kwdefaults__", {"indicators": (), "limit": 1, "owner_id": None}
    )
    client.sign_in_as(market.buyer)
    page_of = f"/needs/{market.need}"
    best = re.search(r'action="(/matches/\d+/\d+)"', text_of(client, page_of))
    assert best
    client.send(best[1], verdict="useless")
    page = text_of(client, page_of)
    assert "您标为无关的 1 项" in page
    client.send(best[1], verdict="none")
    page = text_of(client, page_of)
    assert "您标为无关的" not in page
    assert best[1] in page


@pytest.mark.parametrize(
    "query",
    [
        "q=低温脱硝",
        "q=没有人写过的词语组合",
        "q=低温脱硝&tab=needs",
        "q=没有的人&tab=people",
        "q=没有的机构&tab=institutions",
        "",
    ],
)
def test_every_result_page_leads_to_a_need_with_the_text(
    client: Browser, market: Market, query: str
) -> None:
    client.sign_in_as(market.buyer)
    page = text_of(client, f"/search?{query}")
    link = re.search(r'href="(/my/needs/new[^"]*)"', page)
    assert link
    opened = text_of(client, link[1].replace("&amp;", "&"))
    if query:
        assert f'value="{parse_qs(query)["q"][0]}"' in opened


def test_who_may_not_post_needs_is_led_to_the_brokers(client: Browser, market: Market) -> None:
    client.sign_in_as(market.world.actor(Role.INVENTOR, market.university))
    page = text_of(client, "/search?q=没有人写过的词语组合")
    assert "/my/needs/new" not in page
    assert "请技术经理人帮您找" in page


def test_the_operator_sees_what_was_learned_and_refuses_it(
    client: Browser, market: Market, services: wiring.Services
) -> None:
    client.sign_in_as(market.buyer)
    assert client.get("/search/learned").status_code == 403
    client.sign_in_as(market.operator)
    assert "还没有学到什么" in text_of(client, "/search/learned")
    for number in range(3):
        company = market.world.organisation(OrganisationKind.ENTERPRISE, name=f"企业甲{number}")
        with services.database.transaction() as session:
            service.judge_match(
                session,
                actor=market.world.actor(Role.ENTERPRISE, company),
                now=market.clock.now(),
                need_id=market.need,
                achievement_id=market.catalyst,
                verdict=Verdict.USEFUL,
            )
    with services.database.transaction() as session:
        learning_service.relearn(session, now=market.clock.now())
    page = text_of(client, "/search/learned")
    assert "低温脱硝" in page
    refused = re.search(r'action="(/search/learned/\d+/refuse)"', page)
    assert refused
    client.post(refused[1])
    assert "已停用" in text_of(client, "/search/learned")
    client.post(refused[1].replace("refuse", "admit"))
    assert "已恢复使用" in text_of(client, "/search/learned")
