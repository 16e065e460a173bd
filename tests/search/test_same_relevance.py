"""A server finds what the embedded engine finds: the demo's needs against its achievements."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import yaml

from search import matching, query, rebuild, searching
from search.engine import Engine
from search.engines.embedded import EmbeddedEngine
from search.evaluate import judged_figures
from search.features import Seeker
from search.schema import Document, Filters, Scope
from tests.search.conftest import SERVERS

DEMO = Path(__file__).parents[2] / "seed" / "demo"
SCOPE = Scope(kinds=frozenset({"achievement"}))
# What the project promises of any two engines.
MOST_APART = 0.01

pytestmark = pytest.mark.server


def rows(name: str) -> list[dict[str, Any]]:
    held: list[dict[str, Any]] = yaml.safe_load((DEMO / f"{name}.yaml").read_text("utf-8"))[name]
    return held


def documents() -> list[Document]:
    return [
        Document(
            id=row["key"],
            kind="achievement",
            title=row["title"],
            body="\n".join(row[part] for part in ("problem", "solution", "benefit")),
            keywords=tuple(row.get("keywords", ())),
            industry=(row["industry"]["code"],),
        )
        for row in rows("achievements")
    ]


def matched(engine: Engine, need: dict[str, Any]) -> list[str]:
    seeker = Seeker(title=need["title"], text=need["problem"], industry=(need["industry"]["code"],))
    found = matching.match(engine, seeker, SCOPE, most_per_owner=None)
    return [match.document.id for match in found]


def searched(engine: Engine, need: dict[str, Any]) -> list[str]:
    results = searching.search(engine, query.parse(need["title"]), SCOPE, Filters())
    return [found.hit.document.id for found in results.found]


def ndcg(engine: Engine, ask: Callable[[Engine, dict[str, Any]], list[str]]) -> float:
    """Return the mean nDCG@10 over the needs for which a specialist would think of something."""
    figures = [
        judged_figures(ask(engine, need), dict.fromkeys(need["fits"], 1))["ndcg@10"]
        for need in rows("needs")
        if need["fits"]
    ]
    return fmean(figure for figure in figures if not math.isnan(figure))


@pytest.mark.parametrize("address", SERVERS, indirect=True)
def test_search_and_matching_are_as_good_as_embedded(bare: Engine, tmp_path: Path) -> None:
    embedded = EmbeddedEngine(tmp_path / "embedded")
    for engine in (embedded, bare):
        engine.swap(rebuild.build(engine, documents()))
    for ask, least in ((matched, 0.7), (searched, 0.6)):
        here = ndcg(embedded, ask)
        assert here > least
        assert ndcg(bare, ask) == pytest.approx(here, abs=MOST_APART)
