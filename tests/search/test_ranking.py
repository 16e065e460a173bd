"""The shared scorer counts as plain Python does, however it looks for what is there."""

from __future__ import annotations

import pytest

from search import text
from search.engine import Ask, Expansion, Hit, Statistics
from search.ranking import Saturation, Scorer, idf
from search.schema import Document
from tests.search.conftest import CORPUS, EVERYTHING

ASKED = "哈哈镜里的低温脱硝催化剂 180 ℃，MOSFET 驱动芯片；小麦滴灌哈"


@pytest.mark.parametrize("body", [*(d.body for d in CORPUS), "哈哈哈镜，哈哈", "", "mosfets 1800"])
def test_grams_are_counted_without_overlaps_and_latin_words_whole(body: str) -> None:
    grams = dict.fromkeys(text.grams(text.norm(ASKED)), 1.0)
    term = Expansion("脱硝", ("脱硝",), 2.0)
    ask = Ask(scope=EVERYTHING, grams=grams, expansions=(term,))
    common = dict.fromkeys(grams, 3)
    scorer = Scorer(ask, Statistics(100, 50.0, 90.0, {}, common))
    length = len(text.grams(text.norm(body)))
    hit = Hit(Document(id="x", kind="achievement", body=body), 0.0, (), length)
    scored = scorer.score(hit)
    normal = text.norm(body)
    saturation = Saturation()
    norm = saturation.k1 * (1 - saturation.b + saturation.b * length / 90.0)

    def brought(count: int) -> float:
        return idf(3, 100) * count * (saturation.k1 + 1) / (count + norm)

    expected = {}
    for gram in grams:
        whole = normal.count(gram) if text.is_han(gram) else text.runs(normal).count(gram)
        if whole:
            expected[gram] = pytest.approx(brought(whole))
    assert dict(scored.grams) == expected
    assert scored.own == pytest.approx(sum(scored.grams.values()))
    assert scored.bridged(0.5).score == pytest.approx(
        scored.own + sum(scored.expansions.values()) / 2
    )
