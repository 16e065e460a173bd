"""Engines to run the conformance suite on, and a small corpus that every test can read."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search import rebuild
from search.address import open_engine
from search.engine import Engine
from search.schema import MEMBERS, Document, Scope
from tests.beside import Missing, leave_out
from tests.search import servers

# Each engine's way to an address of its own for one test; a new server is one line here.
ADDRESSES: dict[str, Callable[[Path], str]] = {
    "embedded": lambda folder: f"embedded:{folder / 'index'}",
    "elasticsearch": lambda _: f"elasticsearch+{servers.elasticsearch()}/{_prefix()}",
    "meilisearch": lambda _: f"meilisearch+{servers.given('MEILISEARCH_URL')}/{_prefix()}",
}
SERVERS = tuple(name for name in ADDRESSES if name != "embedded")


def _prefix() -> str:
    return f"test{uuid.uuid4().hex[:12]}"


EVERYTHING = Scope(kinds=frozenset({"achievement", "need", "organisation"}))

CORPUS = (
    Document(
        id="achievement:1",
        kind="achievement",
        title="低温脱硝催化剂：180 ℃ 去除率 92 %，烟气无需再加热",
        body="焦炉烟气温度低于 200 ℃ 时，常规钒钛催化剂活性不足。本成果以锰铈复合氧化物为活性组分，"
        "低温段脱硝效率高。已连续运行 5,400 小时。",
        keywords=("低温脱硝", "催化剂"),
        field=("07",),
        industry=("environment",),
        ipc=("B01J23/34", "B01D53/86"),
        ip_kind=("invention",),
        mode=("licence", "equity"),
        region="370112",
        state="listed",
        owner_kind="research_institute",
        owner_id="1",
        maturity=7,
        price=180_000_000,
        published_at=1_700_000_000,
        updated_at=1_709_000_000,
    ),
    Document(
        id="achievement:2",
        kind="achievement",
        title="换热器阻垢剂与在线除垢装置",
        body="循环冷却水硬度高时，换热器管内易结垢。阻垢剂投加量 8 mg/L，阻垢率 96 %。",
        keywords=("阻垢剂", "循环冷却水"),
        field=("07", "05"),
        industry=("environment",),
        ipc=("C02F5/10",),
        ip_kind=("invention", "know_how"),
        mode=("transfer",),
        region="370102",
        state="published",
        owner_kind="university",
        owner_id="2",
        maturity=5,
        price=None,
        published_at=1_690_000_000,
        updated_at=1_700_000_000,
    ),
    Document(
        id="achievement:3",
        kind="achievement",
        title="宽禁带半导体碳化硅 MOSFET 驱动芯片",
        body="驱动延时 35 ns，共模抑制 150 kV/μs，适用于光伏逆变器与充电桩。",
        keywords=("碳化硅", "驱动芯片", "半导体"),
        field=("01",),
        industry=("information",),
        ipc=("H03K17/687",),
        ip_kind=("layout",),
        mode=("licence",),
        region="370102",
        state="published",
        owner_kind="university",
        owner_id="2",
        maturity=3,
        price=50_000_000,
        published_at=1_695_000_000,
        updated_at=1_705_000_000,
    ),
    Document(
        id="achievement:4",
        kind="achievement",
        title="小麦玉米周年水肥一体化滴灌技术",
        body="内部试验田数据仅对会员开放。亩均节水 38 %。",
        keywords=("滴灌", "水肥一体化"),
        field=("09",),
        industry=("food",),
        region="370181",
        state="published",
        owner_kind="university",
        owner_id="3",
        visibility=MEMBERS,
        maturity=8,
        price=30_000_000,
        updated_at=1_708_000_000,
    ),
    Document(
        id="need:1",
        kind="need",
        title="烘炉烟气达标，不新增加热炉",
        body="铸造烘炉烟气 170–200 ℃，氮氧化物超标，希望低温脱硝，预算 200 万元。",
        field=("07",),
        industry=("environment",),
        region="370112",
        state="open",
        owner_kind="enterprise",
        owner_id="9",
        maturity=6,
        price=200_000_000,
        updated_at=1_709_500_000,
    ),
)


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.server] if name in SERVERS else [])
        for name in ADDRESSES
    ]
)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an engine that holds nothing yet."""
    name = request.param
    try:
        made = ADDRESSES[name](tmp_path)
    except Missing as missing:
        leave_out(name, str(missing))
    yield made
    servers.clear(made)


@pytest.fixture
def bare(address: str) -> Engine:
    """An engine without any index."""
    return open_engine(address)


@pytest.fixture
def engine(bare: Engine) -> Engine:
    """An engine that holds the corpus."""
    bare.swap(rebuild.build(bare, CORPUS))
    return bare


def pytest_unconfigure() -> None:
    """End the servers."""
    servers.stop()
