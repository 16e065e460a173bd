"""Secret strings, planted where not everybody may read, are found by nobody who may not.

Every secret is two words side by side: a reader searches the first and must never meet the second,
nor the title of what holds it. All surfaces of discovery are walked as every role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from marketplace import wiring, worker
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind, roles_of
from marketplace.achievements.rules import (
    Comparison,
    EvidenceClass,
    FieldGroup,
    Inventor,
    Visibility,
)
from marketplace.brokerage import service as brokerage_service
from marketplace.brokerage.register_rules import Certificate
from marketplace.discovery import learning_queries, learning_service, service
from marketplace.discovery import subscription_service as subscriptions
from marketplace.discovery.rules import Tab, Verdict
from marketplace.discovery.subscription_rules import Frequency
from marketplace.foundation.access import ANONYMOUS, Actor, Role
from marketplace.foundation.trade import TechnologyField
from marketplace.needs import service as needs
from marketplace.notifications import queries as notifications
from marketplace.notifications.rules import MessageKind
from tests.achievement_contents import complete_need
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.world import World

# Where each secret lies; its number makes its two words.
PLACES = (
    "draft achievement",
    "solution for members",
    "comparison after an agreement",
    "confidential part of an achievement",
    "team that members see",
    "withdrawn achievement",
    "draft need",
    "confidential part of a need",
    "closed need",
    "who asks anonymously",
    "unverified organisation",
    "broker who is not listed",
)
# Words of a secret are whole Latin words: no analysis takes them apart.
ASKED = {place: f"zqa{number}kanarie" for number, place in enumerate(PLACES)}
BESIDE = {place: f"zqb{number}geheim" for number, place in enumerate(PLACES)}
PUBLIC_WORD = "低温脱硝"
# As an institution it is public; that it asks is not.
ASKER = "who asks anonymously"


def secret(place: str) -> str:
    return f"{ASKED[place]} {BESIDE[place]}"


class Planted(Market):
    """A market whose every hidden place holds a secret."""

    public: int
    asking: int
    anonymous: int
    expert: int

    def plant(self) -> None:
        """Plant everything, and something public beside each secret."""
        self.draft(title=f"低温脱硝草稿 {secret('draft achievement')}")
        hidden = self.world.actor(
            Role.INVENTOR, self.university, name=secret("team that members see")
        )
        self.expert = hidden.user_id or 0
        self.public = self.achievement(
            solution=f"低温脱硝的做法只给会员看：{secret('solution for members')}，"
            "以锰铈复合氧化物为活性组分，抑制硫酸铵沉积。",
            confidential=f"前驱体焙烧 {secret('confidential part of an achievement')}",
            visibility={FieldGroup.SOLUTION: Visibility.MEMBERS},
        )
        self.achievement(
            title="低温脱硝滤袋，一次脱硝除尘",
            comparison=(
                Comparison(
                    f"脱硝率 {secret('comparison after an agreement')}",
                    "92",
                    "%",
                    "钒钛催化剂",
                    "41",
                    EvidenceClass.THIRD_PARTY,
                ),
            ),
            visibility={FieldGroup.COMPARISON: Visibility.AGREEMENT},
        )
        self.achievement(
            title="低温脱硝滤筒，可以水洗再生",
            inventors=(Inventor(secret("team that members see")),),
            visibility={FieldGroup.INVENTORS: Visibility.MEMBERS},
        )
        gone = self.achievement(title=f"低温脱硝撤下的 {secret('withdrawn achievement')}")
        self.settle()
        self.withdraw(gone)
        self._plant_needs()
        self._plant_people()
        self.settle()

    def _plant_needs(self) -> None:
        with self.services.database.transaction() as session:
            needs.create_draft(
                session,
                actor=self.buyer,
                now=self.clock.now(),
                content=complete_need(title=f"低温脱硝草稿 {secret('draft need')}"),
            )
        self.asking = self.open_need(confidential=f"客户是 {secret('confidential part of a need')}")
        closed = self.open_need(title=f"低温脱硝关闭的 {secret('closed need')}")
        self.settle()
        with self.services.database.transaction() as session:
            needs.close(
                session,
                actor=self.buyer,
                now=self.clock.now(),
                need_id=closed,
                reason="已自行解决",
            )
        shy = self.world.organisation(
            OrganisationKind.ENTERPRISE, name=secret("who asks anonymously")
        )
        plain = self.buyer
        self.buyer = self.world.actor(Role.ENTERPRISE, shy)
        self.anonymous = self.open_need(title="低温脱硝，匿名征集方案", anonymous=True)
        self.buyer = plain

    def _plant_people(self) -> None:
        self.world.organisation(
            OrganisationKind.ENTERPRISE, name=secret("unverified organisation"), verified=False
        )
        agency = self.world.organisation(
            OrganisationKind.SERVICE_INSTITUTION, subkinds=(OrganisationSubkind.AGENCY,)
        )
        broker = self.world.actor(Role.BROKER, agency, name="没有上榜的人")
        with self.services.database.transaction() as session:
            brokerage_service.save_profile(
                session,
                actor=broker,
                now=self.clock.now(),
                certificate=Certificate(None, "", "", None),
                fields=[TechnologyField.ENVIRONMENT],
                introduction=f"低温脱硝 {secret('broker who is not listed')}",
                listed=False,
                version=None,
            )


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Planted:
    made = Planted(page_world, services, clock)
    made.settle()
    return made


def everybody(market: Planted) -> Iterator[Actor]:
    """Somebody of each role, each of an organisation of its own, and a visitor."""
    yield ANONYMOUS
    for role in Role:
        kind, subkinds = home_of(role)
        home = market.world.organisation(kind, subkinds=subkinds, name=f"{role.label}的单位")
        yield market.world.actor(role, home)


def home_of(role: Role) -> tuple[OrganisationKind, tuple[OrganisationSubkind, ...]]:
    """Return an organisation whose members can hold the role."""
    service, office = OrganisationKind.SERVICE_INSTITUTION, OrganisationKind.GOVERNMENT
    plain = [(kind, ()) for kind in OrganisationKind if kind not in (service, office)]
    services = [
        (service, (OrganisationSubkind.AGENCY,)),
        (service, (OrganisationSubkind.ASSESSOR,)),
    ]
    offices = [(office, (subkind,)) for subkind in OrganisationSubkind]
    return next((k, s) for k, s in (*plain, *services, *offices) if role in roles_of(k, s))


def assert_hidden(page: str, place: str, where: str) -> None:
    assert BESIDE[place] not in page, f"{place}: seen in {where}"


def hits(page: str) -> str:
    """Return the result rows of a search page, without what it says of the query itself."""
    assert 'class="tabs' in page
    return "".join(re.findall(r'<li class="rowitem.*?</li>', page, re.DOTALL))


def test_searches_suggestions_and_feeds_show_no_secret_to_anybody(
    client: Browser, market: Planted
) -> None:
    market.plant()
    for actor in everybody(market):
        client.sign_out()
        if actor.signed_in:
            client.sign_in_as(actor)
        who = "、".join(role.label for role in actor.roles) or "访客"
        for tab in Tab:
            for path in (f"/search?tab={tab}", f"/search?tab={tab}&q={quote(PUBLIC_WORD)}"):
                page = client.get(path).get_data(as_text=True)
                for place in PLACES:
                    if (tab, place) == (Tab.INSTITUTIONS, ASKER):
                        continue
                    assert_hidden(page, place, f"{path} as {who}")
                    assert ASKED[place] not in page, f"{place}: seen in {path} as {who}"
        for place in PLACES:
            # Public words beside the secret one: a looser tier finds their public neighbours.
            typed = quote(f"{ASKED[place]} {PUBLIC_WORD}")
            for path in (f"/search?q={typed}", f"/search?tab=needs&q={quote(ASKED[place])}"):
                page = client.get(path).get_data(as_text=True)
                assert_hidden(page, place, f"{path} as {who}")
                assert ASKED[place] not in hits(page), f"{place}: highlighted for {who}"
            if place == ASKER:
                continue
            for typed in (ASKED[place], ASKED[place][:5]):
                told = client.get(f"/search/suggest?q={typed}").get_data(as_text=True)
                assert_hidden(told, place, f"suggestions for {typed} as {who}")
                assert ASKED[place] not in told, f"{place}: suggested to {who}"


def test_the_exact_secret_finds_nothing_in_any_tab(client: Browser, market: Planted) -> None:
    market.plant()
    for actor in (ANONYMOUS, market.world.actor(Role.ENTERPRISE)):
        client.sign_out()
        if actor.signed_in:
            client.sign_in_as(actor)
        for tab in Tab:
            for place in PLACES:
                if (tab, place) == (Tab.INSTITUTIONS, ASKER):
                    continue
                page = client.get(f'/search?tab={tab}&q="{ASKED[place]}"').get_data(as_text=True)
                assert "没有完全符合的内容" in page, (tab, place)
                feed = client.get(f'/search.atom?tab={tab}&q="{ASKED[place]}"')
                assert b"<entry>" not in feed.data, (tab, place)


def test_matches_both_ways_their_reasons_and_terms_show_no_secret(
    client: Browser, market: Planted
) -> None:
    market.plant()
    guesses = " ".join(ASKED.values())
    snoop = market.open_need(title="低温脱硝，打听一下", problem=f"低温脱硝，听说有 {guesses}。")
    market.settle()
    for actor in everybody(market):
        client.sign_out()
        if actor.signed_in:
            client.sign_in_as(actor)
        who = "、".join(role.label for role in actor.roles) or "访客"
        for path in (
            f"/needs/{snoop}",
            f"/needs/{market.asking}",
            f"/needs/{market.anonymous}",
            f"/achievements/{market.public}",
        ):
            page = client.get(path).get_data(as_text=True)
            matches = page[page.index('id="matches"') :]
            for place in PLACES:
                assert_hidden(matches, place, f"matches on {path} as {who}")
                assert ASKED[place] not in matches, f"{place}: matched on {path} for {who}"
        assert client.get(f"/experts/{market.expert}").status_code == 404


def test_alerts_mails_and_private_feeds_show_no_secret(client: Browser, market: Planted) -> None:
    readers = [actor for actor in everybody(market) if actor.signed_in]
    database, now = market.services.database, market.clock
    for reader in readers:
        for tab in Tab:
            with database.transaction() as session:
                saved = subscriptions.save(
                    session,
                    actor=reader,
                    now=now.now(),
                    name=f"全部{tab.label}",
                    arguments={"tab": [tab.value]},
                    frequency=Frequency.IMMEDIATE,
                )
                subscriptions.renew_feed(
                    session, actor=reader, now=now.now(), saved_search_id=saved
                )
    now.forward(seconds=5)
    market.plant()
    for _ in range(10):
        now.forward(minutes=11)
        worker.run_until_quiet(market.services)
    told = 0
    for reader in readers:
        client.sign_in_as(reader)
        with database.reading() as session:
            found = notifications.inbox(session, reader, kind=MessageKind.SEARCH, size=50)
        texts = "\n".join(f"{message.title}\n{message.text}" for message in found.items)
        told += texts.count("条新内容")
        page = client.get("/my/searches").get_data(as_text=True)
        addresses = re.findall(r'value="http://localhost(/feeds/[^"]+)"', page)
        assert len(addresses) == len(Tab)
        seen = texts + "".join(client.get(path).get_data(as_text=True) for path in addresses)
        for place in PLACES:
            if place == ASKER:
                # Announced as a new institution, never beside what it asks.
                seen = "\n".join(line for line in seen.splitlines() if "匿名征集" in line)
            assert_hidden(seen, place, "alerts and feeds")
    assert told >= len(readers)


def test_nothing_secret_is_learned(client: Browser, market: Planted) -> None:
    market.plant()
    for number in range(4):
        company = market.world.organisation(OrganisationKind.ENTERPRISE, name=f"学习者{number}")
        person = market.world.actor(Role.ENTERPRISE, company)
        for need in (market.asking, market.anonymous):
            with market.services.database.transaction() as session:
                service.judge_match(
                    session,
                    actor=person,
                    now=market.clock.now(),
                    need_id=need,
                    achievement_id=market.public,
                    verdict=Verdict.USEFUL,
                )
    with market.services.database.transaction() as session:
        learned = learning_service.relearn(session, now=market.clock.now())
    assert learned
    with market.services.database.reading() as session:
        words = " ".join(
            f"{pair.said} {pair.meant}" for pair in learning_queries.list_pairs(session)
        )
    for place in PLACES:
        assert ASKED[place] not in words
        assert_hidden(words, place, "the learned table")
