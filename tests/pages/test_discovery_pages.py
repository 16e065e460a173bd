"""The search page, the public pages of achievements and needs, suggestions and verdicts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pytest_mock import MockerFixture

from marketplace import wiring
from marketplace.accounts.rules import OrganisationKind
from marketplace.achievements.rules import (
    Comparison,
    EvidenceClass,
    FieldGroup,
    IPKind,
    IPRight,
    LegalStatus,
    Visibility,
)
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.models import MatchVerdict
from marketplace.discovery.rules import Verdict
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.trade import TechnologyField
from search.errors import SearchUnavailable
from tests.conftest import Browser, MovableClock
from tests.discovering import Market
from tests.statements import statements
from tests.world import World

CATALYST = "低温脱硝催化剂：180 ℃ 去除率 92 %"


@pytest.fixture
def market(page_world: World, services: wiring.Services, clock: MovableClock) -> Market:
    """A market with two achievements and a need, indexed."""
    made = Market(page_world, services, clock)
    made.catalyst = made.achievement()
    made.descaling = made.achievement(
        title="循环冷却水阻垢剂，换热器一年不用酸洗",
        problem="换热器结垢使能耗上升，每季度停车酸洗一次，废酸要另外花钱处理。",
        solution="以聚天冬氨酸为主的阻垢缓蚀配方，不含磷，与常用杀菌剂一起投加也不失效。",
        benefit="酸洗次数由每年四次降为零。",
        comparison=(
            Comparison("阻垢率", "96", "%", "有机膦药剂", "88", EvidenceClass.THIRD_PARTY),
        ),
        ip_rights=(IPRight(IPKind.SECRET, title="配方", legal_status=LegalStatus.SECRET),),
        trl_evidence="两家纺织企业的循环水站各运行一年",
        field=TechnologyField.MATERIALS,
        keywords=("阻垢剂", "循环冷却水"),
    )
    made.need = made.open_need()
    made.settle()
    return made


def text_of(client: Browser, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)[:400]
    return answer.get_data(as_text=True)


def test_search_marks_counts_and_filters(client: Browser, market: Market) -> None:
    page = text_of(client, "/search?q=低温脱硝")
    assert "<mark>低温脱硝" in page
    assert "全部词语都出现" in page
    assert re.search(r"成果<span class=\"n\">1</span>", page)
    assert re.search(r"需求<span class=\"n\">1</span>", page)
    filtered = text_of(client, "/search?field=environment&mode=transfer")
    assert 'aria-label="去掉条件：环境保护与资源综合利用"' in filtered
    assert "没有完全符合的内容" in filtered


def test_every_condition_is_a_chip_that_leads_to_the_search_without_it(
    client: Browser, market: Market
) -> None:
    page = text_of(client, "/search?q=脱硝&field=environment&price_from=10&price_to=500&fresh=90")
    for label in ("环境保护与资源综合利用", "10–500 万元，含面议", "近 90 天"):
        assert f"去掉条件：{label}" in page
    assert 'name="price_from" inputmode="decimal" value="10"' in page


def test_no_result_never_ends_in_nothing(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    page = text_of(client, '/search?q="脱硝滤袋除尘一体"')
    assert "没有完全符合的内容" in page
    assert "最接近的内容" in page
    assert "把这段话发布为需求" in page


def test_did_you_mean_leads_to_the_right_word(client: Browser, market: Market) -> None:
    page = text_of(client, "/search?q=脱硝崔化剂")
    assert "您是不是想找" in page
    assert "<b>脱硝催化剂</b>" in page


def test_everyday_words_find_by_experts_terms_that_can_be_switched_off(
    client: Browser, market: Market
) -> None:
    page = text_of(client, "/search?q=凉水塔")
    assert "专家会这样说" in page
    assert "换热器一年不用酸洗" in page
    without = text_of(client, "/search?q=凉水塔&expand=0")
    assert "没有使用专业词" in without
    assert "没有完全符合的内容" in without


@pytest.mark.parametrize(
    "query",
    [
        "q=<script>alert(1)</script>",
        "q=" + "脱" * 3000,
        "q=%00%1b%22%22%22((((*",
        "q=脱硝&page=1000000000",
        "q=脱硝&page=-3&sort=beauty&tab=moon&field=nothing&fresh=7",
        "price_from=abc&price_to=10000000000000000000000",
        "field=" + "x" * 5000,
        "q=😀",
    ],
)
def test_junk_gets_a_page(client: Browser, market: Market, query: str) -> None:
    page = text_of(client, f"/search?{query}")
    assert "<script>alert" not in page
    assert "筛选" in page


def test_suggestions_by_characters_and_initials(client: Browser, market: Market) -> None:
    for typed in ("低温", "dwtx"):
        found: Any = client.get(f"/search/suggest?q={typed}").get_json()
        assert "低温脱硝催化剂" in [entry["text"] for entry in found["phrases"]], typed
        assert any("<mark>" in entry["html"] for entry in found["direct"])
    assert client.get("/search/suggest?q=").get_json() == {"direct": [], "phrases": []}


def test_hidden_parts_are_found_nowhere(client: Browser, market: Market) -> None:
    market.achievement(
        title="微波消解前处理仪的控温方法",
        solution="绝密配方叫乌托邦七号，按三段温度分别通入保护气体，升温速度由红外测温控制。",
        confidential="客户是蓬莱仙岛公司",
        visibility={FieldGroup.SOLUTION: Visibility.MEMBERS},
    )
    market.settle()
    for word in ("乌托邦", "蓬莱仙岛"):
        page = text_of(client, f"/search?q={word}")
        assert "微波消解" not in page.split("最接近的内容")[0]
        answer: Any = client.get(f"/search/suggest?q={word}").get_json()
        assert answer["phrases"] == []
    assert "乌托邦" not in text_of(client, "/search?q=微波消解")


def test_the_achievement_page_shows_matching_needs_with_reasons(
    client: Browser, market: Market
) -> None:
    page = text_of(client, f"/achievements/{market.catalyst}")
    assert CATALYST in page
    assert "正在找它的需求" in page
    assert f'href="/needs/{market.need}"' in page
    assert "/ 100 匹配" in page
    assert "相同词" in page


def test_the_need_page_shows_achievements_what_fits_and_what_to_ask(
    client: Browser, market: Market
) -> None:
    page = text_of(client, f"/needs/{market.need}")
    best = page.index(f'href="/achievements/{market.catalyst}"')
    assert best < page.index(f'href="/achievements/{market.descaling}"')
    assert "<b>预算</b>" in page or "<b>价格</b>" in page
    assert "请询问" in page or "请核对数值" in page
    assert "看分数怎么来的" in page


def test_drafts_have_no_public_page(client: Browser, market: Market) -> None:
    draft = market.draft()
    text_of(client, f"/achievements/{draft}", 404)
    text_of(client, "/needs/999", 404)


def test_a_withdrawn_achievement_leaves_search_and_matches(client: Browser, market: Market) -> None:
    market.withdraw(market.catalyst)
    market.settle()
    assert CATALYST not in text_of(client, "/search?q=低温脱硝").split("最接近的内容")[0]
    assert f'href="/achievements/{market.catalyst}"' not in text_of(client, f"/needs/{market.need}")


def test_a_verdict_is_stored_once_per_person_and_can_be_changed(
    client: Browser, market: Market, services: wiring.Services
) -> None:
    path = f"/matches/{market.need}/{market.catalyst}"
    answer = client.send(path, verdict="useful")
    assert answer.status_code in (302, 403)
    client.sign_in_as(market.buyer)
    assert client.send(path, verdict="useful").status_code == 303
    assert client.send(path, verdict="useless").status_code == 303
    with services.database.reading() as session:
        rows = session.query(MatchVerdict).all()
        assert [(row.verdict, row.user_id) for row in rows] == [
            (Verdict.USELESS, market.buyer.user_id)
        ]
    assert "您认为无关" in text_of(client, f"/needs/{market.need}")


def test_while_the_engine_is_away_titles_come_from_the_database(
    client: Browser, market: Market, services: wiring.Services, mocker: MockerFixture
) -> None:
    engine = services.resources[SearchIndex].engine
    for name in ("search", "count", "facets", "candidates", "get", "vocabulary", "generation"):
        mocker.patch.object(engine, name, side_effect=SearchUnavailable("down"))
    page = text_of(client, "/search?q=脱硝")
    assert "检索服务暂时不可用" in page
    assert CATALYST in page
    assert "匹配结果稍后恢复" in text_of(client, f"/needs/{market.need}")
    answer: Any = client.get("/search/suggest?q=脱").get_json()
    assert answer == {"direct": [], "phrases": []}


def test_search_asks_the_database_only_who_stands_on_record(
    client: Browser, market: Market, services: wiring.Services
) -> None:
    text_of(client, "/search?q=脱硝")
    with statements(services.database) as asked:
        text_of(client, "/search?q=脱硝")
    # Once for all results: what they are marked with must hold at this moment.
    read = [s for s in asked if not s.startswith(("BEGIN", "PRAGMA"))]
    assert len(read) == 1
    assert "FROM integrity_records" in read[0]


def test_institutions_are_found_by_name(client: Browser, market: Market) -> None:
    page = text_of(client, "/search?tab=institutions&q=泉城理工")
    assert "<mark>泉城</mark>" in page or "<mark>泉城理工</mark>" in page
    seller: Actor = market.world.actor(
        Role.OFFICER, market.world.organisation(OrganisationKind.UNIVERSITY, name="新来的大学")
    )
    market.settle()
    assert seller.organisation_id is not None
    assert f'href="/institutions/{seller.organisation_id}"' in text_of(
        client, "/search?tab=institutions&q=新来的大学"
    )


def test_the_owners_page_of_a_need_shows_its_best_matches(client: Browser, market: Market) -> None:
    client.sign_in_as(market.buyer)
    page = text_of(client, f"/my/needs/{market.need}")
    assert "最接近的成果" in page
    assert f'href="/achievements/{market.catalyst}"' in page
    answer = client.send(
        f"/matches/{market.need}/{market.catalyst}",
        verdict="useful",
        next=f"/my/needs/{market.need}#matches",
    )
    assert answer.headers["Location"].startswith(f"/my/needs/{market.need}")
