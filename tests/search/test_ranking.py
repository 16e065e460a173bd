"""The shared scorer counts all candidates at once as plain Python counts each."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search import text
from search.engine import TOGETHER, Ask, Expansion, Hit, Statistics, Unit
from search.engines.stored import analyse
from search.ranking import Saturation, Scorer, idf, normal_texts, telling
from search.schema import Document
from tests.search.conftest import CORPUS, EVERYTHING

ASKED = "哈哈镜里的低温脱硝催化剂 180 ℃，MOSFET 驱动芯片；小麦滴灌哈"
STATISTICS = Statistics(100, 50.0, 90.0, {}, {})
# Repeated, doubled, wide, joined, with a decimal, beyond the first plane, and cut by marks.
PIECES = [
    "哈",
    "哈哈",
    "低温",
    "脱硝",
    "催化剂",
    "１８０",
    "1.5",
    "mosfet",
    "𠮷",
    "é",
    "，",
    " ",
    "。\n",
]

texts = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
documents = st.builds(
    Document,
    id=st.just("x"),
    kind=st.just("k"),
    title=texts,
    body=texts,
    keywords=st.lists(texts, max_size=2).map(tuple),
    rank=st.sampled_from([1.0, 0.5]),
)
terms = st.lists(texts.map(text.norm).filter(text.runs), max_size=4, unique=True)


def hit(document: Document) -> Hit:
    analysis = analyse(document)
    lengths = len(analysis.words), len(analysis.grams)
    return Hit(document, 0.0, analysis.borders, *lengths, analysis.plain)


def occurrences(term: str, document: Document) -> int:
    """Return how often a proposed term stands in a document: as often as the rarest piece."""
    return min(document.normal.count(piece) for piece in term.split(TOGETHER))


@settings(deadline=None, max_examples=150)
@given(st.lists(documents, min_size=1, max_size=5), texts, terms, terms)
def test_scores_are_those_of_a_plain_count(
    corpus: list[Document], asked: str, proposed: list[str], units: list[str]
) -> None:
    normal = text.norm(asked)
    joined = [*proposed, TOGETHER.join(proposed)] if len(proposed) > 1 else proposed
    ask = Ask(
        scope=EVERYTHING,
        words=dict.fromkeys(text.words(normal), 0.5),
        grams=dict.fromkeys(text.grams(normal), 1.0),
        expansions=tuple(Expansion(term, text.cover(term), 2.0) for term in joined),
        units=tuple(Unit(unit, (text.cover(unit),)) for unit in units),
    )
    saturation = Saturation(0.6, 0.4)
    scores = Scorer(ask, STATISTICS, saturation).score([hit(document) for document in corpus])
    totals = scores.totals()
    for place, document in enumerate(corpus):
        analysis = analyse(document)

        def brought(weight: float, count: int, length: int, average: float) -> float:
            norm = saturation.k1 * (1 - saturation.b + saturation.b * length / average)
            return weight * idf(0, 100) * count * (saturation.k1 + 1) / (count + norm)

        words = {
            word: brought(0.5, count, len(analysis.words), 50.0)
            for word in ask.words
            if (count := analysis.words.count(word))
        }
        grams = {
            gram: brought(1.0, count, len(analysis.grams), 90.0)
            for gram in ask.grams
            if (count := analysis.grams.count(gram))
        }
        expansions = {
            term: brought(2.0, count, len(analysis.grams), 90.0)
            for term in joined
            if text.cover(term) and (count := occurrences(term, document))
        }
        told = scores.brought(place)
        assert told.words == pytest.approx(words)
        assert told.grams == pytest.approx(grams)
        assert told.expansions == pytest.approx(expansions)
        own = sum(words.values()) + sum(grams.values())
        assert told.own == pytest.approx(own)
        whole = (own + sum(expansions.values())) * document.rank
        assert totals[place] == pytest.approx(whole)
        held = [set(analysis.grams).issuperset(text.cover(unit)) for unit in units]
        assert scores.held[place].tolist() == held


def test_a_share_of_the_bridge_spares_what_is_sure() -> None:
    proposed = tuple(Expansion(term, text.cover(term), 1.0) for term in ("低温", "脱硝"))
    grams = dict.fromkeys(text.grams(text.norm(ASKED)), 1.0)
    ask = Ask(scope=EVERYTHING, grams=grams, expansions=proposed)
    scores = Scorer(ask, STATISTICS).score([hit(CORPUS[0])])
    whole = scores.brought(0)
    scores.bridge(0.5, {"脱硝"})
    told = scores.brought(0)
    assert told.expansions["低温"] == pytest.approx(whole.expansions["低温"] / 2)
    assert told.expansions["脱硝"] == whole.expansions["脱硝"]
    assert scores.totals()[0] == pytest.approx(told.own + sum(told.expansions.values()))


def test_the_bridge_counts_less_where_a_document_answers_in_the_askers_words() -> None:
    ask = Ask(scope=EVERYTHING, grams=dict.fromkeys(("脱硝", "脱", "硝", "量子"), 1.0))
    answered = Scorer(ask, STATISTICS).score([hit(CORPUS[0]), hit(CORPUS[2])])
    share = float(answered.own.max()) / Scorer(ask, STATISTICS).asked
    assert answered.bridge_needed(share) == 1.0
    assert answered.bridge_needed(share / 2) == pytest.approx(0.25)
    assert Scorer(ask, STATISTICS).score([]).bridge_needed(0.1) == 1.0


def test_terms_of_most_documents_choose_no_candidates_where_others_are_left() -> None:
    words, grams = {"装置": 1.0, "脱硝": 1.0}, {"装": 1.0, "硝": 0.3}
    ask = Ask(scope=EVERYTHING, words=words, grams=grams)
    common, rare = 60_000, 20
    held = Statistics(100_000, 9.0, 9.0, {"装置": common, "脱硝": rare}, {"装": common, "硝": rare})
    left = telling(ask, held, 0.5)
    assert (left.words, left.grams) == ({"脱硝": 1.0}, {"硝": 0.3})
    assert telling(ask, held, 0.6) == ask
    assert telling(replace(ask, words={"装置": 1.0}, grams={}), held, 0.5).words == {"装置": 1.0}
    # In a small index nothing is common enough to cost anything.
    assert telling(ask, replace(held, documents=10, words={"装置": 9}, grams={}), 0.5) == ask


def test_rare_terms_weigh_more() -> None:
    assert idf(1, 100) > idf(50, 100) > idf(100, 100) > 0
    assert idf(200, 100) == idf(100, 100)
    assert not math.isnan(idf(0, 0))


@given(
    st.lists(st.builds(Document, id=st.just("x"), kind=st.just("k"), title=st.text()), max_size=4)
)
def test_normal_texts_made_together_are_those_made_one_by_one(found: list[Document]) -> None:
    sigma = Document(id="x", kind="k", title="ΟΔΟΣ", body="ΑΣ")
    among = [*found, sigma, *found]
    assert normal_texts([hit(document) for document in among]) == [d.normal for d in among]
