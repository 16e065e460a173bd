"""Pages of the match desk: one pair after another by single taps, and who is asked answers."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from marketplace import wiring
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.brokerage.models import Deal
from marketplace.brokerage.proposal_models import Proposal
from marketplace.discovery.desk_models import DeskAnswer, MatchPair
from marketplace.discovery.desk_rules import DeskState
from marketplace.discovery.pairing import Pairing
from marketplace.foundation.access import Actor, Role
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.world import World

DESK = "/matches/desk"


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    """A market with two pairs."""
    made = Market(page_world, services, clock)
    made.catalyst = made.achievement()
    made.achievement(title="低温脱硝催化剂再生：180 ℃ 原位清洗")
    made.need = made.open_need()
    made.settle()
    pairing: Pairing = services.resources[Pairing]
    while pairing.work(now=clock.now()):
        pass
    return made


@pytest.fixture
def broker(page_world: World) -> Actor:
    agency = page_world.organisation(
        OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
    )
    return page_world.actor(Role.BROKER, agency, name="李静舒")


def text_of(client: Browser, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:400]
    return answer.get_data(as_text=True)


def pairs(services: wiring.Services) -> list[int]:
    with services.database.reading() as session:
        return list(session.scalars(select(MatchPair.id).order_by(MatchPair.weight.desc())))


def answers(services: wiring.Services) -> list[DeskState]:
    with services.database.reading() as session:
        return list(session.scalars(select(DeskAnswer.state).order_by(DeskAnswer.id)))


def test_each_tap_leads_to_the_next_pair(
    client: Browser, market: Market, broker: Actor, services: wiring.Services
) -> None:
    first, second = pairs(services)
    client.sign_in_as(broker)
    page = text_of(client, DESK)
    assert "还有 2 对等您处理" in page
    assert "还要弄清：" in page
    # What goes out in the broker's name stands open above the buttons that send it.
    before_words = page[: page.index('name="words"')]
    assert before_words.count("<details") == before_words.count("</details>")
    assert page.index('name="words"') < page.index('name="to"')
    assert 'href="/matches/desk"' in text_of(client, "/deals/today")

    tapped = client.send(f"{DESK}/{first}/dismiss", reason="figures")
    assert tapped.headers["Location"] == f"{DESK}?at={second}"
    assert "还有 1 对等您处理" in text_of(client, tapped.headers["Location"])
    tapped = client.send(f"{DESK}/{second}/snooze", until="2025-06-01")
    assert tapped.status_code == 422
    assert "最多推迟一年" in tapped.get_data(as_text=True)
    tapped = client.send(f"{DESK}/{second}/propose", to="both", words="")
    assert tapped.status_code == 422
    assert answers(services) == [DeskState.DISMISSED]
    words = "催化剂在 180 ℃ 就能达标，建议先通个电话。"
    client.send(f"{DESK}/{second}/propose", to="both", words=words)
    assert "撮合台处理完了" in text_of(client, DESK)
    aside = text_of(client, f"{DESK}/aside")
    assert "指标达不到" in aside
    client.send(f"{DESK}/{first}/take-back")
    assert "还有 1 对等您处理" in text_of(client, DESK)


def test_what_was_typed_stays_when_it_is_refused(
    client: Browser, market: Market, broker: Actor, services: wiring.Services
) -> None:
    [first, _] = pairs(services)
    client.sign_in_as(broker)
    answer = client.send(
        f"{DESK}/{first}/propose", to="moon", words="要看<b>报告</b>再说，谢谢大家"
    )
    assert answer.status_code == 422
    assert "要看&lt;b&gt;报告" in answer.get_data(as_text=True)
    answer = client.send(f"{DESK}/{first}/dismiss", reason="other", words="嗯")
    assert answer.status_code == 422
    assert "请写几个字说明原因" in answer.get_data(as_text=True)
    assert answers(services) == []


def test_who_is_asked_answers_and_the_deal_opens(
    client: Browser, market: Market, broker: Actor, services: wiring.Services
) -> None:
    [first, _] = pairs(services)
    client.sign_in_as(broker)
    client.send(
        f"{DESK}/{first}/propose", to="buyer", words="催化剂在 180 ℃ 就能达标，建议先通个电话。"
    )
    with services.database.reading() as session:
        number = session.scalars(select(Proposal.id)).one()
    assert "等答复" in text_of(client, "/deals/proposals")

    client.sign_in_as(market.officer)
    assert text_of(client, f"/deals/proposals/{number}", 404)
    client.sign_in_as(market.buyer)
    page = text_of(client, f"/deals/proposals/{number}")
    assert "建议先通个电话" in page
    assert client.send(f"/deals/proposals/{number}", decision="no").status_code == 422
    done = client.send(f"/deals/proposals/{number}", decision="yes")
    assert done.status_code == 303
    assert done.headers["Location"].startswith("/deals/")
    with services.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Deal)) == 1
    assert "介绍存证" in text_of(client, done.headers["Location"])


def test_a_proposal_that_ended_says_so_to_both(
    client: Browser,
    market: Market,
    broker: Actor,
    services: wiring.Services,
    clock: MovableClock,
) -> None:
    [first, _] = pairs(services)
    client.sign_in_as(broker)
    client.send(
        f"{DESK}/{first}/propose", to="buyer", words="催化剂在 180 ℃ 就能达标，建议先通个电话。"
    )
    with services.database.reading() as session:
        number = session.scalars(select(Proposal.id)).one()
    clock.forward(days=31)
    services.due.run(services.database, now=clock.now())
    client.sign_in_as(broker)
    assert "没有等到全部答复" in text_of(client, f"/deals/proposals/{number}")
    client.sign_in_as(market.buyer)
    page = text_of(client, f"/deals/proposals/{number}")
    assert "这项建议已失效，没有建立项目" in page
    assert f'href="/brokers/{broker.user_id}"' in page
    assert 'name="decision"' not in page
