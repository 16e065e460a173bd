"""The words of search and matching on the platform: tabs, filters, answers to a match."""

from __future__ import annotations

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.words import Word


class Tab(Word):
    """What a search is about."""

    ACHIEVEMENTS = "achievements", "成果"
    NEEDS = "needs", "需求"
    PEOPLE = "people", "专家与经理人"
    INSTITUTIONS = "institutions", "机构"


class PersonKind(Word):
    """Who is found among the people; the codes are the kinds of the index."""

    EXPERT = "expert", "专家"
    BROKER = "broker", "技术经理人"


class MaturityBand(Word):
    """Bands of maturity to filter by; the codes are those of the index."""

    EARLY = "1-3", "1–3 级 原理与验证"
    PILOT = "4-6", "4–6 级 小试与中试"
    READY = "7-9", "7–9 级 现场与量产"


class Freshness(Word):
    """How long ago the owner changed or confirmed the entry, in days."""

    MONTH = "30", "近 30 天"
    QUARTER = "90", "近 90 天"
    HALF_YEAR = "180", "近半年"


class Sorting(Word):
    """The orders of a result list; the codes are those of the index."""

    RELEVANCE = "relevance", "相关程度"
    UPDATED = "updated", "最近更新"
    PRICE = "price", "价格由低到高"
    MATURITY = "maturity", "成熟度"


class Verdict(Word):
    """What a reader says of a proposed match."""

    USEFUL = "useful", "有用"
    USELESS = "useless", "无关"


# Whoever works with matches may judge them; it changes nothing for others at once.
JUDGE = Permission("discovery.judge", frozenset(Role), verified=False)

# The filters of each tab, in the order of the page.
FACETS: dict[Tab, tuple[str, ...]] = {
    Tab.ACHIEVEMENTS: (
        "field",
        "maturity_band",
        "ip_kind",
        "mode",
        "industry",
        "region",
        "owner_kind",
    ),
    Tab.NEEDS: ("field", "mode", "industry", "region"),
    Tab.PEOPLE: ("kind", "field", "region"),
    Tab.INSTITUTIONS: ("owner_kind", "region"),
}

FACET_LABELS: dict[str, str] = {
    "kind": "类别",
    "field": "技术领域",
    "maturity_band": "成熟度",
    "ip_kind": "知识产权",
    "mode": "合作方式",
    "industry": "行业",
    "region": "地区",
    "owner_kind": "权利人类别",
}

SORTINGS: dict[Tab, tuple[Sorting, ...]] = {
    Tab.ACHIEVEMENTS: tuple(Sorting),
    Tab.NEEDS: (Sorting.RELEVANCE, Sorting.UPDATED),
    Tab.PEOPLE: (Sorting.RELEVANCE,),
    Tab.INSTITUTIONS: (Sorting.RELEVANCE,),
}
